"""Old records go by age and by size, whole segments at a time; offsets go on as if they were there."""

import time

from kommunepuls_devbroker.testing import eventually

SEGMENT_BYTES = 1_048_576
DAY_MS = 86_400_000


async def test_records_past_their_time_go_and_new_ones_stay(clients):
    topic = await clients.topic(retention_ms="3600000", segment_bytes=str(SEGMENT_BYTES))
    two_days_ago = int(time.time() * 1000) - 2 * DAY_MS
    await clients.send(topic, *[b"old"] * 10, timestamp_ms=two_days_ago)

    async def is_empty():
        return await clients.start_offset(topic) == 10

    await eventually(is_empty)
    assert await clients.send(topic, b"new") == [10]
    assert [(record.offset, record.value) for record in await clients.read(topic, 1)] == [(10, b"new")]


async def test_a_topic_over_its_size_loses_its_oldest_segments(clients):
    topic = await clients.topic(retention_bytes=str(SEGMENT_BYTES), segment_bytes=str(SEGMENT_BYTES))
    value = b"x" * 100_000
    await clients.send(topic, *[value] * 50)

    async def has_shrunk():
        return await clients.start_offset(topic) > 0

    await eventually(has_shrunk)
    start = await clients.start_offset(topic)
    records = await clients.read(topic, 50 - start)
    assert [record.offset for record in records] == list(range(start, 50))
    assert len(records) * len(value) >= SEGMENT_BYTES


async def test_a_topic_without_limits_keeps_everything(clients):
    topic = await clients.topic(retention_ms="-1")
    long_ago = int(time.time() * 1000) - 1_000 * DAY_MS
    await clients.send(topic, b"old", timestamp_ms=long_ago)
    # Another topic with a limit shows that the housekeeping has come by in the meantime.
    witness = await clients.topic(retention_ms="1000")
    await clients.send(witness, b"old", timestamp_ms=long_ago)

    async def housekeeping_came_by():
        return await clients.start_offset(witness) == 1

    await eventually(housekeeping_came_by)
    assert [record.value for record in await clients.read(topic, 1)] == [b"old"]
