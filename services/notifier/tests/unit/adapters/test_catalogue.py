"""Every word of ours exists in every language."""

from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

PACKAGE = Path(str(files("notifier")))


def wanted() -> set[str]:
    found = set()
    methods = [
        ("**.py", "python"),
        ("templates/**.html", "jinja2.ext:babel_extract"),
        ("templates/**.txt", "jinja2.ext:babel_extract"),
    ]
    keywords = {"gettext": None, "say": None, "ngettext": (1, 2)}
    for _, _, message, _, _ in extract_from_dir(PACKAGE, methods, keywords=keywords):
        found |= {message} if isinstance(message, str) else {message[0]}
    from notifier.domain.composing import _CHANGED, _STAGES

    return found | set(_CHANGED.values()) | set(_STAGES.values())


@pytest.mark.parametrize("language", ["nb", "nn", "sv"])
def test_the_catalogue_of_a_language_has_every_word_and_no_other(language: str) -> None:
    with (PACKAGE / "locale" / f"{language}.po").open("rb") as opened:
        catalogue = read_po(opened, locale=language)
    there = {
        message.id if isinstance(message.id, str) else message.id[0]
        for message in catalogue
        if message.id and message.string
    }
    assert wanted() == there
    assert len(there) > 30, "the extraction finds something"


@pytest.mark.parametrize("language", ["nb", "nn", "sv"])
def test_a_translation_keeps_the_places_for_values(language: str) -> None:
    with (PACKAGE / "locale" / f"{language}.po").open("rb") as opened:
        for message in read_po(opened, locale=language):
            assert [str(error) for error in message.check()] == []
