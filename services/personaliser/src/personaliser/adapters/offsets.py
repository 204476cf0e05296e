"""Questions about offsets and partitions, on connections of their own.

A broker answers a connection's requests one after the other: asked on the connection of a consumer that
waits for records, the end of a log would come only when that wait is over.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError
from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.kafka import client_options
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_events import Topic
from kommunepuls_events.topics import PROFILES

from personaliser.records import SERVICE, persistently


class Offsets:
    """What the cluster knows of partitions."""

    def __init__(self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient) -> None:
        self._consumer = consumer
        self._admin = admin

    async def profile_ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """Where the profile log ends now, by partition; asks again while the cluster does not answer."""
        wanted = [TopicPartition(PROFILES.name, partition) for partition in partitions]
        found: dict[int, int] = {}

        async def ask() -> None:
            ends = await self._consumer.end_offsets(wanted)
            found.update({one.partition: end for one, end in ends.items()})

        await persistently(ask)
        return found

    async def ends(self, topic: Topic, partitions: Iterable[int]) -> dict[int, int]:
        """The offset after the last record, by partition."""
        found = await self._consumer.end_offsets([TopicPartition(topic.name, one) for one in partitions])
        return {one.partition: end for one, end in found.items()}

    async def beginnings(self, topic: Topic, partitions: Iterable[int]) -> dict[int, int]:
        """The offset of the first record kept, by partition."""
        found = await self._consumer.beginning_offsets(
            [TopicPartition(topic.name, one) for one in partitions]
        )
        return {one.partition: beginning for one, beginning in found.items()}

    async def since(self, topic: Topic, partitions: Iterable[int], timestamp: float) -> dict[int, int | None]:
        """The first offset at or after a Unix time in seconds; None if there is no record since."""
        wanted = {TopicPartition(topic.name, one): int(timestamp * 1000) for one in partitions}
        found = await self._consumer.offsets_for_times(wanted)
        return {one.partition: at.offset if at is not None else None for one, at in found.items()}

    async def committed(self, topic: Topic, partitions: Iterable[int]) -> dict[int, int | None]:
        """What the personaliser has committed, by partition; None where it never did."""
        wanted = [TopicPartition(topic.name, one) for one in partitions]
        found = await self._admin.list_consumer_group_offsets(SERVICE, partitions=wanted)
        return {
            one.partition: found[one].offset if one in found and found[one].offset >= 0 else None
            for one in wanted
        }

    async def partition_count(self, topic: Topic) -> int:
        """How many partitions a topic has.

        Raises:
            OperatorError: if there is no such topic.
        """
        (described,) = await self._admin.describe_topics([topic.name])
        if not described["partitions"]:
            raise OperatorError(
                f"there is no topic {topic.name}; create the topics with python -m kommunepuls_chassis.topics"
            )
        return len(described["partitions"])


@asynccontextmanager
async def open_offsets(settings: ServiceSettings) -> AsyncIterator[Offsets]:
    """Connect.

    Raises:
        OperatorError: if no broker answers.
    """
    consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False)
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await consumer.start()
        await admin.start()
    except KafkaConnectionError:
        await consumer.stop()
        await admin.close()
        raise OperatorError(
            f"no Kafka broker answers at {settings.kafka_bootstrap} (KP_KAFKA_BOOTSTRAP)"
        ) from None
    try:
        yield Offsets(consumer, admin)
    finally:
        await consumer.stop()
        await admin.close()
