"""Polling a page: its list of posts, its list of events, and what vanished from them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.intake import SourceIntake

from ingest_facebook.domain.answers import BrokenAnswer, Gone, ListedPart
from ingest_facebook.domain.windows import vanished
from ingest_facebook.ports import Graph
from ingest_facebook.service.rejects import Rejects
from ingest_facebook.service.takers import EventTaker, PostTaker

MOST_CHECKS = 10
"""Vanished objects that are asked for in one poll; the rest waits for the next."""


class Track(Protocol):
    """One list of a page. ``place`` is what it remembers between polls."""

    async def poll(self, place: dict) -> dict:
        """Read the list; returns what to remember."""


class PostTrack:
    """The page's posts. Remembers ``listed``: the ids of its window with their times."""

    def __init__(self, graph: Graph, taker: PostTaker, rejects: Rejects) -> None:
        self._graph = graph
        self._taker = taker
        self._rejects = rejects

    async def poll(self, place: dict) -> dict:
        """Read from the newest post back to what the last poll saw, then ask for what vanished meanwhile."""
        before = _times(place)
        newest_before = max(before.values(), default=None)
        listed: dict[str, datetime] = {}
        complete = False
        async for part in _read(self._graph.posts(), self._taker.intake):
            complete = not part.more
            for raw in part.objects:
                await self._take(raw, listed, listed_by_page=True)
            if newest_before is None or any(native in before for native in listed):
                # The first poll takes one answer; later ones go back until they meet the last poll.
                break
        return await _remember(before, listed, complete, self._check)

    async def refresh(self, native: str) -> tuple[str, datetime] | None:
        """Fetch one post and take it as it is now; one that is gone is withdrawn."""
        found: dict[str, datetime] = {}
        try:
            raw = await self._graph.post(native)
        except Gone:
            await self._taker.withdraw(native)
            return None
        await self._take(raw, found, listed_by_page=False)
        return next(iter(found.items()), None)

    async def _check(self, native: str) -> None:
        await self.refresh(native)

    async def _take(self, raw: Any, listed: dict[str, datetime], *, listed_by_page: bool) -> None:
        async def work() -> None:
            if seen := await self._taker.take(raw, listed=listed_by_page):
                listed[seen[0]] = seen[1]

        await self._rejects.guard("post", raw, work)


class EventTrack:
    """The page's events that are to come. Remembers ``listed``: their ids with when each is over."""

    def __init__(
        self, graph: Graph, taker: EventTaker, rejects: Rejects, now: Callable[[], datetime]
    ) -> None:
        self._graph = graph
        self._taker = taker
        self._rejects = rejects
        self._now = now

    async def poll(self, place: dict) -> dict:
        """Read all that is to come, then ask for what vanished before it was over."""
        before = {native: over for native, over in _times(place).items() if over > self._now()}
        listed: dict[str, datetime] = {}
        complete = False
        async for part in _read(self._graph.events(), self._taker.intake):
            complete = not part.more
            for raw in part.objects:
                await self._take(raw, listed)
        return await _remember(before, listed, complete, self._check)

    async def _check(self, native: str) -> None:
        try:
            raw = await self._graph.event(native)
        except Gone:
            await self._taker.withdraw(native)
            return
        await self._take(raw, {})

    async def _take(self, raw: Any, listed: dict[str, datetime]) -> None:
        async def work() -> None:
            if seen := await self._taker.take(raw):
                listed[seen[0]] = seen[1]

        await self._rejects.guard("event", raw, work)


async def _read(parts: AsyncIterator[ListedPart], intake: SourceIntake) -> AsyncIterator[ListedPart]:
    """The parts of a list; an answer that is no JSON is kept as a reject, and the poll fails."""
    try:
        async for part in parts:
            yield part
    except BrokenAnswer as broken:
        await intake.reject("answer", broken.raw, RejectedInput(broken.reason, str(broken)))
        raise


async def _remember(
    before: dict[str, datetime],
    listed: dict[str, datetime],
    complete: bool,
    check: Callable[[str], Awaitable[None]],
) -> dict:
    missing = vanished(before, listed, complete=complete)
    for native in missing[:MOST_CHECKS]:
        await check(native)
    waiting = {native: before[native] for native in missing[MOST_CHECKS:]}
    return {"listed": {native: moment.isoformat() for native, moment in (waiting | listed).items()}}


def _times(place: dict) -> dict[str, datetime]:
    return {native: datetime.fromisoformat(moment) for native, moment in place.get("listed", {}).items()}
