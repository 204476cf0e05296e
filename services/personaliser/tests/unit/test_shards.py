"""A shard keeps its index compact while it goes on taking profiles in."""

import pytest
from kommunepuls_chassis.testing import eventually
from kommunepuls_geography import Geography
from kommunepuls_matching import compiling
from kommunepuls_matching import index as index_module
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.index import ProfileIndex
from kommunepuls_matching.merging import Merge
from kommunepuls_matching.testing import geography_of_fjordvik, item, profile
from personaliser.shards import Shard


@pytest.fixture
async def shard(monkeypatch: pytest.MonkeyPatch) -> Shard:
    monkeypatch.setattr(index_module, "_FEWEST_MERGED", 10)
    ready = Shard(0, geography_of_fjordvik())
    await ready.begin([])
    return ready


def take(shard: Shard, first: int, last: int) -> ProfileIndex:
    for number in range(first, last):
        shard.take(f"s-{number}", profile(f"s-{number}"))
    shard.advance(last)
    return shard.index


@pytest.mark.skipif(not compiling.AVAILABLE, reason="numba cannot be imported")
async def test_what_came_is_merged_in_the_background(shard: Shard) -> None:
    index = take(shard, 0, 20)
    await eventually(lambda: len(index.base) == 20, within=60, what="a merge")
    take(shard, 20, 25)
    take(shard, 25, 40)
    await eventually(lambda: len(index.base) == 40, within=60, what="a second merge")
    assert len(index) == 40


@pytest.mark.skipif(not compiling.AVAILABLE, reason="numba cannot be imported")
async def test_a_merge_that_fails_is_tried_again(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Merge, "work", lambda merge: 1 / 0)
        index = take(shard, 0, 20)
        await eventually(lambda: shard._merging is None and index.wants_merging, what="the merge given up")
    assert len(index) == 20
    take(shard, 20, 21)
    await eventually(lambda: len(index.base) == 20, within=60, what="a merge")
    assert len(index) == 21


async def test_what_is_rebuilt_from_the_log_is_what_the_log_says_last() -> None:
    shard = Shard(0, Geography())
    for revision in (1, 2):
        for number in range(30):
            one = profile(f"s-{number}", revision=revision, organisers=[f"o-{revision}"])
            shard.take(one.subscriber, one)
    shard.take("s-3", None)
    shard.advance(61)
    relocated = list(shard.index.relocate(geography_of_fjordvik()))
    await shard.begin([])
    assert relocated == []
    assert shard.ready
    offered = [item(organiser={"id": f"o-{revision}", "name": "A club"}) for revision in (1, 2)]
    before, after = (shard.index.match(Concern.of(one, geography_of_fjordvik())) for one in offered)
    assert len(before) == 0
    assert {name for name, _ in after.subscribers()} == {f"s-{n}" for n in range(30)} - {"s-3"}
