"""A resident's feed and message centre: what matches and deliveries leave behind."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kommunepuls_events import DeliveryV1, Match, Reason, ReasonType

_ORDER = (
    ReasonType.EMERGENCY,
    ReasonType.SENSOR,
    ReasonType.PLACE,
    ReasonType.AREA,
    ReasonType.ORGANISER,
    ReasonType.INTEREST,
    ReasonType.FOLLOW_UP,
)


def feed_key(subscriber: str, item: str) -> str:
    """One entry a resident and item."""
    return f"{subscriber}|{item}"


class FeedNews:
    """What a match puts into feeds: what it says of the item, and of reasons that many share, is written once."""

    def __init__(self, match: Match) -> None:
        self._match = match
        # Thresholds passed have no item in content.v1, so the feed shows them from the match.
        self._snapshot = match.item.model_copy(update={"body": ""}).model_dump_json(exclude_none=True)
        self._last: tuple[tuple[Reason, ...], list[str]] = (), []

    def entry(
        self, before: dict[str, Any] | None, subscriber: str, reasons: tuple[Reason, ...]
    ) -> dict[str, Any] | None:
        """The feed entry after the match; None when it changes nothing (replayed, or older than what is known)."""
        match = self._match
        if before and before["revision"] >= match.item.revision:
            return None
        return {
            "subscriber": subscriber,
            "item": match.item.id,
            "revision": match.item.revision,
            "municipality": match.item.municipality,
            "reasons": self._written(reasons),
            "matched_at": match.matched_at,
            "first_matched_at": before["first_matched_at"] if before else match.matched_at,
            "snapshot": self._snapshot,
        }

    def _written(self, reasons: tuple[Reason, ...]) -> list[str]:
        if reasons is not self._last[0]:
            self._last = reasons, [reason.model_dump_json(exclude_none=True) for reason in reasons]
        return list(self._last[1])


def reasons_of(entry: dict[str, Any]) -> list[Reason]:
    """The reasons of a feed entry, the weightiest first."""
    return in_order(Reason.model_validate_json(one) for one in entry["reasons"])


def in_order(reasons: Iterable[Reason]) -> list[Reason]:
    """Emergency, then what passed a threshold, places (nearest first), areas, organiser, interests."""
    return sorted(reasons, key=lambda one: (_ORDER.index(one.type), one.distance_metres or 0.0))


def message_key(delivery: DeliveryV1) -> str:
    """One message a resident, item, revision and channel."""
    return f"{delivery.subscriber}|{delivery.item}|{delivery.revision}|{delivery.channel}"


def message(before: dict[str, Any] | None, delivery: DeliveryV1) -> dict[str, Any] | None:
    """The message's document after a delivery; None when it is known already.

    Each state is kept once; the newest by time is the state shown.
    """
    step = {
        "state": str(delivery.state),
        "cause": delivery.cause,
        "permanence": str(delivery.permanence) if delivery.permanence else None,
        "attempt": delivery.attempt,
        "at": _milliseconds(delivery.at),
        "endpoint": delivery.endpoint,
    }
    steps = list(before["steps"]) if before else []
    if step in steps:
        return None
    steps = sorted([*steps, step], key=lambda one: (one["at"], one["attempt"]))[-50:]
    newest = steps[-1]
    return {
        "subscriber": delivery.subscriber,
        "item": delivery.item,
        "revision": delivery.revision,
        "channel": str(delivery.channel),
        "state": newest["state"],
        "cause": newest["cause"],
        "permanence": newest["permanence"],
        "at": newest["at"],
        "steps": steps,
    }


def _milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
