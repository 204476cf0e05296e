"""A town's road segments, and which parts of them a driven line covers."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy
import shapely
from kommunepuls_chassis.errors import OperatorError
from pyproj import Transformer

from sensor_gateway.domain.ploughs.sightings import Position

SAMPLE_METRES = 5.0
CELL_METRES = 10.0
MOST_CELLS = 60
"""A segment's parts fit into one 64-bit number."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of road: its area, its length in metres, and in how many equal parts it is kept."""

    id: str
    area: str
    length: float
    cells: int


@dataclass(frozen=True, slots=True)
class Match:
    """Parts of a segment that a line covers, as bits, and how far off the line was on average, in metres."""

    segment: str
    cells: int
    distance: float


@dataclass(frozen=True, slots=True)
class MatchRules:
    """How near (metres) and how parallel (degrees, either direction) a line has to run."""

    metres: float = 15.0
    degrees: float = 30.0


class RoadNetwork:
    """Segments in a spatial index, projected to metres around their middle."""

    def __init__(self, segments: Iterable[tuple[str, str, tuple[Position, ...]]]) -> None:
        """Take (id, area id, WGS84 line) triples; ids are unique."""
        rows = list(segments)
        corners = [corner for _, _, line in rows for corner in line]
        if not corners:
            raise OperatorError("the road file holds no segments")
        middle = numpy.mean(numpy.array(corners), axis=0)
        self._to_metres = Transformer.from_crs(
            "EPSG:4326",
            f"+proj=aeqd +lat_0={middle[1]:.6f} +lon_0={middle[0]:.6f} +datum=WGS84 +units=m",
            always_xy=True,
        )
        self._lines = numpy.array([self._projected(line) for _, _, line in rows], dtype=object)
        lengths = shapely.length(self._lines)
        self.segments = [
            Segment(name, area, float(length), _cells(float(length)))
            for (name, area, _), length in zip(rows, lengths, strict=True)
        ]
        self.by_id = {segment.id: segment for segment in self.segments}
        self._tree = shapely.STRtree(self._lines)
        self.area_lengths: dict[str, float] = {}
        for segment in self.segments:
            self.area_lengths[segment.area] = self.area_lengths.get(segment.area, 0.0) + segment.length

    def _projected(self, line: Iterable[Position]) -> shapely.LineString:
        longitudes, latitudes = zip(*line, strict=True)
        return shapely.LineString(numpy.column_stack(self._to_metres.transform(longitudes, latitudes)))

    def match(self, line: tuple[Position, ...], rules: MatchRules) -> list[Match]:
        """The parts of segments that a driven line runs along.

        The line is walked in steps of 5 m; each step counts for the nearest segment that is near and
        parallel enough, so that a street that is only crossed is not covered.
        """
        driven = self._projected(line)
        if driven.length < SAMPLE_METRES:
            return []
        steps = numpy.arange(SAMPLE_METRES / 2, driven.length, SAMPLE_METRES)
        points = shapely.line_interpolate_point(driven, steps)
        bearings = _bearings(driven, steps)
        sample, segment = self._tree.query(points, predicate="dwithin", distance=rules.metres)
        if not len(sample):
            return []
        lines = self._lines[segment]
        along = shapely.line_locate_point(lines, points[sample])
        distances = shapely.distance(lines, points[sample])
        parallel = _angle_between(bearings[sample], _bearings(lines, along)) <= rules.degrees
        sample, segment = sample[parallel], segment[parallel]
        along, distances = along[parallel], distances[parallel]
        order = numpy.lexsort((distances, sample))
        _, first = numpy.unique(sample[order], return_index=True)
        found: dict[int, tuple[int, list[float]]] = {}
        for chosen in order[first]:
            index = int(segment[chosen])
            one = self.segments[index]
            cell = min(int(along[chosen] / one.length * one.cells), one.cells - 1) if one.length else 0
            mask, far = found.setdefault(index, (0, []))
            far.append(float(distances[chosen]))
            found[index] = (mask | 1 << cell, far)
        return [
            Match(self.segments[index].id, mask, sum(far) / len(far)) for index, (mask, far) in found.items()
        ]


def _cells(length: float) -> int:
    return max(1, min(MOST_CELLS, math.ceil(length / CELL_METRES)))


def _bearings(lines: object, along: numpy.ndarray) -> numpy.ndarray:
    behind = shapely.get_coordinates(shapely.line_interpolate_point(lines, numpy.maximum(along - 2.0, 0.0)))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines, along + 2.0))
    moved = ahead - behind
    return numpy.degrees(numpy.arctan2(moved[:, 0], moved[:, 1]))


def _angle_between(one: numpy.ndarray, other: numpy.ndarray) -> numpy.ndarray:
    """Degrees between directions, 0 to 90: a road is ploughed either way."""
    angle = numpy.abs(one - other) % 180.0
    return numpy.minimum(angle, 180.0 - angle)


def network_from_geojson(
    document: object, *, identity: str = "id", area: str = "area", where: str = "the road file"
) -> RoadNetwork:
    """Read a FeatureCollection of LineStrings in WGS84.

    Args:
        document: parsed GeoJSON.
        identity, area: properties with the segment's id and its area's id.
        where: name of the file, for errors.

    Raises:
        OperatorError: naming the feature that is not a segment.
    """
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        raise OperatorError(f"{where}: is no GeoJSON FeatureCollection")
    rows, seen = [], set()
    for number, feature in enumerate(features, start=1):
        one = feature if isinstance(feature, dict) else {}
        properties = one.get("properties") or {}
        geometry = one.get("geometry") or {}
        name = properties.get(identity, one.get("id"))
        if name is None or properties.get(area) is None:
            missing = identity if name is None else area
            raise OperatorError(f"{where}: feature {number} has no property {missing!r}")
        if geometry.get("type") != "LineString" or len(geometry.get("coordinates") or []) < 2:
            raise OperatorError(f"{where}: feature {number} ({name}) is no LineString")
        line = tuple((corner[0], corner[1]) for corner in geometry["coordinates"])
        if any(not -180 <= east <= 180 or not -90 <= north <= 90 for east, north in line):
            raise OperatorError(f"{where}: feature {number} ({name}) is not in WGS84 longitude and latitude")
        if str(name) in seen:
            raise OperatorError(f"{where}: feature {number}: the id {name!r} is used twice")
        seen.add(str(name))
        rows.append((str(name), str(properties[area]), line))
    if not rows:
        raise OperatorError(f"{where}: holds no segments")
    return RoadNetwork(rows)
