"""What a decoder finds in a payload, before it becomes a reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class Measurement(NamedTuple):
    """One value of one property.

    Attributes:
        property: slug; the town file may give it another name for a device (``temperature`` of a probe
            that hangs in the water is ``water-temperature``).
        value: in ``unit``; None when the device says that it has none.
        unit: UCUM code.
        at: when it was measured, where that differs from the packet's own time.
        missing: the device sent the word that means "no probe connected".
    """

    property: str
    value: float | None
    unit: str
    at: datetime | None = None
    missing: bool = False


class Decoded(NamedTuple):
    """A payload read: its measurements, and slugs of the parts that were understood but not kept."""

    measurements: tuple[Measurement, ...]
    left_out: tuple[str, ...] = ()


class Packet(NamedTuple):
    """What one device said at one time, whatever it came by.

    Attributes:
        device: the device's id at its source.
        measurements: what it measured.
        observed_at: when, by the network's clock; None if nobody says.
        sequence: frame counter.
        session: what changes when the device joins anew and its counter starts again.
        session_is_sure: the session is new with every join, so that a counter cannot come twice in it.
        digest: of the content, to tell a repeated packet from a counter that started again.
        position: WGS84 longitude and latitude, if the message itself says where.
        name: of the place or thing, if the message itself says so.
    """

    device: str
    measurements: tuple[Measurement, ...]
    observed_at: datetime | None
    digest: str
    sequence: int | None = None
    session: str = ""
    session_is_sure: bool = False
    position: tuple[float, float] | None = None
    name: str | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Device:
    """A device as its town's file describes it."""

    id: str
    type: str | None = None
    name: str | None = None
    position: tuple[float, float] | None = None
    areas: tuple[str, ...] = ()
    properties: Mapping[str, str] | None = None
    leave_out: tuple[str, ...] = ()
    parameters: Mapping[str, float] | None = None
    zero_means_no_probe: tuple[str, ...] = ()
