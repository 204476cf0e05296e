"""Consuming over a real socket: guard, retry, dead letter, commit after the effect."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from kommunepuls_chassis.consumer import EventConsumer, Received, RetryPolicy
from kommunepuls_chassis.errors import PermanentError, TransientError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.metrics import CONSUMER_LAG
from kommunepuls_chassis.producer import EventProducer, open_producer
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.testing import eventually
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_chassis.tracing import current_traceparent, span, trace_id
from kommunepuls_devbroker.testing import embedded_broker
from kommunepuls_events import ContentItemV1, event_for, item_id
from kommunepuls_events.dead_letters import DeadLetter, original_headers
from kommunepuls_events.examples import examples
from kommunepuls_events.topics import CONTENT, PROFILES, SOURCE_STATUS

pytestmark = pytest.mark.integration
EXAMPLE = examples()["kommunepuls.content-item.v1"]
QUICK = RetryPolicy(attempts=3, first_delay=0.01, longest_delay=0.02)


def numbered(number: int) -> ContentItemV1:
    native = f"case-{number}"
    return EXAMPLE.model_copy(
        update={"native_id": native, "id": item_id(EXAMPLE.source, native), "title": f"Sak {number}"}
    )


@dataclass
class Rig:
    settings: ServiceSettings
    producer: EventProducer
    taken: list[str] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def consuming(self, handler, topics=(CONTENT,), group="test") -> AsyncIterator[Health]:
        health = Health()
        consumer = EventConsumer(
            group, self.settings, self.producer, dict.fromkeys(topics, handler), health=health, retry=QUICK
        )
        task = asyncio.create_task(consumer.run())
        try:
            yield health
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def dead_letters(self, count: int, topic: str = "content.v1.dead") -> list:
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=self.settings.kafka_bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            found = []
            while len(found) < count:
                found.append(await asyncio.wait_for(consumer.getone(), 20))
            return found
        finally:
            await consumer.stop()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with embedded_broker(tmp_path / "broker") as address:
        settings = ServiceSettings(kafka_bootstrap=address, kafka_session_seconds=6)
        await ensure_topics(settings)
        async with open_producer("test", settings) as producer:
            yield Rig(settings, producer)


async def test_bytes_that_are_no_event_are_dead_lettered_with_their_origin_and_block_nothing(
    rig: Rig,
) -> None:
    await rig.producer.publish_raw("content.v1", "k", b'{"truncated": ', [("ce_id", b"1")], partition=3)
    good = numbered(1)
    await rig.producer.publish(good)

    async def handler(records: Sequence[Received]) -> None:
        rig.taken += [record.event.data.title for record in records]

    async with rig.consuming(handler):
        await eventually(lambda: rig.taken == ["Sak 1"])
        (dead,) = await rig.dead_letters(1)
    letter = DeadLetter.from_headers(dead.headers)
    assert dead.value == b'{"truncated": '
    assert (letter.reason, letter.topic, letter.partition, letter.offset, letter.service) == (
        "missing-header", "content.v1", 3, 0, "test",
    )  # fmt: skip
    assert original_headers(dead.headers) == [("ce_id", b"1")]


async def test_a_record_that_cannot_be_handled_is_given_up_after_the_stated_attempts_and_the_rest_is_handled(
    rig: Rig,
) -> None:
    attempts = []

    async def handler(records: Sequence[Received]) -> None:
        for record in records:
            if record.event.data.title == "Sak 2":
                attempts.append(len(records))
                raise TransientError("the store is away", reason="store-away")
        rig.taken += [record.event.data.title for record in records]

    await rig.producer.publish(*(numbered(number) for number in range(5)))
    async with rig.consuming(handler):
        await eventually(lambda: set(rig.taken) == {"Sak 0", "Sak 1", "Sak 3", "Sak 4"})
        (dead,) = await rig.dead_letters(1)
    letter = DeadLetter.from_headers(dead.headers)
    assert (letter.reason, letter.attempts) == ("store-away", 3)
    assert attempts.count(1) == 3


async def test_a_permanent_failure_is_not_tried_again(rig: Rig) -> None:
    attempts = []

    async def handler(records: Sequence[Received]) -> None:
        attempts.append(1)
        raise PermanentError("unknown municipality", reason="unknown-municipality")

    await rig.producer.publish(numbered(1))
    async with rig.consuming(handler):
        (dead,) = await rig.dead_letters(1)
    assert len(attempts) == 1
    assert DeadLetter.from_headers(dead.headers).reason == "unknown-municipality"


async def test_what_was_not_finished_is_handled_again_by_the_next_consumer(rig: Rig) -> None:
    began = asyncio.Event()

    async def never_ends(records: Sequence[Received]) -> None:
        began.set()
        await asyncio.Event().wait()

    await rig.producer.publish(numbered(1))
    async with rig.consuming(never_ends):
        await asyncio.wait_for(began.wait(), 20)

    async def handler(records: Sequence[Received]) -> None:
        rig.taken += [record.event.data.title for record in records]

    async with rig.consuming(handler):
        await eventually(lambda: rig.taken == ["Sak 1"])
    async with rig.consuming(handler) as health:
        await eventually(lambda: health.ready)
        await rig.producer.publish(numbered(2))
        await eventually(
            lambda: rig.taken == ["Sak 1", "Sak 2"], what="only what was not committed comes again"
        )


async def test_tombstones_of_compacted_topics_reach_the_handler_and_are_bad_elsewhere(rig: Rig) -> None:
    erased = []

    async def handler(records: Sequence[Received]) -> None:
        erased.extend(record.key for record in records if record.event is None)

    await rig.producer.tombstone(PROFILES, "s-1")
    await rig.producer.publish_raw("content.v1", "k", None, examples_headers())
    async with rig.consuming(handler, topics=(PROFILES, CONTENT)):
        await eventually(lambda: erased == ["s-1"])
        (dead,) = await rig.dead_letters(1)
    assert DeadLetter.from_headers(dead.headers).reason == "tombstone"


def examples_headers() -> list[tuple[str, bytes]]:
    return event_for(EXAMPLE, producer="test").headers()


async def test_an_event_under_a_wrong_key_or_on_a_wrong_topic_is_refused(rig: Rig) -> None:
    reading = event_for(examples()["kommunepuls.sensor-reading.v1"], producer="test")
    await rig.producer.publish_raw("content.v1", "k", reading.value(), reading.headers())
    item = event_for(EXAMPLE, producer="test")
    await rig.producer.publish_raw("content.v1", "another", item.value(), item.headers())

    async def handler(records: Sequence[Received]) -> None:
        raise AssertionError("nothing here is for the handler")

    async with rig.consuming(handler):
        dead = await rig.dead_letters(2)
    assert {DeadLetter.from_headers(one.headers).reason for one in dead} == {"wrong-topic", "wrong-key"}


async def test_the_trace_goes_on_in_the_handler(rig: Rig) -> None:
    seen = []

    async def handler(records: Sequence[Received]) -> None:
        seen.append(trace_id(current_traceparent()))

    with span() as traceparent:
        await rig.producer.publish(numbered(1))
    async with rig.consuming(handler):
        await eventually(lambda: seen == [trace_id(traceparent)])


async def test_topics_are_created_once_with_their_settings(rig: Rig) -> None:
    assert await ensure_topics(rig.settings) == []


async def test_the_lag_of_partitions_that_moved_is_no_longer_reported(rig: Rig) -> None:
    def measured() -> set[str]:
        samples = next(iter(CONSUMER_LAG.collect())).samples
        return {sample.labels["partition"] for sample in samples if sample.labels["topic"] == CONTENT.name}

    partitions: set[int] = set()

    async def handle(records: Sequence[Received]) -> None:
        partitions.update(record.partition for record in records)
        rig.taken.extend(record.event.data.title for record in records)

    CONSUMER_LAG.clear()
    async with rig.consuming(handle, group="moving"):
        await rig.producer.publish(*(numbered(number) for number in range(60)))
        await eventually(lambda: len(rig.taken) == 60)
        await eventually(lambda: len(measured()) == len(partitions))
        before = measured()
        async with rig.consuming(handle, group="moving"):
            await eventually(lambda: len(measured()) == len(before) // 2, within=30)


async def test_a_partition_with_much_to_do_holds_no_other_up(rig: Rig) -> None:
    release = asyncio.Event()
    urgent = numbered(1000).model_copy(update={"title": "urgent"})
    crowded = CONTENT.key_of(numbered(0))

    async def handle(records: Sequence[Received]) -> None:
        rig.taken.extend(record.event.data.title for record in records)
        if any(record.key == crowded for record in records):
            await release.wait()

    async with rig.consuming(handle, group="crowded"):
        await rig.producer.publish(numbered(0))
        await eventually(lambda: rig.taken)
        await rig.producer.publish(*(numbered(number) for number in range(1, 30)), urgent)
        await eventually(lambda: len(rig.taken) > 15, what="those in other partitions")
        release.set()
        await eventually(lambda: len(set(rig.taken)) == 31)


async def test_a_member_of_the_group_that_is_left_without_partitions_is_ready(rig: Rig) -> None:
    async def handler(records: Sequence[Received]) -> None:
        rig.taken += [record.key for record in records]

    async with rig.consuming(handler, topics=(SOURCE_STATUS,)) as one:
        await eventually(lambda: one.ready)
        async with rig.consuming(handler, topics=(SOURCE_STATUS,)) as other:
            await eventually(lambda: other.ready, what="a topic of one partition, two members")
