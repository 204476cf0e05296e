"""GeoJSON geometries (RFC 7946 section 3.1): WGS84 degrees, longitude first."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from kommunepuls_events.base import Message


def _position(value: tuple[float, ...]) -> tuple[float, ...]:
    if not 2 <= len(value) <= 3:
        raise ValueError("a position is [longitude, latitude] or [longitude, latitude, altitude]")
    longitude, latitude = value[0], value[1]
    if not -180 <= longitude <= 180 or not -90 <= latitude <= 90:
        raise ValueError(
            f"[{longitude:g}, {latitude:g}] is not WGS84 longitude and latitude in degrees; "
            "is it in a projection, or swapped?"
        )
    return value


def _ring(value: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    if len(value) < 4 or value[0] != value[-1]:
        raise ValueError("a polygon ring has at least four positions and ends where it starts")
    return value


Position = Annotated[tuple[float, ...], AfterValidator(_position)]
Ring = Annotated[tuple[Position, ...], AfterValidator(_ring)]
Line = Annotated[tuple[Position, ...], Field(min_length=2)]


class Point(Message):
    """One place."""

    type: Literal["Point"] = "Point"
    coordinates: Position

    @property
    def longitude(self) -> float:
        """Degrees east."""
        return self.coordinates[0]

    @property
    def latitude(self) -> float:
        """Degrees north."""
        return self.coordinates[1]


class MultiPoint(Message):
    """Several places of one item."""

    type: Literal["MultiPoint"] = "MultiPoint"
    coordinates: Annotated[tuple[Position, ...], Field(min_length=1)]


class LineString(Message):
    """A stretch of road, a route."""

    type: Literal["LineString"] = "LineString"
    coordinates: Line


class MultiLineString(Message):
    """Several stretches."""

    type: Literal["MultiLineString"] = "MultiLineString"
    coordinates: Annotated[tuple[Line, ...], Field(min_length=1)]


class Polygon(Message):
    """An area: the outer ring, then its holes."""

    type: Literal["Polygon"] = "Polygon"
    coordinates: Annotated[tuple[Ring, ...], Field(min_length=1)]


class MultiPolygon(Message):
    """Several areas."""

    type: Literal["MultiPolygon"] = "MultiPolygon"
    coordinates: Annotated[tuple[Annotated[tuple[Ring, ...], Field(min_length=1)], ...], Field(min_length=1)]


Geometry = Annotated[
    Point | MultiPoint | LineString | MultiLineString | Polygon | MultiPolygon,
    Field(discriminator="type"),
]
"""Any geometry of an item."""


def _in_order(value: object) -> object:
    if isinstance(value, (list, tuple)) and len(value) == 4 and value[1] > value[3]:
        raise ValueError("a bounding box is [west, south, east, north]")
    return value


BoundingBox = Annotated[tuple[float, float, float, float], BeforeValidator(_in_order)]
"""West, south, east, north in degrees."""
