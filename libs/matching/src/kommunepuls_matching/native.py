"""The loops that decide about every candidate.

A set of slots is a bit for each slot, in words of 64: the followers of an interest, and who is found in a match. To
look whether a slot is in a set of a million costs a look at 125 kB, which stay in the processor's cache.
"""

import math

import numpy as np

from kommunepuls_matching.compiling import compiled, lowest_bit
from kommunepuls_matching.plane import SLACK_METRES, SLACK_SHARE, degree_bounds, near_distance, reach_degrees

# Whether a place is within its radius.
NOT, PERHAPS, SURELY = 0, 1, 2

# Flags of a slot: the rank of the minimum severity in the lowest three bits, and these.
RANK, HAS_AUDIENCE, DEAD = 7, 16, 128

# Metres; a place belongs to the first class that is at least its radius. The finer the classes, the fewer places
# are looked at in vain; the more, the more cells.
RADIUS_CLASSES = np.array(
    (
        300.0,
        600.0,
        1_000.0,
        1_500.0,
        2_200.0,
        3_200.0,
        5_000.0,
        7_500.0,
        11_000.0,
        17_000.0,
        27_000.0,
        50_000.0,
    )
)
# Cells: layer, band and column in one number, so that a stretch of a band is a stretch of numbers.
_BAND, _LAYER = 1 << 20, 1 << 40
_METRES_PER_DEGREE = 111_000.0
_CELL_SHARE = 0.5  # of the radius
# A geometry that reaches over more bands than this looks through all places of a class instead.
_MOST_BANDS = 2_048


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


@compiled
def _columns_of(band, step):
    """How many columns a band of cells has: as many as keep its cells about square."""
    middle = (band + 0.5) * step - 90.0
    return max(1, int(360.0 / step * max(0.0, math.cos(math.radians(middle)))))


@compiled
def _band_of(latitude, step):
    return int((min(90.0, max(-90.0, latitude)) + 90.0) / step)


@compiled
def discs_of(longitudes, latitudes, radii):
    """West, south, east and north (degrees) of what lies within the radius of each place, or of more than that."""
    discs = np.empty((len(radii), 4))
    for row in range(len(radii)):
        wide, high = reach_degrees(latitudes[row], radii[row])
        west, east = longitudes[row] - wide, longitudes[row] + wide
        if west <= -180.0 or east >= 180.0:  # over the 180th meridian, or the pole
            west, east = -180.0, 180.0
        discs[row, 0], discs[row, 1] = west, latitudes[row] - high
        discs[row, 2], discs[row, 3] = east, latitudes[row] + high
    return discs


@compiled
def cells_of(longitudes, latitudes, radii, classes):
    """The cell of every place: its layer is the first class that is at least its radius."""
    cells = np.empty(len(longitudes), np.int64)
    for row in range(len(longitudes)):
        layer = 0
        while classes[layer] < radii[row]:
            layer += 1
        step = classes[layer] * _CELL_SHARE / _METRES_PER_DEGREE
        band = _band_of(latitudes[row], step)
        columns = _columns_of(band, step)
        column = math.floor((longitudes[row] + 180.0) / 360.0 * columns) % columns
        cells[row] = layer * _LAYER + band * _BAND + column
    return cells


@compiled
def stretches_near(cells, starts, classes, west, south, east, north):
    """The stretches of rows in every cell that bounds (degrees) touch when widened by the radius of each layer.

    Args:
        cells: ascending; the rows of cell n are ``starts[n]`` up to ``starts[n + 1]``.

    Returns:
        begins, ends and layers of the stretches; by layer, the metres of a degree as :func:`screen` takes them.
    """
    begins, ends, layers = [0], [0], [0]
    begins.clear()
    ends.clear()
    layers.clear()
    degrees = np.zeros((len(classes), 4))
    for layer in range(len(classes)):
        lowest, highest = layer * _LAYER, (layer + 1) * _LAYER - 1
        if np.searchsorted(cells, lowest) == np.searchsorted(cells, highest):
            continue
        found, low_x, low_y, high_x, high_y = degree_bounds(west, south, east, north, classes[layer])
        if found:
            degrees[layer, 0], degrees[layer, 1] = low_x, low_y
            degrees[layer, 2], degrees[layer, 3] = high_x, high_y
        step = classes[layer] * _CELL_SHARE / _METRES_PER_DEGREE
        wide, high = reach_degrees(max(abs(south), abs(north)), classes[layer])
        first_band, last_band = _band_of(south - high, step), _band_of(north + high, step)
        if last_band - first_band > _MOST_BANDS:
            _add(cells, starts, begins, ends, layers, layer, lowest, highest)
            continue
        for band in range(first_band, last_band + 1):
            columns = _columns_of(band, step)
            first = math.floor((west - wide + 180.0) / 360.0 * columns)
            last = math.floor((east + wide + 180.0) / 360.0 * columns)
            if last - first + 1 >= columns:
                first, last = 0, columns - 1
            first, last = first % columns, last % columns
            row = lowest + band * _BAND
            if first <= last:
                _add(cells, starts, begins, ends, layers, layer, row + first, row + last)
            else:  # over the 180th meridian
                _add(cells, starts, begins, ends, layers, layer, row + first, row + columns - 1)
                _add(cells, starts, begins, ends, layers, layer, row, row + last)
    return np.array(begins, np.int64), np.array(ends, np.int64), np.array(layers, np.int64), degrees


@compiled
def _add(cells, starts, begins, ends, layers, layer, first, last):
    begin = starts[np.searchsorted(cells, first)]
    end = starts[np.searchsorted(cells, last + 1)]
    if begin < end:
        begins.append(np.int64(begin))
        ends.append(np.int64(end))
        layers.append(layer)
