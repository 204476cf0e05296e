"""Distances in a plane: how far degrees reach, and bounds between which a degree's length lies.

The WGS84 ellipsoid. Compiled, because every match asks for each class of radius.
"""

import math

from kommunepuls_matching.compiling import compiled

# Equatorial radius in metres, and the square of the eccentricity.
_EQUATORIAL_RADIUS = 6_378_137.0
_ECCENTRICITY_SQUARED = 0.006_694_379_990_14
# A degree of latitude has 110,574 to 111,694 m; a little less, so that a reach is never too short.
_METRES_PER_DEGREE_AT_LEAST = 109_500.0
# How far off a measured distance may be (see kommunepuls_geography.distance), with room for rounding.
SLACK_METRES = 2.0
SLACK_SHARE = 0.001
# Close to the poles and the 180th meridian there is no bounding in a plane: each place is measured.
_LAST_LATITUDE = 88.0


@compiled
def reach_degrees(latitude, metres):
    """How many degrees of longitude and latitude a distance at most spans from that latitude.

    360 degrees of longitude where the distance reaches over a pole.
    """
    high = (metres + SLACK_METRES) / _METRES_PER_DEGREE_AT_LEAST
    if abs(latitude) + high >= _LAST_LATITUDE:
        return 360.0, high
    # The widest a disc on a sphere gets: asin(sin(radius) / cos(latitude of its middle)).
    sine = math.sin(math.radians(high)) / math.cos(math.radians(abs(latitude)))
    return math.degrees(math.asin(min(1.0, sine))) * 1.001, high


@compiled
def degree_lengths(latitude):
    """Metres of a degree of longitude and of one of latitude at a latitude."""
    phi = math.radians(latitude)
    flattening = 1.0 - _ECCENTRICITY_SQUARED * math.sin(phi) ** 2
    across = _EQUATORIAL_RADIUS / math.sqrt(flattening)
    along = _EQUATORIAL_RADIUS * (1.0 - _ECCENTRICITY_SQUARED) / flattening**1.5
    return math.radians(across * math.cos(phi)), math.radians(along)


@compiled
def degree_bounds(west, south, east, north, widest):
    """The least and the most metres that a degree has up to ``widest`` metres around bounds in degrees.

    Returns:
        Whether there are such bounds (not close to a pole or the 180th meridian); the least of a degree of
        longitude and of latitude; the most of both.
    """
    furthest = max(abs(south), abs(north))
    wide, high = reach_degrees(furthest, widest)
    if west - wide <= -180.0 or east + wide >= 180.0 or furthest + high >= _LAST_LATITUDE:
        return False, 0.0, 0.0, 0.0, 0.0
    nearest = 0.0 if south <= 0.0 <= north else min(abs(south), abs(north))
    # Towards a pole a degree of longitude gets shorter and one of latitude longer.
    wide_there, high_there = degree_lengths(furthest + high)
    wide_here, high_here = degree_lengths(max(0.0, nearest - high))
    return True, wide_there, high_here, wide_here, high_there


@compiled
def near_position(longitude, latitude, other_longitude, other_latitude):
    """Metres east and north from one position to another, and by how much that may be wrong.

    In the azimuthal equidistant projection around the first, by the mid-latitude formula (Admiralty Manual of
    Navigation): exact to the third order of the distance, which the doubt is a bound of. Above 88 degrees and over
    the 180th meridian the doubt is without end.
    """
    middle = (latitude + other_latitude) / 2.0
    up, across = other_latitude - latitude, other_longitude - longitude
    if abs(middle) + abs(up) >= _LAST_LATITUDE or abs(across) > 90.0:
        return 0.0, 0.0, math.inf
    wide, high = degree_lengths(middle)
    east, north = across * wide, up * high
    # The course at the middle is not that at the beginning: meridians converge.
    turn = math.radians(across) * math.sin(math.radians(middle)) / 2.0
    sine, cosine = math.sin(turn), math.cos(turn)
    distance = math.hypot(east, north)
    slope = 1.0 + math.tan(math.radians(abs(middle) + abs(up))) ** 2
    doubt = 0.01 + distance * (distance / _EQUATORIAL_RADIUS) ** 2 * slope
    return east * cosine - north * sine, north * cosine + east * sine, doubt
