"""Processes that share the partitions, are killed, stopped and started again."""

import random
import signal
from datetime import timedelta

import pytest
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import ContentItemV1, SubscriberProfileV1
from kommunepuls_events.topics import OFFERS
from kommunepuls_matching.reference import reasons_for
from kommunepuls_matching.testing import NOW, TOWN, geography_of_fjordvik, item, place, point, profile
from personaliser.adapters.offsets import open_offsets
from personaliser_making import reading, threshold
from personaliser_running import Worker, everything_else, settings_of, worker

pytestmark = pytest.mark.integration
ALL = set(range(OFFERS.partitions))
AREAS = [TOWN, f"{TOWN}/west", f"{TOWN}/east", f"{TOWN}/west/harbour"]
INTERESTS = ["music", "football", "bathing"]
WATER = f"{TOWN}/water/threshold/storoya/water-temperature"


def residents(count: int, seed: int) -> list[SubscriberProfileV1]:
    draw = random.Random(seed)
    return [
        profile(
            f"s-{number}",
            areas=draw.sample(AREAS, draw.randint(0, 2)),
            interests=draw.sample(INTERESTS, draw.randint(0, 2)),
            places=[
                place("home", 10 + draw.random() * 0.4, 59 + draw.random() * 0.2, draw.choice([500, 5000]))
            ],
        )
        for number in range(count)
    ]


def announcements(count: int, seed: int) -> list[ContentItemV1]:
    draw = random.Random(seed)
    return [
        item(
            str(number),
            interests=draw.sample(INTERESTS, 1),
            **(
                {"areas": [draw.choice(AREAS)]}
                if draw.random() < 0.5
                else {"geometry": point(10 + draw.random() * 0.4, 59 + draw.random() * 0.2)}
            ),
        )
        for number in range(count)
    ]


async def share(*workers: Worker) -> None:
    """Wait until the workers hold every partition, none twice, each some."""
    await eventually(
        lambda: (
            set().union(*(one.holds() for one in workers)) == ALL
            and sum(len(one.holds()) for one in workers) == len(ALL)
            and all(one.holds() for one in workers)
        ),
        within=60,
        what=f"all partitions held; {[one.holds() for one in workers]}",
    )


async def test_nothing_is_lost_when_one_of_two_processes_is_killed_under_load(
    variables: dict[str, str],
) -> None:
    held, offered = residents(150, seed=1), announcements(400, seed=2)
    geography = geography_of_fjordvik()
    expected = {
        (one.id, resident.subscriber): reasons
        for one in offered
        for resident in held
        if (reasons := reasons_for(one, resident, geography))
    }
    assert len(expected) > 5000, "too few matches to show anything"
    async with (
        everything_else(variables) as (producer, matches),
        worker(variables) as first,
        worker(variables) as second,
    ):
        await producer.publish(*held)
        await share(first, second)
        for begin in range(0, len(offered), 20):
            await producer.publish(*offered[begin : begin + 20])
            if begin == 200:
                assert await first.end(signal.SIGKILL) == -signal.SIGKILL
        found: dict = {}

        async def complete() -> bool:
            await matches.read()
            for match in matches.matches:
                for subscriber, reasons in match.each():
                    found[match.item.id, subscriber] = reasons
            matches.matches.clear()
            return len(found) >= len(expected)

        await eventually(complete, within=60, what="as many matches as the reference finds")
        assert found == expected
        assert second.holds() == ALL


async def test_a_process_that_joins_takes_partitions_over_and_one_stopped_gives_them_back(
    variables: dict[str, str],
) -> None:
    async with everything_else(variables) as (producer, matches), worker(variables) as first:
        await producer.publish(*(profile(f"s-{number}", organisers=["o-1"]) for number in range(60)))
        await share(first)
        everybody = {f"s-{number}" for number in range(60)}

        async def all_told(native: str) -> None:
            await producer.publish(item(native, organiser={"id": "o-1", "name": "A club"}))

            async def probe() -> bool:
                return set(await matches.of(f"{TOWN}/kommunen/{native}")) == everybody

            await eventually(probe, within=30, what=f"everybody told of {native}")

        await all_told("alone")
        async with worker(variables) as second:
            await share(first, second)
            await all_told("together")
            assert await second.end(signal.SIGTERM) == 0
            assert [entry["event"] for entry in second.events("service_stopped")] == ["service_stopped"]
        await share(first)
        await all_told("alone-again")


async def all_committed(variables: dict[str, str]) -> None:
    """Wait until the personaliser has committed every offer."""
    async with open_offsets(settings_of(variables)) as offsets:

        async def probe() -> bool:
            return await offsets.committed(OFFERS, ALL) == await offsets.ends(OFFERS, ALL)

        await eventually(probe, what="every offer committed")


async def test_a_threshold_passed_while_no_process_ran_is_told_once(variables: dict[str, str]) -> None:
    async with everything_else(variables) as (producer, matches):
        await producer.publish(
            profile("s-20", sensor_thresholds=[threshold(20.0), threshold(30.0, id="t-2")]),
            profile("s-21", sensor_thresholds=[threshold(21.0)]),
        )
        at = (NOW + timedelta(minutes=minute) for minute in range(1, 100))
        async with worker(variables) as first:
            await share(first)
            for value in (19.0, 20.2):
                await producer.publish(reading(value, next(at)))
            assert set(await matches.of(WATER)) == {"s-20"}
            await all_committed(variables)
            await first.end(signal.SIGKILL)
        # No news for s-20, who was told at 20.2; it passes s-21's while nobody looks.
        await producer.publish(reading(21.5, next(at)))
        async with worker(variables) as second:
            await share(second)
            await producer.publish(reading(21.8, next(at)))
            # Past s-20's hysteresis and up again: armed anew.
            await producer.publish(reading(19.4, next(at)), reading(20.0, next(at)))

            async def probe() -> bool:
                await matches.read()
                return any(match.item.title.startswith("Storøya: 20,0") for match in matches.matches)

            await eventually(probe, within=40, what="the last crossing")
            await second.end(signal.SIGKILL)
        # Killed at whatever point: what is told again is told of the same revision.
        async with worker(variables) as third:
            await share(third)
            # 20.4 is no news; 30 is for both, and comes to each partition after 20.4.
            await producer.publish(reading(20.4, next(at)), reading(30.0, next(at)))

            async def both() -> bool:
                await matches.read()
                last = [match for match in matches.matches if "30,0" in match.item.title]
                return {subscriber for match in last for subscriber, _ in match.each()} == {"s-20", "s-21"}

            await eventually(both, within=40, what="both told of 30 degrees")
        told = {
            (subscriber, match.item.revision): match.item.title
            for match in matches.matches
            if match.item.id == WATER
            for subscriber, _ in match.each()
        }
        assert sorted((subscriber, title) for (subscriber, _), title in told.items()) == [
            ("s-20", "Storøya: 20,0 °C i vannet"),
            ("s-20", "Storøya: 20,2 °C i vannet"),
            ("s-20", "Storøya: 30,0 °C i vannet"),
            ("s-21", "Storøya: 21,5 °C i vannet"),
            ("s-21", "Storøya: 30,0 °C i vannet"),
        ]


async def test_a_wrong_setting_is_one_line(variables: dict[str, str]) -> None:
    async with worker(variables | {"KP_TOWN_FILES": "/nowhere/town.yaml"}) as process:
        assert await process.end(0) == 2
        assert process.log.count("\n") == 1
        assert "town.yaml: cannot be read" in process.log
