"""How far places lie from an item's geometry."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from kommunepuls_events import Geometry
from kommunepuls_geography import distance_to_geometry_metres
from shapely.geometry.base import BaseGeometry

# Bounds of a degree of latitude on the WGS84 ellipsoid (110,574 to 111,694 m), with room for the error
# of the planar bounds below and of distances measured along straight pieces of edges.
_METRES_PER_DEGREE_AT_LEAST = 109_500.0
_METRES_PER_DEGREE_AT_MOST = 112_800.0
_SLACK_METRES = 5.0
# Close to the poles and the 180th meridian there is no bounding in a plane: each place is measured.
_LAST_LATITUDE = 88.0
# Geometries of fewer positions are measured whole; larger ones as far as they come near the place.
_WORTH_CLIPPING = 64


def reach_degrees(latitude: float, metres: float) -> tuple[float, float]:
    """How many degrees of longitude and latitude a distance at most spans from that latitude.

    360 degrees of longitude where the distance reaches over a pole.
    """
    high = (metres + _SLACK_METRES) / _METRES_PER_DEGREE_AT_LEAST
    if abs(latitude) + high >= _LAST_LATITUDE:
        return 360.0, high
    # The widest a disc on a sphere gets: asin(sin(radius) / cos(latitude of its middle)).
    wide = math.degrees(
        math.asin(min(1.0, math.sin(math.radians(high)) / math.cos(math.radians(abs(latitude)))))
    )
    return wide * 1.001, high


@dataclass(frozen=True)
class Footprint:
    """The geometry of an item, ready for measuring (WGS84 degrees, longitude first)."""

    shape: BaseGeometry

    @classmethod
    def of(cls, geometry: Geometry) -> "Footprint":
        """From a GeoJSON geometry; crossing rings are mended."""
        shape = shapely.force_2d(shapely.geometry.shape(geometry.model_dump()))
        shape = shape if shape.is_valid else shapely.make_valid(shape)
        shapely.prepare(shape)
        return cls(shape)

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        return self.shape.bounds

    @cached_property
    def _many(self) -> bool:
        return int(shapely.get_num_coordinates(self.shape)) > _WORTH_CLIPPING

    def distance_within(self, longitude: float, latitude: float, metres: float) -> float | None:
        """Metres from a place to the geometry, to the decimetre, if at most ``metres``; else None.

        0 inside a polygon and on its border; the hole of a polygon is outside.
        """
        shape = self.shape
        if self._many and not shapely.intersects_xy(shape, longitude, latitude):
            wide, high = reach_degrees(latitude, metres)
            west, east = longitude - wide, longitude + wide
            if west > -180 and east < 180:
                shape = shapely.clip_by_rect(shape, west, latitude - high, east, latitude + high)
                if shape.is_empty:
                    return None
        distance = round(distance_to_geometry_metres(longitude, latitude, shape), 1)
        return distance if distance <= metres else None

    def which_within(self, longitudes: np.ndarray, latitudes: np.ndarray, metres: np.ndarray) -> np.ndarray:
        """Which places lie within their own distance: a boolean array, as :meth:`distance_within` says.

        Two bounds in a plane decide nearly all of them at once; only those between are measured.
        """
        _, south, _, north = self.bounds
        widest = float(metres.max(initial=0.0))
        furthest = max(abs(south), abs(north))
        wide, high = reach_degrees(furthest, widest)
        west, east = self.bounds[0] - wide, self.bounds[2] + wide
        if west <= -180 or east >= 180 or furthest + high >= _LAST_LATITUDE:
            surely, perhaps = np.zeros(len(metres), bool), np.ones(len(metres), bool)
        else:
            nearest = 0.0 if south <= 0 <= north else min(abs(south), abs(north))
            narrow = math.cos(math.radians(furthest + high))
            broad = math.cos(math.radians(max(0.0, nearest - high)))
            surely = self._planar(longitudes, latitudes, broad, metres / _METRES_PER_DEGREE_AT_MOST)
            perhaps = self._planar(
                longitudes, latitudes, narrow, (metres + _SLACK_METRES) / _METRES_PER_DEGREE_AT_LEAST
            )
        within = surely
        for place in np.flatnonzero(perhaps & ~surely):
            distance = self.distance_within(
                float(longitudes[place]), float(latitudes[place]), float(metres[place])
            )
            within[place] = distance is not None
        return within

    def _planar(
        self, longitudes: np.ndarray, latitudes: np.ndarray, shrink: float, degrees: np.ndarray
    ) -> np.ndarray:
        """Which places are within so many degrees when a degree of longitude is worth ``shrink``."""
        flat = shapely.transform(self.shape, lambda points: points * (shrink, 1.0))
        shapely.prepare(flat)
        return shapely.dwithin(flat, shapely.points(longitudes * shrink, latitudes), degrees)
