"""What a resident has read: the newest revision of an item that they opened or marked."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from kommunepuls_events.base import utc_now

from gateway_api.domain.residents_record import feed_key
from gateway_api.service.changes import merge
from gateway_api.service.collections import Collections


class ReadMarks:
    """One mark a resident and item. A message is read when its revision, or a later one, was."""

    def __init__(self, collections: Collections, *, now: Callable[[], datetime] = utc_now) -> None:
        self._reads = collections.reads
        self._subscribers = collections.subscribers
        self._now = now

    async def mark(self, subscriber: str, read: Iterable[tuple[str, int]]) -> None:
        """These revisions were read, as (item, revision)."""
        for item, revision in read:
            await self._mark(subscriber, item, revision)
        stored = await self._subscribers.get(subscriber)
        if stored is None or stored.document["state"] != "active":
            # Erased meanwhile: nothing is left behind.
            await self._reads.delete_where({"subscriber": subscriber})

    async def _mark(self, subscriber: str, item: str, revision: int) -> None:
        def later(before: dict[str, Any] | None) -> dict[str, Any] | None:
            if before and before["revision"] >= revision:
                return None
            return {"subscriber": subscriber, "item": item, "revision": revision, "at": self._now()}

        await merge(self._reads, feed_key(subscriber, item), later)

    async def of(self, subscriber: str, items: Iterable[str]) -> dict[str, int]:
        """The newest revision read, by item; an item that was never opened is missing."""
        found = await self._reads.get_many(feed_key(subscriber, one) for one in items)
        return {stored.document["item"]: stored.document["revision"] for stored in found.values()}
