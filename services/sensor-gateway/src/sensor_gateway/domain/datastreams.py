"""What is the same in all readings of one property of one sensor, looked up and checked once.

The contract's own checks take longer than everything else that makes a reading, and most of what they look at is the
same every time: names, units, places, flags.
"""

import math
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from kommunepuls_chassis.texts import plain_text
from kommunepuls_events import Point, Quality, SensorReadingV1

from sensor_gateway.domain.measurements import Device, Measurement, Packet
from sensor_gateway.domain.properties import PROPERTIES

SENTINELS = (-327.68, 327.67, 3276.7, -3276.8, 6553.5, 655.35)
"""What temperature probes send, scaled, when they are not connected: 7fff, 8000 and ffff."""
_NEAREST_SENTINEL = 327.0
PROBE_MISSING, OUT_OF_RANGE, DEVICE_STATE = "probe-missing", "out-of-range", "device-state"

_MOST_KEPT = 20_000
_LARGEST = 1e300
"""A value beyond it, or one that is no number, is shown to the contract every time."""


class Datastream:
    """One observed property of one sensor.

    Attributes:
        left_out: the town file wants no readings of it.
    """

    __slots__ = ("_checked", "_device_state", "_fields", "_high", "_low", "_temperature", "_zero", "left_out")

    def __init__(self, property_: str, unit: str, device: Device, fields: dict[str, object]) -> None:
        """`fields`: of all readings of the sensor."""
        name = (device.properties or {}).get(property_, property_)
        known = PROPERTIES.get(name)
        self.left_out = property_ in device.leave_out
        self._low, self._high = (known.low, known.high) if known else (-math.inf, math.inf)
        self._device_state = (DEVICE_STATE,) if known and known.of_device else ()
        self._zero = property_ in device.zero_means_no_probe or name in device.zero_means_no_probe
        self._temperature = unit == "Cel"
        self._fields = {**fields, "observed_property": name, "unit": unit}
        self._checked: dict[tuple, dict[str, Any]] = {}

    def reading(
        self,
        measured: Measurement,
        observed_at: datetime,
        clock: str | None,
        received_at: datetime,
        sequence: int | None,
    ) -> SensorReadingV1:
        """The measurement with its quality; `clock` is the flag that its time has earned, None if it is well.

        Raises:
            ValidationError: the contract refuses it.
        """
        value, fault = measured.value, None
        if measured.missing or (value is not None and self._means_no_probe(value)):
            value, fault = None, PROBE_MISSING
        elif value is not None and not self._low <= value <= self._high:
            fault = OUT_OF_RANGE
        plain = (value is None or (type(value) in (float, int) and -_LARGEST < value < _LARGEST)) and (
            sequence is None or (type(sequence) is int and sequence >= 0)
        )
        key = fault, clock, value is None, sequence is None
        state = self._checked.get(key) if plain else None
        if state is None:
            flags = *(flag for flag in (fault, clock) if flag), *self._device_state
            made = self._made(
                value=value, observed_at=observed_at, received_at=received_at, sequence=sequence,
                quality=_quality(value, fault, clock), flags=flags,
            )  # fmt: skip
            if plain:
                self._checked[key] = made.__getstate__()
            return made
        # As pickle brings one back, with what differs put in: a fourth of the time of model_copy.
        fields = {
            **state["__dict__"],
            "value": None if value is None else float(value),
            "observed_at": observed_at,
            "received_at": received_at,
            "sequence": sequence,
        }
        reading = SensorReadingV1.__new__(SensorReadingV1)
        reading.__setstate__({**state, "__dict__": fields})
        return reading

    def _means_no_probe(self, value: float) -> bool:
        if value == 0:
            return self._zero
        if not self._temperature or -_NEAREST_SENTINEL < value < _NEAREST_SENTINEL:
            return False
        return round(value, 2) in SENTINELS

    def _made(self, **differing: object) -> SensorReadingV1:
        place = self._fields["position"]
        position = None if place is None else Point(coordinates=place)
        return SensorReadingV1(**self._fields | differing | {"position": position})


class Datastreams:
    """Those of a source's sensors, kept from one packet to the next."""

    def __init__(self, municipality: str, source: str) -> None:
        self._municipality = municipality
        self._source = source
        self._kept: dict[tuple, _OfSensor] = {}
        self._room = _MOST_KEPT

    def of(
        self, packet: Packet, device: Device | None, areas: Iterable[str] = ()
    ) -> dict[tuple[str, str], Datastream]:
        """The datastreams of the packet's sensor, by a measurement's property and unit; one that is new is made.

        Args:
            device: as the town file describes it; None if it is not listed.
            areas: that hold the packet's position.
        """
        key = packet.device, packet.name, packet.position, areas
        kept = self._kept.get(key)
        if kept is None or kept.device is not device:
            self._make_room()
            known = device or Device(packet.device)
            kept = self._kept[key] = _OfSensor(
                device,
                known,
                {
                    "sensor": f"{self._source}/{known.id}",
                    "municipality": self._municipality,
                    "source": self._source,
                    "name": known.name or (plain_text(packet.name)[:200] or None if packet.name else None),
                    "position": known.position or packet.position,
                    "areas": tuple(known.areas) or tuple(areas),
                },
                self._make_room,
            )
        return kept

    def _make_room(self) -> None:
        self._room -= 1
        if self._room < 0:
            self._kept.clear()
            self._room = _MOST_KEPT


class _OfSensor(dict[tuple[str, str], Datastream]):
    def __init__(
        self,
        device: Device | None,
        known: Device,
        fields: dict[str, object],
        make_room: Callable[[], None],
    ) -> None:
        super().__init__()
        self.device = device
        self._known = known
        self._fields = fields
        self._make_room = make_room

    def __missing__(self, key: tuple[str, str]) -> Datastream:
        self._make_room()
        made = self[key] = Datastream(*key, self._known, self._fields)
        return made


def _quality(value: float | None, fault: str | None, clock: str | None) -> Quality:
    if value is None or fault is not None:
        return Quality.BAD
    return Quality.GOOD if clock is None else Quality.SUSPECT
