"""Consumer groups share the partitions, and give a member's part to the others when it goes."""

import asyncio
import time

import pytest
from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalGenerationError, KafkaError
from kommunepuls_devbroker.testing import eventually

PARTITIONS = 4


@pytest.fixture
async def topic(clients):
    return await clients.topic(PARTITIONS)


@pytest.fixture
def group(topic):
    return f"group-of-{topic}"


def partitions_of(consumer):
    return {partition.partition for partition in consumer.assignment()}


class Polling:
    """Keeps a consumer polling, as a service does, so that it takes part in rebalances."""

    def __init__(self, consumer):
        self.consumer = consumer
        self.records = []
        self._task = asyncio.create_task(self._poll())

    async def _poll(self):
        while True:
            for batch in (await self.consumer.getmany(timeout_ms=100)).values():
                self.records += batch

    async def stop(self):
        self._task.cancel()
        await asyncio.wait((self._task,))


@pytest.fixture
async def polling():
    running = []

    def start(consumer):
        running.append(Polling(consumer))
        return running[-1]

    yield start
    for each in running:
        await each.stop()


def shared(*consumers):
    """Whether the partitions are split without gap or overlap, and each consumer has some."""
    parts = [partitions_of(consumer) for consumer in consumers]
    return all(parts) and sorted(number for part in parts for number in part) == list(range(PARTITIONS))


async def test_one_member_gets_all_partitions(clients, topic, group):
    consumer = await clients.consumer(topic, group_id=group)
    await eventually(lambda: partitions_of(consumer) == set(range(PARTITIONS)))


async def test_two_members_split_the_partitions_and_read_each_record_once(clients, topic, group, polling):
    first = polling(await clients.consumer(topic, group_id=group))
    second = polling(await clients.consumer(topic, group_id=group))
    await eventually(lambda: shared(first.consumer, second.consumer))
    producer = await clients.producer()
    for number in range(200):
        await producer.send(topic, b"%d" % number, partition=number % PARTITIONS)
    await producer.flush()
    await eventually(lambda: len(first.records) + len(second.records) >= 200)
    values = [int(record.value) for record in first.records + second.records]
    assert sorted(values) == list(range(200))
    assert first.records
    assert second.records


async def test_a_third_member_gets_its_share_promptly(clients, topic, group, polling):
    members = [polling(await clients.consumer(topic, group_id=group)) for _ in range(2)]
    await eventually(lambda: shared(*(member.consumer for member in members)))
    started = time.monotonic()
    members.append(polling(await clients.consumer(topic, group_id=group)))
    await eventually(lambda: shared(*(member.consumer for member in members)))
    assert time.monotonic() - started < 5


async def test_the_part_of_a_member_that_leaves_is_taken_over_promptly(clients, topic, group, polling):
    staying = polling(await clients.consumer(topic, group_id=group))
    leaving = polling(await clients.consumer(topic, group_id=group))
    await eventually(lambda: shared(staying.consumer, leaving.consumer))
    started = time.monotonic()
    await leaving.stop()
    await leaving.consumer.stop()
    await eventually(lambda: partitions_of(staying.consumer) == set(range(PARTITIONS)))
    assert time.monotonic() - started < 5


async def test_a_member_whose_process_dies_is_evicted_after_its_session(
    clients, topic, group, polling, dying_member
):
    await dying_member(topic, group)
    started = time.monotonic()
    survivor = polling(await clients.consumer(topic, group_id=group))
    await eventually(lambda: partitions_of(survivor.consumer) == set(range(PARTITIONS)))
    assert time.monotonic() - started < 13


async def test_the_rebalance_listener_is_told_what_goes_and_what_comes(clients, topic, group, polling):
    told = []

    class Listener(ConsumerRebalanceListener):
        async def on_partitions_revoked(self, revoked):
            told.append(("revoked", len(revoked)))

        async def on_partitions_assigned(self, assigned):
            told.append(("assigned", len(assigned)))

    consumer = await clients.consumer(group_id=group)
    consumer.subscribe([topic], listener=Listener())
    first = polling(consumer)
    await eventually(lambda: ("assigned", PARTITIONS) in told)
    second = polling(await clients.consumer(topic, group_id=group))
    await eventually(lambda: shared(first.consumer, second.consumer))
    # The assignment is there a moment before the listener is told of it.
    await eventually(lambda: told[-2:] == [("revoked", PARTITIONS), ("assigned", PARTITIONS // 2)])


async def test_what_is_committed_while_partitions_are_revoked_counts(clients, topic, group, polling):
    """A member finishes its work and commits in the middle of the round: the successor starts after it."""
    await clients.send(topic, b"value")
    committed = []
    consumer = await clients.consumer(group_id=group)

    class CommitsWhenRevoked(ConsumerRebalanceListener):
        async def on_partitions_revoked(self, revoked):
            if revoked:
                await consumer.commit({TopicPartition(topic, 0): 1})
                committed.append(len(revoked))

        async def on_partitions_assigned(self, assigned):
            pass

    consumer.subscribe([topic], listener=CommitsWhenRevoked())
    first = polling(consumer)
    await eventually(lambda: first.records)
    second = polling(await clients.consumer(topic, group_id=group))
    await eventually(lambda: shared(first.consumer, second.consumer))
    assert committed == [PARTITIONS]
    assert await second.consumer.committed(TopicPartition(topic, 0)) == 1


async def test_a_commit_of_an_earlier_generation_is_refused(clients, topic, group, polling):
    consumer = await clients.consumer(topic, group_id=group)
    first = polling(consumer)
    await eventually(lambda: partitions_of(consumer) == set(range(PARTITIONS)))
    coordinator = consumer._coordinator
    earlier = coordinator.generation
    second = polling(await clients.consumer(topic, group_id=group))
    await eventually(lambda: shared(first.consumer, second.consumer))
    await first.stop()
    current, coordinator.generation = coordinator.generation, earlier
    with pytest.raises((CommitFailedError, IllegalGenerationError)):
        await consumer.commit({next(iter(consumer.assignment())): 1})
    coordinator.generation = current


async def test_an_operator_sees_a_group_and_its_members(clients, topic, group, polling):
    consumer = await clients.consumer(topic, group_id=group, client_id="worker-7")
    polling(consumer)
    await eventually(lambda: partitions_of(consumer) == set(range(PARTITIONS)))
    assert (group, "consumer") in [tuple(row) for row in await clients.admin.list_consumer_groups()]
    (answer,) = await clients.admin.describe_consumer_groups([group])
    _error, group_id, state, protocol_type, protocol, members = answer.groups[0][:6]
    assert (group_id, state, protocol_type, protocol) == (group, "Stable", "consumer", "roundrobin")
    assert [member[1] for member in members] == ["worker-7"]


async def test_a_session_shorter_than_allowed_is_refused(clients, topic, group):
    with pytest.raises(KafkaError):
        await clients.consumer(topic, group_id=group, session_timeout_ms=1_000, heartbeat_interval_ms=300)
