"""A small map of where an item is: its surroundings, its geometry, and the reader's own place beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import shapely
from kommunepuls_events import Place
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

WIDTH, HEIGHT = 300.0, 200.0
_METRES_A_DEGREE = 111_195.0
_LEAST_METRES = 1500.0
_ROOM = 1.35
_FARTHEST_PLACE = 4000.0
_TOLERANCES = (1.2, 2.4, 4.8)
_LONGEST_LAND = 800
"""Characters of all land paths, for a page holds ten maps; beyond them the coast is drawn simpler."""
_LARGEST_BAR = 90.0


@dataclass(frozen=True, slots=True)
class SmallMap:
    """Everything in units of WIDTH by HEIGHT.

    ``land`` are paths of the areas in sight; ``spot`` is where the item is, ``path`` its extent when it has
    one (``closed`` for an area); ``own`` is the reader's place as x, y and radius, with its name; the bar of
    length ``bar`` stands for ``bar_metres``.
    """

    land: tuple[str, ...]
    spot: tuple[float, float]
    path: str
    closed: bool
    own: tuple[float, float, float] | None
    own_name: str
    bar: float
    bar_metres: int


def surroundings(
    target: BaseGeometry, areas: Sequence[BaseGeometry], places: Sequence[Place] = ()
) -> SmallMap | None:
    """The map around a geometry (degrees, longitude first); None for one that has no extent at all."""
    if target.is_empty or not target.is_valid:
        return None
    middle = target.centroid
    shrink = max(math.cos(math.radians(middle.y)), 0.05)
    own = _nearest(target, places, shrink)
    sight = (
        shapely.union_all([shapely.envelope(target), Point(own.longitude, own.latitude)]) if own else target
    )
    west, south, east, north = sight.bounds
    wide = (east - west) * shrink * _METRES_A_DEGREE * _ROOM
    tall = (north - south) * _METRES_A_DEGREE * _ROOM
    metres = max(wide, tall * WIDTH / HEIGHT, _LEAST_METRES)
    scale = WIDTH / metres
    x0, y0 = (west + east) / 2, (south + north) / 2

    def project(points: numpy.ndarray) -> numpy.ndarray:
        return numpy.column_stack(
            (
                WIDTH / 2 + (points[:, 0] - x0) * shrink * _METRES_A_DEGREE * scale,
                HEIGHT / 2 - (points[:, 1] - y0) * _METRES_A_DEGREE * scale,
            )
        )

    half_wide = metres / 2 / _METRES_A_DEGREE / shrink * 1.02
    half_tall = metres * HEIGHT / WIDTH / 2 / _METRES_A_DEGREE * 1.02
    box = (x0 - half_wide, y0 - half_tall, x0 + half_wide, y0 + half_tall)
    drawn = shapely.transform(shapely.clip_by_rect(target, *box), project)
    spot = shapely.transform(target.representative_point(), project)
    bar_metres = _round_below(_LARGEST_BAR / scale)
    mine = shapely.transform(Point(own.longitude, own.latitude), project) if own else None
    return SmallMap(
        land=_land([shapely.transform(shapely.clip_by_rect(area, *box), project) for area in areas]),
        spot=(round(spot.x, 1), round(spot.y, 1)),
        path="" if drawn.geom_type in ("Point", "MultiPoint") else _path(drawn, _TOLERANCES[0]),
        closed=drawn.geom_type in ("Polygon", "MultiPolygon"),
        own=(round(mine.x, 1), round(mine.y, 1), round(own.radius_metres * scale, 1))
        if own and mine
        else None,
        own_name=own.label if own else "",
        bar=round(bar_metres * scale, 1),
        bar_metres=bar_metres,
    )


def _nearest(target: BaseGeometry, places: Sequence[Place], shrink: float) -> Place | None:
    """The reader's place nearest to the item, unless it is too far away to be in one small picture with it."""

    def metres(place: Place) -> float:
        line = shapely.shortest_line(target, Point(place.longitude, place.latitude))
        (x, y), (own_x, own_y) = shapely.get_coordinates(line)
        return _METRES_A_DEGREE * math.hypot((x - own_x) * shrink, y - own_y)

    nearest = min(places, key=metres, default=None)
    return nearest if nearest and metres(nearest) <= _FARTHEST_PLACE else None


def _round_below(metres: float) -> int:
    power = 10 ** math.floor(math.log10(max(metres, 10.0)))
    return int(next(factor * power for factor in (5, 2, 1) if factor * power <= max(metres, 10.0)))


def _land(areas: Sequence[BaseGeometry]) -> tuple[str, ...]:
    paths: tuple[str, ...] = ()
    for tolerance in _TOLERANCES:
        paths = tuple(path for area in areas if (path := _path(area, tolerance)))
        if sum(map(len, paths)) <= _LONGEST_LAND:
            break
    return paths


def _path(geometry: BaseGeometry, tolerance: float) -> str:
    simple = shapely.simplify(geometry, tolerance)
    lines = []
    for part in shapely.get_parts(simple):
        if part.geom_type == "Polygon" and part.area > 2:
            lines += [(ring, "Z") for ring in (part.exterior, *part.interiors)]
        elif part.geom_type in ("LineString", "LinearRing"):
            lines.append((part, ""))
    return "".join(
        "M"
        + "L".join(f"{x:.0f} {y:.0f}" for x, y in shapely.get_coordinates(line)[: -1 if end else None])
        + end
        for line, end in lines
    )
