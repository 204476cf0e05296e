"""A compacted topic keeps the last record of each key under its old offset; tombstones go after a grace."""

import time

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from kommunepuls_devbroker.testing import eventually

COMPACTED = {
    "cleanup_policy": "compact",
    "segment_bytes": "1048576",
    "min_cleanable_dirty_ratio": "0.01",
}
FILLER = b"f" * 600_000


async def fill(clients, topic, count=3):
    """Pushes what was written before out of the active segment, which is never compacted."""
    producer = await clients.producer()
    for number in range(count):
        await producer.send_and_wait(topic, FILLER, key=b"filler %d" % number)


async def known(clients, topic):
    """Key, value and offset of all records, fillers apart."""
    consumer = await clients.consumer()
    partition = TopicPartition(topic, 0)
    end = (await consumer.end_offsets([partition]))[partition]
    consumer.assign([partition])
    await consumer.seek_to_beginning(partition)
    found = []
    while await consumer.position(partition) < end:
        for batch in (await consumer.getmany(timeout_ms=200)).values():
            found += batch
    return [(r.key, r.value, r.offset) for r in found if not r.key.startswith(b"filler")]


async def write(clients, topic, *pairs, **options):
    producer = await clients.producer(linger_ms=20, **options)
    for key, value in pairs:
        await producer.send(topic, value, key=key, partition=0)
    await producer.flush()


@pytest.mark.parametrize("compression", [None, "gzip"])
async def test_the_last_record_of_each_key_stays_under_its_offset(clients, compression):
    topic = await clients.topic(**COMPACTED)
    pairs = [(b"key %d" % (number % 5), b"value %d" % number) for number in range(100)]
    await write(clients, topic, *pairs, compression_type=compression)
    await fill(clients, topic)
    expected = [(b"key %d" % (number % 5), b"value %d" % number, number) for number in range(95, 100)]

    async def is_compacted():
        return await known(clients, topic) == expected

    await eventually(is_compacted)


async def test_headers_and_timestamps_survive_compaction(clients):
    topic = await clients.topic(**COMPACTED)
    timestamp = int(time.time() * 1000) - 5_000
    await clients.send(topic, b"old", b"older", key=b"a")
    await clients.send(topic, b"last", key=b"a", headers=[("ce_id", b"1")], timestamp_ms=timestamp)
    await fill(clients, topic)

    async def is_compacted():
        return await known(clients, topic) == [(b"a", b"last", 2)]

    await eventually(is_compacted)
    record = (await clients.read(topic, 1))[0]
    assert (record.headers, record.timestamp, record.offset) == ((("ce_id", b"1"),), timestamp, 2)


async def test_a_tombstone_deletes_its_key_and_goes_after_its_grace(clients):
    topic = await clients.topic(**COMPACTED, delete_retention_ms="1500")
    await write(clients, topic, (b"erased", b"value"), (b"kept", b"value"), (b"erased", None))
    await fill(clients, topic)

    async def only_the_tombstone_is_left():
        return await known(clients, topic) == [(b"kept", b"value", 1), (b"erased", None, 2)]

    await eventually(only_the_tombstone_is_left)

    async def the_tombstone_is_gone():
        # Apache Kafka looks at a log again when something was written to it.
        await fill(clients, topic, 2)
        return await known(clients, topic) == [(b"kept", b"value", 1)]

    await eventually(the_tombstone_is_gone)


async def test_a_tombstone_stays_during_its_grace(clients):
    topic = await clients.topic(**COMPACTED, delete_retention_ms="600000")
    await write(clients, topic, (b"erased", b"value"), (b"erased", None))
    await fill(clients, topic)

    async def is_compacted():
        return await known(clients, topic) == [(b"erased", None, 1)]

    await eventually(is_compacted)
    await write(clients, topic, (b"other", b"1"), (b"other", b"2"))
    await fill(clients, topic)

    async def is_compacted_again():
        return await known(clients, topic) == [(b"erased", None, 1), (b"other", b"2", 6)]

    await eventually(is_compacted_again)


async def test_a_record_without_a_key_is_refused(clients):
    topic = await clients.topic(**COMPACTED)
    producer = await clients.producer()
    with pytest.raises(KafkaError):
        await producer.send_and_wait(topic, b"no key")
    assert await known(clients, topic) == []
