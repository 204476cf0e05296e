"""Entities of NGSIv2 and NGSI-LD, normalized, keyValues or GeoJSON, of the Smart Data Models.

Source: https://smartdatamodels.org (Environment, Weather, Parking); units that a model fixes are taken from
it, a ``unitCode`` (UN/CEFACT) wins.
"""

import hashlib
from datetime import datetime

from kommunepuls_chassis.errors import RejectedInput

from sensor_gateway.domain.measurements import Measurement, Packet
from sensor_gateway.domain.properties import unit_of
from sensor_gateway.domain.times import instant
from sensor_gateway.domain.values import mapping, number, position, text

_ATTRIBUTES: dict[str, tuple[str, float]] = {
    "temperature": ("air-temperature", 1), "relativeHumidity": ("air-humidity", 100),
    "dewPoint": ("dew-point", 1), "atmosphericPressure": ("air-pressure", 100),
    "windSpeed": ("wind-speed", 1), "gustSpeed": ("wind-gust", 1), "windDirection": ("wind-direction", 1),
    "precipitation": ("precipitation", 1), "snowHeight": ("snow-depth", 0.01),
    "illuminance": ("illuminance", 1), "waterLevel": ("water-level", 1), "flow": ("water-flow", 1),
    "co": ("co", 1000), "no": ("no", 1), "no2": ("no2", 1), "nox": ("nox", 1), "so2": ("so2", 1),
    "o3": ("o3", 1), "pm1": ("pm1", 1), "pm25": ("pm2-5", 1), "pm4": ("pm4", 1), "pm10": ("pm10", 1),
    "airQualityIndex": ("air-quality-index", 1),
    "LAeq": ("sound-level-equivalent", 1), "LAmax": ("sound-level-maximum", 1), "LAS": ("sound-level", 1),
    "LAeq_d": ("sound-level-day", 1),
    "availableSpotNumber": ("parking-available", 1), "occupancy": ("parking-occupancy", 100),
}  # fmt: skip
"""Property, and the factor from the model's unit to ours."""
_UNIT_CODES = {
    "GQ": ("ug/m3", 1), "GP": ("ug/m3", 1000), "CEL": ("Cel", 1), "P1": ("%", 1), "C62": ("1", 1),
    "A97": ("Pa", 100), "PAL": ("Pa", 1), "MTS": ("m/s", 1), "MTR": ("m", 1), "CMT": ("m", 0.01),
    "MMT": ("mm", 1), "DD": ("deg", 1), "LUX": ("lx", 1), "MQS": ("m3/s", 1), "2N": ("dB[SPL]", 1),
}  # fmt: skip
_IN_WATER = ("WaterObserved", "WaterQualityObserved", "Beach")
_TIMES = ("dateObserved", "dateObservedTo", "observationDateTime", "occupancyModified", "dateModified")
_NOT_SENSORS = ("WeatherAlert", "Alert", "WeatherForecast")


def entities(body: object) -> list[object]:
    """The entities of a body: a notification's ``data``, an array, a feature collection, or one entity."""
    if isinstance(body, dict):
        if isinstance(body.get("data"), list):
            return body["data"]
        if body.get("type") == "FeatureCollection" and isinstance(body.get("features"), list):
            return body["features"]
        return [body]
    return body if isinstance(body, list) else [body]


def packet(entity: object, naive_in: str | None = None) -> Packet:
    """One entity's measurements.

    Args:
        entity: parsed JSON.
        naive_in: time zone of times that state none; without it they are rejected.

    Raises:
        RejectedInput: ``not-a-sensor``, ``no-known-attribute``, ``time-without-zone`` or ``wrong-shape``.
    """
    fields = mapping(entity, "the entity")
    identity = text(fields.get("id"), "id")
    if fields.get("type") == "Feature":
        properties = mapping(fields.get("properties"), "properties")
        fields = {"id": identity, "location": fields.get("geometry"), **properties}
    kind = str(fields.get("type", "")).rpartition("/")[2]
    if kind in _NOT_SENSORS:
        raise RejectedInput("not-a-sensor", f"a {kind} is a message, not a measurement")
    found, left_out = [], []
    for name, attribute in fields.items():
        measurement = _measurement(kind, name, attribute)
        if measurement:
            found.append(measurement)
        elif name not in ("id", "type", "location", "@context", *_TIMES):
            left_out.append(name)
    if not found:
        raise RejectedInput("no-known-attribute", f"a {kind or 'entity'} without an attribute known here")
    observed_at = _observed_at(fields, naive_in)
    place = _value(fields.get("location"))
    coordinates = (
        place.get("coordinates") if isinstance(place, dict) and place.get("type") == "Point" else None
    )
    name = _value(fields.get("name"))
    digest = hashlib.sha256(repr([(one.property, one.value) for one in found]).encode()).hexdigest()[:24]
    return Packet(
        device=identity,
        measurements=tuple(found),
        observed_at=observed_at,
        digest=digest,
        position=position(*coordinates[:2])
        if isinstance(coordinates, list) and len(coordinates) > 1
        else None,
        name=name if isinstance(name, str) else None,
        left_out=tuple(left_out),
    )


def _value(attribute: object) -> object:
    if isinstance(attribute, dict):
        if "value" in attribute:
            return _value(attribute["value"])
        if "@value" in attribute:
            return attribute["@value"]
        if "object" in attribute and attribute.get("type") == "Relationship":
            return attribute["object"]
    return attribute


def _measurement(kind: str, name: str, attribute: object) -> Measurement | None:
    value = _value(attribute)
    if kind == "ParkingSpot" and name == "status":
        states = {"free": 0.0, "occupied": 1.0}
        return (
            Measurement("parking-occupied", states[value], "1")
            if isinstance(value, str) and value in states
            else None
        )
    if name not in _ATTRIBUTES or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    target, factor = _ATTRIBUTES[name]
    if name == "temperature" and kind in _IN_WATER:
        target = "water-temperature"
    unit = unit_of(target)
    code = _unit_code(attribute)
    if code:
        stated, factor = _UNIT_CODES.get(code, ("", 1))
        if stated != unit:
            return None  # a unit that cannot be turned into ours
    return Measurement(target, round(number(value, name) * factor, 6), unit)


def _unit_code(attribute: object) -> str | None:
    if not isinstance(attribute, dict):
        return None
    metadata = attribute.get("metadata")
    code = attribute.get("unitCode") or (metadata.get("unitCode") if isinstance(metadata, dict) else None)
    return str(_value(code)) if code else None


def _observed_at(fields: dict, naive_in: str | None) -> datetime | None:
    for name in _TIMES:
        value = _value(fields.get(name))
        if isinstance(value, str) and value.strip():
            # An interval counts from its end, when the value was known.
            return instant(value.rpartition("/")[2], name, naive_in)
    for attribute in fields.values():
        if isinstance(attribute, dict):
            metadata = attribute.get("metadata") or {}
            value = attribute.get("observedAt") or _value(
                metadata.get("timestamp") if isinstance(metadata, dict) else None
            )
            if isinstance(value, str):
                return instant(value, "timestamp", naive_in)
    return None
