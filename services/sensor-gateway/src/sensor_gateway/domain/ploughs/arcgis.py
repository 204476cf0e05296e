"""Layers of an ArcGIS feature service: vehicles as points, streets as lines with a status.

Source: ArcGIS REST API, "Query (Feature Service/Layer)"; field names as in Toronto's PlowTO.
"""

import re
from datetime import datetime, timedelta

from kommunepuls_chassis.errors import PermanentError, RejectedInput, TransientError

from sensor_gateway.domain.ploughs.sightings import Position, Sighting, Work
from sensor_gateway.domain.times import from_epoch_milliseconds
from sensor_gateway.domain.values import listing, mapping, position

PLOUGHING = frozenset({Work.PLOUGHING})
_WRITTEN = re.compile(r"^\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*$")


class Standing(Exception):
    """The vehicle stands still, or its street is not done: nothing to take."""


def features(body: object) -> list[object]:
    """The features of an answer; a service answers errors with status 200.

    Raises:
        TransientError, PermanentError: what the error object in the answer says.
        RejectedInput: ``not-features`` if it is something else, such as a layer's description.
    """
    answer = mapping(body, "the answer")
    if "error" in answer:
        error = answer["error"] if isinstance(answer["error"], dict) else {}
        code, message = error.get("code"), str(error.get("message", ""))[:200]
        if isinstance(code, int) and 400 <= code < 500 and code != 429:
            raise PermanentError(f"the service refuses: {code} {message}", reason=f"arcgis-{code}")
        raise TransientError(f"the service fails: {code} {message}", reason="arcgis-error")
    if "features" not in answer:
        raise RejectedInput("not-features", f"the answer has no features, but {', '.join(list(answer)[:5])}")
    return listing(answer["features"], "features")


def read_unit(feature: object, clock_offset: timedelta) -> tuple[Sighting, datetime | None]:
    """One vehicle, and when the service received its report.

    Args:
        feature: GeoJSON or Esri JSON.
        clock_offset: what to add to the layer's times to make them UTC; some services count an offset twice.

    Raises:
        Standing: if it does not move.
        RejectedInput: ``time-missing``, ``bad-time``, ``position-missing`` or ``wrong-shape``.
    """
    fields = _fields(feature)
    if fields.get("LASTUPDATE") is None:
        raise RejectedInput("time-missing", "LASTUPDATE is null")
    at = from_epoch_milliseconds(fields["LASTUPDATE"], "LASTUPDATE") + clock_offset
    received = fields.get("RECEIVEDTIME")
    place = _place(feature, fields)
    if _speed(fields.get("VELOCITY")) == 0:
        raise Standing
    sighting = Sighting(str(fields.get("UNITTYPE") or fields.get("OBJECTID") or ""), at, (place,), PLOUGHING)
    return sighting, from_epoch_milliseconds(received, "RECEIVEDTIME") if received is not None else None


def read_street(feature: object, clock_offset: timedelta, done: frozenset[str]) -> Sighting:
    """One street that the service says is done.

    Raises:
        Standing: if its status is not one of ``done``.
        RejectedInput: ``time-missing``, ``bad-time``, ``position-missing`` or ``wrong-shape``.
    """
    fields = _fields(feature)
    if str(fields.get("status")) not in done:
        raise Standing
    if fields.get("completetime") is None:
        raise RejectedInput("time-missing", "completetime is null")
    at = from_epoch_milliseconds(fields["completetime"], "completetime") + clock_offset
    geometry = mapping(mapping(feature, "the feature").get("geometry"), "geometry")
    corners = geometry.get("coordinates")
    if corners is None and (paths := listing(geometry.get("paths"), "paths")):
        corners = paths[0]
    line = tuple(_corner(corner) for corner in listing(corners, "coordinates"))
    if len(line) < 2:
        raise RejectedInput("position-missing", "the street has fewer than two corners")
    return Sighting("", at, line, PLOUGHING, whole=True)


def _fields(feature: object) -> dict:
    one = mapping(feature, "the feature")
    return mapping(one.get("properties", one.get("attributes")), "properties")


def _corner(corner: object) -> Position:
    values = listing(corner, "a coordinate")
    found = position(*values[:2]) if len(values) > 1 else None
    if found is None:
        raise RejectedInput("position-missing", "a coordinate has fewer than two numbers")
    return found


def _place(feature: object, fields: dict) -> Position:
    geometry = mapping(feature, "the feature").get("geometry")
    if isinstance(geometry, dict):
        if "coordinates" in geometry:
            return _corner(geometry["coordinates"])
        if "x" in geometry:
            return _corner([geometry.get("x"), geometry.get("y")])
    # The text has latitude first, while the geometry has longitude first.
    written = _WRITTEN.match(str(fields.get("COORDINATES") or ""))
    if written:
        return _corner([float(written[2]), float(written[1])])
    raise RejectedInput("position-missing", "neither geometry nor COORDINATES")


def _speed(value: object) -> float | None:
    try:
        return float(value)  # the service writes it as a text
    except (TypeError, ValueError, OverflowError):
        return None
