"""Payloads that the network server decoded already (``decoded_payload``, ``object``).

Every decoder script names its fields as it likes and some write units into the values, so that only names
that mean one thing are taken by themselves; others are named in the town file (``properties``).
"""

import re
from collections.abc import Mapping

from sensor_gateway.domain.measurements import Decoded, Measurement
from sensor_gateway.domain.properties import unit_of
from sensor_gateway.domain.values import LARGEST_NUMBER

_NUMBER = re.compile(r"^\s*([+-]?\d+(?:[.,]\d+)?)\s*([^\d\s].*)?$")
_NAMES = {
    "temperature": "air-temperature", "temp": "air-temperature", "airtemperature": "air-temperature",
    "tempcsht": "air-temperature", "humsht": "air-humidity",
    "humidity": "air-humidity", "relativehumidity": "air-humidity",
    "watertemperature": "water-temperature", "tempcds18b20": "probe-temperature", "tempcds": "probe-temperature",
    "tempsoil": "soil-temperature", "soiltemperature": "soil-temperature",
    "watersoil": "soil-moisture", "soilmoisture": "soil-moisture", "moisture": "soil-moisture",
    "conductsoil": "soil-conductivity", "ec": "soil-conductivity",
    "bat": "battery-voltage", "batv": "battery-voltage", "batteryvoltage": "battery-voltage", "vdd": "battery-voltage",
    "battery": "battery-level", "batterylevel": "battery-level",
    "co2": "co2", "light": "illuminance", "illuminance": "illuminance", "illumination": "illuminance",
    "pressure": "air-pressure", "barometricpressure": "air-pressure", "airpressure": "air-pressure",
    "distance": "distance", "waterlevel": "water-level", "snowdepth": "snow-depth",
    "pm25": "pm2-5", "pm10": "pm10", "occupied": "parking-occupied", "leak": "water-leak",
}  # fmt: skip
_FACTORS = {
    ("mv", "V"): 0.001, ("v", "V"): 1, ("us/cm", "S/m"): 0.0001, ("µs/cm", "S/m"): 0.0001,
    ("mm", "m"): 0.001, ("cm", "m"): 0.01, ("m", "m"): 1, ("hpa", "Pa"): 100, ("mbar", "Pa"): 100,
    ("kpa", "Pa"): 1000, ("pa", "Pa"): 1, ("°c", "Cel"): 1, ("c", "Cel"): 1, ("%", "%"): 1, ("lux", "lx"): 1,
    ("lx", "lx"): 1, ("ppm", "[ppm]"): 1,
}  # fmt: skip
_BARE = {"S/m": 0.0001, "Pa": 100}
"""What a bare number is multiplied by: decoder scripts give uS/cm and hPa."""
NO_PROBE_ZERO = ("probe-temperature",)
"""A DS18B20 that is not connected reads as exactly zero."""


def decode(fields: Mapping[str, object], names: Mapping[str, str]) -> Decoded:
    """Read what a network server decoded.

    Args:
        fields: its fields; numbers, true and false, or texts such as ``30.11 °C``.
        names: the town file's name of a field, which wins over ours.
    """
    found, left_out = [], []
    for field, value in fields.items():
        name = names.get(field) or _NAMES.get(re.sub(r"[^a-z0-9]", "", str(field).lower()))
        measurement = _measurement(name, value) if name else None
        if measurement is None:
            left_out.append(str(field)[:60])
        else:
            found.append(measurement)
    return Decoded(tuple(found), tuple(left_out))


def _measurement(name: str, value: object) -> Measurement | None:
    unit, written = unit_of(name), None
    if isinstance(value, int | float):  # true and false too
        number = float(max(min(value, LARGEST_NUMBER), -LARGEST_NUMBER))
    else:
        match = _NUMBER.match(value) if isinstance(value, str) else None
        if match is None:
            return None
        number, written = float(match[1].replace(",", ".")), (match[2] or "").strip().lower() or None
    if not abs(number) < LARGEST_NUMBER:
        return None
    if written is not None:
        factor = _FACTORS.get((written, unit))
        if factor is None:
            return None
        number *= factor
    elif unit in _BARE:
        number *= _BARE[unit]
    elif unit == "V" and number > 100:
        number /= 1000  # millivolts
    missing = unit == "Cel" and (
        number in (-327.68, 327.67, 3276.7, -3276.8) or (number == 0 and name in NO_PROBE_ZERO)
    )
    return Measurement(name, None if missing else round(number, 6), unit, missing=missing)
