"""Making compact arrays of others: the loops of a merge, and looking an id up in what they make."""

import numpy as np

from kommunepuls_matching.compiling import compiled


@compiled
def picked_lists(starts, values, picked):
    """The lists ``values[starts[n]:starts[n + 1]]`` of the n that are picked, in their order: (starts, values)."""
    room = 0
    for one in picked:
        room += np.int64(starts[one + 1]) - np.int64(starts[one])
    picked_starts, found = np.zeros(len(picked) + 1, np.uint32), np.empty(room, values.dtype)
    count = 0
    for place in range(len(picked)):
        for member in range(starts[picked[place]], starts[picked[place] + 1]):
            found[count] = values[member]
            count += 1
        picked_starts[place + 1] = count
    return picked_starts, found


@compiled
def curve_of(longitudes, latitudes):
    """Where each position is on a curve that keeps what is near together (Morton's, in 500ths of a degree)."""
    found = np.zeros(len(longitudes), np.int64)
    for one in range(len(longitudes)):
        across, up = int((longitudes[one] + 180.0) * 500.0), int((latitudes[one] + 90.0) * 500.0)
        for bit in range(18):
            found[one] |= (across >> bit & 1) << (2 * bit) | (up >> bit & 1) << (2 * bit + 1)
    return found


@compiled
def sets_of(starts, numbers, count):
    """For each number up to ``count`` the set of the lists that have it, as bits in words of 64."""
    sets = np.zeros((count, (len(starts) - 1) // 64 + 1), np.uint64)
    for one in range(len(starts) - 1):
        for place in range(starts[one], starts[one + 1]):
            sets[numbers[place], one >> 6] |= np.uint64(1) << np.uint64(one & 63)
    return sets


@compiled
def joined_sets(old, renumber, new, kept, count):
    """The sets of two indexes, of ``count`` slots together, in one.

    Args:
        old: of the first; ``renumber`` is the number that each slot of it has now, negative if it is gone.
        new: of the second; its slots come after the ``kept`` ones.
    """
    sets = np.zeros((max(len(old), len(new)), count // 64 + 1), np.uint64)
    for number in range(len(old)):
        for word in range(old.shape[1]):
            rest = old[number, word]
            if rest != 0:
                for bit in range(64):
                    if rest >> np.uint64(bit) & np.uint64(1):
                        slot = renumber[word << 6 | bit]
                        if slot >= 0:
                            sets[number, slot >> 6] |= np.uint64(1) << np.uint64(slot & 63)
    for number in range(len(new)):
        for word in range(new.shape[1]):
            rest = new[number, word]
            if rest != 0:
                for bit in range(64):
                    if rest >> np.uint64(bit) & np.uint64(1):
                        slot = kept + (word << 6 | bit)
                        sets[number, slot >> 6] |= np.uint64(1) << np.uint64(slot & 63)
    return sets


@compiled
def joined_postings(old_starts, old, renumber, new_starts, new, new_keys, offset):
    """The postings of two indexes in one.

    Args:
        old_starts, old: of the first; key n is key n of the result.
        renumber: the number that each number of the first has now, negative if it is gone.
        new_starts, new: of the second; its numbers come after ``offset``.
        new_keys: for each key of the result the key of the second, or -1.
    """
    keys = len(new_keys)
    starts = np.zeros(keys + 1, np.uint32)
    members = np.empty(len(old) + len(new), np.uint32)
    count = 0
    for key in range(keys):
        if key < len(old_starts) - 1:
            for place in range(old_starts[key], old_starts[key + 1]):
                number = renumber[old[place]]
                if number >= 0:
                    members[count] = number
                    count += 1
        if new_keys[key] >= 0:
            for place in range(new_starts[new_keys[key]], new_starts[new_keys[key] + 1]):
                members[count] = new[place] + offset
                count += 1
        starts[key + 1] = count
    return starts, members[:count].copy()


@compiled
def grouped(codes, groups):
    """The places at which each code from 0 to below ``groups`` stands, ascending: (starts, places)."""
    starts = np.zeros(groups + 1, np.uint32)
    for code in codes:
        starts[code + 1] += 1
    for group in range(groups):
        starts[group + 1] += starts[group]
    following = starts[:-1].copy()
    places = np.empty(len(codes), np.uint32)
    for place in range(len(codes)):
        places[following[codes[place]]] = place
        following[codes[place]] += 1
    return starts, places


@compiled
def hashed(text, begin, end):
    """FNV-1a of some bytes (draft-eastlake-fnv), stirred so that its low bits are good ones."""
    value = np.uint64(14695981039346656037)
    for place in range(begin, end):
        value = (value ^ np.uint64(text[place])) * np.uint64(1099511628211)
    return value ^ (value >> np.uint64(32))


@compiled
def table_of(text, starts):
    """A hash table of ids, none of which is there twice: slots by hash, -1 where there is none."""
    count = len(starts) - 1
    size = 16
    while size < count + count // 2:
        size *= 2
    table = np.full(size, -1, np.int32)
    for slot in range(count):
        place = np.int64(hashed(text, starts[slot], starts[slot + 1]) & np.uint64(size - 1))
        while table[place] >= 0:
            place = (place + 1) & (size - 1)
        table[place] = slot
    return table


@compiled
def found_slot(table, text, starts, wanted):
    """The slot of an id, or -1."""
    size = len(table)
    place = np.int64(hashed(wanted, 0, len(wanted)) & np.uint64(size - 1))
    while table[place] >= 0:
        slot = table[place]
        begin = np.int64(starts[slot])
        if np.int64(starts[slot + 1]) - begin == len(wanted):
            same = True
            for letter in range(len(wanted)):
                if text[begin + letter] != wanted[letter]:
                    same = False
                    break
            if same:
                return np.int64(slot)
        place = (place + 1) & (size - 1)
    return np.int64(-1)
