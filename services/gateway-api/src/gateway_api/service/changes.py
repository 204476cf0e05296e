"""Changing documents in one atomic step, alone or with their outbox."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from kommunepuls_chassis.store import Collection
from kommunepuls_chassis.store.errors import VersionConflict

from gateway_api.domain import outbox
from gateway_api.domain.errors import Conflict
from gateway_api.domain.outbox import Entry

_MOST_ATTEMPTS = 20

Change = Callable[[dict[str, Any]], tuple[dict[str, Any], Iterable[Entry]] | None]
"""From a document to its new fields and what is to be published; None changes nothing."""

Merge = Callable[[dict[str, Any] | None], dict[str, Any] | None]
"""From the document as it is (None: missing) to the one to store; None leaves it."""


async def merge(collection: Collection, key: str, decide: Merge) -> dict[str, Any] | None:
    """Store what ``decide`` makes of a document, again until nobody else changed it meanwhile.

    Returns:
        What was stored; None if it was left.
    """
    while True:
        stored = await collection.get(key)
        after = decide(stored.document if stored else None)
        if after is None:
            return None
        try:
            await collection.put(key, after, expected_version=stored.version if stored else 0)
        except VersionConflict:
            continue
        return after


async def change(collection: Collection, key: str, decide: Change, now: datetime) -> dict[str, Any] | None:
    """Apply a decision to a document and append what it announces, atomically.

    Returns:
        The document as it stands then; None if there is none.

    Raises:
        Conflict: if others change it faster than we can.
    """
    for _ in range(_MOST_ATTEMPTS):
        stored = await collection.get(key)
        if stored is None:
            return None
        decided = decide(stored.document)
        if decided is None:
            return stored.document
        changes, entries = decided
        document = outbox.with_entries(stored.document | changes, entries, now)
        try:
            await collection.put(key, document, expected_version=stored.version)
        except VersionConflict:
            continue
        return document
    raise Conflict("it is being changed by somebody else; try again")
