"""Languages: catalogues read from .po files, and which one a reader gets."""

import io
from functools import cache
from importlib import resources

from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from fastapi import Request

from gateway_api.domain.words import Words

LANGUAGES = {"nb": "Bokmål", "nn": "Nynorsk", "sv": "Svenska", "en": "English"}
COOKIE = "kp_language"
_SOURCE = "en"


@cache
def catalogue(language: str) -> NullTranslations:
    """The catalogue of a language, of all files in its folder; English is what the texts are written in."""
    if language == _SOURCE:
        return NullTranslations()
    together = Translations()
    folder = resources.files("gateway_api").joinpath("locale", language)
    for part in sorted(folder.iterdir(), key=lambda one: one.name):
        if part.name.endswith(".po"):
            compiled = io.BytesIO()
            write_mo(compiled, read_po(io.BytesIO(part.read_bytes()), locale=language))
            compiled.seek(0)
            together.merge(Translations(compiled))
    return together


@cache
def words_in(language: str) -> Words:
    """The words of a language."""
    return Words(language, catalogue(language).gettext)


def known(language: str | None) -> str | None:
    """One of our languages for a BCP 47 tag, ``no`` taken as bokmål; None for another."""
    if not language:
        return None
    tag = language.replace("_", "-").lower().split("-")[0]
    tag = "nb" if tag == "no" else tag
    return tag if tag in LANGUAGES else None


def language_of(request: Request, *, chosen: str | None = None, default: str = "nb") -> str:
    """The reader's language: asked for in the address, in the cookie, chosen in the profile, or the browser's."""
    for wish in (request.query_params.get("language"), request.cookies.get(COOKIE), chosen):
        if found := known(wish):
            return found
    accepted = [part.split(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")][
        :20
    ]
    wanted = [found for part in accepted if (found := known(part))]
    return negotiate_locale(wanted, list(LANGUAGES)) or default
