"""What of a refused plough report may be kept: fields that say nothing of vehicle, driver or firm."""

import json

from kommunepuls_chassis.errors import RejectedInput

from sensor_gateway.domain.values import parse_json

KEPT = frozenset(
    {"havainnot", "havainto", "sijainti", "koordinaatit", "x", "y", "viivageometria", "type", "coordinates",
     "havaintoaika", "suunta", "suoritettavatTehtavat", "features", "geometry", "properties", "attributes",
     "LASTUPDATE", "RECEIVEDTIME", "VELOCITY", "COORDINATES", "X", "Y", "status", "completetime",
     "receivedtime", "error", "code", "message", "TrackingDataResponse", "locationList", "postingTime",
     "XCoord", "YCoord", "latitude", "longitude", "directionDegrees", "assetType", "paths"}
)  # fmt: skip


def without_identity(raw: bytes) -> bytes:
    """The report with only the fields of :data:`KEPT`; empty if it cannot be read as JSON."""
    try:
        value = parse_json(raw)
    except RejectedInput:
        return b""
    return json.dumps(_stripped(value), ensure_ascii=False).encode()


def _stripped(value: object) -> object:
    if isinstance(value, dict):
        return {name: _stripped(part) for name, part in value.items() if name in KEPT}
    if isinstance(value, list):
        return [_stripped(part) for part in value]
    return value
