"""Growing arrays and numbered words: the columns that an index is made of."""

from array import array
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

WORD = 64
_FULL = (1 << WORD) - 1


class Column:
    """A numpy array that grows at its end; what :attr:`values` gave earlier stays as it was.

    What is appended waits in an ``array``, whose ``append`` and ``extend`` are those of the column and cost a
    fifth of setting an element of a numpy array, until somebody asks for the values.
    """

    __slots__ = ("_count", "_data", "_waiting", "append", "extend")

    def __init__(self, kind: type, values: np.ndarray | None = None) -> None:
        self._data = np.zeros(16, kind) if values is None else np.array(values, kind)
        self._count = 0 if values is None else len(values)
        self._waiting = array(np.dtype(kind).char)
        self.append, self.extend = self._waiting.append, self._waiting.extend

    def __len__(self) -> int:
        return self._count + len(self._waiting)

    @property
    def values(self) -> np.ndarray:
        """The values so far; a view."""
        self.settle()
        return self._data[: self._count]

    def settle(self) -> None:
        """Move what waits to the values. Until something is appended again, several threads may read."""
        if self._waiting:
            self._add(self._waiting)
            del self._waiting[:]

    def take(self, values: Sequence[float] | np.ndarray) -> None:
        """Append many at once."""
        self.settle()
        self._add(values)

    def _add(self, values: Sequence[float] | np.ndarray) -> None:
        count = self._count + len(values)
        if count > len(self._data):
            grown = np.zeros(max(16, count + self._count // 2), self._data.dtype)
            grown[: self._count] = self._data[: self._count]
            self._data = grown
        self._data[self._count : count] = values
        self._count = count


class Lists:
    """A list of numbers for each slot: that of slot n is ``members[starts[n]:starts[n + 1]]``."""

    __slots__ = ("_counts", "_members", "_starts")

    def __init__(self) -> None:
        self._counts, self._members = Column(np.uint32), Column(np.uint32)
        self._starts = np.zeros(1, np.uint32)

    def append(self, numbers: Sequence[int]) -> None:
        """Add the list of the next slot."""
        self._counts.append(len(numbers))
        if numbers:
            self._members.extend(numbers)

    def take(self, lists: Sequence[Sequence[Hashable]], numbering: "Numbering") -> None:
        """Add the lists of many slots at once, given as words."""
        counts = np.fromiter(map(len, lists), np.uint32, len(lists))
        self._counts.take(counts)
        numbers = map(numbering.__getitem__, chain.from_iterable(lists))
        self._members.take(np.fromiter(numbers, np.uint32, int(counts.sum())))

    @property
    def starts(self) -> np.ndarray:
        """Where the list of each slot begins, and where the last ends."""
        self.settle()
        return self._starts

    @property
    def members(self) -> np.ndarray:
        """All lists, one after the other."""
        return self._members.values

    def settle(self) -> None:
        """See :meth:`Column.settle`."""
        self._members.settle()
        counts = self._counts.values
        if len(self._starts) != len(counts) + 1:
            self._starts = starts_of(counts)

    def of(self, slot: int) -> list[int]:
        """The list of a slot."""
        starts = self.starts
        return self.members[int(starts[slot]) : int(starts[slot + 1])].tolist()


def starts_of(counts: np.ndarray) -> np.ndarray:
    """Where lists of these lengths begin, one after the other, and where the last ends."""
    starts = np.zeros(len(counts) + 1, np.uint32)
    np.cumsum(counts, out=starts[1:])
    return starts


class Numbering(dict[Hashable, int]):
    """Numbers for words (or whatever can be a key), counted up from 0 and never given twice.

    ``numbering[word]`` gives a word its number, a new one if it has none yet; ``numbering.get(word)`` does not.
    """

    def __init__(self) -> None:
        self._words: list[Any] = []

    def __missing__(self, word: Hashable) -> int:
        found = self[word] = len(self._words)
        self._words.append(word)
        return found

    def of(self, words: Iterable[Hashable]) -> list[int]:
        """The numbers of words, each once, in the order given."""
        return [self[word] for word in dict.fromkeys(words)]

    def word(self, number: int) -> Any:
        """The word of a number."""
        return self._words[number]


@dataclass(frozen=True)
class Words:
    """The numbers of words that are shared by all parts of an index; none is ever given twice."""

    interests: Numbering = field(default_factory=Numbering)
    audience: Numbering = field(default_factory=Numbering)
    areas: Numbering = field(default_factory=Numbering)
    organisers: Numbering = field(default_factory=Numbering)
    muted: Numbering = field(default_factory=Numbering)
    """What can be muted, as pairs of kind and id."""
    places: Numbering = field(default_factory=Numbering)
    surroundings: Numbering = field(default_factory=Numbering)
    """Sets of areas (frozensets of their numbers) that hold a place."""


class Masks:
    """A set of numbered words for each slot, as 64-bit masks; one more column for every 64 words."""

    def __init__(self, numbering: Numbering) -> None:
        self._numbering = numbering
        self._columns: list[Column] = []
        self._count = 0

    def append(self, numbers: Iterable[int]) -> None:
        """Add the set of the next slot, given the numbers of its words."""
        bits = 0
        for number in numbers:
            bits |= 1 << number
        while bits >> (WORD * len(self._columns)):
            self._columns.append(Column(np.uint64, np.zeros(self._count, np.uint64)))
        for column in self._columns:
            column.append(bits & _FULL)
            bits >>= WORD
        self._count += 1

    def any_of(self, slots: np.ndarray, slugs: Iterable[str]) -> np.ndarray:
        """Which of the slots have at least one of these words: a boolean array."""
        found = np.zeros(len(slots), bool)
        for word, bits in self._bits(slugs):
            found |= (self._columns[word].values[slots] & bits) != 0
        return found

    def has(self, slot: int, slug: str) -> bool:
        """Whether one slot has one word."""
        number = self._numbering.get(slug)
        if number is None or number // WORD >= len(self._columns):
            return False
        return bool(int(self._columns[number // WORD].values[slot]) >> number % WORD & 1)

    def _bits(self, slugs: Iterable[str]) -> list[tuple[int, np.uint64]]:
        """Masks by column."""
        bits: dict[int, int] = {}
        for slug in slugs:
            number = self._numbering.get(slug)
            if number is not None and number // WORD < len(self._columns):
                bits[number // WORD] = bits.get(number // WORD, 0) | 1 << number % WORD
        return [(word, np.uint64(mask)) for word, mask in bits.items()]


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


_NONE = np.zeros(0, np.uint32)


def is_among(number: int, ascending: np.ndarray) -> bool:
    """Whether a number is in an ascending array."""
    # A number of the array's own type: any other makes numpy convert the whole array first.
    place = int(ascending.searchsorted(ascending.dtype.type(number)))
    return place < len(ascending) and int(ascending[place]) == number
