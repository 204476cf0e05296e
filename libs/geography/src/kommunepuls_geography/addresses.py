"""Street addresses in free text, Norwegian and Swedish."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kommunepuls_geography.words import LONGEST_WORD, fold, is_street_name, is_street_word, word_set

_HOUSE = re.compile(
    r"(?<![\w/.,:+-])(?P<number>[1-9]\d{0,3})(?:(?P<close>[A-Za-z])|[ \u00a0](?P<apart>(?-i:[A-HJ-NP-Z])))?(?!\w)"
    r"(?:[-–](?P<to>[1-9]\d{0,3})?(?P<to_letter>[A-Za-z])?(?!\w))?"
    r"(?![%°/:]|[.,]\d|\.\s?(?:januar|februar|mars|april|mai|juni|juli|august|september|oktober|november|desember)\b)",
    re.IGNORECASE,
)
_NEXT = re.compile(
    r"(?:,[ ]?|[ ]og[ ]|[ ]&[ ]|[ ]?\+[ ]?|/)(?P<number>[1-9]\d{0,2})(?P<letter>[A-Za-z])?"
    r"(?=$|[ ]?(?:[,;.)/&+]|og\b|i\b|på\b|[-–]))(?![.,]\d)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’´-][^\W\d_]+)*\.?")
_BEFORE = 90
_MOST_WORDS = 4
_MOST_LISTED = 20
# House numbers this high exist, but most of these are years.
_YEARS = range(1990, 2040)
_LEADS = frozenset({"i", "på", "ved", "for", "til", "fra", "frå", "gjelder", "angående", "vid", "at"})


@dataclass(frozen=True, slots=True)
class Address:
    """An address found in a text at `start` to `end`: "Storgata 12 B", "Kirkeveien 3-5".

    `number_to` is the last of a range. `confidence` (0 to 1) is 0.9 for a street by its name's ending and
    about 0.6 for a capitalised word with a number (Steinhagen 41), which a register must confirm.
    """

    street: str
    number: int
    letter: str | None = None
    number_to: int | None = None
    start: int = 0
    end: int = 0
    confidence: float = 1.0

    def __str__(self) -> str:
        """As it is written on an envelope: Storgata 12B."""
        until = f"-{self.number_to}" if self.number_to else ""
        return f"{self.street} {self.number}{self.letter or ''}{until}"


def parse_address(text: str) -> Address | None:
    """The address of the text: the surest, then the first; None when there is none. See `find_addresses`."""
    return max(find_addresses(text), key=lambda address: (address.confidence, -address.start), default=None)


def find_addresses(text: str) -> list[Address]:
    """Every street address in the text, in order; of "Storgata 3, 5 og 7" all three.

    A street is known by its ending (gata, veien, plassen, vägen…), or, less surely, by standing apart in a
    title: capitalised, between dashes or after a preposition, and not a word that is often before a number
    (Plan 12, mai 2025). The time taken is proportional to the text.
    """
    found: list[Address] = []
    for match in _HOUSE.finditer(text):
        if found and match.start() < found[-1].end:
            continue
        street = _street_before(text, match)
        if street is None:
            continue
        name, start, confidence = street
        found.extend(_addresses(text, match, name, start, confidence))
    return found


def _addresses(
    text: str, match: re.Match[str], street: str, start: int, confidence: float
) -> Iterator[Address]:
    number = int(match["number"])
    letter = _letter(match["close"] or match["apart"])
    last = int(match["to"]) if match["to"] else None
    if last is not None and not number < last <= number + 200:
        last = None
    if number in _YEARS:
        confidence -= 0.3
    yield Address(street, number, letter, last, start, match.end(), round(confidence, 2))
    end = match.end()
    for _ in range(_MOST_LISTED):
        following = _NEXT.match(text, end)
        if following is None or abs(int(following["number"]) - number) > 200:
            return
        end = following.end()
        yield Address(
            street,
            int(following["number"]),
            _letter(following["letter"]),
            None,
            start,
            end,
            round(confidence - 0.05, 2),
        )


def _letter(text: str | None) -> str | None:
    return text.upper() if text else None


def _street_before(text: str, match: re.Match[str]) -> tuple[str, int, float] | None:
    """The street's name, where it starts and how sure it is one, from the words before a house number."""
    offset = max(0, match.start() - _BEFORE)
    before = text[offset : match.start()]
    words = list(_WORD.finditer(before))
    if not words:
        return None
    gap = before[words[-1].end() :]
    if gap.strip(" \u00a0") or (not gap and not words[-1].group().endswith(".")):
        return None
    last = words[-1].group()
    folded = fold(last.rstrip("."))
    if len(folded) > LONGEST_WORD or not last[0].isalpha():
        return None
    if is_street_word(folded) and (folded != "alle" or last != "alle"):
        first = _name_before(before, words)
        return None if first is None else (_clean(before[first:]), offset + first, 0.9)
    if is_street_name(folded) and folded not in word_set("before_numbers"):
        small = not last[0].isupper()
        if small and not is_street_name(folded, common=True):
            return None
        first = _qualified(before, words)
        return _clean(before[first:]), offset + first, 0.7 if small else 0.9
    first = _qualified(before, words)
    if not _stands_apart(text, offset + first, match.end()) or not _may_be_street(last, folded, match):
        return None
    return _clean(before[first:]), offset + first, 0.6


def _clean(name: str) -> str:
    return " ".join(name.split())


def _name_before(before: str, words: list[re.Match[str]]) -> int | None:
    """Where "Olav Trygvasons" of "Olav Trygvasons gate" starts; None when no name stands there."""
    first: int | None = None
    for word, following in zip(words[-2::-1], words[:0:-1], strict=False):
        if len(words) - words.index(word) > _MOST_WORDS + 1 or before[word.end() : following.start()].strip():
            break
        if not word.group()[0].isupper():
            break
        first = word.start()
    return first


def _qualified(before: str, words: list[re.Match[str]]) -> int:
    """Where the name starts when "Øvre", "Gamle" and the like before its last word belong to it."""
    first = words[-1].start()
    for word in words[-2:-4:-1]:
        if before[word.end() : first].strip() or fold(word.group().rstrip(".")) not in word_set(
            "street_qualifiers"
        ):
            break
        first = word.start()
    return first


def _may_be_street(word: str, folded: str, match: re.Match[str]) -> bool:
    return (
        word[0].isupper()
        and len(folded) >= 3
        and not word.endswith(".")
        and folded not in word_set("before_numbers")
        and folded not in word_set("case_words")
        and not folded.endswith(tuple(word_set("not_street_endings")))
        and int(match["number"]) not in _YEARS
    )


def _stands_apart(text: str, start: int, end: int) -> bool:
    """Whether a break or preposition is before the name, and a break or a preposition after the number."""
    before = text[max(0, start - 20) : start]
    words = before.split()
    led = (
        not before.strip() or before.rstrip()[-1:] in "-–,;:(" or (bool(words) and fold(words[-1]) in _LEADS)
    )
    after = text[end : end + 12].lstrip(" \u00a0")
    return led and (
        not after or after[0] in "-–,;.)\n/&+" or re.match(r"(?:i|på|og)\b", after, re.IGNORECASE) is not None
    )
