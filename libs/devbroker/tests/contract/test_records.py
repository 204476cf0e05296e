"""Records come back as they were sent, in order, whatever their size or compression."""

import asyncio
import os
import time

import pytest
from aiokafka import codec
from aiokafka.errors import InvalidTimestampError, MessageSizeTooLargeError

HALF_HOUR_AGO_MS = 1_800_000
FIVE_MEGABYTES = 5 * 1024 * 1024
CODECS = {
    "gzip": codec.has_gzip,
    "lz4": codec.has_lz4,
    "snappy": codec.has_snappy,
    "zstd": codec.has_zstd,
}


@pytest.fixture
def some_time_ago_ms():
    return int(time.time() * 1000) - HALF_HOUR_AGO_MS


async def test_key_value_headers_and_timestamp_come_back(clients, some_time_ago_ms):
    topic = await clients.topic()
    headers = [("ce_id", b"1"), ("empty", b""), ("bytes", b"\x00\xff"), ("ce_id", b"again")]
    await clients.send(topic, b"value", key=b"key", headers=headers, timestamp_ms=some_time_ago_ms)
    (record,) = await clients.read(topic, 1)
    assert (record.key, record.value) == (b"key", b"value")
    assert record.headers == tuple(headers)
    assert record.timestamp == some_time_ago_ms


async def test_empty_and_missing_keys_and_values_are_told_apart(clients):
    topic = await clients.topic()
    await clients.send(topic, b"", key=b"")
    await clients.send(topic, None, key=b"tombstone")
    await clients.send(topic, b"no key", key=None)
    records = await clients.read(topic, 3)
    assert [(record.key, record.value) for record in records] == [
        (b"", b""),
        (b"tombstone", None),
        (None, b"no key"),
    ]


async def test_offsets_follow_each_other(clients):
    topic = await clients.topic()
    values = [b"%d" % number for number in range(500)]
    assert await clients.send(topic, *values) == list(range(500))
    records = await clients.read(topic, 500)
    assert [(record.offset, record.value) for record in records] == list(enumerate(values))


async def test_each_partition_keeps_its_own_order(clients):
    topic = await clients.topic(3)
    producer = await clients.producer()
    for number in range(90):
        await producer.send(topic, b"%d" % number, partition=number % 3)
    await producer.flush()
    records = await clients.read(topic, 90)
    for partition in range(3):
        values = [int(record.value) for record in records if record.partition == partition]
        assert values == list(range(partition, 90, 3))


async def test_a_sent_record_is_told_its_place(clients):
    topic = await clients.topic()
    producer = await clients.producer()
    await producer.send_and_wait(topic, b"first")
    metadata = await producer.send_and_wait(topic, b"second")
    assert (metadata.topic, metadata.partition, metadata.offset) == (topic, 0, 1)


@pytest.mark.parametrize("name", sorted(CODECS))
async def test_compressed_batches_come_back(clients, name):
    if not CODECS[name]():
        pytest.skip(f"The library for {name} is not installed.")
    topic = await clients.topic()
    producer = await clients.producer(compression_type=name, linger_ms=20)
    values = [b"value %d " % number * 50 for number in range(300)]
    for value in values:
        await producer.send(topic, value, partition=0)
    await producer.flush()
    assert [record.value for record in await clients.read(topic, 300)] == values


async def test_messages_of_five_megabytes_pass_where_the_topic_allows_them(clients):
    topic = await clients.topic(max_message_bytes=str(FIVE_MEGABYTES + 1000))
    producer = await clients.producer(max_request_size=FIVE_MEGABYTES + 1000)
    values = [os.urandom(FIVE_MEGABYTES) for _ in range(3)]
    for value in values:
        await producer.send_and_wait(topic, value)
    # The consumer's limits are far smaller: one message is handed out whatever they say.
    records = await clients.read(topic, 3, max_partition_fetch_bytes=65_536)
    assert [record.value for record in records] == values


async def test_a_message_over_the_topics_limit_is_refused(clients):
    topic = await clients.topic()
    producer = await clients.producer(max_request_size=FIVE_MEGABYTES)
    with pytest.raises(MessageSizeTooLargeError):
        await producer.send_and_wait(topic, os.urandom(2 * 1024 * 1024))
    await producer.send_and_wait(topic, b"small enough")
    assert [record.value for record in await clients.read(topic, 1)] == [b"small enough"]


async def test_a_timestamp_far_ahead_is_refused(clients, some_time_ago_ms):
    topic = await clients.topic()
    with pytest.raises(InvalidTimestampError):
        await clients.send(topic, b"value", timestamp_ms=some_time_ago_ms + 3 * 3_600_000)
    assert await clients.send(topic, b"value", timestamp_ms=some_time_ago_ms + 3_600_000) == [0]


async def test_a_live_reader_misses_nothing_of_eight_writers(clients, take):
    topic = await clients.topic()
    consumer = await clients.consumer(topic)
    producers = [await clients.producer(linger_ms=0) for _ in range(8)]

    async def write(number, producer):
        for count in range(200):
            await producer.send_and_wait(topic, b"%d-%d" % (number, count))

    reading = asyncio.create_task(take(consumer, 1600))
    await asyncio.gather(*(write(number, producer) for number, producer in enumerate(producers)))
    records = await reading
    assert [record.offset for record in records] == list(range(1600))
    assert len({record.value for record in records}) == 1600
