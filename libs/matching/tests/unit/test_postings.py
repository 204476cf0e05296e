"""Postings in blocks say what whole ones say, over the edges of blocks too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kommunepuls_matching import compiling
from kommunepuls_matching.native import drain
from kommunepuls_matching.postings import Blocked, Packed, gather_key, mark_key, mark_sharers, shares_of

pytestmark = pytest.mark.skipif(not compiling.AVAILABLE, reason="numba cannot be imported: there is no base")

SLOTS = 200_000
# About the edges of blocks of 65,536 and of words of 64.
slots = st.sets(
    st.one_of(st.integers(0, SLOTS - 1), st.integers(65_470, 65_600), st.integers(131_000, 131_100))
)


@settings(max_examples=100, deadline=None)
@given(st.lists(slots, min_size=1, max_size=4), st.lists(slots, min_size=1, max_size=70), st.data())
def test_blocked_postings_mark_whom_whole_ones_list(
    keys: list[set[int]], followed: list[set[int]], data: st.DataObject
) -> None:
    members = [np.array(sorted(one), np.uint32) for one in keys]
    starts = np.cumsum([0, *map(len, members)]).astype(np.uint32)
    whole = Packed({n: n for n in range(len(keys))}, starts, np.concatenate(members))
    sets = np.zeros((len(followed), SLOTS // 64 + 1), np.uint64)
    for number, one in enumerate(followed):
        for slot in one:
            sets[number, slot >> 6] |= np.uint64(1 << (slot & 63))
    blocked = Blocked.of_packed(whole, SLOTS)
    again = blocked.packed()
    assert again.starts.tolist() == starts.tolist()
    assert again.members.tolist() == whole.members.tolist()
    shares = shares_of(whole.starts, whole.members, sets)
    wanted = data.draw(st.lists(st.integers(0, len(followed) - 1), max_size=4, unique=True))
    union = set().union(*(followed[number] for number in wanted))
    arrays = blocked.starts, blocked.lows, blocked.blocks
    for key, theirs in enumerate(keys):
        assert set(blocked.of(key).tolist()) == theirs
        bits, summary = np.zeros(SLOTS // 64 + 1, np.uint64), np.zeros(SLOTS // 4096 + 1, np.uint64)
        count = mark_key(bits, summary, *arrays, key)
        assert count == len(theirs)
        assert drained(bits, summary, count) == sorted(theirs)
        count = mark_sharers(bits, summary, *arrays, *shares, len(sets), np.array(wanted, np.int64), key)
        assert drained(bits, summary, count) == sorted(theirs & union)
        gather_key(bits, *arrays, key)
        assert {n for n in theirs if int(bits[n >> 6]) >> (n & 63) & 1} == theirs
        assert sum(int(word).bit_count() for word in bits[bits != 0]) == len(theirs)


def drained(bits: np.ndarray, summary: np.ndarray, count: int) -> list[int]:
    """Everybody who is marked; nobody is marked afterwards."""
    nobody = np.zeros((0, len(bits)), np.uint64), np.zeros(0, np.int64)
    found = drain(bits, summary, count, np.zeros(SLOTS, np.uint8), 7, *nobody, False)
    assert not bits.any()
    assert not summary.any()
    return found.tolist()
