"""From a packet to readings: names, places and quality."""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta

from kommunepuls_chassis.texts import plain_text
from kommunepuls_events import Point, Quality, SensorReadingV1

from sensor_gateway.domain.measurements import Device, Measurement, Packet
from sensor_gateway.domain.properties import PROPERTIES

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far ahead of ours a network server's clock may be."""
LONGEST_DEVICE_ID = 200
"""Characters; sensor ids and keys of the store have room for it."""
SENTINELS = (-327.68, 327.67, 3276.7, -3276.8, 6553.5, 655.35)
"""What temperature probes send, scaled, when they are not connected: 7fff, 8000 and ffff."""

_MOST_PROTOTYPES = 20_000

PROBE_MISSING, OUT_OF_RANGE, STALE = "probe-missing", "out-of-range", "stale"
CLOCK_AHEAD, CLOCK_MISSING, DEVICE_STATE = "clock-ahead", "clock-missing", "device-state"


@dataclass(frozen=True, slots=True)
class Origin:
    """What all readings of a source share.

    Attributes:
        municipality, source: ids.
        stale_after: a value observed longer than this before it arrived is flagged.
    """

    municipality: str
    source: str
    stale_after: timedelta


class Prototypes:
    """Readings that passed the contract, for those that differ in value, times and counter alone.

    The contract's own checks take longer than everything else that makes a reading, and most of what they look at
    is the same every time: names, units, places, flags.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple, SensorReadingV1] = {}

    def reading(self, fields: dict[str, object]) -> SensorReadingV1:
        """The reading with these fields; ValidationError where the contract refuses it."""
        value, sequence = fields["value"], fields["sequence"]
        plain = (value is None or type(value) in (float, int)) and (sequence is None or type(sequence) is int)
        key = (
            fields["sensor"], fields["observed_property"], fields["unit"], fields["name"], fields["position"],
            fields["areas"], fields["quality"], fields["flags"], value is None, sequence is None,
        )  # fmt: skip
        prototype = self._kept.get(key) if plain else None
        if prototype is None:
            if fields["position"] is not None:
                fields = {**fields, "position": Point(coordinates=fields["position"])}
            made = SensorReadingV1(**fields)
            if plain:
                if len(self._kept) >= _MOST_PROTOTYPES:
                    self._kept.clear()
                self._kept[key] = made
            return made
        # What model_copy does, without looking at every field again: three fifths of the time.
        reading = copy(prototype)
        reading.__dict__.update(
            value=None if value is None else float(value),
            observed_at=fields["observed_at"],
            received_at=fields["received_at"],
            sequence=sequence,
        )
        return reading


def readings_of(
    packet: Packet,
    device: Device | None,
    origin: Origin,
    received_at: datetime,
    areas: Iterable[str] = (),
    prototypes: Prototypes | None = None,
) -> list[SensorReadingV1]:
    """The packet's measurements as readings, each with its quality.

    Args:
        packet: what the device said.
        device: as the town file describes it; None if it is not listed.
        origin: of the source.
        received_at: when it reached us.
        areas: ids of the areas that hold the position.
        prototypes: of this source, kept from one packet to the next.
    """
    known = device or Device(packet.device)
    place = known.position or packet.position
    names = known.properties or {}
    prototypes = prototypes or Prototypes()
    sensor, areas = f"{origin.source}/{known.id}", tuple(known.areas) or tuple(areas)
    title = known.name or (plain_text(packet.name)[:200] or None if packet.name else None)
    found = []
    for one in packet.measurements:
        if one.property in known.leave_out:
            continue
        name = names.get(one.property, one.property)
        value, quality, flags = _judged(one, name, known, packet, origin, received_at)
        found.append(
            prototypes.reading(
                {
                    "sensor": sensor,
                    "municipality": origin.municipality,
                    "source": origin.source,
                    "name": title,
                    "observed_property": name,
                    "value": value,
                    "unit": one.unit,
                    "observed_at": _observed_at(one, packet, received_at),
                    "received_at": received_at,
                    "sequence": packet.sequence,
                    "position": place,
                    "areas": areas,
                    "quality": quality,
                    "flags": flags,
                }
            )
        )
    return found


def _observed_at(one: Measurement, packet: Packet, received_at: datetime) -> datetime:
    moment = one.at or packet.observed_at or received_at
    # A time ahead of ours is kept as the time of receipt, so that it does not hide what comes after it.
    return received_at if moment > received_at + CLOCK_TOLERANCE else moment


def _judged(
    one: Measurement, name: str, device: Device, packet: Packet, origin: Origin, received_at: datetime
) -> tuple[float | None, Quality, tuple[str, ...]]:
    flags = []
    value, quality = one.value, Quality.GOOD
    if _no_probe(one, name, device):
        value, quality = None, Quality.BAD
        flags.append(PROBE_MISSING)
    elif value is None:
        quality = Quality.BAD
    elif (known := PROPERTIES.get(name)) and not known.low <= value <= known.high:
        quality = Quality.BAD
        flags.append(OUT_OF_RANGE)
    moment = one.at or packet.observed_at
    if moment is None:
        flags.append(CLOCK_MISSING)
        quality = quality if quality is Quality.BAD else Quality.SUSPECT
    elif moment > received_at + CLOCK_TOLERANCE:
        flags.append(CLOCK_AHEAD)
        quality = quality if quality is Quality.BAD else Quality.SUSPECT
    elif received_at - moment > origin.stale_after:
        flags.append(STALE)
        quality = quality if quality is Quality.BAD else Quality.SUSPECT
    if (known := PROPERTIES.get(name)) and known.of_device:
        flags.append(DEVICE_STATE)
    return value, quality, tuple(flags)


def _no_probe(one: Measurement, name: str, device: Device) -> bool:
    if one.missing:
        return True
    if one.value == 0 and (one.property in device.zero_means_no_probe or name in device.zero_means_no_probe):
        return True
    return one.unit == "Cel" and one.value is not None and round(one.value, 2) in SENTINELS
