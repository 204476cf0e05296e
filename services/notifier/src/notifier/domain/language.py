"""Which language a resident is written in, and an item's texts in it."""

from typing import Protocol

from kommunepuls_events import ContentItemV1, Translation

LANGUAGES = ("nb", "nn", "sv", "en")
_NEAREST = {"no": "nb", "da": "nb", "se": "nb", "sma": "nb", "smj": "nb", "fkv": "nb", "fi": "sv"}
_SCANDINAVIAN = ("nb", "nn", "no", "sv", "da")


class Words(Protocol):
    """Our own words in one language."""

    language: str

    def gettext(self, message: str) -> str:
        """The words for an English message."""

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """The words for one or several."""


def language_for(tag: str) -> str:
    """One of our four languages for a BCP 47 tag."""
    base = tag.partition("-")[0].lower()
    if base in LANGUAGES:
        return base
    return _NEAREST.get(base, "en")


def locale_of(language: str) -> str:
    """The CLDR locale for dates and numbers."""
    return {"nb": "nb", "nn": "nn", "sv": "sv", "en": "en_GB"}[language]


def texts_in(item: ContentItemV1, language: str) -> Translation:
    """The item's texts in a language, or in one that its readers understand, or as they are."""
    near = (language, *_SCANDINAVIAN) if language in _SCANDINAVIAN else (language,)
    for wanted in near:
        if item.language.partition("-")[0] == wanted:
            break
        if wanted in item.translations:
            return item.translations[wanted]
    return Translation(title=item.title, summary=item.summary, body=item.body)
