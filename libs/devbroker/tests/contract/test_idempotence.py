"""An idempotent producer's batch is written once, however often it is sent."""

import asyncio
import time

import pytest
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

NONE, CORRUPT, OUT_OF_ORDER, OLD_EPOCH = 0, 2, 45, 47
ALL_REPLICAS = -1


def batch(producer_id, epoch, sequence, count=1, timestamp_ms=None):
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=False,
        producer_id=producer_id,
        producer_epoch=epoch,
        base_sequence=sequence,
        batch_size=100_000,
    )
    for number in range(count):
        timestamp = timestamp_ms or int(time.time() * 1000)
        builder.append(number, timestamp, key=None, value=b"%d" % (sequence + number), headers=[])
    return bytes(builder.build())


class RawProducer:
    """Sends hand-made batches, as a client does that repeats a request whose answer was lost."""

    def __init__(self, client, topic):
        self._client = client
        self._topic = topic

    async def new_id(self):
        request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
        async with asyncio.timeout(20):
            while True:
                answer = await self._client.send(self._client.get_random_node(), request)
                # A fresh Apache Kafka has no ids to give for its first second, and says so.
                if answer.error_code == NONE:
                    return answer.producer_id, answer.producer_epoch
                await asyncio.sleep(0.1)

    async def send(self, data):
        node = self._client.cluster.leader_for_partition(TopicPartition(self._topic, 0))
        request = ProduceRequest(
            required_acks=ALL_REPLICAS,
            timeout=10_000,
            topics=[(self._topic, [(0, data)])],
            transactional_id=None,
        )
        answer = await self._client.send(node, request)
        _partition, error, offset, *_ = answer.topics[0][1][0]
        return error, offset


@pytest.fixture
async def topic(clients):
    return await clients.topic()


@pytest.fixture
async def raw(clients, topic):
    client = AIOKafkaClient(bootstrap_servers=clients.address)
    await client.bootstrap()
    await client.set_topics([topic])
    yield RawProducer(client, topic)
    await client.close()


async def test_a_repeated_batch_is_answered_with_its_first_offset(clients, raw, topic):
    producer_id, epoch = await raw.new_id()
    assert await raw.send(batch(producer_id, epoch, 0, count=3)) == (NONE, 0)
    assert await raw.send(batch(producer_id, epoch, 3)) == (NONE, 3)
    assert await raw.send(batch(producer_id, epoch, 0, count=3)) == (NONE, 0)
    assert await raw.send(batch(producer_id, epoch, 3)) == (NONE, 3)
    assert [record.value for record in await clients.read(topic, 4)] == [b"0", b"1", b"2", b"3"]
    assert await raw.send(batch(producer_id, epoch, 4)) == (NONE, 4)


async def test_a_batch_that_leaves_a_gap_is_refused(raw):
    producer_id, epoch = await raw.new_id()
    assert await raw.send(batch(producer_id, epoch, 0)) == (NONE, 0)
    error, _ = await raw.send(batch(producer_id, epoch, 2))
    assert error == OUT_OF_ORDER


async def test_a_producer_that_was_replaced_is_refused(raw):
    producer_id, epoch = await raw.new_id()
    assert await raw.send(batch(producer_id, epoch + 1, 0)) == (NONE, 0)
    error, _ = await raw.send(batch(producer_id, epoch, 1))
    assert error == OLD_EPOCH


async def test_two_producers_never_share_an_id(raw):
    ids = {await raw.new_id() for _ in range(5)}
    assert len(ids) == 5


async def test_batches_of_other_producers_do_not_disturb_the_sequence(raw):
    (first, epoch), (second, _) = await raw.new_id(), await raw.new_id()
    assert await raw.send(batch(first, epoch, 0)) == (NONE, 0)
    assert await raw.send(batch(second, epoch, 0)) == (NONE, 1)
    assert await raw.send(batch(first, epoch, 1)) == (NONE, 2)
    assert await raw.send(batch(second, epoch, 0)) == (NONE, 1)


async def test_a_damaged_batch_is_refused(clients, raw, topic):
    damaged = bytearray(batch(-1, -1, -1))
    damaged[-1] ^= 0xFF
    error, _ = await raw.send(bytes(damaged))
    assert error == CORRUPT
    assert await raw.send(batch(-1, -1, -1)) == (NONE, 0)


async def test_the_idempotent_producer_of_aiokafka_writes_each_record_once(clients, topic):
    producer = await clients.producer(enable_idempotence=True)
    for number in range(2_000):
        await producer.send(topic, b"%d" % number, partition=0)
    await producer.flush()
    records = await clients.read(topic, 2_000)
    assert [int(record.value) for record in records] == list(range(2_000))
