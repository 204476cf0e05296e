import io
import re
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from gateway_api.adapters.http.language import LANGUAGES, known, words_in
from gateway_api.domain.words import cause_sentence, reason_sentence
from kommunepuls_events import Direction, Reason, ReasonType

PACKAGE = Path(str(resources.files("gateway_api")))


class _Names:
    def area(self, area: str) -> str:
        return "Havna"

    def interest(self, slug: str) -> str:
        return "Badeplasser"

    def organiser(self, organiser: str) -> str:
        return "Fjordvik fotball"

    def place(self, place: str) -> str:
        return "Hjemme"

    def sensor(self, sensor: str) -> str:
        return "Storøya"


def _texts() -> set[str]:
    """Every text of templates and code that is translated."""
    found = extract_from_dir(
        str(PACKAGE),
        method_map=[("**/templates/**.html", "jinja2"), ("**.py", "python")],
        options_map={"**/templates/**.html": {"silent": "false"}},
        keywords={"_": None, "say": None, "marked": None},
    )
    return {message for _, _, message, _, _ in found}


def _catalogue(language: str) -> list:
    """All messages of all files of a language."""
    files = sorted((PACKAGE / "locale" / language).glob("*.po"))
    return [
        message
        for file in files
        for message in read_po(io.BytesIO(file.read_bytes()), locale=language)
        if message.id
    ]


@pytest.mark.parametrize("language", ["nb", "nn", "sv"])
def test_every_text_is_translated_and_no_translation_is_left_over(language: str) -> None:
    catalogue = {message.id: message for message in _catalogue(language)}
    assert len(_texts()) > 250
    assert len(catalogue) == len(_catalogue(language)), "a text stands in two files"
    assert set(catalogue) == _texts()
    assert [key for key, message in catalogue.items() if not message.string or message.fuzzy] == []


@pytest.mark.parametrize("language", ["nb", "nn", "sv"])
def test_translations_hold_the_same_values_as_their_texts(language: str) -> None:
    for message in _catalogue(language):
        held = [sorted(re.findall(r"%\(\w+\)s", text)) for text in (str(message.id), str(message.string))]
        assert held[0] == held[1], message.id


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (Reason(type=ReasonType.PLACE, place="p", distance_metres=283), "Det er 280 m fra Hjemme"),
        (Reason(type=ReasonType.PLACE, place="p", distance_metres=1420), "Det er 1,42 km fra Hjemme"),
        (Reason(type=ReasonType.PLACE, place="p", distance_metres=0), "Det gjelder området rundt Hjemme"),
        (Reason(type=ReasonType.AREA, area="a"), "Du følger Havna"),
        (Reason(type=ReasonType.ORGANISER, organiser="o"), "Du følger Fjordvik fotball"),
        (Reason(type=ReasonType.INTEREST, interest="bathing"), "Du har valgt interessen Badeplasser"),
        (
            Reason(type=ReasonType.SENSOR, sensor="s", threshold=20, value=20.1, direction=Direction.RISING),
            "Storøya: 20,1 °C, over grensen din på 20 °C",
        ),
        (
            Reason(type=ReasonType.SENSOR, sensor="s", threshold=-5, value=-6, direction=Direction.FALLING),
            "Storøya: -6 °C, under grensen din på -5 °C",
        ),
        (Reason(type=ReasonType.EMERGENCY), "Det er et farevarsel for et sted du følger"),
        (
            Reason(type=ReasonType.FOLLOW_UP),
            "Noe du har fått melding om er rettet eller trukket tilbake",
        ),
    ],
)
def test_each_reason_is_said_in_words(reason: Reason, sentence: str) -> None:
    assert reason_sentence(reason, _Names(), words_in("nb"), unit="Cel") == sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_type_of_reason_has_words_in_every_language(language: str) -> None:
    for kind in ReasonType:
        assert reason_sentence(Reason(type=kind), _Names(), words_in(language))


def test_a_cause_without_words_is_shown_as_it_is() -> None:
    assert cause_sentence("quiet-hours", words_in("en")) == "It came during your quiet hours"
    assert cause_sentence("solar-flare", words_in("nb")) == "solar flare"


def test_times_are_said_as_the_reader_says_them() -> None:
    at = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert words_in("nb").moment(at) == "1. juli 2026 kl. 14:00"
    assert words_in("en").moment(at) == "1 July 2026, 14:00"
    assert words_in("sv").ago(at, at + timedelta(hours=2)) == "för 2 tim sedan"
    assert words_in("nn").ago(at, at + timedelta(seconds=10)) == "no"


def test_norwegian_of_any_name_is_bokmaal_and_unknown_languages_are_none() -> None:
    assert [known(tag) for tag in ("no", "nb-NO", "nn_NO", "sv", "EN-us", "de", "", None)] == [
        "nb", "nb", "nn", "sv", "en", None, None, None,
    ]  # fmt: skip
