"""Observations of an OGC SensorThings API server (version 1.1, section 8.2.5).

An observation holds a bare number: what it means and its unit stand on its datastream, and so in the town
file.
"""

import hashlib
import math

from kommunepuls_chassis.errors import RejectedInput

from sensor_gateway.domain.measurements import Measurement, Packet
from sensor_gateway.domain.times import instant
from sensor_gateway.domain.values import listing, mapping, number, text


def observations(body: object) -> list[object]:
    """The observations of an answer: its ``value``, or an array of them.

    Raises:
        RejectedInput: ``wrong-shape``.
    """
    return listing(body.get("value") if isinstance(body, dict) else body, "value")


def packet(
    observation: object, *, sensor: str, observed_property: str, unit: str, factor: float = 1
) -> Packet:
    """One observation as a packet.

    Args:
        observation: parsed JSON.
        sensor: device id of the datastream.
        observed_property, unit: what the datastream measures, UCUM.
        factor: from the datastream's unit to ``unit``.

    Raises:
        RejectedInput: ``wrong-shape``, ``bad-time`` or ``time-without-zone``.
    """
    fields = mapping(observation, "the observation")
    # An interval "start/end" counts from its end.
    time = text(fields.get("phenomenonTime"), "phenomenonTime").rpartition("/")[2]
    result = fields.get("result")
    if result is None or (isinstance(result, float) and math.isnan(result)):
        raise RejectedInput("no-value", "result is null")
    value = number(result, "result") * factor
    digest = hashlib.sha256(f"{observed_property}|{value!r}".encode()).hexdigest()[:24]
    return Packet(
        device=sensor,
        measurements=(Measurement(observed_property, round(value, 9), unit),),
        observed_at=instant(time, "phenomenonTime"),
        digest=digest,
    )
