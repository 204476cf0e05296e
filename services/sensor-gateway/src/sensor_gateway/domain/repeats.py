"""Telling a packet that comes again from a counter that started again."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sensor_gateway.domain.measurements import Packet

REPEAT_WINDOW = timedelta(minutes=10)
"""How far apart the network's times of one uplink can be: gateways' clocks differ, and a copy that is
delivered late still carries the time of its first receipt."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is remembered of a packet."""

    digest: str
    observed_at: datetime


def key_of(sensor: str, packet: Packet) -> str:
    """What a packet is remembered by: the device with session and counter, or with time and content."""
    if packet.sequence is not None:
        return f"{sensor}#{_session(packet.session)}#{packet.sequence}"
    when = packet.observed_at.isoformat() if packet.observed_at else ""
    return f"{sensor}#{when}#{packet.digest}"


@lru_cache(maxsize=10_000)
def _session(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def is_repeat(seen: Seen, packet: Packet, received_at: datetime) -> bool:
    """Whether a packet with the same key is the one that was seen.

    In a session that is new with every join a counter comes once. Elsewhere (activation by personalisation,
    servers that do not tell of joins) a device that restarts counts from 0 again with the same address:
    then content and time tell.
    """
    if seen.digest != packet.digest:
        return False
    if packet.sequence is None and packet.observed_at is not None:
        return True
    if packet.session_is_sure:
        return True
    return abs((packet.observed_at or received_at) - seen.observed_at) <= REPEAT_WINDOW
