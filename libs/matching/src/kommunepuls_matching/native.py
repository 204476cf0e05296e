"""The loops that decide about every candidate.

A set of slots is a bit for each slot, in words of 64: the followers of an interest, and who is found in a match. To
look whether a slot is in a set of a million costs a look at 125 kB, which stay in the processor's cache.
"""

import math

import numpy as np

from kommunepuls_matching.compiling import compiled, lowest_bit
from kommunepuls_matching.plane import SLACK_METRES, SLACK_SHARE, near_distance

# Whether a place is within its radius.
NOT, PERHAPS, SURELY = 0, 1, 2

# Flags of a slot: the rank of the minimum severity in the lowest three bits, and these.
RANK, HAS_AUDIENCE, DEAD = 7, 16, 128


@compiled
def mark(bits, summary, slot):
    """Put a slot into a set of bits; ``summary`` has a bit for each 8 words of them, a line of the cache."""
    bits[slot >> 6] |= np.uint64(1) << np.uint64(slot & 63)
    summary[slot >> 15] |= np.uint64(1) << np.uint64((slot >> 9) & 63)


@compiled
def mark_all(bits, summary, slots):
    """Mark some slots."""
    for slot in slots:
        mark(bits, summary, np.int64(slot))


@compiled
def is_marked(bits, slot):
    return (bits[slot >> 6] >> np.uint64(slot & 63)) & np.uint64(1) != 0


@compiled
def is_in_one(sets, numbers, slot):
    """Whether a slot is in one of some of many sets."""
    word, bit = slot >> 6, np.uint64(slot & 63)
    found = np.uint64(0)
    for number in numbers:
        found |= sets[number, word] >> bit
    return found & np.uint64(1) != 0


@compiled
def total_of(starts, keys):
    """How many members some keys have together."""
    total = 0
    for key in keys:
        total += np.int64(starts[key + 1]) - np.int64(starts[key])
    return total


@compiled
def mark_members(bits, summary, sets, numbers, everyone, starts, members, keys):
    """Mark who has one of the keys and is in one of the sets (``everyone``: whether or not)."""
    for key in keys:
        for place in range(starts[key], starts[key + 1]):
            slot = np.int64(members[place])
            if everyone or is_in_one(sets, numbers, slot):
                mark(bits, summary, slot)


@compiled
def mark_owners(bits, summary, sets, numbers, everyone, starts, rows, keys, place_slots):
    """Mark whose places have one of the keys and who is in one of the sets (``everyone``: whether or not)."""
    for key in keys:
        for place in range(starts[key], starts[key + 1]):
            slot = np.int64(place_slots[rows[place]])
            if everyone or is_in_one(sets, numbers, slot):
                mark(bits, summary, slot)


@compiled
def gather_members(bits, starts, members, keys):
    """Put who has one of the keys into a set, without a look at anything else."""
    for key in keys:
        for place in range(starts[key], starts[key + 1]):
            slot = np.int64(members[place])
            bits[slot >> 6] |= np.uint64(1) << np.uint64(slot & 63)


@compiled
def gather_owners(bits, starts, rows, keys, place_slots):
    """Put whose places have one of the keys into a set, without a look at anything else."""
    for key in keys:
        for place in range(starts[key], starts[key + 1]):
            slot = np.int64(place_slots[rows[place]])
            bits[slot >> 6] |= np.uint64(1) << np.uint64(slot & 63)


@compiled
def keep_marked(bits, summary, sets, numbers, everyone):
    """Keep of a set those who are in one of the sets (``everyone``: all), and sum up what is left."""
    union = np.zeros(8, np.uint64)
    for first in range(0, len(bits), 8):
        some = bits[first : first + 8]
        left = np.uint64(0)
        for word in range(len(some)):
            left |= some[word]
        if left == 0:
            continue
        if not everyone:
            union[:] = 0
            for number in numbers:
                theirs = sets[number, first : first + 8]
                for word in range(len(theirs)):
                    union[word] |= theirs[word]
            left = np.uint64(0)
            for word in range(len(some)):
                some[word] &= union[word]
                left |= some[word]
        if left != 0:
            summary[first >> 9] |= np.uint64(1) << np.uint64((first >> 3) & 63)


@compiled
def screen(
    bits, summary, sets, numbers, everyone, begins, ends, layers, degrees,
    place_slots, longitudes, latitudes, radii, segments, areal,
):  # fmt: skip
    """Which places of stretches of rows are within their radius: (surely, perhaps), and mark the first.

    Only places of those who could be concerned are looked at: who is in one of the sets, or is marked.

    Args:
        begins, ends, layers: of the stretches.
        degrees: by layer the metres of a degree, for a lower and an upper bound: longitude, latitude, both again.
            0 where there are none: all are perhaps.
        segments: the lines of the geometry in degrees, one (x, y, x, y) each; ``areal`` if they bound a
            surface (even-odd). None: all are perhaps.
    """
    room = 0
    for stretch in range(len(begins)):
        room += ends[stretch] - begins[stretch]
    surely, perhaps = np.empty(room, np.uint32), np.empty(room, np.uint32)
    sure, unsure = 0, 0
    for stretch in range(len(begins)):
        low_x, low_y = degrees[layers[stretch], 0], degrees[layers[stretch], 1]
        high_x, high_y = degrees[layers[stretch], 2], degrees[layers[stretch], 3]
        for row in range(begins[stretch], ends[stretch]):
            slot = np.int64(place_slots[row])
            if not (everyone or is_in_one(sets, numbers, slot) or is_marked(bits, slot)):
                continue
            verdict = _verdict(
                longitudes[row],
                latitudes[row],
                np.float64(radii[row]),
                segments,
                areal,
                low_x,
                low_y,
                high_x,
                high_y,
            )
            if verdict == SURELY:
                surely[sure] = row
                sure += 1
                mark(bits, summary, slot)
            elif verdict == PERHAPS:
                perhaps[unsure] = row
                unsure += 1
    return surely[:sure].copy(), perhaps[:unsure].copy()


@compiled
def verdicts(longitudes, latitudes, radii, segments, areal, low_x, low_y, high_x, high_y):
    """For each place whether it is within its radius: not, perhaps or surely; see :func:`screen`."""
    found = np.empty(len(radii), np.uint8)
    for one in range(len(radii)):
        found[one] = _verdict(
            longitudes[one], latitudes[one], radii[one], segments, areal, low_x, low_y, high_x, high_y
        )
    return found


@compiled
def _verdict(x, y, radius, segments, areal, low_x, low_y, high_x, high_y):
    if high_x <= 0.0 or len(segments) == 0:
        return PERHAPS
    low, high, inside = math.inf, math.inf, False
    for one in range(len(segments)):
        ax, ay = segments[one, 0] - x, segments[one, 1] - y
        bx, by = segments[one, 2] - x, segments[one, 3] - y
        low = min(low, _square(ax * low_x, ay * low_y, bx * low_x, by * low_y))
        high = min(high, _square(ax * high_x, ay * high_y, bx * high_x, by * high_y))
        if areal and (ay > 0) != (by > 0) and (ax - ay * (bx - ax) / (by - ay)) > 0:
            inside = not inside
    if inside:
        low, high = 0.0, 0.0
    upper = radius * (1 + SLACK_SHARE) + SLACK_METRES
    lower = radius * (1 - SLACK_SHARE) - SLACK_METRES
    if low > upper * upper:
        return NOT
    if lower >= 0 and high <= lower * lower:
        return SURELY
    a_point = segments[0, 0] == segments[0, 2] and segments[0, 1] == segments[0, 3]
    if a_point and not areal and len(segments) == 1:
        distance, doubt = near_distance(x, y, segments[0, 0], segments[0, 1])
        if distance > radius + doubt:
            return NOT
        if distance <= radius - doubt:
            return SURELY
    return PERHAPS


@compiled
def _square(ax, ay, bx, by):
    """The square of the distance from the origin to the line from a to b."""
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    if length == 0.0:
        return ax * ax + ay * ay
    along = -(ax * dx + ay * dy) / length
    along = min(1.0, max(0.0, along))
    x, y = ax + along * dx, ay + along * dy
    return x * x + y * y


@compiled
def mark_places(bits, summary, rows, place_slots):
    """Mark whose places these are."""
    for row in rows:
        mark(bits, summary, np.int64(place_slots[row]))


@compiled
def in_both(some, others):
    """The numbers that are in two ascending arrays."""
    found = np.empty(min(len(some), len(others)), np.uint32)
    count, other = 0, 0
    for one in some:
        while other < len(others) and others[other] < one:
            other += 1
        if other < len(others) and others[other] == one:
            found[count] = one
            count += 1
    return found[:count]


@compiled
def unmark(bits, slots):
    """Take slots out of the set."""
    for place in range(len(slots)):
        slot = np.int64(slots[place])
        bits[slot >> 6] &= ~(np.uint64(1) << np.uint64(slot & 63))


@compiled
def drain(bits, summary, flags, rank, audiences, numbers, meant):
    """The marked slots, ascending, that are alive and want to hear; the set is empty afterwards.

    Args:
        rank: of the severity; who has a higher minimum is left out.
        audiences, numbers: sets by audience, and those that are ``meant`` (if any): who has an audience and is
            in none of these is left out.
    """
    slots = np.empty(1_024, np.uint32)
    count = 0
    for group in range(len(summary)):
        left = summary[group]
        summary[group] = 0
        while left != 0:
            first = (group << 6 | lowest_bit(left)) << 3
            left &= left - np.uint64(1)
            if count + 512 > len(slots):
                more = np.empty(len(slots) * 2, np.uint32)
                more[:count] = slots[:count]
                slots = more
            for word in range(first, min(first + 8, len(bits))):
                rest = bits[word]
                bits[word] = 0
                while rest != 0:
                    slot = word << 6 | lowest_bit(rest)
                    rest &= rest - np.uint64(1)
                    flag = flags[slot]
                    if flag >= DEAD or flag & RANK > rank:
                        continue
                    if meant and flag & HAS_AUDIENCE and not is_in_one(audiences, numbers, slot):
                        continue
                    slots[count] = slot
                    count += 1
    return slots[:count].copy()
