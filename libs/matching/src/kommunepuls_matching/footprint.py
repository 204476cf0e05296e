"""How far places lie from an item's geometry."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from kommunepuls_events import Geometry
from kommunepuls_geography import distance_to_geometry_metres, distances_to_geometries_metres
from shapely.geometry.base import BaseGeometry

from kommunepuls_matching import screening
from kommunepuls_matching.plane import SLACK_METRES, SLACK_SHARE, degree_bounds, reach_degrees

# Geometries of fewer positions are measured whole; larger ones as far as they come near the place.
_WORTH_CLIPPING = 64


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
        shape: BaseGeometry | None = self.shape
        if self._far_off(longitude, latitude, metres):
            return None
        if self._many and not shapely.intersects_xy(shape, longitude, latitude):
            shape = self._near(longitude, latitude, metres)
        if shape is None:
            return None
        distance = round(distance_to_geometry_metres(longitude, latitude, shape), 1)
        return distance if distance <= metres else None

    def _far_off(self, longitude: float, latitude: float, metres: float) -> bool:
        """Whether already the bounds say that it is further than that."""
        wide, high = reach_degrees(latitude, metres)
        west, south, east, north = self.bounds
        if not south - high <= latitude <= north + high:
            return True
        if longitude - wide <= -180 or longitude + wide >= 180:
            return False
        return not west - wide <= longitude <= east + wide

    def _near(self, longitude: float, latitude: float, metres: float) -> BaseGeometry | None:
        """What comes near a place outside of the geometry; None if nothing does."""
        wide, high = reach_degrees(latitude, metres)
        west, east = longitude - wide, longitude + wide
        if west <= -180 or east >= 180:
            return self.shape
        shape = shapely.clip_by_rect(self.shape, west, latitude - high, east, latitude + high)
        return None if shape.is_empty else shape

    @cached_property
    def lines(self) -> tuple[np.ndarray, bool] | None:
        """The lines it is made of, and whether they bound a surface.

        An array of x, y, x, y in degrees, a point as a line of no length. None if they are many, or if the
        geometry mixes points, lines and surfaces.
        """
        if shapely.get_num_coordinates(self.shape) > _WORTH_CLIPPING:
            return None
        parts = shapely.get_parts(self.shape)
        areal = all(part.geom_type == "Polygon" for part in parts)
        if areal:
            parts = shapely.get_rings(parts)
        elif len({part.geom_type for part in parts}) > 1 or parts[0].geom_type not in ("Point", "LineString"):
            return None
        found = []
        for part in parts:
            points = shapely.get_coordinates(part)
            found.append(np.hstack((points[:-1], points[1:]) if len(points) > 1 else (points, points)))
        return np.ascontiguousarray(np.concatenate(found)), areal

    def degree_bounds(self, widest: float) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """The least and the most metres that a degree (of longitude, of latitude) has near the geometry.

        Near is up to ``widest`` metres away. None close to a pole or the 180th meridian.
        """
        found, wide_least, high_least, wide_most, high_most = degree_bounds(*self.bounds, widest)
        return ((wide_least, high_least), (wide_most, high_most)) if found else None

    def which_within(self, longitudes: np.ndarray, latitudes: np.ndarray, metres: np.ndarray) -> np.ndarray:
        """Which places lie within their own distance: a boolean array, as :meth:`distance_within` says.

        Two bounds in a plane decide nearly all of them at once; only those between are measured.
        """
        degrees = self.degree_bounds(float(metres.max(initial=0.0)))
        if degrees is None:
            surely, perhaps = np.zeros(len(metres), bool), np.ones(len(metres), bool)
        elif self.lines is not None:
            least, most = degrees
            verdicts = screening.verdicts(
                longitudes, latitudes, metres, *self.lines, *least, *most, self.bounds
            )
            surely, perhaps = verdicts == screening.SURELY, verdicts == screening.PERHAPS
        else:
            least, most = degrees
            surely = self._in_plane(longitudes, latitudes, most, metres * (1 - SLACK_SHARE) - SLACK_METRES)
            perhaps = self._in_plane(longitudes, latitudes, least, metres * (1 + SLACK_SHARE) + SLACK_METRES)
        within = surely
        between = np.flatnonzero(perhaps & ~surely)
        if len(between):
            measured = self.distances_within(longitudes[between], latitudes[between], metres[between])
            within[between] = ~np.isnan(measured)
        return within

    def distances_within(
        self, longitudes: np.ndarray, latitudes: np.ndarray, metres: np.ndarray
    ) -> np.ndarray:
        """:meth:`distance_within` for many places at once, not a number in place of None."""
        distances = np.full(len(metres), np.nan)
        inside = shapely.intersects_xy(self.shape, longitudes, latitudes)
        distances[inside & (metres >= 0)] = 0.0
        shapes, outside = [], []
        for place in np.flatnonzero(~inside).tolist():
            longitude, latitude = float(longitudes[place]), float(latitudes[place])
            near = self._near(longitude, latitude, float(metres[place])) if self._many else self.shape
            if near is not None:
                shapes.append(near)
                outside.append(place)
        if outside:
            measured = distances_to_geometries_metres(longitudes[outside], latitudes[outside], shapes)
            for place, distance in zip(outside, measured.tolist(), strict=True):
                # As Python rounds: numpy multiplies first, which now and then ends in another decimetre.
                if (rounded := round(distance, 1)) <= metres[place]:
                    distances[place] = rounded
        return distances

    def _in_plane(
        self,
        longitudes: np.ndarray,
        latitudes: np.ndarray,
        degrees: tuple[float, float],
        metres: np.ndarray,
    ) -> np.ndarray:
        """Which places are within so many metres if degrees of longitude and latitude had these lengths.

        With the longest that degrees have between here and there that is an upper bound of the distance,
        with the shortest a lower one.
        """
        flat = shapely.transform(self.shape, lambda points: points * degrees)
        shapely.prepare(flat)
        return shapely.dwithin(
            flat, shapely.points(longitudes * degrees[0], latitudes * degrees[1]), np.maximum(metres, 0.0)
        ) & (metres >= 0)
