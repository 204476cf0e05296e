"""Consuming: decode inside the guard, retry, dead letter, commit after the effect."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaConnectionError, KafkaError
from kommunepuls_events import Event, MalformedEvent, Topic
from kommunepuls_events.dead_letters import DeadLetter

from kommunepuls_chassis.errors import (
    OperatorError,
    PermanentError,
    RejectedInput,
    ThrottledError,
    TransientError,
)
from kommunepuls_chassis.health import Component, Health
from kommunepuls_chassis.kafka import client_options
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import (
    CONSUMER_LAG,
    DEAD_LETTERS,
    HANDLING_SECONDS,
    RECORDS_CONSUMED,
    RETRIES,
)
from kommunepuls_chassis.producer import Producer
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.tracing import span

LEAVE_SECONDS = 5.0
_BUSY_MILLISECONDS = 20
_BYTES_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Received:
    """One record as handlers get it. ``event`` is None for a tombstone and for raw topics."""

    topic: str
    partition: int
    offset: int
    key: str
    event: Event | None
    raw: ConsumerRecord


Handler = Callable[[Sequence[Received]], Awaitable[None]]
"""Takes records of one partition in order. It must be safe to call again with the same records."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a record is tried, and how long is waited between (doubling, in seconds)."""

    attempts: int = 6
    first_delay: float = 0.2
    longest_delay: float = 10.0

    def delay(self, attempt: int) -> float:
        """Seconds to wait after the given attempt (1-based)."""
        return min(self.first_delay * 2 ** (attempt - 1), self.longest_delay)


class _Ready(ConsumerRebalanceListener):
    """Ready is who has joined the group, though more members than partitions leave some without any."""

    def __init__(self, health: Component) -> None:
        self._health = health

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """A rebalance begins; nothing to do, since what is not committed is handled again."""

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """A rebalance is done."""
        self._health.beat(ready=True)


class EventConsumer:
    """Reads topics as a member of a group until cancelled.

    A batch that fails is taken apart and handled record by record; a record that stays impossible goes
    to the topic's dead letters with reason, origin, attempts and its bytes, and the partition goes on.
    Offsets are committed only for what was handled or dead-lettered.
    """

    def __init__(
        self,
        service: str,
        settings: ServiceSettings,
        producer: Producer,
        handlers: dict[Topic, Handler],
        *,
        health: Health,
        group: str | None = None,
        retry: RetryPolicy = RetryPolicy(),
        batch: int = 500,
    ) -> None:
        self._service = service
        self._settings = settings
        self._producer = producer
        self._handlers = {topic.name: (topic, handler) for topic, handler in handlers.items()}
        self._group = group or service
        self._retry = retry
        self._batch = batch
        self._health = health.component(f"consumer {self._group}")
        self._measured: set[TopicPartition] = set()
        self._log = get_logger().bind(group=self._group)

    async def run(self) -> None:
        """Consume until cancelled.

        Raises:
            OperatorError: if no broker answers at the start.
        """
        session = int(self._settings.kafka_session_seconds * 1000)
        consumer = AIOKafkaConsumer(
            **client_options(self._settings),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=session,
            heartbeat_interval_ms=max(session // 6, 300),
            rebalance_timeout_ms=session,
            max_partition_fetch_bytes=7_340_032,
            fetch_max_wait_ms=250,
        )
        consumer.subscribe(list(self._handlers), listener=_Ready(self._health))
        try:
            await consumer.start()
        except KafkaConnectionError:
            await consumer.stop()
            bootstrap = self._settings.kafka_bootstrap
            raise OperatorError(f"no Kafka broker answers at {bootstrap} (KP_KAFKA_BOOTSTRAP)") from None
        try:
            await self._consume(consumer)
        finally:
            self._health.down()
            with contextlib.suppress(TimeoutError):
                # Leaving the group is a courtesy: without it the group notices after the session time.
                await asyncio.wait_for(consumer.stop(), LEAVE_SECONDS)

    async def _consume(self, consumer: AIOKafkaConsumer) -> None:
        """Each partition goes on by itself: one with much to do holds no other up."""
        busy: dict[TopicPartition, asyncio.Task] = {}
        try:
            while True:
                for partition in [partition for partition, task in busy.items() if task.done()]:
                    busy.pop(partition).result()
                self._health.beat()
                self._forget_lag(consumer.assignment())
                free = [partition for partition in consumer.assignment() if partition not in busy]
                if busy and not free:
                    await asyncio.wait(busy.values(), timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
                    continue
                wait = _BUSY_MILLISECONDS if busy else 500
                taken = await consumer.getmany(*free, timeout_ms=wait, max_records=self._batch)
                for partition, records in taken.items():
                    busy[partition] = asyncio.create_task(self._take_all(consumer, partition, records))
        finally:
            for task in busy.values():
                task.cancel()
            await asyncio.gather(*busy.values(), return_exceptions=True)

    async def _take_all(
        self, consumer: AIOKafkaConsumer, partition: TopicPartition, records: list[ConsumerRecord]
    ) -> None:
        """Large records a few at a time, so that what is urgent elsewhere gets its turn in between."""
        part, size = [], 0
        for record in records:
            part.append(record)
            size += len(record.value or b"")
            if size >= _BYTES_AT_ONCE:
                await self._take(consumer, partition, part)
                part, size = [], 0
                await asyncio.sleep(0)
        if part:
            await self._take(consumer, partition, part)

    async def _take(
        self, consumer: AIOKafkaConsumer, partition: TopicPartition, records: list[ConsumerRecord]
    ) -> None:
        topic, handler = self._handlers[partition.topic]
        began = time.monotonic()
        received = [one for record in records if (one := await self._decoded(topic, record)) is not None]
        if received:
            await self._handle(topic, handler, received)
        RECORDS_CONSUMED.labels(topic.name, self._group).inc(len(records))
        try:
            await consumer.commit({partition: records[-1].offset + 1})
        except (CommitFailedError, IllegalStateError):
            # The partition moved meanwhile: its new owner handles these again, which handlers allow for.
            self._log.info("commit_overtaken_by_rebalance", topic=topic.name, partition=partition.partition)
        except KafkaError as error:
            self._log.warning("commit_failed", topic=topic.name, error=type(error).__name__)
        HANDLING_SECONDS.labels(topic.name).observe(time.monotonic() - began)
        if (end := consumer.highwater(partition)) is not None:
            CONSUMER_LAG.labels(topic.name, partition.partition).set(max(0, end - records[-1].offset - 1))
            self._measured.add(partition)

    def _forget_lag(self, assigned: frozenset[TopicPartition]) -> None:
        """Stop reporting the lag of partitions that moved: it would stand as it was for good."""
        for gone in self._measured - assigned:
            CONSUMER_LAG.remove(gone.topic, gone.partition)
        self._measured &= assigned

    async def _decoded(self, topic: Topic, record: ConsumerRecord) -> Received | None:
        event = None
        key = (record.key or b"").decode(errors="replace")
        if topic.contract is not None and not (record.value is None and topic.compacted):
            try:
                event = Event.decode(record.value, record.headers)
                if not isinstance(event.data, topic.contract):
                    raise MalformedEvent("wrong-topic", f"{event.type} does not belong here")
                if topic.key_of is not None and topic.key_of(event.data) != key:
                    raise MalformedEvent("wrong-key", f"the key is not the {topic.key}")
            except MalformedEvent as error:
                await self._bury(topic, record, error.reason, error.detail, attempts=1)
                return None
        return Received(record.topic, record.partition, record.offset, key, event, record)

    async def _handle(self, topic: Topic, handler: Handler, received: list[Received]) -> None:
        if len(received) > 1:
            try:
                with span():
                    await handler(received)
                return
            except Exception as error:
                self._log.info(
                    "batch_taken_apart", topic=topic.name, size=len(received), error=type(error).__name__
                )
        for one in received:
            await self._handle_one(topic, handler, one)

    async def _handle_one(self, topic: Topic, handler: Handler, one: Received) -> None:
        log = self._log.bind(topic=one.topic, partition=one.partition, offset=one.offset)
        for attempt in range(1, self._retry.attempts + 1):
            try:
                with span(one.event.traceparent if one.event else None):
                    await handler([one])
                return
            except (PermanentError, RejectedInput) as error:
                await self._bury(topic, one.raw, error.reason, str(error), attempts=attempt)
                return
            except Exception as error:
                reason = error.reason if isinstance(error, TransientError) else "handler-error"
                if attempt == self._retry.attempts:
                    log.exception("record_given_up", attempt=attempt)
                    await self._bury(
                        topic, one.raw, reason, f"{type(error).__name__}: {error}", attempts=attempt
                    )
                    return
                delay = (
                    error.delay_seconds if isinstance(error, ThrottledError) else self._retry.delay(attempt)
                )
                log.warning(
                    "record_retried",
                    attempt=attempt,
                    delay_seconds=delay,
                    error=f"{type(error).__name__}: {error}",
                )
                RETRIES.labels(topic.name).inc()
                self._health.beat()
                await asyncio.sleep(delay)

    async def _bury(
        self, topic: Topic, record: ConsumerRecord, reason: str, detail: str, *, attempts: int
    ) -> None:
        letter = DeadLetter(
            reason=reason,
            detail=detail,
            service=self._service,
            attempts=attempts,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
        )
        DEAD_LETTERS.labels(record.topic, reason).inc()
        self._log.warning(
            "dead_letter",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason,
            detail=detail,
        )
        if topic.dead_letter_topic:
            key = (record.key or b"").decode(errors="replace")
            await self._producer.publish_raw(
                topic.dead_letter_topic, key, record.value, letter.headers(record.headers)
            )
