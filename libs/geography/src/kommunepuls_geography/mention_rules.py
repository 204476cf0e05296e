"""How sure it is that a word with the letters of a place name means the place."""

from __future__ import annotations

import re
from typing import NamedTuple

from kommunepuls_geography.words import word_set

# After one of these a new sentence, line or part of a title begins, and a capital letter says nothing.
_BREAK = re.compile(r"[.!?:;\n\r|•\"«“]|\s[-–—]\s|^\s*[-–—(]")
_LANGUAGES = frozenset({"nb", "nn", "sv", "en"})

_HYPHEN = 0.3
_COMPANY = 0.15


class Word(NamedTuple):
    """A word of a text with its offsets and its folded form."""

    start: int
    end: int
    text: str
    folded: str


def judge(
    text: str, words: list[Word], first: int, count: int, *, ordinary: bool, language: str | None
) -> float:
    """Confidence (0 to 1) that words `first` to `first + count` are the name they look like.

    `ordinary` says that the name is an everyday word too.
    """
    word = words[first]
    previous = words[first - 1] if first else None
    following = words[first + count] if first + count < len(words) else None
    between = text[previous.end : word.start] if previous else ""
    capital = word.text[0].isupper()
    begins = previous is None or _BREAK.search(between[-80:]) is not None
    led = previous is not None and not begins and previous.folded in _prepositions(language)
    shouted = capital and _shouted(words, first, count)
    if capital and following is not None and following.folded in word_set("municipality_words"):
        sure = 0.95
    elif not capital:
        sure = _small(ordinary=ordinary, led=led)
    elif shouted or begins:
        sure = (0.8 if led else 0.0) if ordinary else (0.9 if led or not shouted else 0.8)
    elif not led and previous is not None and between.strip() == "" and _names_a_person(words, first - 1):
        sure = 0.35 if ordinary else 0.6
    else:
        sure = 0.95 if led or not ordinary else 0.75
    if ordinary and not led and following is not None and following.text[:1].isupper() and not shouted:
        sure -= _COMPANY if text[words[first + count - 1].end : following.start] == " " else 0.0
    if _hyphenated(text, word.start, words[first + count - 1].end):
        sure -= _HYPHEN
    return max(0.0, sure)


def _small(*, ordinary: bool, led: bool) -> float:
    if ordinary:
        return 0.4 if led else 0.0
    return 0.7 if led else 0.5


def _prepositions(language: str | None) -> frozenset[str]:
    return word_set("prepositions", language if language in _LANGUAGES else None)


def _shouted(words: list[Word], first: int, count: int) -> bool:
    """Whether the name stands in a run of capitals, where the case of its own letters says nothing."""
    own = words[first].text
    if not own.isupper() or len(own) < 2:
        return False
    around = [*words[max(0, first - 2) : first], *words[first + count : first + count + 2]]
    letters = [other.text for other in around if other.text.isalpha() and len(other.text) > 1]
    return not letters or any(other.isupper() for other in letters)


def _names_a_person(words: list[Word], position: int) -> bool:
    """Whether the word before looks like a given name: then this is rather a surname."""
    before = words[position].text
    return before[:1].isupper() and before[1:].islower() and before.isalpha()


def _hyphenated(text: str, start: int, end: int) -> bool:
    before = start > 1 and text[start - 1] == "-" and text[start - 2].isalnum()
    after = end + 1 < len(text) and text[end] == "-" and text[end + 1].isalnum()
    return before or after
