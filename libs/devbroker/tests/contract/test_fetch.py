"""Where a reader may start, how long it waits, and what it is told when its records are gone."""

import asyncio
import time

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.errors import OffsetOutOfRangeError

DAY_MS = 86_400_000


@pytest.fixture
def now_ms():
    return int(time.time() * 1000)


async def test_end_offsets_count_the_records(clients):
    topic = await clients.topic()
    partition = TopicPartition(topic, 0)
    consumer = await clients.consumer()
    assert await consumer.end_offsets([partition]) == {partition: 0}
    await clients.send(topic, *[b"value"] * 100)
    assert await consumer.end_offsets([partition]) == {partition: 100}
    assert await consumer.beginning_offsets([partition]) == {partition: 0}


async def test_an_offset_is_found_by_time(clients, now_ms):
    topic = await clients.topic()
    producer = await clients.producer(linger_ms=50)
    start = now_ms - 60_000
    for number in range(20):
        # Batches of several records: the very record is found, not the start of its batch.
        await producer.send(topic, b"value", partition=0, timestamp_ms=start + number * 1000)
    await producer.flush()
    partition = TopicPartition(topic, 0)
    consumer = await clients.consumer()

    async def at(timestamp):
        found = (await consumer.offsets_for_times({partition: timestamp}))[partition]
        return found and (found.offset, found.timestamp)

    assert await at(start + 10_000) == (10, start + 10_000)
    assert await at(start + 10_001) == (11, start + 11_000)
    assert await at(0) == (0, start)
    assert await at(now_ms + DAY_MS) is None


async def test_a_reader_starts_where_it_seeks_to(clients, take):
    topic = await clients.topic()
    await clients.send(topic, *[b"%d" % number for number in range(10)])
    consumer = await clients.consumer()
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek(partition, 7)
    assert [record.value for record in await take(consumer, 3)] == [b"7", b"8", b"9"]


async def test_a_waiting_reader_gets_a_new_record_at_once(clients, take):
    topic = await clients.topic()
    await clients.send(topic, b"first")
    consumer = await clients.consumer(topic, fetch_max_wait_ms=10_000)
    await take(consumer, 1)
    reading = asyncio.create_task(take(consumer, 1))
    producer = await clients.producer()
    started = time.monotonic()
    await producer.send_and_wait(topic, b"second")
    (record,) = await reading
    assert record.value == b"second"
    assert time.monotonic() - started < 2


async def test_a_reader_without_news_is_answered_after_its_waiting_time(clients):
    topic = await clients.topic()
    consumer = await clients.consumer(topic, fetch_max_wait_ms=300)
    assert await consumer.getmany(timeout_ms=1_000) == {}


async def test_reading_deleted_records_is_out_of_range(clients):
    topic = await clients.topic()
    partition = TopicPartition(topic, 0)
    await clients.send(topic, *[b"%d" % number for number in range(20)])
    await clients.admin.delete_records({partition: RecordsToDelete(before_offset=12)})
    assert await clients.start_offset(topic) == 12
    consumer = await clients.consumer(auto_offset_reset="none")
    consumer.assign([partition])
    consumer.seek(partition, 5)
    with pytest.raises(OffsetOutOfRangeError):
        await consumer.getone()


async def test_reading_past_the_end_is_out_of_range(clients):
    topic = await clients.topic()
    partition = TopicPartition(topic, 0)
    await clients.send(topic, b"only one")
    consumer = await clients.consumer(auto_offset_reset="none")
    consumer.assign([partition])
    consumer.seek(partition, 50)
    with pytest.raises(OffsetOutOfRangeError):
        await consumer.getone()


async def test_a_reader_whose_records_are_gone_goes_on_with_the_oldest(clients, take):
    topic = await clients.topic()
    partition = TopicPartition(topic, 0)
    await clients.send(topic, *[b"%d" % number for number in range(20)])
    await clients.admin.delete_records({partition: RecordsToDelete(before_offset=18)})
    consumer = await clients.consumer()
    consumer.assign([partition])
    consumer.seek(partition, 5)
    assert [record.offset for record in await take(consumer, 2)] == [18, 19]
