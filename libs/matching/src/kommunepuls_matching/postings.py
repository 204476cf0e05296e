"""Postings: for each key the numbers that have it, and which of them follow which interest."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from kommunepuls_matching.compiling import compiled, lowest_bit
from kommunepuls_matching.native import mark

_NO_SLOTS = np.zeros(0, np.uint32)
# Of a slot in blocked postings the lowest bits alone are kept.
_BLOCK_BITS = 16


@dataclass(frozen=True)
class Packed:
    """The numbers that have key n, ascending, are ``members[starts[n]:starts[n + 1]]``."""

    numbers: Mapping[Hashable, int]
    starts: np.ndarray
    members: np.ndarray

    def of(self, key: Hashable) -> np.ndarray:
        """The numbers of a key."""
        number = self.numbers.get(key)
        return _NO_SLOTS if number is None else self.members[self.starts[number] : self.starts[number + 1]]

    @property
    def nbytes(self) -> int:
        return self.starts.nbytes + self.members.nbytes


@dataclass(frozen=True)
class Blocked:
    """Slots by key in half the bytes: the lowest 16 bits of each, by blocks of 65,536 slots.

    The slots of key n in block b are ``b << 16`` and what ``lows[starts[n * blocks + b]:starts[n * blocks + b + 1]]``
    says.
    """

    numbers: Mapping[Hashable, int]
    blocks: int
    starts: np.ndarray
    lows: np.ndarray

    @classmethod
    def of_packed(cls, packed: Packed, slots: int) -> "Blocked":
        """The same postings of an index of so many slots."""
        blocks = (slots >> _BLOCK_BITS) + 1
        return cls(packed.numbers, blocks, *blocked(packed.starts, packed.members, blocks))

    def packed(self) -> Packed:
        """The same postings, whole numbers again."""
        return Packed(self.numbers, *unblocked(self.starts, self.lows, self.blocks))

    def of(self, key: Hashable) -> np.ndarray:
        """The slots of a key, ascending."""
        number = self.numbers.get(key)
        if number is None:
            return _NO_SLOTS
        starts = self.starts[number * self.blocks : (number + 1) * self.blocks + 1].astype(np.int64)
        highs = np.repeat(np.arange(self.blocks, dtype=np.uint32) << _BLOCK_BITS, np.diff(starts))
        return highs | self.lows[starts[0] : starts[-1]]

    @property
    def nbytes(self) -> int:
        return self.starts.nbytes + self.lows.nbytes


@compiled
def blocked(starts, members, blocks):
    """Packed postings as blocked ones: starts, and the lowest bits of each number."""
    keys, place = len(starts) - 1, 0
    found = np.empty(keys * blocks + 1, np.uint32)
    lows = np.empty(len(members), np.uint16)
    for key in range(keys):
        for block in range(blocks):
            found[key * blocks + block] = place
            while place < starts[key + 1] and members[place] >> _BLOCK_BITS == block:
                lows[place] = members[place] & 0xFFFF
                place += 1
    found[keys * blocks] = place
    return found, lows


@compiled
def unblocked(starts, lows, blocks):
    """Blocked postings as packed ones: starts, and the numbers."""
    keys = (len(starts) - 1) // blocks
    found, members = np.empty(keys + 1, np.uint32), np.empty(len(lows), np.uint32)
    for key in range(keys):
        found[key] = starts[key * blocks]
        for block in range(blocks):
            for place in range(starts[key * blocks + block], starts[key * blocks + block + 1]):
                members[place] = block << _BLOCK_BITS | lows[place]
    found[keys] = len(lows)
    return found, members


@compiled
def shares_of(starts, members, sets):
    """Which members of each key are in which set: a bit for each, in words of 32.

    Returns:
        Where the words of each key begin, counted for one set; the words, those of a key for each set in turn.
    """
    keys = len(starts) - 1
    begins = np.zeros(keys + 1, np.uint32)
    for key in range(keys):
        begins[key + 1] = begins[key] + (np.int64(starts[key + 1]) - np.int64(starts[key]) + 31) // 32
    shares = np.zeros(np.int64(begins[keys]) * len(sets), np.uint32)
    masks = np.empty(64 * sets.shape[1], np.uint64)
    for first in range(0, len(sets), 64):
        masks[:] = 0
        for number in range(first, min(first + 64, len(sets))):
            for word in range(sets.shape[1]):
                rest = sets[number, word]
                while rest != 0:
                    masks[word << 6 | lowest_bit(rest)] |= np.uint64(1) << np.uint64(number - first)
                    rest &= rest - np.uint64(1)
        for key in range(keys):
            words = np.int64(begins[key + 1]) - np.int64(begins[key])
            for place in range(starts[key], starts[key + 1]):
                member = place - np.int64(starts[key])
                rest = masks[members[place]]
                while rest != 0:
                    number = first + lowest_bit(rest)
                    rest &= rest - np.uint64(1)
                    word = np.int64(begins[key]) * len(sets) + number * words + (member >> 5)
                    shares[word] |= np.uint32(1) << np.uint32(member & 31)
    return begins, shares


@compiled
def mark_key(bits, summary, starts, lows, blocks, key):
    """Mark all slots of a key of blocked postings."""
    for block in range(blocks):
        for place in range(starts[key * blocks + block], starts[key * blocks + block + 1]):
            mark(bits, summary, block << _BLOCK_BITS | np.int64(lows[place]))
    return np.int64(starts[(key + 1) * blocks]) - np.int64(starts[key * blocks])


@compiled
def gather_key(bits, starts, lows, blocks, key):
    """Put all slots of a key of blocked postings into a set, without a look at anything else."""
    for block in range(blocks):
        first = block << _BLOCK_BITS - 6
        for place in range(starts[key * blocks + block], starts[key * blocks + block + 1]):
            low = np.int64(lows[place])
            bits[first + (low >> 6)] |= np.uint64(1) << np.uint64(low & 63)


@compiled
def mark_sharers(bits, summary, starts, lows, blocks, begins, shares, sets, numbers, key):
    """Mark the slots of a key of blocked postings that are in one of the sets by their shares."""
    words = np.int64(begins[key + 1]) - np.int64(begins[key])
    first = np.int64(begins[key]) * sets
    begin, block, count = np.int64(starts[key * blocks]), 0, 0
    for word in range(words):
        rest = np.uint64(_shared(shares, numbers, first, words, word))
        while rest != 0:
            place = begin + (word << 5 | lowest_bit(rest))
            rest &= rest - np.uint64(1)
            while place >= starts[key * blocks + block + 1]:
                block += 1
            mark(bits, summary, block << _BLOCK_BITS | np.int64(lows[place]))
            count += 1
    return count


@compiled
def _shared(shares, numbers, first, words, word):
    """A word of the union of some sets' shares of a key."""
    union = np.uint32(0)
    for number in numbers:
        union |= shares[first + number * words + word]
    return union
