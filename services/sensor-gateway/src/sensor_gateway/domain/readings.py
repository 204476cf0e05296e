"""From a packet to readings: names, places and quality."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kommunepuls_events import SensorReadingV1

from sensor_gateway.domain.datastreams import Datastreams
from sensor_gateway.domain.measurements import Device, Packet

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far ahead of ours a network server's clock may be."""
LONGEST_DEVICE_ID = 200
"""Characters; sensor ids and keys of the store have room for it."""

STALE, CLOCK_AHEAD, CLOCK_MISSING = "stale", "clock-ahead", "clock-missing"


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

    def datastreams(self) -> Datastreams:
        """None yet; to be kept from one packet of the source to the next."""
        return Datastreams(self.municipality, self.source)


def readings_of(
    packet: Packet,
    device: Device | None,
    origin: Origin,
    received_at: datetime,
    areas: Iterable[str] = (),
    datastreams: Datastreams | None = None,
) -> list[SensorReadingV1]:
    """The packet's measurements as readings, each with its quality.

    Args:
        packet: what the device said.
        device: as the town file describes it; None if it is not listed.
        origin: of the source.
        received_at: when it reached us.
        areas: ids of the areas that hold the position.
        datastreams: of this source, kept from one packet to the next.

    Raises:
        ValidationError: the contract refuses one of them.
    """
    streams = (datastreams or origin.datastreams()).of(packet, device, tuple(areas))
    usual = _clocked(packet.observed_at, origin, received_at)
    sequence, found = packet.sequence, []
    for one in packet.measurements:
        stream = streams[one.property, one.unit]
        if stream.left_out:
            continue
        observed_at, clock = usual if one.at is None else _clocked(one.at, origin, received_at)
        found.append(stream.reading(one, observed_at, clock, received_at, sequence))
    return found


def _clocked(moment: datetime | None, origin: Origin, received_at: datetime) -> tuple[datetime, str | None]:
    """When it was observed, and what is to be said of that time."""
    if moment is None:
        return received_at, CLOCK_MISSING
    if moment > received_at + CLOCK_TOLERANCE:
        # Kept as the time of receipt, so that it does not hide what comes after it.
        return received_at, CLOCK_AHEAD
    return moment, STALE if received_at - moment > origin.stale_after else None
