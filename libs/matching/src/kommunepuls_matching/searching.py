"""A whole match in one compiled call: each call costs microseconds of asking what its arrays are."""

import numpy as np

from kommunepuls_matching.cells import RADIUS_CLASSES, stretches_near
from kommunepuls_matching.compiling import compiled
from kommunepuls_matching.native import (
    drain,
    first_at_least,
    gather_owners,
    is_marked,
    keep_marked,
    mark_owners,
    mark_places,
    total_of,
    unmark,
)
from kommunepuls_matching.postings import gather_key, mark_key, mark_sharers
from kommunepuls_matching.screening import screen

# With more slots to look at for each word of a set than this, the words are worked through instead.
_LOOKS_PER_WORD = 2


@compiled
def search(
    room, interests, followers, shares, organisers, blocks, surroundings, places, cells, wishes,
    wanted, everyone, related, held, organiser, bounds, segments, areal, refused, heard,
):  # fmt: skip
    """Who is concerned, and the places near the geometry.

    The first line of arguments is the base:

    Args:
        room: bits and summary, empty before and after.
        interests: sets of slots by number.
        followers, organisers: starts and lows of blocked postings of so many ``blocks``.
        shares: begins and words of which followers follow which interest.
        surroundings: starts and rows of packed postings.
        places: by row slots, positions and radii.
        cells: cells, their starts, bands and their starts, as :func:`stretches_near` takes them.
        wishes: what :func:`finish` takes of the base.
        wanted: numbers of the item's interests; ``everyone``: whether they do not matter.
        related, held, organiser: keys of the followed areas, of the sets of areas if there is no geometry, and of
            the organiser (-1: none).
        bounds: of the geometry in degrees, or a west that is not a number.
        segments, areal: see :func:`screen`.
        refused, heard: what :func:`finish` takes of the item.

    Returns:
        The slots; how many were marked at most; the rows that are surely near; those that perhaps are. If there are
        any of the last there are no slots yet, and :func:`finish` is to be called.
    """
    bits, summary = room
    place_slots, positions, radii = places
    starts, rows = surroundings
    if total_of(starts, held, 1) + total_of(followers[0], related, blocks) > len(bits) * _LOOKS_PER_WORD:
        for key in related:
            gather_key(bits, *followers, blocks, key)
        gather_owners(bits, starts, rows, held, place_slots)
        count = keep_marked(bits, summary, interests, wanted, everyone)
    else:
        count = mark_owners(bits, summary, interests, wanted, everyone, starts, rows, held, place_slots)
        for key in related:
            if everyone:
                count += mark_key(bits, summary, *followers, blocks, key)
            else:
                count += mark_sharers(bits, summary, *followers, blocks, *shares, len(interests), wanted, key)
    if organiser >= 0:
        count += mark_key(bits, summary, *organisers, blocks, organiser)
    surely, perhaps = np.empty(0, np.uint32), np.empty(0, np.uint32)
    if bounds[0] == bounds[0]:
        stretches, degrees = stretches_near(*cells, RADIUS_CLASSES, *bounds)
        surely, perhaps = screen(
            bits, summary, interests, wanted, everyone, stretches, degrees,
            place_slots, positions, radii, segments, areal, bounds,
        )  # fmt: skip
        count += len(surely)
        if len(perhaps):
            return np.empty(0, np.uint32), count, surely, perhaps
    return _finish(bits, summary, count, *wishes, *refused, *heard), count, surely, perhaps


@compiled
def finish(room, count, place_slots, rows, wishes, refused, heard):
    """The slots that :func:`search` marked, ``count`` at most, and the owners of some places more."""
    bits, summary = room
    count += mark_places(bits, summary, rows, place_slots)
    return _finish(bits, summary, count, *wishes, *refused, *heard)


@compiled
def _finish(
    bits, summary, count, flags, audiences, muted_starts, muted, interest_starts, muted_interests,
    keys, interest_keys, rank, meant, for_some,
):  # fmt: skip
    """What is marked without those who muted one of the keys or all of the interests, and who do not want to hear."""
    for key in keys:
        for place in range(muted_starts[key], muted_starts[key + 1]):
            unmark(bits, np.int64(muted[place]))
    if len(interest_keys):
        first = interest_keys[0]
        for place in range(interest_starts[first], interest_starts[first + 1]):
            slot = np.int64(muted_interests[place])
            if is_marked(bits, slot) and _in_all(interest_starts, muted_interests, interest_keys, slot):
                unmark(bits, slot)
    return drain(bits, summary, count, flags, rank, audiences, meant, for_some)


@compiled
def _in_all(starts, members, keys, slot):
    """Whether a slot is in the postings of each of the keys."""
    for key in keys:
        low, end = np.int64(starts[key]), np.int64(starts[key + 1])
        low = first_at_least(members, low, end, slot)
        if low == end or members[low] != slot:
            return False
    return True
