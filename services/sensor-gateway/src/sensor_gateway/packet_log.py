"""The packets seen, each published once: written down, on Kafka, and only then taken."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import NamedTuple

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.producer import Encoded, Producer
from kommunepuls_chassis.store import DocumentStore, Index, Stored
from kommunepuls_chassis.store.conditions import below
from kommunepuls_chassis.store.documents import Document
from kommunepuls_chassis.tracing import current_traceparent
from kommunepuls_events import SensorReadingV1, event_for
from kommunepuls_events.base import utc_now
from kommunepuls_events.topics import SENSOR_READINGS

from sensor_gateway.domain.measurements import Packet
from sensor_gateway.domain.repeats import Seen, is_repeat

SERVICE = "sensor-gateway"
_MOST_AT_ONCE = 256
_FEW = 24
"""So many readings share a batch to Kafka with what is published beside them; more are batches of their own."""
_DONE = {"waiting": False, "readings": []}


class Asked(NamedTuple):
    """A packet to be taken.

    Attributes:
        key: see :func:`~sensor_gateway.domain.repeats.key_of`.
        read: makes the readings; raises RejectedInput.
    """

    key: str
    packet: Packet
    received_at: datetime
    read: Callable[[], list[SensorReadingV1]]


class PacketLog:
    """The packets seen, in the service's store.

    A packet's readings are written down before they are published: what a process that died had not
    published, or not acknowledged, is published again as the very same readings.
    """

    def __init__(
        self,
        store: DocumentStore,
        producer: Producer,
        remember: timedelta,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._producer = producer
        self._remember = remember
        self._now = now
        self._locks = [asyncio.Lock() for _ in range(64)]

    async def open(self) -> None:
        """Make ready, and publish what was written down and perhaps not published."""
        self._packets = await self._store.collection(
            "packets", indexes=[Index("waiting"), Index("kept_until")]
        )
        waiting = await self._packets.find({"waiting": True})
        for start in range(0, len(waiting), _MOST_AT_ONCE):
            part = {one.key: one.document for one in waiting[start : start + _MOST_AT_ONCE]}
            await self._publish(part.keys(), list(_read_back(part.values())))

    async def take(self, asked: Sequence[Asked]) -> list[list[SensorReadingV1] | RejectedInput | None]:
        """Publish each packet's readings once, all together; what became of each, in order: its readings, None if
        it is a repeat, or why it cannot be taken."""
        keys = {one.key for one in asked}
        async with AsyncExitStack() as stack:
            # In one order, so that no two wait for each other.
            for number in sorted({hash(key) % len(self._locks) for key in keys}):
                await stack.enter_async_context(self._locks[number])
            return await self._take(asked, await self._packets.get_many(keys))

    async def _take(
        self, asked: Sequence[Asked], stored: Mapping[str, Stored]
    ) -> list[list[SensorReadingV1] | RejectedInput | None]:
        found: list[list[SensorReadingV1] | RejectedInput | None] = []
        # Of an earlier try that did not come to its end: published along.
        waiting = {key: one.document for key, one in stored.items() if one.document["waiting"]}
        to_publish = list(_read_back(waiting.values()))
        written: dict[str, Document] = {}
        seen = {key: _seen(one.document) for key, one in stored.items()}
        kept_until = self._now() + self._remember
        for one in asked:
            known = seen.get(one.key)
            if known and is_repeat(known, one.packet, one.received_at):
                found.append(None)
                continue
            try:
                readings = one.read()
            except RejectedInput as rejected:
                found.append(rejected)
                continue
            found.append(readings)
            texts = [reading.to_json() for reading in readings]
            to_publish += zip(readings, texts, strict=True)
            earlier = written.get(one.key) or waiting.get(one.key)
            document = written[one.key] = {
                "digest": one.packet.digest,
                "observed_at": one.packet.observed_at or one.received_at,
                "waiting": True,
                "kept_until": kept_until,
                "readings": (earlier["readings"] if earlier else []) + [text.decode() for text in texts],
            }
            seen[one.key] = _seen(document)
        if written:
            await self._packets.put_many(written.items())
        await self._publish(written.keys() | waiting.keys(), to_publish)
        return found

    async def _publish(self, keys: Set[str], readings: Sequence[tuple[SensorReadingV1, bytes]]) -> None:
        """Publish what is written down under these keys, and write down that it is."""
        if not keys:
            return
        if len(readings) <= _FEW:
            await self._producer.publish(*(reading for reading, _ in readings))
        else:
            await self._producer.publish_many(SENSOR_READINGS, _records(readings))
        await self._packets.patch_many((key, _DONE) for key in keys)

    async def forget(self) -> None:
        """Delete what need not be remembered any longer."""
        await self._packets.delete_where({"waiting": False, "kept_until": below(self._now())})


def _records(readings: Iterable[tuple[SensorReadingV1, bytes]]) -> Iterator[Encoded]:
    """Readings with their JSON, as events of the trace that is worked on."""
    trace, now = current_traceparent(), utc_now()
    for reading, value in readings:
        event = event_for(reading, producer=SERVICE, traceparent=trace, time=now)
        yield Encoded(SENSOR_READINGS.key_of(reading).encode(), value, event.headers())


def _read_back(documents: Iterable[Document]) -> Iterator[tuple[SensorReadingV1, bytes]]:
    for document in documents:
        for text in document["readings"]:
            yield SensorReadingV1.model_validate_json(text), text.encode()


def _seen(document: Document) -> Seen:
    return Seen(document["digest"], document["observed_at"])
