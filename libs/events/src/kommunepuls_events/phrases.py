"""Phrases that a text is searched for: how content rules, and rules of a source's own, are written.

A phrase is one or more words, upper and lower case alike. ``*`` at a word's start or end stands for any letters
(``*trener``, ``frivillig*``: that is how inflected and compound words are found), alone for up to four words
between (``trenger * trener``). Without ``*`` a word is found as it stands and not inside a longer one.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

_GAP = r"(?:\W+\w+){0,4}"


def _says_something(phrase: str) -> str:
    if not any(sign.isalnum() for sign in phrase):
        raise ValueError("a phrase holds at least one word")
    return unicodedata.normalize("NFC", " ".join(phrase.split()))


Phrase = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=2, max_length=100),
    AfterValidator(_says_something),
]


def found(phrases: tuple[str, ...], text: str) -> bool:
    """Whether a text holds one of the phrases."""
    return bool(phrases) and pattern_of(phrases).search(unicodedata.normalize("NFC", text)) is not None


@lru_cache(maxsize=2048)
def pattern_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """All phrases in one expression."""
    return re.compile("|".join(_expression(phrase) for phrase in phrases), re.IGNORECASE)


def _expression(phrase: str) -> str:
    expression, gap = "", False
    for word in phrase.split():
        if not word.strip("*"):
            gap = True
            continue
        before, after = word.startswith("*"), word.endswith("*")
        body = (r"\w*" if before else "") + re.escape(word.strip("*")) + (r"\w*" if after else "")
        expression += (_GAP if gap and expression else "") + (r"\W+" if expression else "") + body
        gap = False
    return rf"(?<!\w){expression}(?!\w)"
