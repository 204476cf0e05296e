"""From a position or a shape to the areas it lies in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from kommunepuls_geography.areas import Area, AreaKind, AreaTree
from kommunepuls_geography.distance import distance_to_geometry_metres
from kommunepuls_geography.geojson import shape_of

# Metres of one degree of latitude, rounded down, so that a search window is never too small.
_METRES_PER_DEGREE = 110_000.0


@dataclass(frozen=True, slots=True)
class AreaShare:
    """An area touched by a shape, and the share (0 to 1) of the shape's length or surface inside it."""

    area: Area
    share: float


@dataclass(frozen=True, slots=True)
class AreaDistance:
    """An area and its distance in metres: 0 when the position lies in it."""

    area: Area
    metres: float


class AreaLookup:
    """The polygons of an `AreaTree` in a spatial index. Reading is safe from several threads."""

    def __init__(self, tree: AreaTree) -> None:
        self.tree = tree
        self._indexed = [area for area in tree if area.geometry is not None]
        geometries = [area.geometry for area in self._indexed]
        shapely.prepare(geometries)
        self._index = shapely.STRtree(geometries)
        self._geometries = numpy.array(geometries, dtype=object)
        self._surface = {area.id: area.geometry.area for area in self._indexed if area.geometry is not None}

    def areas_at(self, lon: float, lat: float) -> list[Area]:
        """Every area that holds the position or touches it, most specific first.

        What holds an area found is found too: the hierarchy counts for more than borders that were
        simplified in one file and not in the other.
        """
        found: dict[str, Area] = {}
        for position in self._index.query(shapely.Point(lon, lat)):
            if shapely.intersects_xy(self._geometries[position], lon, lat):
                area = self._indexed[position]
                found[area.id] = area
                found.update((ancestor.id, ancestor) for ancestor in self.tree.ancestors(area.id))
        return sorted(found.values(), key=self._most_specific)

    def areas_of(
        self, geometry: Mapping[str, Any] | BaseGeometry, minimum_share: float = 0.05
    ) -> list[AreaShare]:
        """The areas that a GeoJSON (or shapely) geometry touches, most specific first, then by share.

        The share is that of the geometry's points, length or surface inside the area, whichever is the
        highest dimension present; areas with less than `minimum_share` are left out, so that a border
        drawn twice gives no slivers. An area of whose own surface a polygon covers that much stays too: a
        warning for a county concerns each of its villages. An area that holds one that stays, stays. Raises
        `GeographyError` for a geometry that is none or not in WGS84 degrees.
        """
        whole = shape_of(geometry)
        dimension = int(shapely.get_dimensions(whole))
        if whole.geom_type == "GeometryCollection":
            whole = _largest_parts(whole, dimension)
        # Lengths in degrees are worth less eastwards: shrink them as they are at the shape's middle.
        _, south, _, north = whole.bounds
        shrink = math.cos(math.radians((south + north) / 2))
        total = _measure(whole, dimension, shrink)
        shares: dict[str, float] = {}
        kept: dict[str, float] = {}
        for position in self._index.query(whole, predicate="intersects"):
            area_id = self._indexed[position].id
            inside = shapely.intersection(self._geometries[position], whole)
            measure = _measure(inside, dimension, shrink)
            shares[area_id] = min(1.0, measure / total) if total else 1.0
            covered = measure / self._surface[area_id] if dimension == 2 and self._surface[area_id] else 0.0
            if max(shares[area_id], covered) >= minimum_share:
                kept[area_id] = shares[area_id]
        for area_id, share in list(kept.items()):
            for ancestor in self.tree.ancestors(area_id):
                kept[ancestor.id] = max(kept.get(ancestor.id, 0.0), shares.get(ancestor.id, 0.0), share)
        found = [AreaShare(self.tree[area_id], share) for area_id, share in kept.items()]
        return sorted(found, key=lambda one: (-self.tree.depth(one.area.id), -one.share, one.area.id))

    def nearest_area(
        self, lon: float, lat: float, within_metres: float, kind: AreaKind | None = None
    ) -> AreaDistance | None:
        """The nearest area (of that kind) at most `within_metres` away, the most specific of those that tie.

        For piers and bathing places just outside of a coast that was clipped or simplified. None when
        nothing is that near.
        """
        for area in self.areas_at(lon, lat):
            if kind is None or area.kind is kind:
                return AreaDistance(area, 0.0)
        window = shapely.box(*_window(lon, lat, within_metres))
        candidates: list[AreaDistance] = []
        for position in self._index.query(window):
            area = self._indexed[position]
            if kind is not None and area.kind is not kind:
                continue
            metres = self.distance_to(area.id, lon, lat, within_metres)
            if metres is not None:
                candidates.append(AreaDistance(area, metres))
        if not candidates:
            return None
        return min(candidates, key=lambda one: (round(one.metres, 1), self._most_specific(one.area)))

    def distance_to(self, area_id: str, lon: float, lat: float, within_metres: float) -> float | None:
        """Metres to one area: 0 inside it, None beyond `within_metres` or without a polygon.

        Raises `AreaError` for an unknown id.
        """
        geometry = self.tree[area_id].geometry
        if geometry is None:
            return None
        if shapely.intersects_xy(geometry, lon, lat):
            return 0.0
        near = shapely.clip_by_rect(geometry, *_window(lon, lat, within_metres))
        if near.is_empty:
            return None
        metres = distance_to_geometry_metres(lon, lat, near)
        return metres if metres <= within_metres else None

    def _most_specific(self, area: Area) -> tuple[int, float, str]:
        return -self.tree.depth(area.id), self._surface.get(area.id, math.inf), area.id


def _window(lon: float, lat: float, metres: float) -> tuple[float, float, float, float]:
    """A box of degrees around a position that holds everything within so many metres."""
    high = metres / _METRES_PER_DEGREE
    wide = high / max(0.01, math.cos(math.radians(min(89.0, abs(lat) + high))))
    return lon - wide, lat - high, lon + wide, lat + high


def _largest_parts(collection: BaseGeometry, dimension: int) -> BaseGeometry:
    parts = shapely.get_parts(collection)
    while any(part.geom_type == "GeometryCollection" for part in parts):
        parts = shapely.get_parts(parts)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == dimension])


def _measure(geometry: BaseGeometry, dimension: int, shrink: float) -> float:
    if dimension == 2:
        return float(shapely.area(geometry))
    if dimension == 1:
        return float(shapely.length(shapely.transform(geometry, lambda points: points * (shrink, 1.0))))
    return float(shapely.get_num_coordinates(geometry))
