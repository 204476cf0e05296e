"""How many residents an item would reach: over the store, as it changes, in several processes."""

import asyncio
from datetime import timedelta

import pytest
from gateway_api.domain.choices import Choices
from gateway_api.domain.subscribers import Subscriber
from gateway_api.service.reach import GONE_KEPT, ReachIndexes
from kommunepuls_chassis.testing import eventually
from kommunepuls_events.base import utc_now
from kommunepuls_matching.reference import reasons_for

pytestmark = pytest.mark.integration

TOWN = "NO-9901"

_KINDS = (
    {"areas": (f"{TOWN}/havna",), "interests": ("football",)},
    {"areas": (f"{TOWN}/nordmarka",), "interests": ("football", "music")},
    {"organisers": (f"{TOWN}/fotball",)},
    {"interests": ("football",),
     "places": ({"id": "home", "longitude": 10.051, "latitude": 59.071, "radius_metres": 400},)},
    {"areas": (TOWN,), "interests": ("football",), "muted": {"organisers": (f"{TOWN}/fotball",)}},
)  # fmt: skip


class _Clock:
    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self):
        return self.now


async def _bring(town, count: int) -> list[str]:
    gateway = town.running.gateway
    view = gateway.towns.of(TOWN)
    brought = []
    for number in range(count):
        choices = Choices.model_validate(_KINDS[number % len(_KINDS)])
        subscriber, _ = await gateway.migration.bring(
            TOWN, choices, view.offer, address=None, pushes=[], operator="kari"
        )
        brought.append(subscriber.id)
    return brought


async def _by_the_rules(town, item) -> frozenset[str]:
    """Whom the plain rules find among everybody in the store."""
    gateway = town.running.gateway
    geography = gateway.towns.of(TOWN).geography
    found = await gateway.collections.subscribers.find({})
    known = [one for stored in found if (one := Subscriber.of(stored.document))]
    return frozenset(one.id for one in known if reasons_for(item, one.profile, geography))


async def test_an_index_follows_what_other_processes_change_and_erase(town, make_item) -> None:
    gateway = town.running.gateway
    view = gateway.towns.of(TOWN)
    item = make_item(
        interests=("football",),
        areas=(),
        geometry={"type": "Point", "coordinates": [10.0505, 59.0705]},
    )
    brought = await _bring(town, 60)
    clock = _Clock()
    here, elsewhere = (ReachIndexes(gateway.collections, "key of the tests", now=clock) for _ in range(2))
    for indexes in (here, elsewhere):
        assert await indexes.residents(view, [item]) == [await _by_the_rules(town, item)]
    told = await here.of(view, item)
    assert told is not None
    assert told == await elsewhere.of(view, item)
    assert told.residents.number in (30, 35, 40)
    assert set(told.interests) == {"football"}
    assert told.organiser.number is not None

    await gateway.residents.erase(brought[0])
    await gateway.residents.choose(brought[1], lambda _: Choices(), view.offer)
    await gateway.residents.choose(
        brought[4], lambda _: Choices(areas=(TOWN,), interests=("football",)), view.offer
    )
    while await town.running.outbox.publish_due():
        pass
    assert await gateway.collections.subscribers.get(brought[0]) is None
    clock.now += timedelta(seconds=30)
    expected = await _by_the_rules(town, item)
    assert brought[0] not in expected
    assert brought[4] in expected
    for indexes in (here, elsewhere):
        assert await indexes.residents(view, [item]) == [expected]
    await asyncio.gather(here.close(), elsewhere.close())


async def test_an_index_too_old_to_know_who_was_erased_is_read_anew(town, make_item) -> None:
    gateway = town.running.gateway
    view = gateway.towns.of(TOWN)
    item = make_item(interests=("football",))
    brought = await _bring(town, 10)
    clock = _Clock()
    indexes = ReachIndexes(gateway.collections, "key of the tests", now=clock)
    await indexes.residents(view, [item])
    await gateway.residents.erase(brought[0])
    while await town.running.outbox.publish_due():
        pass
    await gateway.collections.departures.delete_where({})
    clock.now += GONE_KEPT
    assert await indexes.residents(view, [item]) == [await _by_the_rules(town, item)]
    await indexes.close()


async def test_who_does_not_wait_long_is_told_that_it_is_still_being_read(town, make_item) -> None:
    gateway = town.running.gateway
    await _bring(town, 5)
    view, item = gateway.towns.of(TOWN), make_item()
    indexes = ReachIndexes(gateway.collections, "key of the tests")
    assert await indexes.of(view, item, wait_seconds=0.0) is None

    async def told():
        return await indexes.of(view, item, wait_seconds=0.0)

    assert await eventually(told, what="the index is read")
    await indexes.close()
