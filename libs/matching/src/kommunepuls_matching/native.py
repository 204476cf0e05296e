"""Sets of slots as bits, in words of 64: the followers of an interest, and who is found in a match.

To look whether a slot is in a set of a million costs a look at 125 kB, which stay in the processor's cache.
"""

import numpy as np

from kommunepuls_matching.compiling import bit_count, compiled, lowest_bit

# Flags of a slot: the rank of the minimum severity in the lowest three bits, and these.
RANK, HAS_AUDIENCE, DEAD = 7, 16, 128


@compiled
def mark(bits, summary, slot):
    """Put a slot into a set of bits; ``summary`` has a bit for each word of them."""
    bits[slot >> 6] |= np.uint64(1) << np.uint64(slot & 63)
    summary[slot >> 12] |= np.uint64(1) << np.uint64((slot >> 6) & 63)


@compiled
def is_marked(bits, slot):
    return (bits[slot >> 6] >> np.uint64(slot & 63)) & np.uint64(1) != 0


@compiled
def union_at(sets, numbers, word):
    """A word of the union of some of many sets."""
    count = len(numbers)
    if count == 0:
        return np.uint64(0)
    # Most items have one interest or two: no loop for these, whose end would be guessed wrong.
    union = sets[numbers[0], word] | sets[numbers[count - 1], word]
    for place in range(1, count - 1):
        union |= sets[numbers[place], word]
    return union


@compiled
def is_in_one(sets, numbers, slot):
    """Whether a slot is in one of some of many sets."""
    return union_at(sets, numbers, slot >> 6) >> np.uint64(slot & 63) & np.uint64(1) != 0


@compiled
def first_at_least(ascending, low, high, wanted):
    """The first place from ``low`` up to before ``high`` with a number that is at least that wanted; else ``high``."""
    while low < high:
        middle = (low + high) >> 1
        if ascending[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def total_of(starts, keys, blocks):
    """How many members some keys of postings in so many blocks have together."""
    total = 0
    for key in keys:
        total += np.int64(starts[(key + 1) * blocks]) - np.int64(starts[key * blocks])
    return total


@compiled
def mark_owners(bits, summary, sets, numbers, everyone, starts, rows, keys, place_slots):
    """Mark whose places have one of the keys and who is in one of the sets (``everyone``: whether or not).

    This and all that marks: how many slots were marked, none of them twice or some.
    """
    count = 0
    for key in keys:
        for place in range(starts[key], starts[key + 1]):
            slot = np.int64(place_slots[rows[place]])
            if everyone or is_in_one(sets, numbers, slot):
                mark(bits, summary, slot)
                count += 1
    return count


@compiled
def gather_owners(bits, starts, rows, keys, place_slots):
    """Put whose places have one of the keys into an empty set, without a look at anything else."""
    for key in keys:
        for place in range(starts[key], starts[key + 1]):
            slot = np.int64(place_slots[rows[place]])
            bits[slot >> 6] |= np.uint64(1) << np.uint64(slot & 63)


@compiled
def keep_marked(bits, summary, sets, numbers, everyone):
    """Keep of a set those who are in one of the sets (``everyone``: all), and sum up what is left."""
    count = 0
    for word in range(len(bits)):
        left = bits[word]
        if left != 0:
            if not everyone:
                left &= union_at(sets, numbers, word)
                bits[word] = left
            if left != 0:
                summary[word >> 6] |= np.uint64(1) << np.uint64(word & 63)
                count += bit_count(left)
    return count


@compiled
def mark_places(bits, summary, rows, place_slots):
    """Mark whose places these are."""
    for row in rows:
        mark(bits, summary, np.int64(place_slots[row]))
    return len(rows)


@compiled
def unmark(bits, slot):
    """Take a slot out of the set."""
    bits[slot >> 6] &= ~(np.uint64(1) << np.uint64(slot & 63))


@compiled
def drain(bits, summary, room, flags, rank, audiences, numbers, meant):
    """The marked slots, ascending, that are alive and want to hear; the set is empty afterwards.

    Args:
        room: at least how many there are.
        rank: of the severity; who has a higher minimum is left out.
        audiences, numbers: sets by audience, and those that are ``meant`` (if any): who has an audience and is
            in none of these is left out.
    """
    # One more, because a slot is written before it is known whether it counts: no guessing.
    slots = np.empty(room + 1, np.uint32)
    count = 0
    for group in range(len(summary)):
        left = summary[group]
        summary[group] = 0
        while left != 0:
            word = group << 6 | lowest_bit(left)
            left &= left - np.uint64(1)
            rest = bits[word]
            bits[word] = 0
            while rest != 0:
                slot = word << 6 | lowest_bit(rest)
                rest &= rest - np.uint64(1)
                flag = flags[slot]
                slots[count] = slot
                wants = np.int64(flag < DEAD) & np.int64(flag & RANK <= rank)
                if meant and flag & HAS_AUDIENCE:
                    wants &= np.int64(is_in_one(audiences, numbers, slot))
                count += wants
    return slots[:count]
