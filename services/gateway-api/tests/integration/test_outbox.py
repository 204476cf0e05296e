"""The outbox when things go wrong: the broker is away, a publisher dies, two publish at once."""

import asyncio
from datetime import timedelta

import pytest
from gateway_api.domain import outbox
from gateway_api.service.outbox import LEASE_SECONDS, OutboxPublisher
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.testing import RecordingProducer
from kommunepuls_events import SubscriberProfileV1
from kommunepuls_events.base import utc_now

pytestmark = pytest.mark.integration


class _Clock:
    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self):
        return self.now


def _publisher(town, producer, clock=utc_now) -> OutboxPublisher:
    return OutboxPublisher(
        town.running.gateway.collections,
        producer,
        Health(),
        rules=town.running.gateway.rules.versions.message,
        now=clock,
    )


async def _choose(town, *interests: str) -> None:
    for interest in interests:
        answer = await town.client.put("/api/v1/profile", json={"interests": [interest]})
        assert answer.status_code == 200


def _profiles(producer: RecordingProducer) -> list[int]:
    return [one.revision for one in producer.of(SubscriberProfileV1)]


class _Away(RecordingProducer):
    """A broker that takes so many messages and is gone then."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    async def publish(self, *messages) -> None:
        if self.left < len(messages):
            raise ConnectionError("the broker is away")
        self.left -= len(messages)
        await super().publish(*messages)


async def test_what_could_not_be_published_waits_in_its_order(town) -> None:
    await town.sign_in()
    await town.published()
    await _choose(town, "music", "culture", "bathing")
    clock = _Clock()
    away = _Away(1)
    publisher = _publisher(town, away, clock)
    await publisher.publish_due()
    assert _profiles(away) == [2]
    away.left = 99
    while await publisher.publish_due():
        pass
    clock.now += timedelta(seconds=LEASE_SECONDS + 1)
    while await publisher.publish_due():
        pass
    assert _profiles(away) == [2, 3, 4]


async def test_a_publisher_that_dies_leaves_its_work_to_the_next_with_the_same_ids(town) -> None:
    await town.sign_in()
    await town.published()
    await _choose(town, "music", "culture")
    clock, dead = _Clock(), _Away(1)
    subscribers = town.running.gateway.collections.subscribers
    # Dies after Kafka took the first entry and before it could note that down.
    (claimed,) = await subscribers.claim(
        {}, due_field=outbox.DUE_FIELD, now=clock.now, lease_seconds=LEASE_SECONDS, limit=1
    )
    await dead.publish(outbox.entries_of(claimed.document)[0].message())
    next_one = RecordingProducer()
    publisher = _publisher(town, next_one, clock)
    await publisher.publish_due()
    assert next_one.messages == []
    clock.now += timedelta(seconds=LEASE_SECONDS + 1)
    while await publisher.publish_due():
        pass
    assert _profiles(dead) == [2]
    assert _profiles(next_one) == [2, 3]


async def test_two_publishers_never_work_on_one_subscriber_at_once(town) -> None:
    await town.sign_in()
    await town.published()
    shared = RecordingProducer()
    publishers = [_publisher(town, shared) for _ in range(2)]
    for interest in ("music", "culture", "bathing", "youth", "jobs"):
        await _choose(town, interest)
        await asyncio.gather(*(one.publish_due() for one in publishers))
    for one in publishers:
        while await one.publish_due():
            pass
    assert _profiles(shared) == [2, 3, 4, 5, 6]


class _Interrupted(RecordingProducer):
    """Does something between taking a message and giving it to Kafka."""

    def __init__(self, meanwhile) -> None:
        super().__init__()
        self.meanwhile = meanwhile

    async def publish(self, *messages) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            await meanwhile()
        await super().publish(*messages)

    async def publish_raw(self, topic, key, value, headers=(), *, partition=None) -> None:
        self.messages.append("tombstone")
        await super().publish_raw(topic, key, value, headers, partition=partition)


async def test_a_change_made_while_publishing_is_published_after(town) -> None:
    await town.sign_in()
    await town.published()
    await _choose(town, "music")
    producer = _Interrupted(lambda: _choose(town, "culture"))
    publisher = _publisher(town, producer)
    while await publisher.publish_due():
        pass
    assert _profiles(producer) == [2, 3]


async def test_a_tombstone_comes_after_the_profile_that_was_being_published(town) -> None:
    await town.sign_in()
    await town.published()
    await _choose(town, "music")

    async def erase() -> None:
        assert (await town.client.request("DELETE", "/api/v1/subscriber")).status_code == 200
        # Another process must not take the erasure while this one still publishes.
        assert not await _publisher(town, other).publish_due()

    other = RecordingProducer()
    producer = _Interrupted(erase)
    publisher = _publisher(town, producer)
    while await publisher.publish_due():
        pass
    assert [one if isinstance(one, str) else type(one).__name__ for one in producer.messages] == [
        "SubscriberProfileV1", "tombstone", "ContactCommandV1",
    ]  # fmt: skip
    assert other.messages == []


async def test_a_publisher_that_was_overtaken_says_the_last_word_again(town) -> None:
    await town.sign_in()
    await town.published()
    await _choose(town, "music")
    clock = _Clock()

    async def overtake() -> None:
        clock.now += timedelta(seconds=LEASE_SECONDS + 1)
        await _choose(town, "culture")
        while await _publisher(town, RecordingProducer(), clock).publish_due():
            pass

    slow = _Interrupted(overtake)
    await _publisher(town, slow, clock).publish_due()
    # Its stale revision 2 came after the other's 3, so it sets that right.
    assert _profiles(slow) == [2, 3]
