"""Short ways to topics, records and waiting, for tests that start brokers of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import ConsumerRecord


async def create_topic(address: str, name: str, partitions: int = 1, **configs: str) -> None:
    """Creates a topic; in the names of its settings `_` stands for `.`."""
    settings = {key.replace("_", "."): value for key, value in configs.items()}
    async with admin_of(address) as admin:
        answer = await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=settings)])
    assert answer.topic_errors[0][1] == 0, answer.topic_errors


@asynccontextmanager
async def admin_of(address: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def producer_to(address: str, **options: object) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=address, **options)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def read_all(address: str, topic: str) -> list[ConsumerRecord]:
    """Every record that the topic holds now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    await consumer.start()
    records: list[ConsumerRecord] = []
    try:
        numbers = consumer.partitions_for_topic(topic) or await _partitions(address, topic)
        partitions = [TopicPartition(topic, number) for number in numbers]
        ends = await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=100)).values():
                records += batch
    finally:
        await consumer.stop()
    return records


async def _partitions(address: str, topic: str) -> list[int]:
    async with admin_of(address) as admin:
        (described,) = await admin.describe_topics([topic])
    return [partition["partition"] for partition in described["partitions"]]


@pytest.fixture(name="create_topic")
def create_topic_fixture():
    return create_topic


@pytest.fixture(name="admin_of")
def admin_of_fixture():
    return admin_of


@pytest.fixture(name="producer_to")
def producer_to_fixture():
    return producer_to


@pytest.fixture(name="read_all")
def read_all_fixture():
    return read_all
