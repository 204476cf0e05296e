"""How many residents an item would reach: an index of the gateway's own subscribers, a town at a time.

Each process holds its own. It is read from the store when somebody asks for the first time, in a thread so that
pages are served meanwhile, and brought up to date with what changed since whenever somebody asks again.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.store import Stored
from kommunepuls_chassis.store.conditions import at_least
from kommunepuls_events import ContentItemV1
from kommunepuls_events.base import utc_now
from kommunepuls_geography import Geography
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.index import Answer, ProfileIndex

from gateway_api.domain.reach import About, Reach, ReachCount
from gateway_api.domain.subscribers import Subscriber
from gateway_api.service.collections import Collections
from gateway_api.service.towns import TownView

GONE_KEPT = timedelta(days=1)
"""How long the pseudonym of an erased subscriber is known, so that every process hears that they are gone."""

_PAGE = 1_000
_OVERLAP = timedelta(seconds=60)
"""Looked at again: clocks differ, and what is written with a time may be seen a little later."""
_FRESH = timedelta(seconds=2)


class ReachIndexes:
    """Answers for all towns. What it gives out names nobody, see :mod:`gateway_api.domain.reach`."""

    def __init__(self, collections: Collections, key: str, *, now: Callable[[], datetime] = utc_now) -> None:
        self._collections = collections
        self._key = key
        self._now = now
        self._held: dict[str, _TownIndex] = {}

    async def of(self, town: TownView, item: ContentItemV1, *, wait_seconds: float = 5.0) -> Reach | None:
        """Whom an item would reach if it were published now; None while the index is still being read.

        Raises:
            GeographyError: for a geometry that cannot be computed with.
        """
        held = await self._ready(town, wait_seconds)
        return None if held is None else await held.ask(lambda: _counted(held.match(item), self._key))

    async def residents(
        self, town: TownView, items: Sequence[ContentItemV1], *, wait_seconds: float = 5.0
    ) -> list[frozenset[str]] | None:
        """The pseudonyms whom each item would reach, to be compared and counted, never to be shown.

        None while the index is still being read. What is told of them goes through :meth:`about`.

        Raises:
            GeographyError: for a geometry that cannot be computed with.
        """
        held = await self._ready(town, wait_seconds)
        if held is None:
            return None
        return await held.ask(
            lambda: [frozenset(name for name, _ in held.match(item).subscribers()) for item in items]
        )

    def about(self, residents: Iterable[str]) -> About:
        """How many they are, as it may be told."""
        return About.of(residents, self._key)

    async def close(self) -> None:
        """Stop reading."""
        for held in self._held.values():
            held.cancel()
        await asyncio.gather(*(held.ended() for held in self._held.values()))

    async def _ready(self, town: TownView, wait_seconds: float) -> "_TownIndex | None":
        held = self._held.get(town.code)
        # With new areas, or after so long that erasures may have been missed, it is read anew.
        if held is None or held.geography is not town.geography or held.stale(self._now()):
            if held is not None:
                held.cancel()
            held = self._held[town.code] = _TownIndex(town, self._collections, self._now)
        return held if await held.refresh(wait_seconds) else None


class _TownIndex:
    """The subscribers of one town."""

    def __init__(self, town: TownView, collections: Collections, now: Callable[[], datetime]) -> None:
        self.geography: Geography = town.geography
        self._municipality = town.code
        self._collections = collections
        self._now = now
        self._index = ProfileIndex(town.geography)
        self._read_at: datetime | None = None
        # Of what the last look found, so that looking at it again costs nothing.
        self._seen: dict[str, int] = {}
        self._reading: asyncio.Task[None] | None = None
        # An index is no place for two threads.
        self._lock = asyncio.Lock()

    def stale(self, now: datetime) -> bool:
        """Whether it is so old that who was erased meanwhile may no longer be known."""
        return self._read_at is not None and self._read_at < now - GONE_KEPT + timedelta(hours=1)

    async def refresh(self, wait_seconds: float) -> bool:
        """Read what is new; false if that takes longer, and then it goes on by itself."""
        if self._reading is None or self._reading.done():
            if self._read_at is not None and self._now() - self._read_at < _FRESH:
                return True
            self._reading = asyncio.create_task(self._read(), name=f"reach of {self._municipality}")
        done, _ = await asyncio.wait({self._reading}, timeout=wait_seconds)
        for task in done:
            if task.cancelled():
                return False
            task.result()
        return bool(done)

    async def ask(self, question: Callable):
        """Have something worked out, in a thread."""
        async with self._lock:
            return await asyncio.to_thread(question)

    def match(self, item: ContentItemV1) -> Answer:
        """Whom an item concerns; for a thread, within :meth:`ask`."""
        return self._index.match(Concern.of(item, self.geography))

    def cancel(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()

    async def ended(self) -> None:
        """Wait until nothing is read any more."""
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        async with self._lock:
            began = self._now()
            since = self._read_at - _OVERLAP if self._read_at is not None else None
            # The first time everybody comes once.
            seen: dict[str, int] | None = {} if since is not None else None
            where = {"municipality": self._municipality}
            changed = where if since is None else where | {"changed_at": at_least(since)}
            after = None
            while True:
                page = await self._collections.subscribers.find(changed, limit=_PAGE, after=after)
                await asyncio.to_thread(self._take, page, seen)
                if len(page) < _PAGE:
                    break
                after = page[-1].position()
            gone = await self._collections.departures.find(
                where | {"gone_at": at_least(since or began - _OVERLAP)}
            )
            await asyncio.to_thread(self._forget, [stored.key for stored in gone])
            first = self._read_at is None
            self._read_at = began
            self._seen = seen or {}
        if first:
            took = (self._now() - began).total_seconds()
            get_logger().info("reach_index_read", residents=len(self._index), seconds=round(took, 2))

    def _take(self, page: Sequence[Stored], seen: dict[str, int] | None) -> None:
        for stored in page:
            subscriber = Subscriber.of(stored.document)
            if subscriber is None:
                continue
            profile = subscriber.profile
            if seen is not None:
                seen[profile.subscriber] = profile.revision
            if self._seen.get(profile.subscriber) != profile.revision:
                self._index.put(profile)
        if self._index.wants_merging:
            merge = self._index.begin_merging()
            try:
                merge.work()
                self._index.adopt(merge)
            except Exception:
                self._index.abandon(merge)
                raise

    def _forget(self, gone: Iterable[str]) -> None:
        for subscriber in gone:
            self._index.erase(subscriber)


def _counted(answer: Answer, key: str) -> Reach:
    count = ReachCount(key)
    for group in answer.groups():
        for subscriber, reasons in group.each():
            count.add(subscriber, reasons)
    return count.told()
