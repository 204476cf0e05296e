"""The collection that the tests of the contract work on."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from kommunepuls_chassis.store import Index
from kommunepuls_chassis.store.port import Stored

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
INDEXES = [Index("state", "due_at"), Index("areas", array=True), Index("size"), Index("place.code")]


def keys(found: Iterable[Stored]) -> list[str]:
    """Keys in order."""
    return [stored.key for stored in found]
