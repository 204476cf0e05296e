"""Positions in the live stream: one number a partition, the same whichever process serves the stream."""

import re
from collections.abc import Mapping

_PART = re.compile(r"([a-z])(\d{1,4})\.(\d{1,18})")

Position = Mapping[tuple[str, int], int]
"""Next offset by (letter of the topic, partition)."""


def written(position: Position) -> str:
    """As an event id: ``c0.12-c1.7-r0.3``."""
    return "-".join(f"{topic}{part}.{offset}" for (topic, part), offset in sorted(position.items()))


def read(text: str) -> dict[tuple[str, int], int] | None:
    """Back from an event id; None for what is none (a client may send anything)."""
    position = {}
    for part in text.split("-"):
        match = _PART.fullmatch(part)
        if match is None:
            return None
        position[(match[1], int(match[2]))] = int(match[3])
    return position
