"""A resident's own stream: what comes into their feed, told to their open pages.

The stream follows the store, not Kafka: an event is told when the feed shows it already, whichever process
wrote it, and a process asks only for those who have a page open with it. An event's id is the time of the
writing, so that a page that comes back to another process goes on where it was.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import STREAM_CLIENTS
from kommunepuls_chassis.store import Stored
from kommunepuls_chassis.store.conditions import any_of, at_least
from kommunepuls_chassis.store.errors import StoreError
from kommunepuls_events.base import utc_now

from gateway_api.service.collections import Collections

POSITION, ENTRY, RESET = "position", "entry", "reset"
_EVERY_SECONDS = 1.0
_OVERLAP = timedelta(seconds=5)
"""How far apart the clocks of the writing processes may be, and how long a write may take."""
_LONGEST = timedelta(minutes=10)
"""Then the page comes back by itself, and has to be signed in still."""
_KEPT = timedelta(hours=24)
_MOST_MISSED = 50
_QUEUE = 100
_SUBSCRIBERS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """POSITION, ENTRY with its item and revision, or RESET: read the feed anew."""

    id: str
    name: str
    item: str = ""
    revision: int = 0


class FeedStreams:
    """The open streams of one process."""

    def __init__(
        self, collections: Collections, health: Health, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._feed = collections.feed
        self._health = health.component("feed streams")
        self._now = now
        self._clients: dict[str, set[asyncio.Queue[FeedEvent | None]]] = defaultdict(set)
        self._told: dict[tuple[str, int], datetime] = {}
        self._closed = False
        self._log = get_logger()

    async def run(self) -> None:
        """Look for what came until cancelled."""
        while True:
            try:
                await self.look()
                self._health.beat(ready=True)
            except StoreError as error:
                self._log.warning("feed_streams_store", error=type(error).__name__)
            await asyncio.sleep(_EVERY_SECONDS)

    async def look(self) -> None:
        """Tell every open page what was written since the last look."""
        since = self._now() - _OVERLAP
        self._told = {key: at for key, at in self._told.items() if at >= since}
        waiting = sorted(self._clients)
        for first in range(0, len(waiting), _SUBSCRIBERS_AT_ONCE):
            some = waiting[first : first + _SUBSCRIBERS_AT_ONCE]
            for stored in await self._since(some, since):
                key = (stored.key, stored.document["revision"])
                if key not in self._told:
                    self._told[key] = stored.document["kept_at"]
                    self._hand_on(stored)

    async def _since(self, subscribers: Iterable[str], since: datetime) -> list[Stored]:
        where = {"subscriber": any_of(subscribers), "kept_at": at_least(since)}
        return await self._feed.find(where, order_by="kept_at", limit=2000)

    def _hand_on(self, stored: Stored) -> None:
        for queue in list(self._clients.get(stored.document["subscriber"], ())):
            if queue.full():
                # Too slow: it is let go and comes back with its position.
                queue.get_nowait()
                queue.put_nowait(None)
            else:
                queue.put_nowait(_event(stored))

    async def follow(self, subscriber: str, last_event_id: str | None) -> AsyncIterator[FeedEvent]:
        """What comes into a resident's feed: first what they missed since the position, then as it comes."""
        queue: asyncio.Queue[FeedEvent | None] = asyncio.Queue(_QUEUE)
        self._clients[subscriber].add(queue)
        STREAM_CLIENTS.inc()
        try:
            for event in await self._missed(subscriber, last_event_id):
                yield event
            until = asyncio.get_running_loop().time() + _LONGEST.total_seconds()
            while not self._closed:
                try:
                    async with asyncio.timeout_at(until):
                        event = await queue.get()
                except TimeoutError:
                    return
                if event is None:
                    return
                yield event
        finally:
            self._clients[subscriber].discard(queue)
            if not self._clients[subscriber]:
                del self._clients[subscriber]
            STREAM_CLIENTS.dec()

    async def _missed(self, subscriber: str, last_event_id: str | None) -> list[FeedEvent]:
        here = _id(self._now())
        position = _position(last_event_id) if last_event_id else None
        if not last_event_id:
            return [FeedEvent(here, POSITION)]
        if position is None or position < self._now() - _KEPT:
            return [FeedEvent(here, RESET)]
        missed = [
            one for one in await self._since([subscriber], position) if one.document["kept_at"] > position
        ]
        return [FeedEvent(here, RESET)] if len(missed) > _MOST_MISSED else [_event(one) for one in missed]

    def close(self) -> None:
        """End all streams, so that the process can stop."""
        self._closed = True
        for queues in self._clients.values():
            for queue in queues:
                if queue.full():
                    queue.get_nowait()
                queue.put_nowait(None)


def _event(stored: Stored) -> FeedEvent:
    held = stored.document
    return FeedEvent(_id(held["kept_at"]), ENTRY, held["item"], held["revision"])


def _id(at: datetime) -> str:
    return str(round(at.timestamp() * 1000))


def _position(text: str) -> datetime | None:
    if not text.isdigit() or len(text) > 15:
        return None
    try:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
