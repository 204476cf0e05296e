"""Growing arrays and numbered words: the columns that an index is made of."""

from array import array
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

WORD = 64


class Column:
    """A numpy array that grows at its end. What :attr:`values` gave earlier stays as it was, but for sets."""

    __slots__ = ("_count", "_data")

    def __init__(self, kind: type, values: np.ndarray | None = None) -> None:
        self._data = np.zeros(16, kind) if values is None else np.array(values, kind)
        self._count = 0 if values is None else len(values)

    def __len__(self) -> int:
        return self._count

    @property
    def values(self) -> np.ndarray:
        """The values so far; a view."""
        return self._data[: self._count]

    def append(self, value: float) -> None:
        """Add one at the end."""
        if self._count == len(self._data):
            self._data = np.concatenate((self._data, np.zeros(max(16, self._count // 2), self._data.dtype)))
        self._data[self._count] = value
        self._count += 1


class Numbering:
    """Numbers for words (or whatever can be a key), counted up from 0 and never given twice."""

    __slots__ = ("_numbers", "_words")

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._words: list[Any] = []

    def number(self, word: Hashable) -> int:
        """The word's number, a new one if it has none yet."""
        found = self._numbers.get(word)
        if found is None:
            found = self._numbers[word] = len(self._words)
            self._words.append(word)
        return found

    def known(self, word: Hashable) -> int | None:
        """The word's number, if it has one."""
        return self._numbers.get(word)

    def word(self, number: int) -> Any:
        """The word of a number."""
        return self._words[number]


@dataclass(frozen=True)
class Words:
    """The numbers of words that are shared by all parts of an index; none is ever given twice."""

    interests: Numbering = field(default_factory=Numbering)
    audience: Numbering = field(default_factory=Numbering)
    areas: Numbering = field(default_factory=Numbering)
    places: Numbering = field(default_factory=Numbering)
    surroundings: Numbering = field(default_factory=Numbering)
    """Sets of areas (frozensets of their numbers) that hold a place."""


class Masks:
    """A set of numbered words for each slot, as 64-bit masks; one more column for every 64 words."""

    def __init__(self, numbering: Numbering, words: Iterable[Column] = ()) -> None:
        self._numbering = numbering
        self._columns = list(words)
        self._count = len(self._columns[0]) if self._columns else 0

    def append(self, slugs: Iterable[str]) -> None:
        """Add the set of the next slot."""
        bits: dict[int, int] = {}
        for slug in slugs:
            word, bit = divmod(self._numbering.number(slug), WORD)
            bits[word] = bits.get(word, 0) | 1 << bit
        if bits:
            for _ in range(len(self._columns), max(bits) + 1):
                self._columns.append(Column(np.uint64, np.zeros(self._count, np.uint64)))
        for word, column in enumerate(self._columns):
            column.append(bits.get(word, 0))
        self._count += 1

    def any_of(self, slots: np.ndarray, slugs: Iterable[str]) -> np.ndarray:
        """Which of the slots have at least one of these words: a boolean array."""
        found = np.zeros(len(slots), bool)
        for word, bits in self._bits(slugs)[0]:
            found |= (self._columns[word].values[slots] & bits) != 0
        return found

    def all_of(self, slots: np.ndarray, slugs: Iterable[str]) -> np.ndarray:
        """Which of the slots have every one of these words: a boolean array."""
        masks, complete = self._bits(slugs)
        found = np.full(len(slots), complete)
        for word, bits in masks:
            found &= (self._columns[word].values[slots] & bits) == bits
        return found

    def has(self, slot: int, slug: str) -> bool:
        """Whether one slot has one word."""
        number = self._numbering.known(slug)
        if number is None or number // WORD >= len(self._columns):
            return False
        return bool(int(self._columns[number // WORD].values[slot]) >> number % WORD & 1)

    def columns(self) -> list[np.ndarray]:
        """The masks by slot, one array for every 64 words."""
        return [column.values for column in self._columns]

    def kept(self, slots: np.ndarray) -> "Masks":
        """The masks of these slots alone, renumbered from 0."""
        kept = Masks(self._numbering, (Column(np.uint64, c.values[slots]) for c in self._columns))
        kept._count = len(slots)
        return kept

    def _bits(self, slugs: Iterable[str]) -> tuple[list[tuple[int, np.uint64]], bool]:
        """Masks by column, and whether every word could be in one."""
        bits: dict[int, int] = {}
        complete = True
        for slug in slugs:
            number = self._numbering.known(slug)
            if number is None or number // WORD >= len(self._columns):
                complete = False
                continue
            bits[number // WORD] = bits.get(number // WORD, 0) | 1 << number % WORD
        return [(word, np.uint64(mask)) for word, mask in bits.items()], complete


class Postings:
    """For each key the numbers that have it, ascending because only higher ones are ever added."""

    __slots__ = ("_lists",)

    def __init__(self, lists: dict[Hashable, array] | None = None) -> None:
        self._lists: dict[Hashable, array] = {} if lists is None else lists

    def append(self, key: Hashable, number: int) -> None:
        """Add a number, higher than those the key has."""
        found = self._lists.get(key)
        if found is None:
            self._lists[key] = array("I", (number,))
        else:
            found.append(number)

    def of(self, key: Hashable) -> np.ndarray:
        """The numbers of a key: a copy."""
        found = self._lists.get(key)
        return np.array(found, np.uint32) if found is not None else _NONE

    def of_all(self, keys: Iterable[Hashable]) -> np.ndarray:
        """The numbers of several keys one after the other, so perhaps some twice."""
        found = [np.array(self._lists[key], np.uint32) for key in keys if key in self._lists]
        return np.concatenate(found) if found else _NONE

    def __contains__(self, key: Hashable) -> bool:
        return key in self._lists

    def __len__(self) -> int:
        return len(self._lists)

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._lists)

    def renumbered(self, renumber: np.ndarray, alive: np.ndarray) -> "Postings":
        """Without the numbers that are no longer alive, the others as ``renumber`` says."""
        kept: dict[Hashable, array] = {}
        for key, numbers in self._lists.items():
            old = np.array(numbers, np.uint32)
            old = old[alive[old]]
            if len(old):
                kept[key] = array("I", renumber[old].astype(np.uint32).tobytes())
        return Postings(kept)


_NONE = np.zeros(0, np.uint32)


def is_among(number: int, ascending: np.ndarray) -> bool:
    """Whether a number is in an ascending array."""
    # A number of the array's own type: any other makes numpy convert the whole array first.
    place = int(ascending.searchsorted(ascending.dtype.type(number)))
    return place < len(ascending) and int(ascending[place]) == number
