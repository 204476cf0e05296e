"""Sensor readings: one value of one observed property."""

import json

from pydantic import Field

from kommunepuls_events.base import Identifier, Instant, Message, MunicipalityCode, Slug, SourceId
from kommunepuls_events.geometry import Point
from kommunepuls_events.vocabulary import Quality


class SensorReadingV1(Message):
    """One reading, as published to ``sensor-readings.v1``."""

    sensor: Identifier = Field(description="source + '/' + device id")
    municipality: MunicipalityCode
    source: SourceId
    name: str | None = Field(default=None, description="of the sensor or its place, for residents")
    observed_property: Slug = Field(description="water-temperature, air-temperature, water-level…")
    value: float | None = Field(description="in `unit`; None when there is no value to trust")
    unit: str = Field(min_length=1, description="UCUM code: Cel, m, %, lx, Pa…")
    observed_at: Instant
    received_at: Instant
    sequence: int | None = Field(default=None, ge=0, description="frame counter of the device")
    position: Point | None = None
    areas: tuple[Identifier, ...] = ()
    quality: Quality = Quality.GOOD
    flags: tuple[Slug, ...] = Field(
        default=(), description="out-of-range, stale, probe-missing, clock-ahead, clock-missing"
    )

    def to_json(self) -> bytes:
        """As :meth:`Message.to_json`, but ``value`` is written even when there is none: it is required."""
        if self.value is not None:
            return super().to_json()
        fields = self.model_dump(mode="json", exclude_none=True) | {"value": None}
        return json.dumps(fields, ensure_ascii=False).encode()
