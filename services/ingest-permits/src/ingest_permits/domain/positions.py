"""Coordinates of a row as a position in WGS84."""

import math

import shapely
from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_geography.errors import GeographyError
from kommunepuls_geography.projection import check_lonlat, to_lonlat

WGS84 = "EPSG:4326"


def position(x: str, y: str, crs: str, country: str) -> tuple[float, float] | None:
    """Longitude and latitude in degrees, rounded to about 0.1 m; None if the row has no position.

    Args:
        x: longitude or easting as written; a decimal comma is understood.
        y: latitude or northing.
        crs: of the two, such as EPSG:25833.
        country: ISO 3166 code; positions outside of it are refused where its bounds are known.

    Raises:
        RejectedInput: ``bad-coordinates``, saying whether they are swapped or projected.
    """
    if not x.strip() and not y.strip():
        return None
    try:
        east, north = (float(text.strip().replace(",", ".").replace("\u00a0", "")) for text in (x, y))
    except ValueError:
        raise RejectedInput("bad-coordinates", f"{x[:30]!r} and {y[:30]!r} are not two numbers") from None
    if not (math.isfinite(east) and math.isfinite(north)):
        raise RejectedInput("bad-coordinates", f"{x[:30]!r} and {y[:30]!r} are not finite")
    if east == 0 and north == 0:
        return None  # the zero that tables put for "unknown"
    try:
        point = shapely.Point(east, north)
        if crs == WGS84:
            check_lonlat(point, country, "the row")
        point = to_lonlat(point, crs, "the row")
        check_lonlat(point, country, "the row")
    except GeographyError as error:
        raise RejectedInput("bad-coordinates", str(error)) from None
    return round(point.x, 6), round(point.y, 6)
