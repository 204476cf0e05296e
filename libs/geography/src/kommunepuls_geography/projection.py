"""Coordinates that are not WGS84 longitude and latitude: recognised, reprojected where stated, else refused.

RFC 7946 section 4 allows WGS84 alone; its predecessor let a file name another system in a `crs` member,
which many exports still do.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from shapely.geometry.base import BaseGeometry

from kommunepuls_geography.errors import AreaError

# West, south, east, north with room for islands and sea, so that only a blunder falls outside.
COUNTRY_BOUNDS: Mapping[str, tuple[float, float, float, float]] = {
    "NO": (-10.0, 57.0, 35.0, 82.0),
    "SE": (10.0, 54.5, 25.0, 70.0),
    "DK": (7.0, 54.0, 16.0, 58.5),
    "FI": (19.0, 59.0, 32.0, 70.5),
    "IS": (-28.0, 62.0, -10.0, 68.0),
}


def stated_crs(document: Mapping[str, Any]) -> str | None:
    """The name in the `crs` member of a GeoJSON document (GeoJSON 2008 section 3), or None.

    Raises `AreaError` when there is a `crs` member that names nothing.
    """
    crs = document.get("crs")
    if crs is None:
        return None
    properties = crs.get("properties") if isinstance(crs, Mapping) else None
    name = properties.get("name") if isinstance(properties, Mapping) else None
    if not isinstance(name, str) or not name.strip():
        raise AreaError('The file has a "crs" member that names no coordinate system.')
    return name.strip()


@lru_cache(maxsize=16)
def transformer_to_lonlat(name: str) -> Transformer | None:
    """From the named system, east before north, to WGS84; None when it is WGS84 degrees already.

    Raises `AreaError` for a name that pyproj does not know.
    """
    try:
        crs = CRS.from_user_input(name)
    except CRSError:
        raise AreaError(f"The coordinate system {name!r} is unknown.") from None
    # Files that name EPSG:4326 write longitude first all the same, so no axis is ever swapped here.
    if crs.is_geographic and crs.equals(CRS("OGC:CRS84"), ignore_axis_order=True):
        return None
    return Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)


def to_lonlat(geometry: BaseGeometry, crs: str | None, what: str) -> BaseGeometry:
    """The geometry in WGS84, reprojected when `crs` names another system.

    `what` names the feature in the `AreaError` raised for an unknown system or for degrees in a system
    that counts metres.
    """
    transformer = transformer_to_lonlat(crs) if crs else None
    if transformer is None:
        return geometry
    west, south, east, north = geometry.bounds
    projected = transformer.source_crs is not None and transformer.source_crs.is_projected
    if projected and -180 <= west <= east <= 180 and -90 <= south <= north <= 90:
        raise AreaError(f"{what} has coordinates in degrees although the file says {crs}.")

    def reproject(points: numpy.ndarray) -> numpy.ndarray:
        return numpy.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    return shapely.transform(geometry, reproject)


def check_lonlat(geometry: BaseGeometry, country: str | None, what: str) -> None:
    """Refuse coordinates that cannot be WGS84 longitude and latitude, saying what they look like.

    Raises `AreaError` for numbers that are not finite, for metres, and for latitude before longitude where
    that shows: beyond the poles, or outside of the country but inside it when swapped.
    """
    west, south, east, north = geometry.bounds
    if not numpy.isfinite((west, south, east, north)).all():
        raise AreaError(f"{what} has coordinates that are no numbers.")
    if max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90:
        if max(abs(west), abs(east)) <= 90 and max(abs(south), abs(north)) <= 180:
            raise AreaError(f"{what} has its coordinates swapped: GeoJSON wants longitude first.")
        raise AreaError(
            f"{what} is not in WGS84 degrees ({west:.0f}, {south:.0f} looks like metres, as in UTM or "
            "EPSG:3857): convert the file or state its coordinate system."
        )
    bounds = COUNTRY_BOUNDS.get(country or "")
    if bounds is None or _inside((west, south, east, north), bounds):
        return
    if _inside((south, west, north, east), bounds):
        raise AreaError(f"{what} has its coordinates swapped: GeoJSON wants longitude first.")
    raise AreaError(f"{what} lies outside of {country} ({west:.3f}, {south:.3f} to {east:.3f}, {north:.3f}).")


def _inside(box: tuple[float, ...], bounds: tuple[float, float, float, float]) -> bool:
    west, south, east, north = box
    return bounds[0] <= west and bounds[1] <= south and east <= bounds[2] and north <= bounds[3]
