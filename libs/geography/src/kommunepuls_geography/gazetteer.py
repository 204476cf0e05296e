"""Place names, and finding them in running text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from shapely.geometry.base import BaseGeometry

from kommunepuls_geography.mention_rules import Word, judge
from kommunepuls_geography.words import LONGEST_WORD, base_form, fold, word_set

_WORD = re.compile(r"[^\W_]+")
# What may stand between the words of one name: "Nord-Odal", "St. Olavs gate".
_WITHIN_NAME = re.compile(r"[ \t\u00a0]{1,3}|-|\.[ \u00a0]?")

_LONGEST_ABBREVIATION = 3

_BENT = 0.1
_GENITIVE = 0.03


class PlaceKind(StrEnum):
    """What a name names."""

    AREA = "area"
    PLACE = "place"
    STREET = "street"
    SCHOOL = "school"
    FARM = "farm"
    BUILDING = "building"
    WATER = "water"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Place:
    """A named place: the areas it lies in, and where it is if that is known (WGS84 geometry).

    `ordinary` says whether the name is also an everyday word and must be told from it; None leaves that to
    the list of such words. `municipality` (NO-3907) narrows where the name is meant.
    """

    name: str
    kind: PlaceKind = PlaceKind.PLACE
    area_ids: tuple[str, ...] = ()
    geometry: BaseGeometry | None = field(default=None, repr=False, compare=False)
    aliases: tuple[str, ...] = ()
    ordinary: bool | None = None
    municipality: str | None = None

    @property
    def point(self) -> tuple[float, float] | None:
        """Longitude and latitude of the place, on it even where it is bent or holed; None when unknown."""
        if self.geometry is None or self.geometry.is_empty:
            return None
        point = self.geometry if self.geometry.geom_type == "Point" else self.geometry.representative_point()
        return point.x, point.y


@dataclass(frozen=True, slots=True)
class Mention:
    """A name found in a text: `text[start:end]`, the places it can mean, and how sure that it is a name.

    `confidence` runs from 0 to 1: above 0.9 a proper name in the right case, about 0.7 a likely one, below
    0.5 a guess (an everyday word in small letters after a preposition, what is probably a surname).
    """

    start: int
    end: int
    text: str
    places: tuple[Place, ...]
    confidence: float

    @property
    def area_ids(self) -> tuple[str, ...]:
        """The areas of all the places it can mean, each once."""
        return tuple(dict.fromkeys(area_id for place in self.places for area_id in place.area_ids))


@dataclass(frozen=True, slots=True)
class _Candidate:
    first: int
    words: int
    places: tuple[Place, ...]
    penalty: float


_Found = tuple[tuple[Place, ...], float]


class Gazetteer:
    """A fixed set of places with an index of all their names. Reading is safe from several threads."""

    def __init__(self, places: Iterable[Place] = ()) -> None:
        self.places = tuple(places)
        self._exact: dict[tuple[str, ...], list[Place]] = {}
        self._bent: dict[tuple[str, ...], list[Place]] = {}
        self._lengths: dict[str, set[int]] = {}
        for place in self.places:
            for spelling in dict.fromkeys((place.name, *place.aliases)):
                words = tuple(fold(word) for word in _WORD.findall(spelling))
                if words:
                    self._add(words, place)

    def _add(self, words: tuple[str, ...], place: Place) -> None:
        _put(self._exact, words, place)
        self._lengths.setdefault(words[0], set()).add(len(words))
        alone = len(words) == 1
        base = base_form(words[-1], alone=alone)
        if base is None:
            return
        _put(self._bent, (*words[:-1], base), place)
        if len(words) == 2 and base.startswith(" "):
            # "Framnes skole" is written "Framnesskolen" too.
            _put(self._bent, (f"{words[0]}{base}",), place)

    def lookup(self, name: str) -> tuple[Place, ...]:
        """The places of that name, in whatever case or form; empty when there are none."""
        words = [match.group() for match in _WORD.finditer(name)]
        if not words:
            return ()
        found = self._match(tuple(fold(word) for word in words[:-1]), fold(words[-1]))
        return found[0] if found else ()

    def find_mentions(
        self,
        text: str,
        language: str | None = None,
        *,
        minimum_confidence: float = 0.3,
        accept: Callable[[Place], bool] | None = None,
    ) -> list[Mention]:
        """Every place name in the text, in order, none overlapping: of overlapping names the longest stays.

        Genitives and definite forms count (Breidablikks, Kirkegaten for Kirkegata); a name inside of a
        longer word does not (Breidablikkveien). Everyday words that are names too need a capital letter
        within a sentence, or a preposition before. `language` (nb, nn, sv, en) picks the prepositions, all
        when None. `accept` leaves places out. The time taken is proportional to the text.
        """
        words = _words(text)
        candidates = list(self._candidates(text, words, accept))
        candidates.sort(key=lambda one: (-_length(one, words), one.first))
        taken = bytearray(len(words))
        mentions: list[Mention] = []
        for candidate in candidates:
            last = candidate.first + candidate.words
            if any(taken[candidate.first : last]):
                continue
            confidence = round(self._confidence(text, words, candidate, language), 2)
            if confidence < minimum_confidence:
                continue
            taken[candidate.first : last] = b"\1" * candidate.words
            start, end = words[candidate.first].start, words[last - 1].end
            mentions.append(Mention(start, end, text[start:end], candidate.places, confidence))
        return sorted(mentions, key=lambda mention: mention.start)

    def _candidates(
        self, text: str, words: list[Word], accept: Callable[[Place], bool] | None
    ) -> Iterator[_Candidate]:
        known: dict[str, tuple[tuple[int, ...], _Found | None]] = {}
        for position, word in enumerate(words):
            if word.folded not in known:
                longer = tuple(count for count in self._lengths.get(word.folded, ()) if count > 1)
                known[word.folded] = longer, _accepted(self._match((), word.folded), accept)
            longer, alone = known[word.folded]
            for count in longer:
                group = words[position : position + count]
                if len(group) == count and _one_name(text, group):
                    found = self._match(tuple(part.folded for part in group[:-1]), group[-1].folded)
                    if found := _accepted(found, accept):
                        yield _Candidate(position, count, *found)
            if alone is not None:
                yield _Candidate(position, 1, *alone)

    def _match(self, before: tuple[str, ...], last: str) -> _Found | None:
        """The places of a name and what its form costs in confidence; the plainest reading wins."""
        if len(last) > LONGEST_WORD:
            return None
        if places := self._exact.get((*before, last)):
            return tuple(places), 0.0
        forms = [(last, 0.0)]
        if len(last) > 2 and last.endswith("s"):
            forms.append((last[:-1], _GENITIVE))
            if places := self._exact.get((*before, last[:-1])):
                return tuple(places), _GENITIVE
        for form, penalty in forms:
            base = base_form(form, alone=not before)
            if base is not None and (places := self._bent.get((*before, base))):
                return tuple(places), penalty + _BENT
        return None

    def _confidence(self, text: str, words: list[Word], candidate: _Candidate, language: str | None) -> float:
        ordinary = candidate.words == 1 and all(_is_ordinary(place) for place in candidate.places)
        sure = judge(text, words, candidate.first, candidate.words, ordinary=ordinary, language=language)
        return max(0.0, sure - candidate.penalty)


def _accepted(found: _Found | None, accept: Callable[[Place], bool] | None) -> _Found | None:
    if found is None or accept is None:
        return found
    places = tuple(place for place in found[0] if accept(place))
    return (places, found[1]) if places else None


def _put(index: dict[tuple[str, ...], list[Place]], key: tuple[str, ...], place: Place) -> None:
    places = index.setdefault(key, [])
    if place not in places:
        places.append(place)


def _words(text: str) -> list[Word]:
    folded: dict[str, str] = {}
    words: list[Word] = []
    for match in _WORD.finditer(text):
        word = match.group()
        if word not in folded:
            folded[word] = fold(word) if len(word) <= LONGEST_WORD else ""
        words.append(Word(match.start(), match.end(), word, folded[word]))
    return words


def _length(candidate: _Candidate, words: list[Word]) -> int:
    return words[candidate.first + candidate.words - 1].end - words[candidate.first].start


def _one_name(text: str, group: list[Word]) -> bool:
    return all(_joined(text, one, following) for one, following in pairwise(group))


def _joined(text: str, one: Word, following: Word) -> bool:
    """Whether two words stand as parts of one name do; a full stop is one of an abbreviation alone."""
    between = text[one.end : min(following.start, one.end + 4)]
    if not _WITHIN_NAME.fullmatch(between):
        return False
    return not between.startswith(".") or len(one.text) <= _LONGEST_ABBREVIATION


def _is_ordinary(place: Place) -> bool:
    if place.ordinary is not None:
        return place.ordinary
    return fold(place.name) in word_set("ordinary") or len(place.name) <= 2
