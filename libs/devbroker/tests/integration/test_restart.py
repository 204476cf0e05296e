"""A broker that is started again knows everything it knew before."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import OffsetAndMetadata
from kommunepuls_devbroker.testing import embedded_broker, eventually, running_broker

pytestmark = pytest.mark.integration


async def test_topics_settings_and_records_are_kept(tmp_path, create_topic, producer_to, read_all, admin_of):
    async with embedded_broker(tmp_path) as address:
        await create_topic(address, "kept", 3, cleanup_policy="compact")
        async with producer_to(address) as producer:
            for number in range(300):
                await producer.send("kept", b"%d" % number, key=b"%d" % number)
        before = await read_all(address, "kept")
    async with embedded_broker(tmp_path) as address:
        after = await read_all(address, "kept")
        async with admin_of(address) as admin:
            (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "kept")])
            cluster = (await admin.describe_cluster())["cluster_id"]
    assert {record.value: (record.partition, record.offset, record.timestamp) for record in after} == {
        record.value: (record.partition, record.offset, record.timestamp) for record in before
    }
    assert len(after) == 300
    assert {entry[0]: entry[1] for entry in answer.resources[0][4]}["cleanup.policy"] == "compact"
    async with embedded_broker(tmp_path) as address, admin_of(address) as admin:
        assert (await admin.describe_cluster())["cluster_id"] == cluster


async def test_a_deleted_topic_and_deleted_records_stay_away(
    tmp_path, create_topic, producer_to, read_all, admin_of
):
    async with embedded_broker(tmp_path) as address:
        await create_topic(address, "gone")
        await create_topic(address, "shortened")
        async with producer_to(address) as producer:
            for _ in range(10):
                await producer.send_and_wait("shortened", b"value")
        async with admin_of(address) as admin:
            await admin.delete_topics(["gone"])
            await admin.delete_records({TopicPartition("shortened", 0): RecordsToDelete(before_offset=7)})
    async with embedded_broker(tmp_path) as address, admin_of(address) as admin:
        assert await admin.list_topics() == ["shortened"]
        assert [record.offset for record in await read_all(address, "shortened")] == [7, 8, 9]
    assert [path.name.rpartition("-")[0] for path in (tmp_path / "topics").iterdir()] == ["shortened"]


async def test_a_log_that_was_emptied_goes_on_with_its_next_offset(
    tmp_path, create_topic, producer_to, read_all
):
    async with embedded_broker(tmp_path, housekeeping_interval=0.05) as address:
        await create_topic(address, "old", retention_ms="1000")
        async with producer_to(address) as producer:
            await producer.send_and_wait("old", b"value", timestamp_ms=1_000)

        async def is_emptied():
            return not await read_all(address, "old")

        await eventually(is_emptied)
    async with embedded_broker(tmp_path) as address, producer_to(address) as producer:
        assert (await producer.send_and_wait("old", b"value")).offset == 1


async def test_a_repeated_batch_is_recognised_after_a_restart(tmp_path, create_topic, read_all):
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1_000,
    )
    builder.append(0, int(time.time() * 1000), key=None, value=b"once", headers=[])

    async def send(address, batch):
        client = AIOKafkaClient(bootstrap_servers=address)
        await client.bootstrap()
        request = ProduceRequest(
            required_acks=-1, timeout=1_000, topics=[("facts", [(0, batch)])], transactional_id=None
        )
        answer = await client.send(client.get_random_node(), request)
        await client.close()
        return answer.topics[0][1][0][1:3]

    async def new_producer_id(address):
        client = AIOKafkaClient(bootstrap_servers=address)
        await client.bootstrap()
        request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=1_000)
        answer = await client.send(client.get_random_node(), request)
        await client.close()
        return answer.producer_id

    async with running_broker(tmp_path / "broker") as broker:
        await create_topic(broker.address, "facts")
        producer_id = await new_producer_id(broker.address)
        builder.set_producer_state(producer_id, 0, 0)
        batch = bytes(builder.build())
        assert await send(broker.address, batch) == (0, 0)
        await asyncio.to_thread(broker.restart)
        assert await send(broker.address, batch) == (0, 0)
        assert len(await read_all(broker.address, "facts")) == 1
        assert await new_producer_id(broker.address) > producer_id


async def test_commits_are_kept(tmp_path, create_topic, admin_of):
    partition = TopicPartition("facts", 0)
    async with running_broker(tmp_path / "broker") as broker:
        await create_topic(broker.address, "facts")
        consumer = AIOKafkaConsumer(
            bootstrap_servers=broker.address, group_id="readers", enable_auto_commit=False
        )
        await consumer.start()
        consumer.assign([partition])
        for offset in range(50):
            await consumer.commit({partition: OffsetAndMetadata(offset, f"after {offset}")})
        await consumer.stop()
        await asyncio.to_thread(broker.restart)
        async with admin_of(broker.address) as admin:
            committed = await admin.list_consumer_group_offsets("readers")
        assert committed == {partition: OffsetAndMetadata(49, "after 49")}


async def test_a_group_outlives_the_broker(tmp_path, create_topic, producer_to):
    """The members keep their generation, as with Apache Kafka: a commit after the restart still counts."""
    async with running_broker(tmp_path / "broker") as broker:
        await create_topic(broker.address, "facts")
        consumer = AIOKafkaConsumer(
            "facts",
            bootstrap_servers=broker.address,
            group_id="readers",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=10_000,
        )
        await consumer.start()
        async with producer_to(broker.address) as producer:
            await producer.send_and_wait("facts", b"value")
        async with asyncio.timeout(20):
            record = await consumer.getone()
        generation = consumer._coordinator.generation
        await asyncio.to_thread(broker.restart)
        await consumer.commit({TopicPartition("facts", 0): record.offset + 1})
        assert consumer._coordinator.generation == generation
        await consumer.stop()


async def test_a_tail_that_was_cut_short_is_removed(tmp_path, create_topic, producer_to, read_all):
    async with embedded_broker(tmp_path) as address:
        await create_topic(address, "facts")
        async with producer_to(address) as producer:
            for number in range(5):
                await producer.send_and_wait("facts", b"%d" % number)
    (segment,) = (tmp_path / "topics").glob("*/0/*.log")
    with segment.open("r+b") as file:
        file.truncate(segment.stat().st_size - 3)
    (tmp_path / "groups.journal").open("ab").write(b'{"what":"commit","gro')
    async with embedded_broker(tmp_path) as address:
        assert [record.value for record in await read_all(address, "facts")] == [b"0", b"1", b"2", b"3"]
        async with producer_to(address) as producer:
            assert (await producer.send_and_wait("facts", b"again")).offset == 4
