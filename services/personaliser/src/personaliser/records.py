"""Records as they come from a topic, and sending what comes of them: nothing is lost, nothing blocks."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from aiokafka.errors import (
    InvalidMessageError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import DEAD_LETTERS, RETRIES
from kommunepuls_events import Event, MalformedEvent, Topic
from kommunepuls_events.dead_letters import DeadLetter
from kommunepuls_events.event import Headers

SERVICE = "personaliser"
_HOPELESS = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidMessageError)
_DELAYS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 10, 10, 10, 10)
_EVENTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record as bytes."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Publisher(Protocol):
    """What is needed of the chassis' ``EventProducer``."""

    async def publish_events(self, events: Iterable[Event], *, partition: int | None = None) -> None:
        """Publish events in order; returns when all are acknowledged."""

    async def publish_raw(self, topic: str, key: str, value: bytes | None, headers: Headers = ()) -> None:
        """Publish bytes as they are."""


def decoded(topic: Topic, record: Record) -> Event:
    """The event of a record.

    Raises:
        MalformedEvent: if it is none, or does not belong on its topic.
    """
    event = Event.decode(record.value, record.headers)
    if not isinstance(event.data, topic.contract):
        raise MalformedEvent("wrong-topic", f"{event.type} does not belong here")
    if topic.key_of is not None and topic.key_of(event.data).encode() != record.key:
        raise MalformedEvent("wrong-key", f"the key is not the {topic.key}")
    return event


class DeadLetters:
    """Puts records that cannot be taken aside, with the reason."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._log = get_logger()

    async def bury(self, topic: Topic, record: Record, reason: str, detail: str) -> None:
        """Returns when the dead letter is acknowledged."""
        DEAD_LETTERS.labels(topic.name, reason).inc()
        origin = {"topic": topic.name, "partition": record.partition, "offset": record.offset}
        self._log.warning("dead_letter", reason=reason, detail=detail, **origin)
        letter = DeadLetter(reason=reason, detail=detail, service=SERVICE, **origin)
        await persistently(
            lambda: self._publisher.publish_raw(
                topic.dead_letter_topic,
                (record.key or b"").decode(errors="replace"),
                record.value,
                letter.headers(record.headers),
            )
        )


async def persistently(publish: Callable[[], Awaitable[None]]) -> None:
    """Publish, again if the cluster does not answer.

    Raises:
        KafkaError: if the record itself is refused, or if a minute of trying did not help; then the
            process had better start anew, and what was not acknowledged is done again.
    """
    for delay in _DELAYS:
        try:
            await publish()
            return
        except _HOPELESS:
            raise
        except KafkaError as error:
            RETRIES.labels("publish").inc()
            get_logger().warning("publish_retried", error=type(error).__name__, delay_seconds=delay)
            await asyncio.sleep(delay)
    await publish()


class Outbox:
    """Events on their way out, each with the record it came of; sent together, awaited together."""

    def __init__(self, topic: Topic, publisher: Publisher, dead_letters: DeadLetters) -> None:
        self._topic = topic
        self._publisher = publisher
        self._dead_letters = dead_letters
        self._waiting: list[tuple[Record, Event, int | None]] = []

    async def add(self, record: Record, event: Event, *, partition: int | None = None) -> None:
        """Add an event; sends what waits when that is much. ``partition`` overrides the key's."""
        self._waiting.append((record, event, partition))
        if len(self._waiting) >= _EVENTS_AT_ONCE:
            await self.send()

    async def send(self) -> None:
        """Send what waits; returns when all is acknowledged or the record put aside that it came of."""
        waiting, self._waiting = self._waiting, []
        try:
            await self._send(waiting)
        except _HOPELESS:
            refused: dict[tuple[str, int, int], tuple[Record, str]] = {}
            for one in waiting:
                record = one[0]
                try:
                    await self._send([one])
                except _HOPELESS as error:
                    refused[record.topic, record.partition, record.offset] = record, type(error).__name__
            for record, error in refused.values():
                await self._dead_letters.bury(
                    self._topic, record, "refused-by-kafka", f"what comes of it is refused: {error}"
                )

    async def _send(self, waiting: list[tuple[Record, Event, int | None]]) -> None:
        by_partition: dict[int | None, list[Event]] = {}
        for _, event, partition in waiting:
            by_partition.setdefault(partition, []).append(event)
        await asyncio.gather(
            *(
                persistently(lambda e=events, p=partition: self._publisher.publish_events(e, partition=p))
                for partition, events in by_partition.items()
            )
        )
