"""Publishing: keyed, idempotent, awaited in batches."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from kommunepuls_events import Event, Topic, event_for, topic_for
from kommunepuls_events.base import Message
from kommunepuls_events.event import Headers

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.kafka import client_options
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import RECORDS_PUBLISHED
from kommunepuls_chassis.partitions import partition_of
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.tracing import current_traceparent

FLUSH_SECONDS = 8.0
"""How long a stopping service waits for Kafka to take what was sent."""


class Encoded(NamedTuple):
    """An event as it goes to Kafka: key, value and headers in the binary mode of CloudEvents."""

    key: bytes
    value: bytes
    headers: Headers


class Producer(Protocol):
    """What services publish with: :class:`EventProducer`, or a recording fake in unit tests."""

    async def publish(self, *messages: Message, traces: Sequence[str | None] | None = None) -> None:
        """Publish messages to the topics of their contracts; returns when all are acknowledged.

        `traces` are their traceparents, where they belong to different traces; else the current one's.
        """

    async def publish_raw(
        self,
        topic: str,
        key: str,
        value: bytes | None,
        headers: Headers = (),
        *,
        partition: int | None = None,
    ) -> None:
        """Publish bytes as they are (rejects, replays, dead letters, tombstones)."""

    async def look_up(self, topic: Topic, keys: Iterable[str]) -> None:
        """Work out where records with these keys go while there is time, for `publish_many`."""

    async def publish_many(self, topic: Topic, records: Iterable[Encoded]) -> None:
        """Publish many events that the caller has encoded; returns when all are acknowledged.

        It costs a fifth of `publish`. Order is kept for each key within a call, not with other calls that are
        under way.
        """


class EventProducer:
    """A :class:`Producer` on aiokafka."""

    def __init__(self, service: str, client: AIOKafkaProducer) -> None:
        self._service = service
        self._client = client

    async def publish(self, *messages: Message, traces: Sequence[str | None] | None = None) -> None:
        """See :meth:`Producer.publish`. Order is kept for each key."""
        if traces is None:
            traces = [current_traceparent()] * len(messages)
        await self.publish_events(
            event_for(message, producer=self._service, traceparent=trace)
            for message, trace in zip(messages, traces, strict=True)
        )

    async def publish_events(self, events: Iterable[Event], *, partition: int | None = None) -> None:
        """Publish events whose envelope was made by the caller; ``partition`` overrides the key's."""
        waiting = []
        for event in events:
            topic = topic_for(event.data)
            key = topic.key_of(event.data).encode() if topic.key_of else None
            waiting.append(
                await self._client.send(
                    topic.name, event.value(), key=key, headers=event.headers(), partition=partition
                )
            )
            RECORDS_PUBLISHED.labels(topic.name).inc()
        # Awaiting the batch, not each record: 155 against tens of thousands a second.
        await asyncio.gather(*waiting)

    async def publish_raw(
        self,
        topic: str,
        key: str,
        value: bytes | None,
        headers: Headers = (),
        *,
        partition: int | None = None,
    ) -> None:
        """See :meth:`Producer.publish_raw`."""
        await self._client.send_and_wait(
            topic, value, key=key.encode() if key else None, headers=list(headers), partition=partition
        )
        RECORDS_PUBLISHED.labels(topic).inc()

    async def look_up(self, topic: Topic, keys: Iterable[str]) -> None:
        """See :meth:`Producer.look_up`. With Kafka away it is left for later."""
        try:
            partitions = len(await self._client.partitions_for(topic.name))
        except KafkaError:
            return
        for key in keys:
            partition_of(key.encode(), partitions)

    async def publish_many(self, topic: Topic, records: Iterable[Encoded]) -> None:
        """See :meth:`Producer.publish_many`: batches are made here, not a future for each record."""
        partitions = len(await self._client.partitions_for(topic.name))
        batches: dict[int, BatchBuilder] = {}
        sent: list[Awaitable] = []
        now, count = time.time_ns() // 1_000_000, 0
        for key, value, headers in records:
            partition = partition_of(key, partitions)
            batch = batches.get(partition)
            if batch is None:
                batch = batches[partition] = self._client.create_batch()
            if batch.append(timestamp=now, key=key, value=value, headers=headers) is None:  # it is full
                sent.append(await self._client.send_batch(batch, topic.name, partition=partition))
                batch = batches[partition] = self._client.create_batch()
                batch.append(timestamp=now, key=key, value=value, headers=headers)
            count += 1
        for partition, batch in batches.items():
            sent.append(await self._client.send_batch(batch, topic.name, partition=partition))
        await asyncio.gather(*sent)
        RECORDS_PUBLISHED.labels(topic.name).inc(count)

    async def tombstone(self, topic: Topic, key: str) -> None:
        """Erase a key from a compacted topic."""
        await self.publish_raw(topic.name, key, None)


@asynccontextmanager
async def open_producer(service: str, settings: ServiceSettings) -> AsyncIterator[EventProducer]:
    """Connect; on leaving, what was sent is flushed.

    Raises:
        OperatorError: if no broker answers.
    """
    client = AIOKafkaProducer(
        **client_options(settings),
        enable_idempotence=True,
        acks="all",
        linger_ms=2,
        max_batch_size=1_000_000,
        max_request_size=6_356_992,
    )
    try:
        await client.start()
    except KafkaConnectionError:
        await client.stop()
        raise OperatorError(
            f"no Kafka broker answers at {settings.kafka_bootstrap} (KP_KAFKA_BOOTSTRAP)"
        ) from None
    try:
        yield EventProducer(service, client)
    finally:
        # With Kafka away the client would wait for it for good; what was not acknowledged is not committed
        # either, and is done again after the start.
        try:
            await asyncio.wait_for(client.stop(), FLUSH_SECONDS)
        except TimeoutError:
            get_logger().warning("producer_not_flushed", seconds=FLUSH_SECONDS)
