"""Committed offsets: kept per group and partition, and taken only from those who may commit."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError
from aiokafka.structs import OffsetAndMetadata
from kommunepuls_devbroker.testing import eventually


async def test_a_commit_is_found_by_the_group_and_by_an_operator(clients):
    topic, group = await clients.topic(2), "offsets-a"
    first, second = TopicPartition(topic, 0), TopicPartition(topic, 1)
    consumer = await clients.consumer(group_id=group)
    consumer.assign([first, second])
    await consumer.commit({first: OffsetAndMetadata(5, "where I am")})
    assert await consumer.committed(first) == 5
    assert await consumer.committed(second) is None
    expected = OffsetAndMetadata(5, "where I am")
    assert await clients.admin.list_consumer_group_offsets(group) == {first: expected}
    asked = await clients.admin.list_consumer_group_offsets(group, partitions=[first, second])
    assert asked == {first: expected, second: OffsetAndMetadata(-1, "")}


async def test_groups_do_not_share_offsets(clients):
    topic = await clients.topic()
    partition = TopicPartition(topic, 0)
    one, other = await clients.consumer(group_id="offsets-b"), await clients.consumer(group_id="offsets-c")
    one.assign([partition])
    other.assign([partition])
    await one.commit({partition: 3})
    assert await other.committed(partition) is None


async def test_a_group_goes_on_after_its_last_commit(clients, take):
    topic, group = await clients.topic(), f"offsets-d-{id(clients)}"
    await clients.send(topic, *[b"%d" % number for number in range(10)])
    consumer = await clients.consumer(topic, group_id=group)
    await take(consumer, 10)
    await consumer.commit({TopicPartition(topic, 0): 6})
    await consumer.stop()
    successor = await clients.consumer(topic, group_id=group)
    assert [record.offset for record in await take(successor, 4)] == [6, 7, 8, 9]


async def test_an_outsider_cannot_commit_for_a_group_with_members(clients, take):
    topic, group = await clients.topic(), f"offsets-e-{id(clients)}"
    await clients.send(topic, b"value")
    member = await clients.consumer(topic, group_id=group)
    await take(member, 1)
    outsider = await clients.consumer(group_id=group)
    partition = TopicPartition(topic, 0)
    outsider.assign([partition])
    with pytest.raises(CommitFailedError):
        await outsider.commit({partition: 1})
    await member.commit({partition: 1})
    assert await member.committed(partition) == 1


async def test_a_commit_for_an_unknown_topic_is_refused(clients):
    consumer = await clients.consumer(group_id="offsets-f")
    partition = TopicPartition("nobody-made-this", 0)
    consumer.assign([partition])
    # aiokafka takes the refusal for a passing one and asks again without an end.
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await consumer.commit({partition: 1})
    assert await clients.admin.list_consumer_group_offsets("offsets-f") == {}


async def test_the_offsets_of_a_deleted_topic_are_forgotten(clients):
    topic, group = await clients.topic(), f"offsets-g-{id(clients)}"
    consumer = await clients.consumer(group_id=group)
    consumer.assign([TopicPartition(topic, 0)])
    await consumer.commit({TopicPartition(topic, 0): 1})
    await consumer.stop()
    await clients.admin.delete_topics([topic])

    async def is_forgotten():
        return await clients.admin.list_consumer_group_offsets(group) == {}

    await eventually(is_forgotten)
