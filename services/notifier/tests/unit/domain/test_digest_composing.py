"""A digest as it is read."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from kommunepuls_events import Channel, Reason
from kommunepuls_events.vocabulary import ReasonType
from notifier.adapters.catalogue import PoCatalogue
from notifier.adapters.mail_composer import MailComposer
from notifier.domain.composing import Reader
from notifier.domain.digest_composing import Entry, compose_digest
from notifier.domain.labels import Labels
from notifier.domain.language import LANGUAGES
from notifier.domain.messages import Message
from notifier.domain.push_payload import push_payload
from notifier.domain.sendings import FOLLOW_UP, about, digest_of
from notifier.testing import AREA, INTEREST, NOON, item, profile

MORNING = datetime(2026, 11, 25, 6, 1, tzinfo=UTC)
LABELS = Labels(
    municipalities={"NO-9901": "Fjordvik kommune"}, areas={"NO-9901/breidablikk": {"": "Breidablikk"}}
)
PERMITS = Reason(type=ReasonType.INTEREST, interest="building-permits")
CLUB = Reason(type=ReasonType.ORGANISER, organiser="NO-9901/fotball")
ORGANISER = {"organiser": {"id": "NO-9901/fotball", "name": "Fjordvik fotball"}}
WITHDRAWN = {"revision": 2, "lifecycle": {"state": "withdrawn"}}


def entry(native: str, *reasons: Reason, **fields: object) -> Entry:
    told = item(native, **{"title": f"Sak {native}", **fields})
    return Entry(about(told, "s-1", Channel.EMAIL, reasons or (AREA, INTEREST), NOON, None), told)


def digest(*entries: Entry, language: str = "nb", **fields: object) -> Message:
    reader = Reader(
        profile(language=language, **{"cadence": "daily", **fields}), PoCatalogue().words(language), LABELS,
        "https://puls.example", "https://puls.example/unsubscribe/t",
    )  # fmt: skip
    return compose_digest(digest_of(entries[0].sending, MORNING, NOON), entries, reader, MORNING)


def texts_of(message: Message) -> tuple[str, str]:
    mail = MailComposer(PoCatalogue(), "puls@fjordvik.example").compose(message, "a@b.example", MORNING)
    return tuple(mail.get_body((kind,)).get_content() for kind in ("plain", "html"))


@pytest.mark.parametrize(
    ("language", "one", "two", "many"),
    [
        ("nb", "Vannet stenges", "Vannet stenges – og én til", "Vannet stenges – og 4 til"),
        ("nn", "Vannet stenges", "Vannet stenges – og éi til", "Vannet stenges – og 4 til"),
        ("sv", "Vannet stenges", "Vannet stenges – och en till", "Vannet stenges – och 4 till"),
        ("en", "Vannet stenges", "Vannet stenges – and 1 more", "Vannet stenges – and 4 more items"),
    ],
)
def test_the_subject_tells_the_most_important_and_how_many_more(
    language: str, one: str, two: str, many: str
) -> None:
    first = entry("w", severity="moderate", title="Vannet stenges")
    others = [entry(str(number)) for number in range(4)]
    assert digest(first, language=language).title == one
    assert digest(others[0], first, language=language).title == two
    assert digest(*others, first, language=language).title == many


def test_it_is_ordered_by_subject_with_warnings_and_what_changed_first() -> None:
    message = digest(
        entry("a", PERMITS),
        entry("b", CLUB, **ORGANISER),
        entry("c", INTEREST),
        entry("d", INTEREST),
        entry("e", AREA, kind="alert", severity="moderate", title="Glatt"),
        entry("f", FOLLOW_UP, **WITHDRAWN),
        entry("g", AREA),
    )
    assert [(one.heading, [story.title for story in one.stories]) for one in message.sections] == [
        ("Varsler", ["Glatt"]),
        ("Endret siden vi fortalte om det", ["Sak f"]),
        ("Brøyting og strøing", ["Sak c", "Sak d"]),
        ("Byggesaker", ["Sak a"]),
        ("Der du følger med", ["Sak g"]),
        ("Fjordvik fotball", ["Sak b"]),
    ]
    assert message.title == "Glatt – og 6 til"


def test_what_takes_place_comes_soonest_first_and_the_rest_newest_first() -> None:
    message = digest(
        entry("old", published_at=NOON - timedelta(days=2)),
        entry("new"),
        entry("late", starts_at=NOON + timedelta(days=4)),
        entry("soon", starts_at=NOON + timedelta(days=2)),
    )
    assert [story.title for story in message.stories] == ["Sak soon", "Sak late", "Sak new", "Sak old"]


def test_a_long_digest_is_shortened_and_says_what_is_left_out() -> None:
    message = digest(*(entry(f"{number:03d}") for number in range(70)))
    [section] = message.sections
    assert (len(section.stories), len(section.titles), message.left_out) == (4, 20, 46)
    for text in texts_of(message):
        assert "46 til på siden din" in text
        assert "https://puls.example/feed" in text
    shown = len(section.stories) + len(section.titles)
    assert texts_of(message)[0].count("https://puls.example/items/") == shown


def test_nothing_is_left_out_of_a_digest_of_a_usual_length() -> None:
    message = digest(*(entry(str(number), *(PERMITS,) * (number % 2)) for number in range(12)))
    shown = [story for one in message.sections for story in (*one.stories, *one.titles)]
    assert {story.title for story in shown} == {f"Sak {number}" for number in range(12)}
    assert message.left_out == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_part_tells_what_the_html_part_tells(language: str) -> None:
    spent = entry("b", PERMITS, starts_at=NOON + timedelta(days=2), place_name="Storgata 1")
    spent = replace(spent, sending=replace(spent.sending, budget_day="2026-11-24"))
    message = digest(
        entry("a", kind="alert", severity="moderate"), spent, entry("f", FOLLOW_UP, **WITHDRAWN),
        language=language, messages_a_day=5, cadence="immediately",
    )  # fmt: skip
    plain, html = texts_of(message)
    plain = " ".join(plain.split())
    told = [message.heading, *message.preface, message.rhythm, message.unsubscribe_url, message.settings_url]
    for section in message.sections:
        for story in section.stories:
            told += [story.title, story.url, *story.reasons, *(value for _, value in story.facts)]
    assert [text for text in told if text not in plain] == []
    assert [text for text in told if text not in html] == []
    assert "24" in message.preface[1]
    assert "5" in message.preface[1]


def test_the_resident_is_told_that_the_limit_was_reached_and_when() -> None:
    days = ("2026-11-24", "2026-11-24", "2026-11-25")
    entries = [entry(str(number)) for number in range(3)]
    spent = [
        replace(one, sending=replace(one.sending, budget_day=day))
        for one, day in zip(entries, days, strict=True)
    ]
    assert digest(*spent, messages_a_day=5).preface == (
        "onsdag 25. november",
        "Tirsdag 24. november var grensen din på 5 meldinger om dagen nådd. Det som kom i tillegg, står her.",
        "Onsdag 25. november var grensen din på 5 meldinger om dagen nådd. Det som kom i tillegg, står her.",
    )
    assert digest(*entries, messages_a_day=5).preface == ("onsdag 25. november",)


def test_a_push_digest_says_the_best_and_how_many_more() -> None:
    message = digest(*(entry(str(number)) for number in range(9)), entry("w", severity="moderate"))
    content = json.loads(push_payload(message, PoCatalogue().words("nb")))
    assert content["title"] == "Sak w – og 9 til"
    assert content["body"].splitlines() == [f"• Sak {number}" for number in range(5)]
    assert content["url"] == "https://puls.example/feed"


def test_a_push_digest_of_one_is_about_that_item() -> None:
    content = json.loads(push_payload(digest(entry("1")), PoCatalogue().words("nb")))
    assert (content["title"], content["item"]) == ("Sak 1", "NO-9901/aktuelt/1")
    assert content["body"].startswith("Alle veier i Breidablikk")


def test_markup_of_a_source_stays_text_in_a_digest() -> None:
    hostile = '<img src=x onerror=alert(1)>"&'
    message = digest(
        entry("1", CLUB, title=f"{hostile} Hei", organiser={"id": "NO-9901/fotball", "name": hostile}),
        *(entry(str(number), title=f"{hostile} Hei") for number in range(2, 8)),
    )
    assert "<img" not in texts_of(message)[1]
