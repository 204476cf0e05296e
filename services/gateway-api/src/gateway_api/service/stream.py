"""The live stream of one process: what its own reading of the topics brings, to every open connection.

Each process reads the topics for itself, so each sees every event, and an event's id is its place in
Kafka, so a client that comes back to another process goes on where it was.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from kommunepuls_chassis.metrics import STREAM_CLIENTS

from gateway_api.domain import stream_position
from gateway_api.domain.pulse import PulseEvent

_QUEUE = 500


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it goes out, with the position behind it."""

    id: str
    event: PulseEvent


POSITION = "position"
"""Told first to a client that comes without a position: where it stands before anything happens."""
RESET = "reset"
"""What the client missed is no longer kept: it must read the pulse anew."""


_Partition = tuple[str, int]


class StreamHub:
    """Keeps the newest events of each partition and hands on what comes."""

    def __init__(self, *, backlog: int) -> None:
        self._backlog: dict[_Partition, deque[tuple[int, int, PulseEvent]]] = defaultdict(
            lambda: deque(maxlen=backlog)
        )
        self._begin: dict[_Partition, int] = {}
        self._next: dict[_Partition, int] = {}
        self._order = 0
        self._clients: set[asyncio.Queue[Told | None]] = set()
        self._closed = False

    def begin(self, topic: str, partition: int, offset: int) -> None:
        """A partition is read from this offset on."""
        self._begin[(topic, partition)] = self._next[(topic, partition)] = offset

    def tell(self, topic: str, partition: int, offset: int, event: PulseEvent | None) -> None:
        """A record was read; ``event`` is None when there is nothing to tell of it."""
        where = (topic, partition)
        self._next[where] = offset + 1
        if event is None:
            return
        backlog = self._backlog[where]
        if len(backlog) == backlog.maxlen:
            self._begin[where] = backlog[0][0] + 1
        self._order += 1
        backlog.append((offset, self._order, event))
        told = Told(stream_position.written(self._next), event)
        for queue in list(self._clients):
            try:
                queue.put_nowait(told)
            except asyncio.QueueFull:
                # Too slow: it is let go and comes back with its position.
                self._clients.discard(queue)
                queue.get_nowait()
                queue.put_nowait(None)

    async def follow(self, municipality: str, last_event_id: str | None) -> AsyncIterator[Told]:
        """Events of a municipality: first those after the position, if there is one, then as they come."""
        queue: asyncio.Queue[Told | None] = asyncio.Queue(_QUEUE)
        # Nothing is awaited between the two lines, so that no event falls between them.
        missed = self._missed(last_event_id)
        self._clients.add(queue)
        STREAM_CLIENTS.inc()
        try:
            for told in missed:
                if told.event.municipality in (municipality, ""):
                    yield told
            while not self._closed and (told := await queue.get()) is not None:
                if told.event.municipality == municipality:
                    yield told
        finally:
            self._clients.discard(queue)
            STREAM_CLIENTS.dec()

    def _missed(self, last_event_id: str | None) -> list[Told]:
        here = stream_position.written(self._next)
        if not last_event_id:
            return [Told(here, PulseEvent("", POSITION, {}))] if here else []
        position = stream_position.read(last_event_id)
        # A position ahead of ours is no gap: this process has yet to read what another has told.
        if position is None or any(position.get(where, 0) < begin for where, begin in self._begin.items()):
            return [Told(here, PulseEvent("", RESET, {}))]
        found = sorted(
            (order, where, offset, event)
            for where, backlog in self._backlog.items()
            for offset, order, event in backlog
            if offset >= position.get(where, 0)
        )
        told, reached = [], dict(position)
        for _, where, offset, event in found:
            reached[where] = offset + 1
            told.append(Told(stream_position.written(reached), event))
        return told

    def close(self) -> None:
        """End all streams, so that the process can stop."""
        self._closed = True
        for queue in self._clients:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)
        self._clients = set()
