"""Our words in four languages, from the .po files beside this package; nothing need be compiled."""

from importlib.resources import files
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from notifier.domain.language import LANGUAGES


class LanguageWords:
    """Implements :class:`~notifier.domain.language.Words`."""

    def __init__(self, language: str, translations: NullTranslations) -> None:
        self.language = language
        self._translations = translations

    def gettext(self, message: str) -> str:
        """The words for an English message."""
        return self._translations.gettext(message)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """The words for one or several."""
        return self._translations.ngettext(singular, plural, count)


class PoCatalogue:
    """Implements :class:`~notifier.ports.Catalogue`. English is what the code says."""

    def __init__(self) -> None:
        self._words = {language: LanguageWords(language, _translations(language)) for language in LANGUAGES}

    def words(self, language: str) -> LanguageWords:
        """The words in one of our languages."""
        return self._words[language]


def _translations(language: str) -> NullTranslations:
    if language == "en":
        return NullTranslations()
    source = files("notifier") / "locale" / f"{language}.po"
    with source.open("rb") as opened:
        catalogue = read_po(opened, locale=language, domain="messages")
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)
