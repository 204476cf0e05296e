"""The broker under test, and clients of it. One suite for the embedded broker and Apache Kafka.

With KP_KAFKA_BOOTSTRAP the suite runs against that address alone; without it against a fresh
embedded broker and, for the tests' `kafka` variants (`-m kafka`), against Apache Kafka.
"""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import ConsumerRecord
from kommunepuls_devbroker.apache_kafka import BOOTSTRAP_VARIABLE, NoKafkaError, kafka_under_test
from kommunepuls_devbroker.testing import broker_process, eventually

EMBEDDED = pytest.param("embedded", marks=pytest.mark.integration)
KAFKA = pytest.param("kafka", marks=[pytest.mark.integration, pytest.mark.kafka])


@dataclass(frozen=True)
class BrokerUnderTest:
    address: str
    is_embedded: bool


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "broker" in metafunc.fixturenames:
        variants = [KAFKA] if os.environ.get(BOOTSTRAP_VARIABLE) else [EMBEDDED, KAFKA]
        metafunc.parametrize("broker", variants, indirect=True, scope="session")


@pytest.fixture(scope="session")
def broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrokerUnderTest]:
    if request.param == "embedded":
        data = tmp_path_factory.mktemp("broker") / "data"
        with broker_process(data, "--housekeeping-interval", "0.2") as process:
            yield BrokerUnderTest(process.address, is_embedded=True)
        return
    try:
        with kafka_under_test() as kafka:
            yield BrokerUnderTest(kafka.bootstrap, is_embedded=False)
    except NoKafkaError as reason:
        pytest.skip(str(reason))


class Clients:
    """Opens clients of the broker under test; all are closed when the test ends."""

    def __init__(self, address: str, stack: AsyncExitStack) -> None:
        self.address = address
        self._stack = stack
        self.admin: AIOKafkaAdminClient

    async def start(self) -> None:
        self.admin = AIOKafkaAdminClient(bootstrap_servers=self.address, request_timeout_ms=15_000)
        await self.admin.start()
        self._stack.push_async_callback(self.admin.close)

    async def topic(self, partitions: int = 1, **configs: str) -> str:
        """A new topic; in the names of its settings `_` stands for `.`."""
        name = f"contract-{uuid.uuid4().hex[:12]}"
        settings = {key.replace("_", "."): value for key, value in configs.items()}
        answer = await self.admin.create_topics([NewTopic(name, partitions, 1, topic_configs=settings)])
        assert answer.topic_errors[0][1] == 0, answer.topic_errors
        await eventually(lambda: self._has_leaders(name, partitions))
        return name

    async def _has_leaders(self, name: str, partitions: int) -> bool:
        (described,) = await self.admin.describe_topics([name])
        leaders = [partition["leader"] for partition in described["partitions"]]
        return len(leaders) == partitions and all(leader >= 0 for leader in leaders)

    async def producer(self, **options: Any) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.address, **{"request_timeout_ms": 15_000, **options}
        )
        await producer.start()
        self._stack.push_async_callback(producer.stop)
        return producer

    async def consumer(self, *topics: str, **options: Any) -> AIOKafkaConsumer:
        settings: dict[str, Any] = {
            "auto_offset_reset": "earliest",
            "enable_auto_commit": False,
            "session_timeout_ms": 6_000,
            "heartbeat_interval_ms": 500,
            "rebalance_timeout_ms": 6_000,
            "fetch_max_wait_ms": 100,
        }
        consumer = AIOKafkaConsumer(*topics, bootstrap_servers=self.address, **{**settings, **options})
        await consumer.start()
        self._stack.push_async_callback(consumer.stop)
        return consumer

    async def send(self, topic: str, *values: bytes | None, **options: Any) -> list[int]:
        """Sends the values to partition 0 in one go and returns their offsets."""
        producer = await self.producer()
        sent = [await producer.send(topic, value, partition=0, **options) for value in values]
        return [metadata.offset for metadata in await asyncio.gather(*sent)]

    async def read(self, topic: str, count: int, **options: Any) -> list[ConsumerRecord]:
        """Reads the topic from its start until there are `count` records."""
        consumer = await self.consumer(topic, **options)
        return await take(consumer, count)

    async def start_offset(self, topic: str) -> int:
        consumer = await self.consumer()
        partition = TopicPartition(topic, 0)
        return (await consumer.beginning_offsets([partition]))[partition]


async def take(consumer: AIOKafkaConsumer, count: int, seconds: float = 30.0) -> list[ConsumerRecord]:
    """The next `count` records of the consumer; fails when they do not come in time."""
    records: list[ConsumerRecord] = []
    async with asyncio.timeout(seconds):
        while len(records) < count:
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                records += batch
    return records


@pytest.fixture
async def clients(broker: BrokerUnderTest) -> AsyncIterator[Clients]:
    async with AsyncExitStack() as stack:
        opened = Clients(broker.address, stack)
        await opened.start()
        yield opened


@pytest.fixture(name="take")
def take_fixture() -> Callable[..., Awaitable[list[ConsumerRecord]]]:
    return take


_MEMBER = """
import asyncio, sys
from aiokafka import AIOKafkaConsumer

async def main(address, topic, group):
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=address, group_id=group, session_timeout_ms=6000, heartbeat_interval_ms=500
    )
    await consumer.start()
    while not consumer.assignment():
        await asyncio.sleep(0.05)
    print("assigned", flush=True)
    await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def dying_member(broker: BrokerUnderTest) -> Callable[..., Awaitable[None]]:
    """Runs a member of a group in a process of its own and kills that with `kill -9` once it has partitions."""

    async def run(topic: str, group: str) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _MEMBER, broker.address, topic, group, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == b"assigned\n"
        process.kill()
        await process.wait()

    return run
