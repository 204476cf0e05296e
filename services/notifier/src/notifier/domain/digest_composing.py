"""A digest as it is read: by subject, the most important first, short, and all of it reachable."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from babel.dates import format_date
from kommunepuls_chassis.texts import plain_text, shortened
from kommunepuls_events import Cadence, ContentItemV1
from kommunepuls_events import Kind as ItemKind
from kommunepuls_events.vocabulary import ReasonType

from notifier.domain.composing import Reader, compose_story
from notifier.domain.language import locale_of
from notifier.domain.local_time import zone_of
from notifier.domain.messages import Message, Section, Story, Urgency
from notifier.domain.sendings import Kind, Sending

_DAY = timedelta(days=1)
_DATE = {"nb": "EEEE d. MMMM", "nn": "EEEE d. MMMM", "sv": "EEEE d MMMM", "en": "EEEE d MMMM"}
_LONGEST_TITLE = 80
_LONGEST_SUMMARY = 240
_MOST_IN_FULL = 12
_MOST_IN_FULL_OF_A_SECTION = 4
_MOST_AS_TITLES = 20
"""What is left out beyond these is counted, with a link to where all of it stands."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What waited, and the item in the wording in which it is told."""

    sending: Sending
    item: ContentItemV1


@dataclass(frozen=True, slots=True)
class _Told:
    entry: Entry
    story: Story
    rank: tuple


def compose_digest(sending: Sending, entries: Sequence[Entry], reader: Reader, now: datetime) -> Message:
    """One message about all that came together since the last, at least one."""
    words = reader.words
    town = reader.labels.municipality(reader.profile.municipality)
    told = sorted((_told(entry, reader) for entry in entries), key=lambda one: one.rank)
    stories = tuple(one.story for one in told)
    sections, left_out = _shortened_to_fit(_sections(told, reader))
    count = len(told)
    heading = words.ngettext("%(count)d item from %(town)s", "%(count)d items from %(town)s", count)
    return Message(
        key=sending.key,
        kind=Kind.DIGEST,
        language=words.language,
        sender=town,
        title=_title(stories, reader),
        topic=f"digest {sending.subscriber}",
        urgency=Urgency.LOW,
        time_to_live=_DAY,
        stories=stories,
        heading=heading % {"count": count, "town": town},
        preface=(_day_in_words(now.astimezone(zone_of(reader.profile.timezone)).date(), words.language),
                 *_budget_told(entries, reader)),
        sections=sections,
        left_out=left_out,
        rhythm=_rhythm(reader),
        home_url=f"{reader.public_url}/feed",
        settings_url=f"{reader.public_url}/settings",
        unsubscribe_url=reader.unsubscribe_url,
    )  # fmt: skip


def _told(entry: Entry, reader: Reader) -> _Told:
    sending, item = entry.sending, entry.item
    story = compose_story(item, sending.reasons, sending.follow_up, reader)
    say = reader.words.gettext
    facts = dict(story.facts)
    when = facts.get(say("When")) or f"{say('Published')} {facts[say('Published')]}"
    where = facts.get(say("Where"))
    return _Told(
        entry,
        replace(
            story,
            summary=shortened(story.summary, _LONGEST_SUMMARY),
            facts=((say("When"), when), *([(say("Where"), where)] if where else [])),
            links=(),
        ),
        _rank(sending, item),
    )


def _rank(sending: Sending, item: ContentItemV1) -> tuple:
    """Important first; then what takes place, soonest first; then the rest, newest first."""
    if item.starts_at is not None:
        return (-sending.importance, 0, item.starts_at.timestamp(), item.id)
    return (-sending.importance, 1, -item.published_at.timestamp(), item.id)


def _title(stories: Sequence[Story], reader: Reader) -> str:
    """What a list of mails or a lock screen shows: the most important one, and how many more there are."""
    first, more = stories[0], len(stories) - 1
    if not more:
        return first.heading
    title = reader.words.ngettext(
        "%(title)s – and %(count)d more", "%(title)s – and %(count)d more items", more
    )
    return title % {"title": shortened(first.heading, _LONGEST_TITLE), "count": more}


def _day_in_words(day: date, language: str) -> str:
    return format_date(day, _DATE[language], locale=locale_of(language))


def _budget_told(entries: Iterable[Entry], reader: Reader) -> tuple[str, ...]:
    """That the resident's own limit is why these come in a digest, by day."""
    words, limit = reader.words, reader.profile.messages_a_day
    told = []
    for day in sorted({one.sending.budget_day for one in entries if one.sending.budget_day}):
        sentence = words.gettext("On %(day)s your limit of messages was reached. What came besides is here.")
        if limit is not None:
            sentence = words.ngettext(
                "On %(day)s your limit of %(limit)d message a day was reached. What came besides is here.",
                "On %(day)s your limit of %(limit)d messages a day was reached. What came besides is here.",
                limit,
            )
        said = sentence % {"day": _day_in_words(date.fromisoformat(day), words.language), "limit": limit}
        told.append(said[0].upper() + said[1:])
    return tuple(told)


def _rhythm(reader: Reader) -> str:
    say = reader.words.gettext
    match reader.profile.cadence:
        case Cadence.DAILY:
            return say("You have chosen a digest once a day.")
        case Cadence.WEEKLY:
            return say("You have chosen a digest once a week.")
        case Cadence.IMMEDIATELY:
            return say("You have chosen to hear of things as they happen.")


def _sections(told: Sequence[_Told], reader: Reader) -> list[Section]:
    """By subject. Warnings come first, then what changed since it was told; then what is more, and larger."""
    gathered: dict[tuple[int, str], list[_Told]] = {}
    for one in told:
        gathered.setdefault(_subject(one.entry, reader), []).append(one)

    def place(section: tuple[tuple[int, str], list[_Told]]) -> tuple:
        (order, heading), members = section
        return (order, members[0].rank[0], -len(members), heading)

    return [
        Section(heading, tuple(one.story for one in members))
        for (_, heading), members in sorted(gathered.items(), key=place)
    ]


def _subject(entry: Entry, reader: Reader) -> tuple[int, str]:
    """Where an item stands in the order of sections, and what its section is called."""
    say, labels, language = reader.words.gettext, reader.labels, reader.words.language
    sending, item = entry.sending, entry.item
    if sending.follow_up or item.withdrawn:
        return (1, say("Changed since we told you"))
    if item.kind is ItemKind.ALERT:
        return (0, say("Warnings"))
    for reason in sending.reasons:
        match reason.type:
            case ReasonType.INTEREST:
                return (2, labels.interest(reason.interest or "", item.municipality, language))
            case ReasonType.SENSOR:
                return (2, say("Your limits"))
    if any(reason.type is ReasonType.ORGANISER for reason in sending.reasons) and item.organiser:
        return (2, shortened(plain_text(item.organiser.name), 100))
    return (2, say("Where you follow along"))


def _shortened_to_fit(sections: Sequence[Section]) -> tuple[tuple[Section, ...], int]:
    """The first of each section in full, others by their title; and how many are left out altogether."""
    in_full, as_titles, left_out, kept = _MOST_IN_FULL, _MOST_AS_TITLES, 0, []
    for section in sections:
        full = min(len(section.stories), _MOST_IN_FULL_OF_A_SECTION, in_full)
        titles = min(len(section.stories) - full, as_titles)
        in_full, as_titles = in_full - full, as_titles - titles
        left_out += len(section.stories) - full - titles
        if full or titles:
            kept.append(
                Section(section.heading, section.stories[:full], section.stories[full : full + titles])
            )
    return tuple(kept), left_out
