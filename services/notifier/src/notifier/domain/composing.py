"""From items and reasons to the words a resident reads."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from kommunepuls_chassis.texts import plain_text, shortened
from kommunepuls_events import ContentItemV1, Reason, Severity, SubscriberProfileV1
from kommunepuls_events import Kind as ItemKind

from notifier.domain.labels import Labels
from notifier.domain.language import Words, locale_of, texts_in
from notifier.domain.local_time import zone_of
from notifier.domain.messages import Message, Story, Urgency
from notifier.domain.reasons import reasons_in_words
from notifier.domain.sendings import Kind, Sending
from notifier.domain.standing import says_it_is_over

_LONGEST_TITLE = 150
_LONGEST_SUMMARY = 600
_DAY = timedelta(days=1)
_MOMENT = {
    "nb": "EEEE d. MMMM 'kl.' HH:mm",
    "nn": "EEEE d. MMMM 'kl.' HH:mm",
    "sv": "EEEE d MMMM 'kl.' HH:mm",
    "en": "EEEE d MMMM 'at' HH:mm",
}
_CHANGED = {
    "title": "Title",
    "starts_at": "Begins",
    "ends_at": "Ends",
    "valid_from": "From",
    "valid_until": "Until",
    "place_name": "Where",
    "stage": "Stage",
}
"""Fields whose change a resident reads as before and after; of others it is enough to read the new text."""

_STAGES = {
    "received": "received",
    "amended": "amended",
    "decided": "decided",
    "withdrawn": "withdrawn",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom we write to: profile, our words in their language, names they know, addresses for links."""

    profile: SubscriberProfileV1
    words: Words
    labels: Labels
    public_url: str
    unsubscribe_url: str | None


def compose_story(item: ContentItemV1, reasons: Sequence[Reason], follow_up: bool, reader: Reader) -> Story:
    """One item as this resident reads it."""
    return with_reasons(story_without_reasons(item, follow_up, reader), reasons, item, reader)


def with_reasons(story: Story, reasons: Sequence[Reason], item: ContentItemV1, reader: Reader) -> Story:
    """The story with the reasons why this resident reads it."""
    words = reasons_in_words(reasons, item, reader.profile, reader.labels, reader.words)
    return replace(story, reasons=words)


def story_without_reasons(item: ContentItemV1, follow_up: bool, reader: Reader) -> Story:
    """What all who read the same language in the same time zone read of an item."""
    texts = texts_in(item, reader.words.language)
    title = shortened(plain_text(texts.title), _LONGEST_TITLE)
    summary = plain_text(texts.summary) or plain_text(texts.body)
    summary = shortened(summary, _LONGEST_SUMMARY)
    return Story(
        item=item.id,
        revision=item.revision,
        mark=_mark(item, follow_up, reader.words),
        title=title,
        summary="" if summary == title else summary,
        facts=_facts(item, reader),
        changes=_changes(item, reader) if follow_up else (),
        reasons=(),
        url=f"{reader.public_url}/items/{quote(item.id, safe='')}",
        links=tuple(
            (shortened(plain_text(link.title or ""), 80) or link.url.host or "", str(link.url))
            for link in item.links[:3]
            if link.url.scheme in ("http", "https")
        ),
        severity=item.severity,
        emergency=item.emergency,
        withdrawn=item.withdrawn,
    )


def compose_item(
    sending: Sending, item: ContentItemV1, story: Story, reader: Reader, now: datetime
) -> Message:
    """The message about one item."""
    return Message(
        key=sending.key,
        kind=Kind.ITEM,
        language=reader.words.language,
        sender=reader.labels.municipality(item.municipality),
        title=story.heading,
        topic=item.id,
        urgency=_urgency(item),
        time_to_live=_time_to_live(item, now),
        stories=(story,),
        home_url=reader.public_url,
        settings_url=f"{reader.public_url}/settings",
        unsubscribe_url=reader.unsubscribe_url,
    )


STAFF_LINK, STAFF_INVITATION = "staff-link", "staff-invitation"
"""Letters of contact commands to the municipality's staff, beside the residents' own."""


def compose_link(
    sending: Sending, link: str, sender: str, words: Words, public_url: str, *, letter: str = ""
) -> Message:
    """The mail with a sign-in link. ``letter`` names whom it is for: residents, or staff."""
    titles = {
        STAFF_LINK: words.gettext("Your sign-in link to the staff pages"),
        STAFF_INVITATION: words.gettext("You are invited to the staff pages"),
    }
    return Message(
        key=sending.key,
        kind=Kind.LINK,
        language=words.language,
        sender=sender,
        title=titles.get(letter) or words.gettext("Your sign-in link"),
        topic=sending.key,
        urgency=Urgency.HIGH,
        time_to_live=timedelta(minutes=15),
        link=link,
        letter=letter if letter in titles else "",
        home_url=public_url,
    )


def compose_test(sending: Sending, sender: str, words: Words, public_url: str) -> Message:
    """The test of an endpoint that a resident asked for."""
    return Message(
        key=sending.key,
        kind=Kind.TEST,
        language=words.language,
        sender=sender,
        title=words.gettext("Test: your notifications work"),
        topic=sending.key,
        urgency=Urgency.NORMAL,
        time_to_live=timedelta(minutes=15),
        home_url=public_url,
        settings_url=f"{public_url}/settings",
    )


def _mark(item: ContentItemV1, follow_up: bool, words: Words) -> str:
    if item.withdrawn:
        return words.gettext("Withdrawn")
    if not follow_up:
        return ""
    if says_it_is_over(item):
        return words.gettext("Over")
    if any(change.field == "stage" for change in item.lifecycle.changes):
        return words.gettext("News in the case")
    return words.gettext("Corrected")


def _facts(item: ContentItemV1, reader: Reader) -> tuple[tuple[str, str], ...]:
    say = reader.words.gettext
    zone = zone_of(reader.profile.timezone)
    facts = []
    if item.starts_at:
        facts.append((say("When"), _span(item.starts_at, item.ends_at, zone, reader.words.language)))
    elif item.kind is ItemKind.ALERT and item.valid_from:
        facts.append((say("When"), _span(item.valid_from, item.valid_until, zone, reader.words.language)))
    if where := _where(item, reader):
        facts.append((say("Where"), where))
    if item.organiser:
        facts.append((say("From"), shortened(plain_text(item.organiser.name), 100)))
    published = moment_in_words(item.published_at, zone, reader.words.language)
    facts.append((say("Published"), published))
    return tuple(facts)


def _where(item: ContentItemV1, reader: Reader) -> str:
    if item.place_name:
        return shortened(plain_text(item.place_name), 120)
    names = [reader.labels.area(area, reader.words.language) for area in item.areas[:4]]
    return ", ".join(dict.fromkeys(names))


def _changes(item: ContentItemV1, reader: Reader) -> tuple[str, ...]:
    say = reader.words.gettext
    found = []
    for change in item.lifecycle.changes:
        if change.field not in _CHANGED:
            continue
        before, after = (_changed_value(change.field, text, reader) for text in (change.before, change.after))
        found.append(f"{say(_CHANGED[change.field])}: {before or '–'} → {after or '–'}")
    return tuple(found)


def _changed_value(field: str, text: str | None, reader: Reader) -> str:
    if field == "stage" and text in _STAGES:
        return reader.words.gettext(_STAGES[text])
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return shortened(plain_text(text or ""), 120)
    if moment.tzinfo is None:
        return shortened(text or "", 40)
    return moment_in_words(moment, zone_of(reader.profile.timezone), reader.words.language)


def moment_in_words(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """Day and time on the resident's clock."""
    pattern = _MOMENT[language]
    if moment.astimezone(zone).time() == time():
        # Many sources know the day alone, which they write as its first minute.
        pattern = pattern.partition(" '")[0]
    return format_datetime(moment, pattern, tzinfo=zone, locale=locale_of(language))


def _first_minute(moment: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(moment.astimezone(zone).date(), time(), zone)


def _span(begins: datetime, ends: datetime | None, zone: ZoneInfo, language: str) -> str:
    said = moment_in_words(begins, zone, language)
    if ends is None or ends == begins:
        return said
    if begins.astimezone(zone).time() == ends.astimezone(zone).time() == time():
        # Whole days: the end is the first minute of the day after the last.
        ends -= timedelta(minutes=1)
        if ends.astimezone(zone).date() == begins.astimezone(zone).date():
            return said
        return f"{said} – {moment_in_words(_first_minute(ends, zone), zone, language)}"
    if ends.astimezone(zone).date() == begins.astimezone(zone).date():
        return f"{said}–{ends.astimezone(zone):%H:%M}"
    return f"{said} – {moment_in_words(ends, zone, language)}"


def _urgency(item: ContentItemV1) -> Urgency:
    if item.emergency:
        return Urgency.HIGH
    if item.kind is ItemKind.ALERT and item.severity.rank >= Severity.MODERATE.rank:
        return Urgency.HIGH
    return Urgency.NORMAL


def _time_to_live(item: ContentItemV1, now: datetime) -> timedelta:
    """A day, or until the item is over if that is sooner; an hour at least, so that it can be seen."""
    ends = [end - now for end in (item.valid_until, item.ends_at) if end is not None]
    return max(min([_DAY, *ends]), timedelta(hours=1))
