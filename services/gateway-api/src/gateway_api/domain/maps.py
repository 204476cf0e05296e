"""Maps without tiles: areas projected and simplified into the paths of one small SVG."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy
import shapely
from kommunepuls_geography import Area
from shapely.geometry.base import BaseGeometry

WIDTH = 1000.0
_MARGIN = 24.0
_TALLEST = 1250.0
METRES_A_DEGREE = 111_320.0
"""Of latitude, as near as a small map shows it."""
_TOLERANCE = 2.2
_LETTER = 0.58


@dataclass(frozen=True, slots=True)
class Shape:
    """One area: an SVG path, where its name stands, and how much room there is (map units).

    ``inside`` when it lies within another area of the map, and is drawn over it.
    """

    area: str
    path: str
    x: float
    y: float
    room: float
    inside: bool = False


@dataclass(frozen=True, slots=True)
class TownMap:
    """The shapes of a town in a box of WIDTH by ``height``, and how positions get there.

    ``west`` and ``north`` are degrees, ``scale`` is map units a degree of latitude, ``shrink`` the
    cosine of the middle latitude, ``left`` and ``top`` the offsets in map units.
    """

    shapes: tuple[Shape, ...]
    height: float
    west: float
    north: float
    scale: float
    shrink: float
    left: float
    top: float

    def place(self, longitude: float, latitude: float) -> tuple[float, float] | None:
        """Where a position lies on the map; None outside of it."""
        x = self.left + (longitude - self.west) * self.scale * self.shrink
        y = self.top + (self.north - latitude) * self.scale
        return (x, y) if 0 <= x <= WIDTH and 0 <= y <= self.height else None

    def units(self, metres: float) -> float:
        """How many map units a distance is."""
        return metres / METRES_A_DEGREE * self.scale


def town_map(areas: Sequence[Area]) -> TownMap | None:
    """The map of areas, each before those that lie in it; None when none of them has a polygon."""
    drawn = {area.id: area for area in areas if area.geometry is not None and not area.geometry.is_empty}
    if not drawn:
        return None
    geometries = [area.geometry for area in drawn.values()]
    west, south, east, north = shapely.total_bounds(numpy.array(geometries))
    shrink = math.cos(math.radians((south + north) / 2))
    wide, tall = max((east - west) * shrink, 1e-6), max(north - south, 1e-6)
    scale = min((WIDTH - 2 * _MARGIN) / wide, (_TALLEST - 2 * _MARGIN) / tall)
    height = round(max(tall * scale + 2 * _MARGIN, WIDTH * 0.45))
    left = (WIDTH - wide * scale) / 2
    top = (height - tall * scale) / 2

    def project(points: numpy.ndarray) -> numpy.ndarray:
        return numpy.column_stack(
            (left + (points[:, 0] - west) * scale * shrink, top + (north - points[:, 1]) * scale)
        )

    projected = dict(zip(drawn, shapely.transform(numpy.array(geometries), project), strict=True))
    return TownMap(_shapes(drawn, projected), float(height), west, north, scale, shrink, left, top)


def _shapes(drawn: Mapping[str, Area], projected: Mapping[str, BaseGeometry]) -> tuple[Shape, ...]:
    inner: dict[str, list[str]] = {area: [] for area in drawn}
    for area in drawn.values():
        if area.parent in inner:
            inner[area.parent].append(area.id)
    rests = {
        area: shapely.difference(projected[area], shapely.union_all([projected[one] for one in inside]))
        if inside
        else projected[area]
        for area, inside in inner.items()
    }
    # Simplified together, so that neighbours, and an area and what lies in it, keep one common border.
    simple = dict(
        zip(rests, shapely.coverage_simplify(numpy.array([*rests.values()]), _TOLERANCE * 2), strict=True)
    )

    def whole(area: str) -> BaseGeometry:
        return shapely.union_all([simple[area], *(whole(one) for one in inner[area])])

    def outwards(area: str) -> list[str]:
        return [area, *(deeper for one in inner[area] for deeper in outwards(one))]

    roots = [area.id for area in drawn.values() if area.parent not in inner]
    return tuple(
        _shape(area, whole(area), simple[area], inside=area != root)
        for root in roots
        for area in outwards(root)
    )


def _shape(area: str, geometry: BaseGeometry, rest: BaseGeometry, *, inside: bool) -> Shape:
    shown = _largest_first(geometry)
    if not shown:
        point = shapely.centroid(geometry)
        return Shape(area, "", point.x, point.y, 0.0, inside)
    # The name stands where no inner area is, if such a place is left.
    circle = shapely.maximum_inscribed_circle((_largest_first(rest) or shown)[0], tolerance=2.0)
    (x, y), _ = shapely.get_coordinates(circle)[:2]
    path = "".join(_path(part) for part in shown)
    return Shape(area, path, float(x), float(y), float(circle.length), inside)


def _largest_first(geometry: BaseGeometry) -> list[BaseGeometry]:
    parts = sorted(
        (part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon" and part.area),
        key=lambda part: part.area,
        reverse=True,
    )
    return [part for part in parts if part.area > 12] or parts[:1]


def _path(polygon: BaseGeometry) -> str:
    rings = [polygon.exterior, *polygon.interiors]
    return "".join(
        "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in shapely.get_coordinates(ring)[:-1]) + "Z"
        for ring in rings
    )


@dataclass(frozen=True, slots=True)
class Label:
    """A name on the map; ``always`` when it also fits where the map is small and letters are larger."""

    area: str
    text: str
    x: float
    y: float
    always: bool


@dataclass(frozen=True, slots=True)
class Marker:
    """A sign on the map that leads to an item of the list."""

    item: str
    category: str
    level: str
    x: float
    y: float


_Box = tuple[float, float, float, float]


def spread(markers: Iterable[Marker], town: TownMap, *, apart: float = 72.0) -> list[Marker]:
    """The markers moved so far that none hides another; those that find no room are left out."""
    placed: list[Marker] = []
    for marker in markers:
        for step in range(40):
            angle, far = step * 2.4, apart * 0.62 * math.sqrt(step)
            x = min(max(marker.x + far * math.cos(angle), apart / 2), WIDTH - apart / 2)
            y = min(max(marker.y + far * math.sin(angle), apart / 2), town.height - apart / 2)
            if all(math.hypot(x - one.x, y - one.y) >= apart for one in placed):
                placed.append(Marker(marker.item, marker.category, marker.level, x, y))
                break
    return placed


def labels(
    town: TownMap, names: dict[str, str], markers: Sequence[Marker], *, size: float = 25.0
) -> list[Label]:
    """Names of areas, the roomiest first, where they cover neither a marker nor another name."""
    taken: list[_Box] = [(one.x - 24, one.y - 24, one.x + 24, one.y + 24) for one in markers]
    taken_small = [(one.x - 40, one.y - 40, one.x + 40, one.y + 40) for one in markers]
    found = []
    for shape in sorted(town.shapes, key=lambda one: one.room, reverse=True):
        text = names.get(shape.area, "")
        if not text or not shape.path:
            continue
        for dy in (0.0, size * 1.7, -size * 1.7, size * 2.8, -size * 2.8):
            box = _box(text, shape.x, shape.y + dy, size)
            if _inside(box, town.height) and not any(_overlap(box, other) for other in taken):
                large = _box(text, shape.x, shape.y + dy, size * 1.75)
                always = _inside(large, town.height) and not any(
                    _overlap(large, other) for other in taken_small
                )
                taken.append(box)
                if always:
                    taken_small.append(large)
                found.append(Label(shape.area, text, shape.x, shape.y + dy, always))
                break
    return found


def _box(text: str, x: float, y: float, size: float) -> _Box:
    half = len(text) * size * _LETTER / 2
    return x - half, y - size * 0.7, x + half, y + size * 0.5


def _inside(box: _Box, height: float) -> bool:
    return box[0] >= 4 and box[1] >= 4 and box[2] <= WIDTH - 4 and box[3] <= height - 4


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
