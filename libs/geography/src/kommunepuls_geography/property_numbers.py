"""Norwegian property numbers (gårdsnummer/bruksnummer) in free text, told from dates and fractions.

The matrikkel numbers a property gnr/bnr, with fnr for a leasehold and snr for a section: 47/515/0/2.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from itertools import pairwise

from kommunepuls_geography.words import LONGEST_WORD, fold, word_set

_LABEL_END = r"[.:]{0,2}\s{0,3}"
_LABELLED_APART = re.compile(
    rf"\bg(?:[åa]rds)?[.-]?(?:nr|nummer)\b{_LABEL_END}(?P<gnr>\d{{1,4}})\s{{0,3}}(?:,|/|;|-|og|&)?\s{{0,3}}"
    rf"\bb(?:ruks)?[.-]?(?:nr|nummer)\b{_LABEL_END}(?P<bnr>\d{{1,4}})"
    r"(?P<more>(?:(?:,\s?|\s(?:og|&)\s)\d{1,4}(?![\d/]))*)"
    rf"(?:[\s,]{{1,3}}f(?:este)?[.-]?(?:nr|nummer)\b{_LABEL_END}(?P<fnr>\d{{1,4}}))?"
    rf"(?:[\s,]{{1,3}}s(?:eksjons)?[.-]?(?:nr|nummer)\b{_LABEL_END}(?P<snr>\d{{1,4}}))?",
    re.IGNORECASE,
)
_AFTER_SLASH = (
    r"(?P<bnr>\d{1,4})(?:/(?P<fnr>\d{1,4}))?(?:/(?P<snr>\d{1,4}))?(?P<more>(?:,\d{1,4}(?![\d/]))*)(?!\d)"
)
_LABELLED = re.compile(
    r"\b(?:gbnr|g/bnr|gnr\.?\s?/?\s?bn?r|gnr|g\.nr|gbr|gårds-?\s?og\s?bruksnummer|matrikkel(?:nummer|nr)?|"
    r"eiendom(?:men|mene)?|eigedom(?:men|mane)?)\b[.:]{0,2}\s{0,3}(?P<gnr>\d{1,4})\s?/\s?" + _AFTER_SLASH,
    re.IGNORECASE,
)
# A title typed in haste goes on without a blank: "49/614AVSLAG"; "43/34-52" goes up to bnr 52.
_ENDS = r"(?:-(?P<until>\d{1,4})(?!\d))?(?:(?=[A-ZÆØÅ]{3})|/?(?![\w/%]|[-.,:]\d))"
_BARE = re.compile(r"(?<![\w/.,:+-])(?P<gnr>\d{1,4})/" + _AFTER_SLASH + _ENDS)
_JOINED = re.compile(r"\s{0,2}(?:,|og|&|\+|and|samt)?\s{0,2}", re.IGNORECASE)
_WORD_BEFORE = re.compile(r"([^\W\d_]+)[.:]?\s{0,2}\Z")
_WORD_AFTER = re.compile(r"\s{0,2}(?:[-–]|m\.?\s?fl\b\.?)?\s{0,2}([^\W\d_]+)", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")

_EVERYDAY = {(1, 2), (1, 3), (2, 3), (1, 4), (3, 4), (24, 7)}
_YEARS = range(1900, 2100)
# Farther from the number than this, words say nothing about it.
_CONTEXT = 200
_LABELLED_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class PropertyNumber:
    """A property found in a text at `start` to `end`; fnr and snr are None when not given.

    `confidence` (0 to 1): 0.95 with a label such as gnr, less the more it could be a date or a fraction.
    """

    gnr: int
    bnr: int
    fnr: int | None = None
    snr: int | None = None
    start: int = 0
    end: int = 0
    confidence: float = 1.0

    def __str__(self) -> str:
        """As it is written in journals: 58/62, 47/515/0/2."""
        numbers = [self.gnr, self.bnr]
        if self.fnr is not None or self.snr is not None:
            numbers.append(self.fnr or 0)
        if self.snr is not None:
            numbers.append(self.snr)
        return "/".join(map(str, numbers))


def parse_property_numbers(
    text: str, *, journal_title: bool = False, minimum_confidence: float = 0.5
) -> list[PropertyNumber]:
    """Every property number in the text, in order.

    Knows "58/62", "58/19 58/47", "44/703,704", "63/5/1", "gnr. 12 bnr. 34", "gnr 12, bnr 34, fnr 2" and
    "GBNR 45/6". A bare pair that could be a date (7/12), a year (12/2025) or a fraction (1/2, 24/7) counts
    only where the words around it speak of a property, or at the start of a `journal_title`: the titles of
    archives that put the property first. Swedish fastighetsbeteckningar are not read.
    """
    found: list[PropertyNumber] = []
    spans: list[tuple[int, int]] = []
    for pattern in (_LABELLED_APART, _LABELLED):
        for match in pattern.finditer(text):
            if not _overlaps(match, spans):
                insort(spans, match.span())
                found.extend(_numbers(match, _LABELLED_CONFIDENCE))
    matches = [match for match in _BARE.finditer(text) if not _overlaps(match, spans)]
    case_words = _case_word_starts(text) if matches else []
    sure = [_confidence(text, match, case_words, journal_title=journal_title) for match in matches]
    _share_along_chains(text, matches, sure, {end for _, end in spans})
    for match, confidence in zip(matches, sure, strict=True):
        found.extend(_numbers(match, confidence))
    found.sort(key=lambda number: (number.start, number.bnr))
    return [number for number in found if number.confidence >= minimum_confidence]


def _share_along_chains(
    text: str, matches: list[re.Match[str]], sure: list[float], labelled_ends: set[int]
) -> None:
    """Let pairs in a row ("14/6 14/7 14/48") be as sure as the surest of them."""
    for place, match in enumerate(matches):
        if sure[place] and any(
            match.start() - gap in labelled_ends
            and _JOINED.fullmatch(text, match.start() - gap, match.start())
            for gap in range(1, 9)
        ):
            sure[place] = max(sure[place], _LABELLED_CONFIDENCE)
    pairs = list(pairwise(range(len(matches))))
    for one, following in (*pairs, *reversed(pairs)):
        joined = _JOINED.fullmatch(text, matches[one].end(), matches[following].start())
        if joined and sure[one] and sure[following]:
            sure[one] = sure[following] = max(sure[one], sure[following])


def _overlaps(match: re.Match[str], spans: list[tuple[int, int]]) -> bool:
    place = bisect_right(spans, match.span())
    return any(
        match.start() < end and start < match.end() for start, end in spans[max(0, place - 1) : place + 1]
    )


def _numbers(match: re.Match[str], confidence: float) -> list[PropertyNumber]:
    gnr, bnr = int(match["gnr"]), int(match["bnr"])
    if not gnr or not bnr:
        return []
    fnr, snr = (int(match[part]) if match[part] else None for part in ("fnr", "snr"))
    first = PropertyNumber(gnr, bnr, fnr, snr, match.start(), match.end(), confidence)
    others = [int(digits) for digits in re.findall(r"\d+", match["more"] or "")]
    return [
        first,
        *(PropertyNumber(gnr, other, None, None, *match.span(), confidence) for other in others if other),
    ]


def _is_year(match: re.Match[str]) -> bool:
    """Whether a part reads as a year: 12/2025, 24/12/2025 and, with a day before, 24/12/25."""
    if int(match["bnr"]) in _YEARS and int(match["gnr"]) <= 12:
        return True
    third = match["fnr"]
    if third is None:
        return False
    return int(third) in _YEARS or (_is_day(match) and 20 <= int(third) <= 40 and match["snr"] is None)


def _is_day(match: re.Match[str]) -> bool:
    return 1 <= int(match["gnr"]) <= 31 and 1 <= int(match["bnr"]) <= 12


def _case_word_starts(text: str) -> list[int]:
    """Where the words stand that speak of properties, in order."""
    known = word_set("case_words")
    judged: dict[str, bool] = {}
    starts: list[int] = []
    for match in _WORD.finditer(text):
        word = match.group()
        if word not in judged:
            judged[word] = len(word) <= LONGEST_WORD and fold(word) in known
        if judged[word]:
            starts.append(match.start())
    return starts


def _near(starts: list[int], match: re.Match[str]) -> bool:
    place = bisect_left(starts, match.start() - _CONTEXT)
    return place < len(starts) and starts[place] <= match.end() + _CONTEXT


def _confidence(text: str, match: re.Match[str], case_words: list[int], *, journal_title: bool) -> float:
    gnr, bnr = int(match["gnr"]), int(match["bnr"])
    dated = match["fnr"] is None and _is_day(match)
    if gnr > 999 or _is_year(match) or (match["until"] and dated):
        return 0.0
    starts = match.start() <= _CONTEXT and not text[: match.start()].strip()
    if starts and journal_title:
        return 0.85
    before = _WORD_BEFORE.search(text[max(0, match.start() - 40) : match.start()])
    after = _WORD_AFTER.match(text[match.end() : match.end() + 40])
    word_before, word_after = (fold(found[1]) if found else "" for found in (before, after))
    everyday = match["fnr"] is None and (gnr, bnr) in _EVERYDAY
    if word_before in word_set("not_property_before") or (dated and word_before in word_set("date_before")):
        return 0.0
    if word_after in word_set("not_property_after") and (not starts or dated or everyday):
        return 0.0
    sure = 0.8 if starts else 0.6
    if everyday:
        sure -= 0.4
    elif dated:
        sure -= 0.35
    elif bnr in _YEARS or (bnr == gnr + 1 and not starts):
        sure -= 0.3
    return round(min(0.9, sure + (0.2 if _near(case_words, match) else 0.0)), 2)
