"""Routing and matching without a broker: what is sent, put aside, left alone and tried again."""

import asyncio
from collections.abc import Iterable

import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError
from kommunepuls_chassis.health import Health
from kommunepuls_events import Event, MatchV2, OfferV1, event_for
from kommunepuls_events.base import Message
from kommunepuls_events.dead_letters import DeadLetter
from kommunepuls_events.event import Headers
from kommunepuls_events.topics import CONTENT, OFFERS, SENSOR_READINGS
from kommunepuls_geography import Geography
from kommunepuls_matching.testing import NOW, TOWN, geography_of_fjordvik, item, point, profile
from personaliser import records as records_module
from personaliser.matching import Matcher
from personaliser.records import Record
from personaliser.routing import Router
from personaliser.shards import Shard, Shards
from personaliser_making import reading, threshold

FJORDVIK = geography_of_fjordvik()
ORGANISED = {"organiser": {"id": "o-1", "name": "A club"}}


class Publisher:
    """Keeps what is published; fails as told."""

    def __init__(self) -> None:
        self.events: list[tuple[Event, int | None]] = []
        self.letters: list[DeadLetter] = []
        self.failures: list[Exception] = []
        self.too_large: set[str] = set()

    async def publish_events(self, events: Iterable[Event], *, partition: int | None = None) -> None:
        if self.failures:
            raise self.failures.pop(0)
        events = list(events)
        if any(event.subject in self.too_large for event in events):
            raise MessageSizeTooLargeError
        self.events += [(event, partition) for event in events]

    async def publish_raw(self, topic: str, key: str, value: bytes | None, headers: Headers = ()) -> None:
        assert topic.endswith(".dead")
        self.letters.append(DeadLetter.from_headers(headers))

    def of(self, contract: type[Message]) -> list[Message]:
        return [event.data for event, _ in self.events if isinstance(event.data, contract)]


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "_DELAYS", (0.0, 0.0))


def record(message: Message, offset: int = 0, partition: int = 0, **changes: object) -> Record:
    event = event_for(message, producer="test")
    topic = {"OfferV1": OFFERS, "SensorReadingV1": SENSOR_READINGS}.get(type(message).__name__, CONTENT)
    key = topic.key_of(message).encode() if topic.key_of else None
    given = {"topic": topic.name, "partition": partition, "offset": offset, "key": key}
    return Record(**given | {"value": event.value(), "headers": event.headers()} | changes)


def router(publisher: Publisher) -> Router:
    return Router(publisher, lambda: FJORDVIK, partitions=3)


async def test_an_item_is_offered_once_to_each_partition_with_its_areas(publisher: Publisher) -> None:
    await router(publisher).take(CONTENT, [record(item(geometry=point(10.05, 59.05)))])
    assert [partition for _, partition in publisher.events] == [0, 1, 2]
    assert {offer.item.areas for offer in publisher.of(OfferV1)} == {(f"{TOWN}/west/harbour",)}


async def test_what_tells_nobody_is_not_offered(publisher: Publisher) -> None:
    withdrawn = item("2", lifecycle={"state": "withdrawn"})
    silent = item("3", lifecycle={"state": "updated", "news": False})
    await router(publisher).take(CONTENT, [record(one) for one in (item(exercise=True), withdrawn, silent)])
    await router(publisher).take(
        SENSOR_READINGS, [record(reading(20.0, quality="suspect")), record(reading(None))]
    )
    assert publisher.events == []
    assert publisher.letters == []


async def test_a_bad_record_is_put_aside_and_those_beside_it_go_on(publisher: Publisher) -> None:
    batch = [
        record(item("1"), 1),
        record(item("2"), 2, value=b'{"id": '),
        record(item("3"), 3, headers=[]),
        record(reading(1.0), 4),
        record(item("5"), 5, value=None),
        record(item("6"), 6),
    ]
    await router(publisher).take(CONTENT, batch)
    assert [(letter.offset, letter.reason) for letter in publisher.letters] == [
        (2, "invalid-json"),
        (3, "missing-header"),
        (4, "wrong-topic"),
        (5, "tombstone"),
    ]
    assert {offer.item.native_id for offer in publisher.of(OfferV1)} == {"1", "6"}


async def test_a_cluster_that_does_not_answer_is_asked_again(publisher: Publisher) -> None:
    publisher.failures = [KafkaConnectionError(), KafkaConnectionError()]
    await router(publisher).take(CONTENT, [record(item())])
    assert len(publisher.events) == 3


async def test_a_cluster_that_stays_away_ends_the_batch_unacknowledged(publisher: Publisher) -> None:
    publisher.failures = [KafkaConnectionError()] * 20
    with pytest.raises(KafkaConnectionError):
        await router(publisher).take(CONTENT, [record(item())])
    assert publisher.letters == []


async def test_what_kafka_refuses_is_put_aside_alone(publisher: Publisher) -> None:
    publisher.too_large = {f"{TOWN}/kommunen/2"}
    await router(publisher).take(CONTENT, [record(item(str(n)), n) for n in (1, 2, 3)])
    assert {offer.item.native_id for offer in publisher.of(OfferV1)} == {"1", "3"}
    assert [(letter.offset, letter.reason) for letter in publisher.letters] == [(2, "refused-by-kafka")]


class Held:
    """Shards whose logs a test writes by hand."""

    def __init__(self, publisher: Publisher) -> None:
        self.ends: dict[int, int] = {}
        self.shards = Shards(self._follow, lambda: FJORDVIK, Health().component("partitions"))
        self.matcher = Matcher(publisher, self.shards, self._ends, lambda: FJORDVIK)

    async def _follow(self, shard: Shard) -> None:
        await asyncio.Event().wait()

    async def _ends(self, partitions: Iterable[int]) -> dict[int, int]:
        return {one: self.ends.get(one, 0) for one in partitions}

    async def ready(self, *partitions: int) -> None:
        self.shards.hold(partitions)
        for partition in partitions:
            await self.shards.held(partition).begin([])


def offered(message: Message, offset: int = 0, partition: int = 0) -> Record:
    kind = "reading" if hasattr(message, "sensor") else "item"
    return record(OfferV1(**{kind: message}, offered_at=NOW), offset, partition)


async def test_an_offer_waits_for_the_profiles_that_were_there_before_it(publisher: Publisher) -> None:
    held = Held(publisher)
    await held.ready(0)
    held.ends[0] = 7
    matching = asyncio.create_task(held.matcher.take([offered(item(**ORGANISED))]))
    shard = held.shards.held(0)
    shard.advance(6)
    await asyncio.sleep(0.01)
    assert not matching.done()
    shard.take("s-1", profile("s-1", organisers=["o-1"]))
    shard.advance(7)
    assert await matching == {0}
    assert publisher.of(MatchV2)[0].groups[0].subscribers == ("s-1",)


async def test_offers_of_a_partition_held_elsewhere_are_left_alone(publisher: Publisher) -> None:
    held = Held(publisher)
    await held.ready(0, 1)
    held.ends[1] = 9
    matching = asyncio.create_task(
        held.matcher.take([offered(item(**ORGANISED), partition=partition) for partition in (0, 1, 2)])
    )
    await asyncio.sleep(0.01)
    held.shards.hold([0])  # 1 goes away while its offer waits
    assert await matching == {0}
    assert publisher.letters == []


async def test_a_partition_that_stays_through_a_rebalance_keeps_its_shard(publisher: Publisher) -> None:
    held = Held(publisher)
    await held.ready(0, 1)
    before = held.shards.held(0)
    held.shards.hold([0, 2])
    assert held.shards.held(0) is before
    assert held.shards.held(1) is None
    assert not held.shards.ready
    held.shards.hold([1])
    assert held.shards.held(1).ready is False, "what was given away is made anew"
    await held.shards.close()


async def test_an_item_that_cannot_be_matched_is_put_aside(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(publisher)
    await held.ready(0)
    shard = held.shards.held(0)
    shard.take("s-1", profile("s-1", organisers=["o-1"]))
    match = shard.index.match

    def sometimes(concern: object) -> object:
        if concern.item.native_id == "2":
            raise ZeroDivisionError
        return match(concern)

    monkeypatch.setattr(shard.index, "match", sometimes)
    batch = [offered(item(str(n), **ORGANISED), n) for n in (1, 2, 3)]
    assert await held.matcher.take(batch) == {0}
    assert [match.item.native_id for match in publisher.of(MatchV2)] == ["1", "3"]
    assert [(letter.offset, letter.reason) for letter in publisher.letters] == [(2, "match-failed")]


async def test_a_threshold_set_while_the_service_runs_is_watched(publisher: Publisher) -> None:
    held = Held(publisher)
    await held.ready(0)
    await held.matcher.take([offered(reading(19.0))])
    held.shards.held(0).take("s-1", profile("s-1", sensor_thresholds=[threshold(20.0)]))
    later = NOW.replace(minute=30)
    assert await held.matcher.take([offered(reading(20.5, later)), offered(reading(20.5, later))]) == {0}
    (match,) = publisher.of(MatchV2)
    assert match.reasons[0].value == 20.5
    assert match.id == f"{TOWN}/water/threshold/storoya/water-temperature#{int(later.timestamp())}#0#0"


async def test_shards_take_over_new_areas(publisher: Publisher) -> None:
    held = Held(publisher)
    held.shards = Shards(held._follow, Geography, Health().component("partitions"))
    held.shards.hold([0])
    shard = held.shards.held(0)
    home = {"id": "home", "longitude": 10.05, "latitude": 59.05, "radius_metres": 10}
    shard.take("s-1", profile("s-1", interests=["music"], places=[home]))
    await shard.begin([])
    matcher = Matcher(publisher, held.shards, held._ends, lambda: FJORDVIK)
    harbour = offered(item(areas=[f"{TOWN}/west/harbour"], interests=["music"]))
    await matcher.take([harbour])
    assert publisher.events == []
    await held.shards.relocate(FJORDVIK)
    await matcher.take([harbour])
    assert len(publisher.of(MatchV2)) == 1
    await held.shards.close()
