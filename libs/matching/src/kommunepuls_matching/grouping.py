"""Who is concerned for the same reasons: the loops that tell it of all that a match found in a base.

What speaks for a slot is a sequence of symbols: the places that are near, the areas, what does not depend on where they
are. Slots of the same sequence are a group, whose reasons are then made once.
"""

import numpy as np

from kommunepuls_matching.compiling import compiled

# What a symbol stands for, in its lowest two bits.
_PLACE, _WHERE, _AREA, _REST = 0, 1, 2, 3
_SYMBOL_BITS = 34


@compiled
def rows_of_slots(slots, rows, place_slots, place_orders, room):
    """Of some rows those that belong to the slots, by slot and in the order of the profiles: (starts, rows).

    Args:
        slots: ascending.
        room: a number for every slot there is, with whatever in it.
    """
    for one in range(len(slots)):
        room[slots[one]] = one
    owners = np.empty(len(rows), np.int32)
    starts = np.zeros(len(slots) + 1, np.int64)
    for place in range(len(rows)):
        slot = place_slots[rows[place]]
        one = room[slot]
        owners[place] = one if 0 <= one < len(slots) and slots[one] == slot else -1
        if owners[place] >= 0:
            starts[owners[place] + 1] += 1
    for one in range(len(slots)):
        starts[one + 1] += starts[one]
    count = np.zeros(len(slots), np.int64)
    found = np.empty(starts[-1], np.int64)
    for place in range(len(rows)):
        one = owners[place]
        if one < 0:
            continue
        at = starts[one] + count[one]
        while at > starts[one] and place_orders[found[at - 1]] > place_orders[rows[place]]:
            found[at] = found[at - 1]
            at -= 1
        found[at] = rows[place]
        count[one] += 1
    return starts, found


@compiled
def nearest_first(starts, rows, distances):
    """Put the rows of each slot, and their distances, into the order of these; equal ones stay as they are."""
    for one in range(len(starts) - 1):
        for place in range(starts[one] + 1, starts[one + 1]):
            row, distance, at = rows[place], distances[place], place
            while at > starts[one] and distances[at - 1] > distance:
                rows[at], distances[at] = rows[at - 1], distances[at - 1]
                at -= 1
            rows[at], distances[at] = row, distance


@compiled
def endings_of(slots, followers, sets, numbers):
    """What speaks for each slot wherever it is: bit 0 if it is one of the followers, then one for each of the sets.

    Args:
        followers: ascending, as the slots are.
        sets, numbers: bits by slot, and those that are asked for.
    """
    found = np.zeros(len(slots), np.int64)
    following = 0
    for one in range(len(slots)):
        slot = np.int64(slots[one])
        while following < len(followers) and followers[following] < slot:
            following += 1
        if following < len(followers) and followers[following] == slot:
            found[one] = 1
        for place in range(len(numbers)):
            bit = sets[numbers[place], slot >> 6] >> np.uint64(slot & 63) & np.uint64(1)
            found[one] |= np.int64(bit) << (place + 1)
    return found


@compiled
def grouped_by_path(
    slots, endings, area_starts, area_numbers, related, place_starts, place_numbers, place_kinds
):
    """The group of each slot, and of each group the first place among the slots: (groups, firsts).

    Args:
        endings: see :func:`endings_of`.
        area_starts, area_numbers: by slot, all that it follows; ``related`` says by number which of them speak for it.
        place_starts: by place among the slots, where the next two begin.
        place_numbers, place_kinds: which place it is, and what else has to be the same for two to be alike.
    """
    size = 1_024
    keys, children = np.full(size, -1, np.int64), np.empty(size, np.int32)
    nodes = 1
    groups = np.empty(len(slots), np.int32)
    firsts = np.empty(len(slots), np.int32)
    group_of = np.full(size, -1, np.int32)
    count = 0
    for one in range(len(slots)):
        slot, node = slots[one], np.int64(0)
        near, last_near = place_starts[one], place_starts[one + 1]
        area, last_area = np.int64(area_starts[slot]), np.int64(area_starts[slot + 1])
        step = 0
        while True:
            if near < last_near:
                if step == 0:
                    symbol, step = np.int64(place_numbers[near]) << 2 | _PLACE, 1
                else:
                    symbol, step = np.int64(place_kinds[near]) << 2 | _WHERE, 0
                    near += 1
            elif area < last_area:
                number = np.int64(area_numbers[area])
                area += 1
                if not related[number]:
                    continue
                symbol = number << 2 | _AREA
            elif step == 0:
                symbol, step = (endings[one] & 0x7FFFFFFF) << 2 | _REST, 2
            elif step == 2:
                symbol, step = (endings[one] >> 31) << 2 | _REST, 3
            else:
                break
            key = node << _SYMBOL_BITS | symbol
            at = _place_of(keys, key)
            if keys[at] < 0:
                if nodes * 2 >= len(keys):
                    keys, children = _grown(keys, children)
                    group_of = np.append(group_of, np.full(len(group_of), -1, np.int32))
                    at = _place_of(keys, key)
                keys[at] = key
                children[at] = nodes
                nodes += 1
            node = np.int64(children[at])
        if group_of[node] < 0:
            group_of[node] = count
            firsts[count] = one
            count += 1
        groups[one] = group_of[node]
    return groups, firsts[:count].copy()


@compiled
def _place_of(keys, key):
    """Where a key stands in a hash table (open addressing), or could be put."""
    place = np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & (len(keys) - 1)
    while keys[place] >= 0 and keys[place] != key:
        place = (place + 1) & (len(keys) - 1)
    return place


@compiled
def _grown(keys, children):
    """The same hash table with room for twice as many."""
    more_keys, more_children = np.full(len(keys) * 2, -1, np.int64), np.empty(len(keys) * 2, np.int32)
    for place in range(len(keys)):
        if keys[place] >= 0:
            at = _place_of(more_keys, keys[place])
            more_keys[at], more_children[at] = keys[place], children[place]
    return more_keys, more_children


@compiled
def beginnings(text, starts, slots):
    """Of each slot's id the eight bytes after what all of them begin with, as a number: nearly their order."""
    shared = np.int64(starts[slots[0] + 1]) - np.int64(starts[slots[0]])
    first = np.int64(starts[slots[0]])
    for slot in slots:
        begin = np.int64(starts[slot])
        shared = min(shared, np.int64(starts[slot + 1]) - begin)
        same = 0
        while same < shared and text[begin + same] == text[first + same]:
            same += 1
        shared = same
    found = np.zeros(len(slots), np.uint64)
    for one in range(len(slots)):
        begin, end = np.int64(starts[slots[one]]) + shared, np.int64(starts[slots[one] + 1])
        for letter in range(8):
            byte = np.uint64(text[begin + letter]) if begin + letter < end else np.uint64(0)
            found[one] = found[one] << np.uint64(8) | byte
    return found


@compiled
def texts_of(text, starts, slots):
    """The ids of slots one after the other, and where each ends: (bytes, ends)."""
    ends = np.empty(len(slots), np.int64)
    room = 0
    for one in range(len(slots)):
        room += np.int64(starts[slots[one] + 1]) - np.int64(starts[slots[one]])
        ends[one] = room
    found = np.empty(room, np.uint8)
    at = 0
    for slot in slots:
        for place in range(starts[slot], starts[slot + 1]):
            found[at] = text[place]
            at += 1
    return found, ends


@compiled
def own_distances(members, starts, distances):
    """The distances of some places among the slots, in their order, that are not 0, and where those of each end."""
    ends = np.empty(len(members), np.int64)
    room = 0
    for one in range(len(members)):
        room += starts[members[one] + 1] - starts[members[one]]
    found = np.empty(room, np.float64)
    count = 0
    for one in range(len(members)):
        for place in range(starts[members[one]], starts[members[one] + 1]):
            if distances[place] > 0.0:
                found[count] = distances[place]
                count += 1
        ends[one] = count
    return found[:count], ends
