"""Sensors in the read model: the newest good value and a short history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kommunepuls_events import Quality, SensorReadingV1

HISTORY = timedelta(hours=48)
MOST_POINTS = 400


def sensor_key(sensor: str, observed_property: str) -> str:
    """The key of one property of one sensor."""
    return f"{sensor}#{observed_property}"


def merged(document: dict[str, Any] | None, readings: Sequence[SensorReadingV1]) -> dict[str, Any]:
    """The sensor's document with readings taken in: the same whichever order and however often they come.

    A reading that is not good says nothing to residents; it shows only as the time it was last heard.
    """
    document = document or {"history": [], "newest": None, "observed_at": None, "heard_at": None}
    history = {point["at"]: point["value"] for point in document["history"]}
    newest, heard_at = document["newest"], document["heard_at"]
    observed_at = document["observed_at"]
    for reading in readings:
        at = _whole_milliseconds(reading.observed_at)
        heard_at = max(heard_at, at) if heard_at else at
        if reading.quality is not Quality.GOOD or reading.value is None:
            continue
        history[at] = reading.value
        if observed_at is None or at >= observed_at:
            newest, observed_at = reading.model_dump_json(exclude_none=True), at
    kept = sorted(history.items())[-MOST_POINTS:]
    oldest = (observed_at or heard_at) - HISTORY
    one = readings[-1]
    return {
        "sensor": one.sensor,
        "observed_property": one.observed_property,
        "municipality": one.municipality,
        "newest": newest,
        "observed_at": observed_at,
        "heard_at": heard_at,
        "history": [{"at": at, "value": value} for at, value in kept if at >= oldest],
    }


def _whole_milliseconds(moment: datetime) -> datetime:
    # What the store gives back: a finer time would count as another point after a restart.
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True)
class SensorNow:
    """What a sensor says now, for residents."""

    sensor: str
    observed_property: str
    municipality: str
    name: str
    value: float
    unit: str
    observed_at: datetime
    areas: tuple[str, ...]
    position: tuple[float, float] | None
    history: tuple[tuple[datetime, float], ...]


def sensor_now(document: dict[str, Any]) -> SensorNow | None:
    """The sensor in a document; None while it has never given a good value."""
    if not document["newest"]:
        return None
    reading = SensorReadingV1.model_validate_json(document["newest"])
    return SensorNow(
        sensor=reading.sensor,
        observed_property=reading.observed_property,
        municipality=reading.municipality,
        name=reading.name or reading.sensor.rpartition("/")[2],
        value=reading.value or 0.0,
        unit=reading.unit,
        observed_at=reading.observed_at,
        areas=reading.areas,
        position=(reading.position.longitude, reading.position.latitude) if reading.position else None,
        history=tuple((point["at"], point["value"]) for point in document["history"]),
    )
