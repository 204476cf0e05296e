"""What it saves to tell residents digitally: the messages that reached them, against other ways of telling."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Saved:
    """One other way: what each message would have cost there, and what is saved on all of them."""

    way: str
    cost: float
    saved: float


@dataclass(frozen=True, slots=True)
class Gains:
    """Messages sent by channel, what they cost, and what each other way would have cost more."""

    messages: Mapping[str, int]
    sent: int
    cost: float
    ways: tuple[Saved, ...]


def gains(messages: Mapping[str, int], *, digital: float, others: Mapping[str, float]) -> Gains:
    """Work it out.

    Args:
        messages: how many were sent, by channel.
        digital: what one costs.
        others: what telling one resident one thing costs by phone, at the desk, by letter.
    """
    sent = sum(messages.values())
    ways = tuple(Saved(way, cost, sent * (cost - digital)) for way, cost in others.items())
    return Gains(dict(messages), sent, sent * digital, ways)
