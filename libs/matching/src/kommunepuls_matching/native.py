"""The loops that decide about every candidate, compiled on first use.

numba brings its compiler along, so nothing is asked of whoever installs this, and keeps what it compiled
beside the module or where ``NUMBA_CACHE_DIR`` says. Where neither can be written it compiles at each start;
where numba cannot be imported, :data:`AVAILABLE` is false and the index stays with numpy. All loops let go
of the interpreter's lock.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

try:
    import numba

    AVAILABLE = True
except ImportError:
    AVAILABLE = False


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as machine code from its first call on; as it is without numba."""
    if not AVAILABLE:
        return function
    try:
        return numba.njit(function, cache=True, nogil=True)
    except RuntimeError:  # nowhere to keep it
        return numba.njit(function, nogil=True)


# Flags of a slot: the rank of the minimum severity in the lowest three bits, and these.
RANK, MUTES_INTERESTS, HAS_AUDIENCE, DEAD = 7, 8, 16, 128

# Cells: layer, band and column in one number, so that a stretch of a band is a stretch of numbers.
BAND, LAYER = 1 << 20, 1 << 40
METRES_PER_DEGREE = 111_000.0


@compiled
def mark(bits, summary, slot):
    """Put a slot into a set of bits; ``summary`` has a bit for each 64 words of them."""
    word = slot >> 6
    bits[word] |= np.uint64(1) << np.uint64(slot & 63)
    summary[word >> 12] |= np.uint64(1) << np.uint64((word >> 6) & 63)


@compiled
def is_marked(bits, slot):
    return (bits[slot >> 6] >> np.uint64(slot & 63)) & np.uint64(1) != 0


@compiled
def shares_interest(interests, words, masks, slot):
    """Whether a slot follows one of the interests, given as masks of some words."""
    found = False
    for place in range(len(words)):
        found |= interests[words[place], slot] & masks[place] != 0
    return found


@compiled
def mark_followers(
    bits, summary, flags, interests, words, masks, everyone, rank, organised, starts, members, keys
):
    """Mark who follows the organiser, and who follows an area and an interest (``everyone``: any)."""
    for place in range(len(organised)):
        slot = np.int64(organised[place])
        if flags[slot] < DEAD and flags[slot] & RANK <= rank:
            mark(bits, summary, slot)
    for key in keys:
        for place in range(starts[key], starts[key + 1]):
            slot = np.int64(members[place])
            if (everyone or shares_interest(interests, words, masks, slot)) and (
                flags[slot] < DEAD and flags[slot] & RANK <= rank
            ):
                mark(bits, summary, slot)


@compiled
def screen(
    bits, summary, flags, interests, words, masks, everyone, rank, begins, ends,
    place_slots, longitudes, latitudes, radii, segments, areal, measured, nearest, furthest, slack,
):  # fmt: skip
    """Which places of stretches of rows are within their radius: (surely, perhaps), and mark the first.

    Only places of those who could be concerned are looked at: who shares an interest, or is marked.

    Args:
        begins, ends: of the stretches.
        segments: the lines of the geometry in degrees, one (x, y, x, y) each; ``areal`` if they bound a
            surface (even-odd).
        measured: whether to measure at all; if not, all are perhaps.
        nearest, furthest: metres of a degree (longitude, latitude), by layer, for a lower and an upper bound.
        slack: share and metres by which a bound may be off.
    """
    room = 0
    for stretch in range(len(begins)):
        room += ends[stretch] - begins[stretch]
    surely, perhaps = np.empty(room, np.uint32), np.empty(room, np.uint32)
    sure, unsure = 0, 0
    for stretch in range(len(begins)):
        low_x, low_y = nearest[stretch, 0], nearest[stretch, 1]
        high_x, high_y = furthest[stretch, 0], furthest[stretch, 1]
        for row in range(begins[stretch], ends[stretch]):
            slot = np.int64(place_slots[row])
            if flags[slot] >= DEAD or flags[slot] & RANK > rank:
                continue
            if not (everyone or shares_interest(interests, words, masks, slot) or is_marked(bits, slot)):
                continue
            if not measured:
                perhaps[unsure] = row
                unsure += 1
                continue
            x, y = longitudes[row], latitudes[row]
            radius = np.float64(radii[row])
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
            upper = radius * (1 + slack[0]) + slack[1]
            lower = radius * (1 - slack[0]) - slack[1]
            if low > upper * upper:
                continue
            if lower >= 0 and high <= lower * lower:
                surely[sure] = row
                sure += 1
                mark(bits, summary, slot)
            else:
                perhaps[unsure] = row
                unsure += 1
    return surely[:sure].copy(), perhaps[:unsure].copy()


@compiled
def which_concerned(bits, flags, interests, words, masks, everyone, rank, rows, place_slots):
    """Which rows are places of those who could be concerned: who shares an interest, or is marked."""
    found = np.zeros(len(rows), np.bool_)
    for place in range(len(rows)):
        slot = np.int64(place_slots[rows[place]])
        found[place] = (
            flags[slot] < DEAD
            and flags[slot] & RANK <= rank
            and (everyone or shares_interest(interests, words, masks, slot) or is_marked(bits, slot))
        )
    return found


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
def unmark(bits, slots):
    """Take slots out of the set."""
    for place in range(len(slots)):
        slot = np.int64(slots[place])
        bits[slot >> 6] &= ~(np.uint64(1) << np.uint64(slot & 63))


@compiled
def drain(bits, summary):
    """The marked slots, ascending; the set is empty afterwards."""
    count = 0
    for group in range(len(summary)):
        left = summary[group]
        while left != 0:
            word = (group << 6 | _lowest(left)) << 6
            left &= left - np.uint64(1)
            for one in range(word, min(word + 64, len(bits))):
                count += _ones(bits[one])
    slots = np.empty(count, np.int64)
    count = 0
    for group in range(len(summary)):
        left = summary[group]
        summary[group] = 0
        while left != 0:
            word = (group << 6 | _lowest(left)) << 6
            left &= left - np.uint64(1)
            for one in range(word, min(word + 64, len(bits))):
                rest = bits[one]
                bits[one] = 0
                while rest != 0:
                    slots[count] = one << 6 | _lowest(rest)
                    count += 1
                    rest &= rest - np.uint64(1)
    return slots


@compiled
def _ones(word):
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled
def _lowest(word):
    """The number of the lowest bit that is set."""
    return _ones((word & (~word + np.uint64(1))) - np.uint64(1))


@compiled
def columns_of(band, step):
    """How many columns a band of cells has: as many as keep its cells about square."""
    middle = (band + 0.5) * step - 90.0
    return max(1, int(360.0 / step * max(0.0, math.cos(math.radians(middle)))))


@compiled
def band_of(latitude, step):
    return int((min(90.0, max(-90.0, latitude)) + 90.0) / step)


@compiled
def cells_of(longitudes, latitudes, radii, classes):
    """The cell of every place; a place is in the layer of the first class that is at least its radius."""
    cells = np.empty(len(longitudes), np.int64)
    for row in range(len(longitudes)):
        layer = 0
        while classes[layer] < radii[row]:
            layer += 1
        step = classes[layer] / METRES_PER_DEGREE
        band = band_of(latitudes[row], step)
        columns = columns_of(band, step)
        column = math.floor((longitudes[row] + 180.0) / 360.0 * columns) % columns
        cells[row] = layer * LAYER + band * BAND + column
    return cells


@compiled
def stretches_near(cells, starts, classes, bounds, reaches):
    """The stretches of rows in every cell that bounds touch when widened by the reach of each layer.

    Args:
        cells: ascending; the rows of cell n are ``starts[n]`` up to ``starts[n + 1]``.
        bounds: west, south, east, north in degrees.
        reaches: degrees of longitude and latitude by layer.

    Returns:
        begins, ends and layers of the stretches.
    """
    begins, ends, layers = [0], [0], [0]
    begins.clear()
    ends.clear()
    layers.clear()
    for layer in range(len(classes)):
        step = classes[layer] / METRES_PER_DEGREE
        wide, high = reaches[layer, 0], reaches[layer, 1]
        for band in range(band_of(bounds[1] - high, step), band_of(bounds[3] + high, step) + 1):
            columns = columns_of(band, step)
            first = math.floor((bounds[0] - wide + 180.0) / 360.0 * columns)
            last = math.floor((bounds[2] + wide + 180.0) / 360.0 * columns)
            if last - first + 1 >= columns:
                first, last = 0, columns - 1
            low, high_column = first % columns, last % columns
            row_of_cells = layer * LAYER + band * BAND
            if low <= high_column:
                _add(
                    cells, starts, begins, ends, layers, layer, row_of_cells + low, row_of_cells + high_column
                )
            else:  # over the 180th meridian
                _add(
                    cells, starts, begins, ends, layers, layer, row_of_cells + low, row_of_cells + columns - 1
                )
                _add(cells, starts, begins, ends, layers, layer, row_of_cells, row_of_cells + high_column)
    return np.array(begins, np.int64), np.array(ends, np.int64), np.array(layers, np.int64)


@compiled
def _add(cells, starts, begins, ends, layers, layer, first, last):
    begin = starts[np.searchsorted(cells, first)]
    end = starts[np.searchsorted(cells, last + 1)]
    if begin < end:
        begins.append(np.int64(begin))
        ends.append(np.int64(end))
        layers.append(layer)
