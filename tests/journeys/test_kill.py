"""The journeys while each process in turn is killed with ``kill -9``: nothing is lost, nobody is told twice."""

import asyncio
from collections.abc import AsyncIterator

import journeys_of_feeds as feeds
import journeys_of_pages as pages
import journeys_of_permits as permits
import journeys_of_residents as residents
import journeys_of_sensors as sensors
import pytest
import pytest_asyncio
from journey_kills import Flood, kill_each_in_turn
from journey_topics import partition_of
from journey_world import Resident, World, journey_world
from kommunepuls_events import ContentItemV1
from kommunepuls_events.topics import CONTENT
from notifier.settings import Settings

ITEMS, READERS = 30, 20
"""At least so many items keep coming to so many residents."""
MAILS_AT_ONCE, PUSHES_AT_ONCE = (
    Settings.model_fields[name].default for name in ("smtp_at_once", "push_at_once")
)
"""How many messages a notifier has under way at a time: what a kill can repeat (ADR 0002)."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shaken(tmp_path_factory: pytest.TempPathFactory, kafka: str | None) -> AsyncIterator[World]:
    """A stack of its own, with two workers of the services that share work; patient."""
    folder = tmp_path_factory.mktemp("shaken")
    async with journey_world(folder, kafka=kafka, workers={"personaliser": 2, "notifier": 2}) as world:
        world.patience = 90.0
        yield world


async def the_journeys(world: World) -> None:
    """Each journey, one after the other."""
    await pages.a_clubs_post(world.apart(), "made-up", pages.made_up_posts())
    await sensors.a_bathing_temperature(world.apart(), "made-up", sensors.made_up_uplink())
    await permits.a_permit(world.apart(), "made-up", permits.made_up_permit())
    await feeds.a_warning(world.apart(), "made-up", feeds.made_up_warning())
    await sensors.a_ploughed_area(world.apart(), "made-up", sensors.made_up_ploughing())
    await feeds.an_exercise(world.apart(), "made-up", feeds.made_up_exercise())
    await feeds.a_calendar_event(world.apart(), "made-up", feeds.made_up_calendar())
    await residents.an_unsubscription(world.apart())


@pytest.mark.timeout(400)
async def test_kill_9_of_each_process_in_turn_loses_nothing_and_tells_nobody_twice(shaken: World) -> None:
    readers = tuple(
        [
            await shaken.resident(
                f"reader-{number}",
                areas=["NO-1130/tau", "NO-1130/jorpeland"],
                interests=["municipal-news", "football", "building-permits"],
            )
            for number in range(READERS)
        ]
    )
    flood = Flood(shaken, readers[0], ITEMS)
    async with asyncio.TaskGroup() as together:
        killing = together.create_task(kill_each_in_turn(shaken))
        together.create_task(flood.pour(lambda: not killing.done()))
        together.create_task(the_journeys(shaken))
    killed = killing.result()
    assert set(killed) >= set(shaken.stack.services)
    assert all(killed.values()), f"none was killed while it was idle: {killed}"

    items = await shaken.eventually(flood.items, "all items")
    for reader in readers:
        for item in items:
            await shaken.told(reader, item)
    await told_once_each(shaken, readers, items)
    assert shaken.topics.refused == [], "nothing was refused or dead-lettered"
    repeats = shaken.receivers.repeats
    mails = sum(count for (kind, *_), count in repeats.items() if kind == "mail")
    pushes = repeats.total() - mails
    print(
        f"\n{len(killed)} processes killed; on the wire {mails} of {len(shaken.receivers.mails)} mails and "
        f"{pushes} of {len(shaken.receivers.pushes)} push messages came twice"
    )
    notifiers = sum(name.startswith("notifier") for name in killed)
    assert mails <= notifiers * MAILS_AT_ONCE
    assert pushes <= notifiers * PUSHES_AT_ONCE


async def told_once_each(world: World, readers: tuple[Resident, ...], items: list[ContentItemV1]) -> None:
    """Every reader has each item once, when an item behind the last on every partition has arrived too."""
    for item in {partition_of(item.id, CONTENT.partitions): item for item in items}.values():
        await world.mark(readers, behind=item.id)
    for item in items:
        await world.nobody_but(dict.fromkeys(readers, 1), item, readers, marked=True)
