"""Distances on the ground between positions and to shapes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy
import shapely
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from kommunepuls_geography.geojson import shape_of

# Mean earth radius in metres (IUGG R1).
EARTH_RADIUS_METRES = 6_371_008.8

# Haversine against the WGS84 ellipsoid: at most this share of the distance (0.56 % along a meridian).
HAVERSINE_RELATIVE_ERROR = 0.006

# An edge is straight in longitude and latitude but bent in the projection: with pieces of 0.02 degrees
# the difference stays below a decimetre in the Nordic countries.
_EDGE_DEGREES = 0.02
_MOST_PIECES = 20_000


@cache
def _ellipsoid() -> Geod:
    return Geod(ellps="WGS84")


def distance_metres(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Metres between two positions by the haversine formula on a sphere.

    Within `HAVERSINE_RELATIVE_ERROR` (0.6 %) of the true distance on the WGS84 ellipsoid.
    """
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half_latitude = math.sin((phi2 - phi1) / 2)
    half_longitude = math.sin(math.radians(lon2 - lon1) / 2)
    chord = half_latitude**2 + math.cos(phi1) * math.cos(phi2) * half_longitude**2
    return 2 * EARTH_RADIUS_METRES * math.asin(min(1.0, math.sqrt(chord)))


def distance_to_geometry_metres(lon: float, lat: float, geometry: Mapping[str, Any] | BaseGeometry) -> float:
    """Metres from a position to the nearest point of a GeoJSON geometry (or a shapely one), both WGS84.

    0 inside or on the border of a polygon; the hole of a polygon is outside. Measured in an azimuthal
    equidistant projection around the position: within 0.1 % (at least 1 m) of the distance on the
    ellipsoid up to 500 km. Shapes across the 180th meridian are not treated. Raises `GeographyError` for a
    geometry that is none, is empty or has numbers that are no WGS84 degrees.
    """
    shape = shape_of(geometry)
    if shapely.intersects_xy(shape, lon, lat):
        return 0.0
    piece = max(_EDGE_DEGREES, shape.length / _MOST_PIECES)
    around = shapely.transform(shapely.segmentize(shape, piece), _around(lon, lat))
    return float(shapely.distance(around, shapely.Point(0.0, 0.0)))


def distances_to_geometries_metres(
    lons: numpy.ndarray, lats: numpy.ndarray, geometries: Sequence[BaseGeometry]
) -> numpy.ndarray:
    """Metres from each position to its own geometry: `distance_to_geometry_metres` for many at once.

    The same numbers, about a microsecond for each position and vertex. Raises `GeographyError` likewise.
    """
    checked = {id(one): shape_of(one) for one in geometries}
    shapes = numpy.array([checked[id(one)] for one in geometries], dtype=object)
    pieces = numpy.maximum(_EDGE_DEGREES, shapely.length(shapes) / _MOST_PIECES)
    detailed = shapely.segmentize(shapes, pieces)
    counts = shapely.get_num_coordinates(detailed)
    project = _around(numpy.repeat(lons, counts), numpy.repeat(lats, counts))
    metres = shapely.distance(shapely.transform(detailed, project), shapely.Point(0.0, 0.0))
    return numpy.where(shapely.intersects_xy(shapes, lons, lats), 0.0, metres)


def _around(lon: float | numpy.ndarray, lat: float | numpy.ndarray):
    """A projection to metres east and north of a position, true from there in every direction.

    Given arrays, every vertex is projected around its own position.

    The azimuthal equidistant projection (Snyder, USGS Professional Paper 1395, p. 191) is azimuth and
    length of the geodesic to each vertex.
    """

    def project(points: numpy.ndarray) -> numpy.ndarray:
        count = len(points)
        azimuth, _, metres = _ellipsoid().inv(
            numpy.full(count, lon), numpy.full(count, lat), points[:, 0], points[:, 1]
        )
        angle = numpy.radians(azimuth)
        return numpy.column_stack((metres * numpy.sin(angle), metres * numpy.cos(angle)))

    return project
