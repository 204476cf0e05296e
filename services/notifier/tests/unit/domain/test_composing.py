"""What a resident reads."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from kommunepuls_events import Channel, Reason
from kommunepuls_events.vocabulary import ReasonType
from notifier.adapters.catalogue import PoCatalogue
from notifier.domain.composing import Reader, compose_item, compose_story, moment_in_words
from notifier.domain.labels import Labels
from notifier.domain.language import LANGUAGES, language_for, texts_in
from notifier.domain.messages import Story, Urgency
from notifier.domain.push_payload import LARGEST_PLAIN_TEXT, push_payload
from notifier.domain.sendings import about
from notifier.testing import ALERT, AREA, NOON, item, profile

LABELS = Labels(
    municipalities={"NO-9901": "Fjordvik kommune"},
    areas={"NO-9901/breidablikk": {"": "Breidablikk"}},
    interests={("NO-9901", "seaweed"): {"nb": "Tang og tare"}},
)
HOME = {"id": "home", "label": "Hjemme", "longitude": 10.2, "latitude": 59.1, "radius_metres": 500}
BATH = {"id": "t", "sensor": "NO-9901/bad/1", "observed_property": "water-temperature", "value": 20}


def reader(language: str = "nb", **fields: object) -> Reader:
    return Reader(
        profile(places=[HOME], sensor_thresholds=[BATH], language=language, **fields),
        PoCatalogue().words(language),
        LABELS,
        "https://puls.example",
        "https://puls.example/unsubscribe/t",
    )


def story(language: str = "nb", *reasons: Reason, follow_up: bool = False, **fields: object) -> Story:
    return compose_story(item(**fields), reasons or (AREA,), follow_up, reader(language))


def reason(type_: ReasonType, **fields: object) -> Reason:
    return Reason(type=type_, **fields)


SENSOR = {"sensor": "NO-9901/bad/1", "threshold": 20, "value": 20.1}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            reason(ReasonType.PLACE, place="home", distance_metres=287.4),
            "det er 290 m fra stedet ditt «Hjemme»",
        ),
        (
            reason(ReasonType.PLACE, place="home", distance_metres=1240),
            "det er 1,2 km fra stedet ditt «Hjemme»",
        ),
        (reason(ReasonType.PLACE, place="home", distance_metres=0), "det gjelder stedet ditt «Hjemme»"),
        (reason(ReasonType.PLACE, place="gone", distance_metres=0), "det gjelder et sted du følger"),
        (reason(ReasonType.AREA, area="NO-9901"), "du følger området Fjordvik kommune"),
        (reason(ReasonType.AREA, area="NO-9901/ytre-vik"), "du følger området Ytre vik"),
        (reason(ReasonType.INTEREST, interest="seaweed"), "du følger temaet Tang og tare"),
        (reason(ReasonType.ORGANISER, organiser="NO-9901/kommune"), "du følger Fjordvik kommune"),
        (reason(ReasonType.EMERGENCY), "det er en advarsel til alle i området"),
        (
            reason(ReasonType.SENSOR, direction="rising", **SENSOR),
            "målingen steg til 20,1 °C, og du ba om beskjed fra 20 °C",
        ),
        (
            reason(ReasonType.SENSOR, direction="falling", **SENSOR),
            "målingen falt til 20,1 °C, og du ba om beskjed under 20 °C",
        ),
    ],
)
def test_a_reason_reads(given: Reason, words: str) -> None:
    assert story("nb", given).reasons == (words,)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("type_", list(ReasonType))
def test_every_reason_has_words_in_every_language(type_: ReasonType, language: str) -> None:
    [words] = story(language, reason(type_, place="home", distance_metres=10)).reasons
    assert "%" not in words
    assert (words == story("en", reason(type_, place="home", distance_metres=10)).reasons[0]) == (
        language == "en"
    )


def test_a_time_is_told_on_the_residents_clock() -> None:
    facts = dict(story("nb", starts_at=datetime(2026, 11, 24, 17, 0, tzinfo=UTC)).facts)
    assert facts["Når"] == "tirsdag 24. november kl. 18:00"
    assert dict(story("sv", starts_at=datetime(2026, 7, 1, 16, 0, tzinfo=UTC)).facts)["När"].endswith(
        "kl. 18:00"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_day_without_a_time_is_told_as_a_day(language: str) -> None:
    zone = ZoneInfo("Europe/Oslo")
    day = moment_in_words(datetime(2026, 11, 20, 23, 0, tzinfo=UTC), zone, language)
    assert day.split()[1].rstrip(".") == "21"
    assert "00" not in day
    assert moment_in_words(datetime(2026, 11, 20, 23, 1, tzinfo=UTC), zone, language).endswith("00:01")


def test_an_event_of_whole_days_is_told_by_its_days() -> None:
    begins = datetime(2026, 12, 4, 23, tzinfo=UTC)
    for days, said in ((1, "lørdag 5. desember"), (2, "lørdag 5. desember – søndag 6. desember")):
        told = compose_story(
            item(starts_at=begins, ends_at=begins + timedelta(days=days)), (AREA,), False, reader()
        )
        assert said in [value for _, value in told.facts]


def test_a_correction_says_so_and_what_changed() -> None:
    changes = [
        {"field": "starts_at", "before": "2026-11-24T17:00:00Z", "after": "2026-11-24T18:00:00Z"},
        {"field": "links", "before": "a", "after": "b"},
    ]
    told = story("nb", follow_up=True, revision=2, lifecycle={"state": "updated", "changes": changes})
    assert told.heading == "Rettet: Breidablikk er brøytet"
    assert told.changes == ("Begynner: tirsdag 24. november kl. 18:00 → tirsdag 24. november kl. 19:00",)


def test_a_decision_in_a_case_is_no_correction() -> None:
    changes = [{"field": "stage", "before": "received", "after": "decided"}]
    told = story("nb", follow_up=True, revision=2, lifecycle={"state": "updated", "changes": changes})
    assert told.mark == "Nytt i saken"
    assert told.changes == ("Status: mottatt → avgjort",)


def test_markup_and_scripts_of_a_source_are_plain_text() -> None:
    told = story("nb", title="<b>Hei</b> <script>alert(1)</script>", summary="a\u202eb<img src=x>")
    assert told.title == "Hei"
    assert told.summary == "ab"


def test_a_resident_reads_the_language_they_chose_where_there_is_one() -> None:
    translated = item(translations={"en": {"title": "Breidablikk is ploughed"}, "nn": {"title": "Nynorsk"}})
    assert texts_in(translated, "en").title == "Breidablikk is ploughed"
    assert texts_in(translated, "nn").title == "Nynorsk"
    assert texts_in(translated, "sv").title == "Breidablikk er brøytet", (
        "a neighbouring language is understood"
    )
    assert [language_for(tag) for tag in ("nb-NO", "no", "nn", "sv-SE", "de", "se")] == [
        "nb", "nb", "nn", "sv", "en", "nb",
    ]  # fmt: skip


def message_of(**fields: object):
    given = item(**fields)
    sending = about(given, "s-1", Channel.PUSH, (AREA,), NOON, None)
    told = compose_story(given, (AREA,), False, reader())
    return compose_item(sending, given, told, reader(), NOON)


def test_a_push_message_says_what_where_and_why() -> None:
    content = json.loads(push_payload(message_of(), PoCatalogue().words("nb")))
    assert content["title"] == "Breidablikk er brøytet"
    assert content["body"].endswith("Fordi du følger området Breidablikk.")
    assert content["url"] == "https://puls.example/items/NO-9901%2Faktuelt%2F1"
    assert (content["item"], content["revision"], content["severity"]) == ("NO-9901/aktuelt/1", 1, "unknown")


@pytest.mark.parametrize("character", ["a", "ø", "🚜", '"', "\\"])
def test_a_long_push_message_is_shortened_until_it_fits(character: str) -> None:
    told = message_of(title=character * 300, summary=character * 1000, interests=[])
    words = PoCatalogue().words("nb")
    for largest in (LARGEST_PLAIN_TEXT, 1500):
        raw = push_payload(told, words, largest=largest)
        assert len(raw) <= largest
        assert json.loads(raw)["url"]


def test_an_emergency_is_urgent() -> None:
    assert message_of(**ALERT).urgency is Urgency.HIGH
    assert message_of().urgency is Urgency.NORMAL


def test_a_withdrawn_warning_does_not_read_as_if_it_still_held() -> None:
    told = message_of(**ALERT, revision=2, lifecycle={"state": "withdrawn"})
    content = json.loads(push_payload(told, PoCatalogue().words("nb")))
    assert content["title"] == "Trukket tilbake: Flom i Storelva"
    assert content["body"].startswith("Det vi fortalte deg tidligere, gjelder ikke lenger.")
    assert "brøytet og strødd" not in content["body"]
