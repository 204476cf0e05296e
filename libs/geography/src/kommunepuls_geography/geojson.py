"""GeoJSON geometries (RFC 7946) read with care: what is wrong is said in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy
import shapely
from shapely.geometry import GeometryCollection, MultiPolygon, shape
from shapely.geometry.base import BaseGeometry

from kommunepuls_geography.errors import GeographyError


def read_geometry(geometry: Mapping[str, Any], what: str) -> BaseGeometry:
    """The shapely form of a GeoJSON geometry, without heights, in whatever coordinates it is written.

    Raises `GeographyError`, its sentence starting with `what`, for what is no geometry.
    """
    if not isinstance(geometry, Mapping) or not isinstance(geometry.get("type"), str):
        raise GeographyError(f"{what} is no GeoJSON geometry.")
    try:
        with numpy.errstate(invalid="ignore"):
            result = shapely.force_2d(shape(geometry))
    except Exception as problem:  # shapely raises a dozen kinds for malformed coordinates
        reason = (
            str(problem).strip().splitlines()[0][:120] if str(problem).strip() else type(problem).__name__
        )
        raise GeographyError(
            f"{what} has coordinates that do not make a {geometry['type']}: {reason}."
        ) from None
    if not numpy.isfinite(shapely.get_coordinates(result)).all():
        raise GeographyError(f"{what} has coordinates that are no numbers.")
    return result


def shape_of(geometry: Mapping[str, Any] | BaseGeometry) -> BaseGeometry:
    """A WGS84 geometry ready for computing: polygons valid, not empty, in degrees.

    Raises `GeographyError` for what is no geometry, empty, or not longitude and latitude in degrees.
    """
    result = geometry if isinstance(geometry, BaseGeometry) else read_geometry(geometry, "The geometry")
    if result.is_empty:
        raise GeographyError("The geometry is empty.")
    west, south, east, north = result.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise GeographyError("The geometry is not in WGS84 degrees, longitude first.")
    return result if result.is_valid else shapely.make_valid(result)


def polygons_only(geometry: BaseGeometry) -> BaseGeometry | None:
    """The mended polygonal part of a geometry as Polygon or MultiPolygon, or None when there is none."""
    if not geometry.is_valid:
        geometry = shapely.make_valid(geometry)
    if isinstance(geometry, GeometryCollection) or geometry.geom_type in {"Polygon", "MultiPolygon"}:
        parts = [part for part in _flat(geometry) if part.geom_type == "Polygon" and not part.is_empty]
    else:
        parts = []
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def _flat(geometry: BaseGeometry) -> list[BaseGeometry]:
    if not hasattr(geometry, "geoms"):
        return [geometry]
    return [part for member in geometry.geoms for part in _flat(member)]
