"""Looking on at the topics: everything that the services publish, from outside of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.partitioner import murmur2
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import ContentItemV1, DeliveryV1, Event, MatchV2, SubscriberProfileV1
from kommunepuls_events.base import Message
from kommunepuls_events.dead_letters import DeadLetter
from kommunepuls_events.topics import TOPICS, dead_letter_topics

Kind = TypeVar("Kind", bound=Message)


def partition_of(key: str, partitions: int) -> int:
    """The partition that Kafka's own partitioner puts a key into."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


@dataclass
class Topics:
    """What was published so far.

    Attributes:
        events: those of the contract, with their envelopes, in the order seen.
        refused: dead letters and rejects: topic, why, bytes.
    """

    events: list[Event] = field(default_factory=list)
    refused: list[tuple[str, DeadLetter, bytes]] = field(default_factory=list)

    def of(self, contract: type[Kind], where: Callable[[Kind], bool] = lambda _: True) -> list[Kind]:
        """The messages of one contract."""
        return [event.data for event in self.events if isinstance(event.data, contract) and where(event.data)]

    def items(self, source: str) -> list[ContentItemV1]:
        """The revisions of a source's items."""
        return self.of(ContentItemV1, lambda item: item.source == source)

    def recipients(self, item: str, revision: int) -> set[str]:
        """Whom a revision was matched with."""
        found = self.of(MatchV2, lambda match: match.item.id == item and match.item.revision == revision)
        return {subscriber for match in found for subscriber, _ in match.each()}

    def reasons(self, item: str, revision: int, subscriber: str) -> list[str]:
        """The types of reason for which one resident was matched."""
        found = self.of(MatchV2, lambda match: match.item.id == item and match.item.revision == revision)
        return next(
            (
                [reason.type.value for reason in reasons]
                for match in found
                for recipient, reasons in match.each()
                if recipient == subscriber
            ),
            [],
        )

    def deliveries(self, item: str, revision: int) -> list[DeliveryV1]:
        """What became of the messages about a revision."""
        return self.of(DeliveryV1, lambda one: one.item == item and one.revision == revision)

    def has_profile(self, subscriber: str, where: Callable[[SubscriberProfileV1], bool]) -> bool:
        """Whether a profile was published that is like this."""
        return bool(self.of(SubscriberProfileV1, lambda one: one.subscriber == subscriber and where(one)))

    def trace_ids(self, contract: type[Message], where: Callable[[Message], bool]) -> set[str | None]:
        """The trace ids of the events that carry these messages."""
        return {
            event.traceparent.split("-")[1] if event.traceparent else None
            for event in self.events
            if isinstance(event.data, contract) and where(event.data)
        }


async def forget_topics(bootstrap: str) -> None:
    """Delete our topics, and with them what groups have read of them, from a broker that others may have used."""
    names = {topic.name for topic in (*TOPICS, *dead_letter_topics())}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        if there := names & set(await admin.list_topics()):
            await admin.delete_topics(list(there))

        async def gone() -> bool:
            return not names & set(await admin.list_topics())

        await eventually(gone, what="the topics to be gone")
    finally:
        await admin.close()


@asynccontextmanager
async def watched_topics(bootstrap: str) -> AsyncIterator[Topics]:
    """The topics, read from their beginning while inside; as no member of any group."""
    topics = Topics()
    names = [*TOPICS, *dead_letter_topics()]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
        retry_backoff_ms=100,
        max_partition_fetch_bytes=7_340_032,
    )
    await consumer.start()
    consumer.assign(
        [TopicPartition(topic.name, number) for topic in names for number in range(topic.partitions)]
    )
    task = asyncio.create_task(_follow(consumer, topics))
    try:
        yield topics
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await consumer.stop()


async def _follow(consumer: AIOKafkaConsumer, topics: Topics) -> None:
    contracts = {topic.name for topic in TOPICS if topic.contract}
    while True:
        for partition, records in (await consumer.getmany(timeout_ms=200)).items():
            for record in records:
                if partition.topic in contracts:
                    if record.value is not None:
                        topics.events.append(Event.decode(record.value, record.headers))
                elif partition.topic != "replays.v1":
                    letter = DeadLetter.from_headers(record.headers)
                    topics.refused.append((partition.topic, letter, record.value or b""))
