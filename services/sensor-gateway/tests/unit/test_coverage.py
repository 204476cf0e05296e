"""A town's coverage: from reports to one item an area and snowfall."""

import json
from datetime import datetime, timedelta

import pytest
from kommunepuls_chassis.errors import PermanentError
from kommunepuls_events import ContentItemV1, Kind
from sensor_gateway.domain.ploughs.roads import RoadNetwork

WEST, EAST, SOUTH, NORTH = 10.2, 10.2035, 59.1, 59.1018
AREA = "NO-3907/breidablikk"
LINES = {
    "south": ((WEST, SOUTH), (EAST, SOUTH)),
    "north": ((WEST, NORTH), (EAST, NORTH)),
    "west": ((WEST, SOUTH), (WEST, NORTH)),
}
AVL = {
    "type": "avl-ploughs",
    "url": "https://example.org",
    "works": {"PLOUGH": ["ploughing"], "SALTER": ["salting"]},
}


@pytest.fixture
def roads() -> RoadNetwork:
    return RoadNetwork([(name, AREA, line) for name, line in LINES.items()])


def answer(name: str, at: datetime, kind: str = "PLOUGH", vehicle: str = "secret-truck-17") -> list[bytes]:
    """Two polls in which a vehicle drives along a road."""
    first, last = LINES[name]
    polls = []
    for place, moment in ((first, at - timedelta(seconds=30)), (last, at)):
        one = {"assetType": kind, "assetName": vehicle, "longitude": place[0], "latitude": place[1],
               "postingTime": moment.isoformat()}  # fmt: skip
        polls.append(json.dumps({"TrackingDataResponse": {"locationList": [one]}}).encode())
    return polls


async def drive(ploughs, name: str, at: datetime, **more: str) -> None:
    for poll in answer(name, at, vehicle=f"secret-truck-{name}", **more):
        await ploughs.take(poll)


def items(bench) -> list[ContentItemV1]:
    return bench.producer.of(ContentItemV1)


async def test_an_area_is_told_when_enough_of_its_roads_is_done(bench, roads):
    ploughs = await bench.ploughs(roads, bench.moment - timedelta(hours=6), **AVL)
    await drive(ploughs, "south", bench.moment - timedelta(minutes=30))
    await drive(ploughs, "north", bench.moment - timedelta(minutes=20))
    assert items(bench) == []
    await drive(ploughs, "west", bench.moment - timedelta(minutes=10))
    (item,) = items(bench)
    assert item.title == "Breidablikk er brøytet"
    assert (item.kind, item.areas, item.announced) == (Kind.CONDITION, (AREA,), True)
    assert 0.8 < item.confidence <= 1


async def test_nothing_published_or_stored_names_a_vehicle(bench, roads, tmp_path):
    ploughs = await bench.ploughs(roads, bench.moment - timedelta(hours=6), **AVL)
    for name in LINES:
        await drive(ploughs, name, bench.moment - timedelta(minutes=5))
    await ploughs.take(
        b'{"TrackingDataResponse": {"locationList": [{"assetName": "secret-truck-9", "postingTime": 3}]}}'
    )
    assert len(items(bench)) == 1
    assert bench.producer.rejects[0].reason == "bad-time"
    published = repr(bench.producer.messages) + repr(bench.producer.raw)
    assert "secret-truck" not in published
    for file in tmp_path.glob("store.db*"):
        assert b"secret-truck" not in file.read_bytes()


async def test_repeated_positions_change_nothing(bench, roads):
    ploughs = await bench.ploughs(roads, bench.moment - timedelta(hours=6), **AVL)
    polls = [
        poll for name in LINES for poll in answer(name, bench.moment - timedelta(minutes=5), vehicle=name)
    ]
    for _ in range(3):
        for poll in polls:
            await ploughs.take(poll)
    assert [item.revision for item in items(bench)] == [1]


async def test_coverage_survives_a_restart(bench, roads):
    began = bench.moment - timedelta(hours=6)
    ploughs = await bench.ploughs(roads, began, **AVL)
    await drive(ploughs, "south", bench.moment - timedelta(minutes=30))
    await drive(ploughs, "north", bench.moment - timedelta(minutes=20))
    again = await bench.ploughs(roads, began, **AVL)
    assert bench.coverage.area_cover(AREA).share == pytest.approx(2 / 3, abs=0.02)
    await drive(again, "west", bench.moment - timedelta(minutes=10))
    assert len(items(bench)) == 1


async def test_more_roads_later_revise_the_item_without_news(bench, roads):
    ploughs = await bench.ploughs(roads, bench.moment - timedelta(hours=6), **AVL, share=0.6)
    await drive(ploughs, "south", bench.moment - timedelta(minutes=30))
    await drive(ploughs, "north", bench.moment - timedelta(minutes=20))
    await drive(ploughs, "west", bench.moment - timedelta(minutes=10))
    first, second = items(bench)
    assert first.announced
    assert (second.id, second.revision, second.announced) == (first.id, 2, False)
    assert "100 prosent" in second.summary


async def test_a_new_snowfall_starts_from_nothing_and_ends_the_old_item(bench, roads):
    ploughs = await bench.ploughs(roads, bench.moment - timedelta(hours=6), **AVL)
    for name in LINES:
        await drive(ploughs, name, bench.moment - timedelta(minutes=40))
    newer = bench.moment - timedelta(minutes=30)
    assert await bench.coverage.begin_snowfall(newer, bench.moment)
    assert not await bench.coverage.begin_snowfall(newer, bench.moment)
    assert bench.coverage.area_cover(AREA) is None
    old, ended = items(bench)
    assert (ended.id, ended.valid_until, ended.announced) == (old.id, newer, False)
    for name in LINES:
        await drive(ploughs, name, bench.moment)
    assert items(bench)[-1].id != old.id
    with pytest.raises(PermanentError, match="later"):
        await bench.coverage.begin_snowfall(newer - timedelta(hours=1), bench.moment)


async def test_ploughing_before_the_snowfall_counts_for_nothing(bench, roads):
    ploughs = await bench.ploughs(roads, bench.moment - timedelta(minutes=10), **AVL)
    for poll in answer("south", bench.moment - timedelta(minutes=20)):
        taken = await ploughs.take(poll)
    assert taken.skipped == {"before-snowfall": 1}


async def test_salting_is_not_ploughing(bench, roads):
    ploughs = await bench.ploughs(roads, bench.moment - timedelta(hours=6), **AVL)
    for name in LINES:
        await drive(ploughs, name, bench.moment - timedelta(minutes=5), kind="SALTER")
    assert items(bench) == []
    assert bench.coverage.area_cover(AREA) is None


async def test_without_a_snowfall_or_roads_nothing_is_claimed(bench, roads):
    for network, cause in ((roads, "no-snowfall"), (None, "no-roads")):
        ploughs = await bench.ploughs(network, None, **AVL)
        for poll in answer("south", bench.moment):
            taken = await ploughs.take(poll)
        assert taken.skipped == {cause: 1}


async def test_old_positions_of_a_poll_are_left_out(bench, roads):
    ploughs = await bench.ploughs(roads, bench.moment - timedelta(days=2), **AVL)
    for poll in answer("south", bench.moment - timedelta(hours=3)):
        taken = await ploughs.take(poll)
    assert taken.skipped == {"stale": 1}


async def test_a_faulty_vehicle_in_every_poll_is_rejected_once(bench, roads):
    ploughs = await bench.ploughs(roads, bench.moment - timedelta(hours=6), **AVL)
    poll = b'{"TrackingDataResponse": {"locationList": [{"assetName": "x", "postingTime": null}]}}'
    await ploughs.take(poll)
    assert (await ploughs.take(poll)).skipped == {"refused-before": 1}
    assert len(bench.producer.rejects) == 1


@pytest.mark.parametrize("raw", [b"{", b"<html>", b"[]", b'{"TrackingDataResponse": 3}'])
async def test_an_answer_that_is_no_list_is_rejected(bench, roads, raw):
    ploughs = await bench.ploughs(roads, bench.moment, **AVL)
    assert (await ploughs.take(raw)).unreadable is not None
    assert len(bench.producer.rejects) == 1
