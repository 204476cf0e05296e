"""Whether places are within their radius of a geometry: two bounds in a plane decide nearly all at once."""

import math

import numpy as np

from kommunepuls_matching.compiling import compiled
from kommunepuls_matching.native import mark, union_at
from kommunepuls_matching.plane import SLACK_METRES, SLACK_SHARE, near_position

NOT, PERHAPS, SURELY = 0, 1, 2

# Edges are measured in pieces of so many degrees, as kommunepuls_geography.distance does; much longer ones there.
_EDGE_DEGREES, _LONGEST_DEGREES = 0.02, 0.5
# Half a decimetre, and what an edge may be bent between two of its pieces if one of us makes one more of them.
_ROUNDING_METRES = 0.15


@compiled
def screen(
    bits, summary, sets, numbers, everyone, stretches, degrees,
    place_slots, positions, radii, segments, areal, bounds,
):  # fmt: skip
    """Which places of stretches of rows are within their radius: (surely, perhaps), and mark the first.

    Only places of those who could be concerned are looked at: who is in one of the sets, or is marked.

    Args:
        stretches: begin, end and layer of each.
        degrees: by layer the metres of a degree, for a lower and an upper bound: longitude, latitude, both again.
            0 where there are none: all are perhaps.
        segments: the lines of the geometry in degrees, one (x, y, x, y) each; ``areal`` if they bound a
            surface (even-odd). None: all are perhaps.
        bounds: of the geometry: west, south, east, north.
    """
    room = 0
    for stretch in range(len(stretches)):
        room += stretches[stretch, 1] - stretches[stretch, 0]
    surely, perhaps = np.empty(room, np.uint32), np.empty(room, np.uint32)
    sure, unsure = 0, 0
    for stretch in range(len(stretches)):
        layer = stretches[stretch, 2]
        low_x, low_y = degrees[layer, 0], degrees[layer, 1]
        high_x, high_y = degrees[layer, 2], degrees[layer, 3]
        # Who could be concerned is written behind what is sure already, whether or not: no guessing.
        wanted = sure
        for row in range(stretches[stretch, 0], stretches[stretch, 1]):
            slot = np.int64(place_slots[row])
            word = slot >> 6
            could = union_at(sets, numbers, word) | bits[word]
            surely[wanted] = row
            wanted += everyone | np.int64(could >> np.uint64(slot & 63) & np.uint64(1))
        for place in range(sure, wanted):
            row = np.int64(surely[place])
            x, y, radius = positions[row, 0], positions[row, 1], np.float64(radii[row])
            verdict = _verdict(x, y, radius, segments, areal, low_x, low_y, high_x, high_y, *bounds)
            if verdict == SURELY:
                surely[sure] = row
                sure += 1
                mark(bits, summary, np.int64(place_slots[row]))
            elif verdict == PERHAPS:
                perhaps[unsure] = row
                unsure += 1
    return surely[:sure].copy(), perhaps[:unsure].copy()


@compiled
def verdicts(longitudes, latitudes, radii, segments, areal, low_x, low_y, high_x, high_y, bounds):
    """For each place whether it is within its radius: not, perhaps or surely; see :func:`screen`."""
    found = np.empty(len(radii), np.uint8)
    for one in range(len(radii)):
        found[one] = _verdict(
            longitudes[one],
            latitudes[one],
            radii[one],
            segments,
            areal,
            low_x,
            low_y,
            high_x,
            high_y,
            *bounds,
        )
    return found


@compiled
def _verdict(
    x, y, radius, segments, areal, low_x, low_y, high_x, high_y, west, south, east, north
):  # fmt: skip
    if high_x <= 0.0 or len(segments) == 0:
        return PERHAPS
    upper = radius * (1 + SLACK_SHARE) + SLACK_METRES
    lower = radius * (1 - SLACK_SHARE) - SLACK_METRES
    across, up = max(west - x, x - east, 0.0), max(south - y, y - north, 0.0)
    if _length(across * low_x, up * low_y) > upper * upper:
        return NOT
    if west == east and south == north:
        if lower >= 0 and _length(across * high_x, up * high_y) <= lower * lower:
            return SURELY
        return _measured(x, y, radius, upper, segments, low_x, low_y)
    low, high, inside = math.inf, math.inf, False
    for one in range(len(segments)):
        ax, ay = segments[one, 0] - x, segments[one, 1] - y
        bx, by = segments[one, 2] - x, segments[one, 3] - y
        low = min(low, _square(ax * low_x, ay * low_y, bx * low_x, by * low_y))
        high = min(high, _square(ax * high_x, ay * high_y, bx * high_x, by * high_y))
        if areal and (ay > 0) != (by > 0) and (ax - ay * (bx - ax) / (by - ay)) > 0:
            inside = not inside
    if inside:
        return SURELY
    if low > upper * upper:
        return NOT
    if lower >= 0 and high <= lower * lower:
        return SURELY
    return _measured(x, y, radius, upper, segments, low_x, low_y)


@compiled
def _measured(x, y, radius, upper, segments, low_x, low_y):
    """The verdict on a place outside of the geometry whose distance is about its radius.

    Measured as :func:`kommunepuls_geography.distance_to_geometry_metres` does, but for the last decimetres.
    """
    least, most = math.inf, math.inf
    for one in range(len(segments)):
        ax, ay, bx, by = segments[one, 0], segments[one, 1], segments[one, 2], segments[one, 3]
        low = _square((ax - x) * low_x, (ay - y) * low_y, (bx - x) * low_x, (by - y) * low_y)
        if low > upper * upper:
            continue
        length = math.hypot(bx - ax, by - ay)
        if length > _LONGEST_DEGREES:
            return PERHAPS
        pieces = max(1, math.ceil(length / _EDGE_DEGREES))
        begin_x, begin_y, doubt = near_position(x, y, ax, ay)
        for piece in range(1, pieces + 1):
            share = piece / pieces
            end_x, end_y, end_doubt = near_position(x, y, ax + (bx - ax) * share, ay + (by - ay) * share)
            doubt = max(doubt, end_doubt)
            distance = math.sqrt(_square(begin_x, begin_y, end_x, end_y))
            least, most = min(least, distance - doubt), min(most, distance + doubt)
            begin_x, begin_y, doubt = end_x, end_y, end_doubt
    # Distances are compared after rounding to the decimetre.
    if least > radius + _ROUNDING_METRES:
        return NOT
    return SURELY if most <= radius - _ROUNDING_METRES else PERHAPS


@compiled
def _length(x, y):
    """The square of a length."""
    return x * x + y * y


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
