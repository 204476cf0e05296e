"""An index answers the same before, during and after a merge, whatever changes meanwhile."""

import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kommunepuls_events import ContentItemV1, Reason, SubscriberProfileV1
from kommunepuls_geography import Geography
from kommunepuls_matching import compiling
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.index import ProfileIndex
from kommunepuls_matching.reference import is_muted, reasons_for
from kommunepuls_matching.testing import TOWN, geography_of_fjordvik, item, place, point, profile
from matching_strategies import items, profiles
from telling import told

pytestmark = pytest.mark.skipif(not compiling.AVAILABLE, reason="numba cannot be imported: nothing is merged")

FJORDVIK = geography_of_fjordvik()
SUBSCRIBERS = [f"s-{number}" for number in range(6)]


def answers(index: ProfileIndex, offered: ContentItemV1) -> dict[str, tuple[Reason, ...]]:
    answer = index.match(Concern.of(offered, FJORDVIK))
    found = told(answer)
    assert found == {subscriber: answer.reasons(slot) for subscriber, slot in answer.subscribers()}
    return found


def expected(held: dict[str, SubscriberProfileV1], offered: ContentItemV1) -> dict[str, tuple[Reason, ...]]:
    reasons = {name: reasons_for(offered, one, FJORDVIK) for name, one in held.items()}
    return {name: found for name, found in reasons.items() if found}


def merged(index: ProfileIndex) -> None:
    merge = index.begin_merging()
    merge.work()
    index.adopt(merge)


@settings(max_examples=150, deadline=None)
@given(st.data(), items())
def test_answers_are_the_same_before_during_and_after_merges(
    data: st.DataObject, offered: ContentItemV1
) -> None:
    geometry = offered.geometry.model_dump() if offered.geometry is not None else None
    index = ProfileIndex(FJORDVIK)
    held: dict[str, SubscriberProfileV1] = {}
    merge = None
    steps = [*SUBSCRIBERS, "begin", "work", "adopt", "erase"]
    for step in data.draw(st.lists(st.sampled_from(steps), min_size=6, max_size=20)):
        if step == "begin" and merge is None:
            merge, worked = index.begin_merging(), False
        elif step == "work" and merge is not None and not worked:
            merge.work()
            worked = True
        elif step == "adopt" and merge is not None and worked:
            index.adopt(merge)
            merge = None
        elif step == "erase" and held:
            index.erase(held.popitem()[0])
        elif step in SUBSCRIBERS:
            held[step] = data.draw(profiles(step, geometry))
            index.put(held[step])
        assert len(index) == len(held)
        assert all((name in index) == (name in held) for name in SUBSCRIBERS)
    assert answers(index, offered) == expected(held, offered)
    for name, one in held.items():
        assert index.mutes(name, offered) == is_muted(offered, one)


def resident(number: int, revision: int = 1) -> SubscriberProfileV1:
    return profile(
        f"s-{number}",
        revision=revision,
        areas=[TOWN] if revision % 2 else [],
        interests=["music"],
        places=[place("p", 10.0 + number % 40 / 100, 59.1)],
    )


def test_changes_erasures_and_returns_during_a_merge_in_a_thread_count_at_once() -> None:
    index = ProfileIndex(FJORDVIK)
    held = {one.subscriber: one for one in map(resident, range(3000))}
    for one in held.values():
        index.put(one)
    merged(index)
    offered = item(interests=["music"], geometry=point(10.2, 59.1))
    for round in range(2, 6):
        merge = index.begin_merging()
        thread = threading.Thread(target=merge.work)
        thread.start()
        for number in range(round, 3000, 150):
            index.erase(f"s-{number}")
            held.pop(f"s-{number}", None)
            if number % 4:
                held[f"s-{number}"] = resident(number, round)
                index.put(held[f"s-{number}"])
            found = {name for name, _ in index.match(Concern.of(offered, FJORDVIK)).subscribers()}
            assert (f"s-{number}" in found) == (f"s-{number}" in expected_of(held, number, offered))
        thread.join()
        index.adopt(merge)
        assert len(index) == len(held)
        assert set(answers(index, offered)) == set(expected(held, offered))


def expected_of(held: dict[str, SubscriberProfileV1], number: int, offered: ContentItemV1) -> set[str]:
    name = f"s-{number}"
    return set(expected({name: held[name]} if name in held else {}, offered))


def test_an_answer_stays_true_when_its_index_is_merged_and_changed() -> None:
    index = ProfileIndex(FJORDVIK)
    for number in range(20):
        index.put(resident(number))
    merged(index)
    answer = index.match(Concern.of(item(interests=["music"], areas=[TOWN]), FJORDVIK))
    before = told(answer)
    index.erase("s-1")
    index.put(resident(2, 2))
    merged(index)
    assert told(answer) == before
    assert len(before) == 20


def test_new_area_knowledge_overtakes_a_merge() -> None:
    index = ProfileIndex(Geography())
    for number in range(30):
        index.put(profile(f"s-{number}", interests=["music"], places=[place("p", 10.05, 59.05)]))
        if number == 10:
            merged(index)
    merge = index.begin_merging()
    merge.work()
    index.put(profile("s-99", interests=["music"], places=[place("p", 10.05, 59.05)]))
    for _ in index.relocate(FJORDVIK):
        pass
    index.adopt(merge)
    offered = item(areas=[f"{TOWN}/west/harbour"], interests=["music"])
    assert len(answers(index, offered)) == 31
    merged(index)
    assert len(answers(index, offered)) == 31


def test_a_merge_that_failed_leaves_everything_where_it_is() -> None:
    index = ProfileIndex(FJORDVIK)
    for number in range(10):
        index.put(resident(number))
    index.abandon(index.begin_merging())
    index.put(resident(11))
    offered = item(interests=["music"], areas=[TOWN])
    assert len(answers(index, offered)) == 11
    merged(index)
    assert len(answers(index, offered)) == 11
    assert len(index.base) == 10


def test_more_interests_than_a_mask_has_bits_are_told_apart_in_the_base() -> None:
    index = ProfileIndex(FJORDVIK)
    for number in range(200):
        index.put(profile(f"s-{number}", areas=[TOWN], interests=[f"i-{number}", f"i-{number + 1}"]))
        if number in (50, 100):
            merged(index)
    merged(index)
    for wanted in (0, 63, 64, 65, 127, 128, 199):
        found = answers(index, item(interests=[f"i-{wanted}"]))
        assert set(found) == {f"s-{n}" for n in (wanted - 1, wanted) if n >= 0}


def test_subscribers_of_other_scripts_are_found_again() -> None:
    index = ProfileIndex(FJORDVIK)
    names = ["å", "ås", "s", "s-ø", "日本", "s" * 500]
    for name in names:
        index.put(profile(name))
    merged(index)
    assert all(name in index for name in names)
    assert "a" not in index
    for name in names:
        index.erase(name)
    assert len(index) == 0


@settings(max_examples=75, deadline=None)
@given(st.data(), items())
def test_an_index_that_was_loaded_at_once_answers_like_one_that_took_profiles_one_by_one(
    data: st.DataObject, offered: ContentItemV1
) -> None:
    geometry = offered.geometry.model_dump() if offered.geometry is not None else None
    index = ProfileIndex(FJORDVIK)
    held: dict[str, SubscriberProfileV1] = {}
    for _ in range(2):  # into an empty index, and into one that holds some of them
        loading = index.begin_loading()
        for step in data.draw(st.lists(st.sampled_from([*SUBSCRIBERS, "erase"]), max_size=8)):
            if step == "erase" and held:
                loading.erase(held.popitem()[0])
            elif step in SUBSCRIBERS:
                held[step] = data.draw(profiles(step, geometry))
                loading.put(held[step])
        loading.work()
        assert index.load(loading)
        assert len(index) == len(held)
        assert answers(index, offered) == expected(held, offered)


def test_new_area_knowledge_overtakes_a_loading() -> None:
    index = ProfileIndex(Geography())
    loading = index.begin_loading()
    loading.put(profile("s-1", interests=["music"], places=[place("p", 10.05, 59.05)]))
    loading.work()
    assert list(index.relocate(FJORDVIK)) == []
    assert not index.load(loading)
    loading.work()
    assert index.load(loading)
    offered = item(areas=[f"{TOWN}/west/harbour"], interests=["music"])
    assert set(answers(index, offered)) == {"s-1"}


def test_items_of_few_and_of_many_candidates_are_answered_alike() -> None:
    """Few are looked at one by one, many in whole words: of 6,000 each way is gone by some of the items."""
    rng = random.Random(20261122)
    areas = [f"NO-9901/a-{number}" for number in range(20)]
    held = {}
    for number in range(6000):
        name = f"s-{number}"
        held[name] = profile(
            name,
            areas=[TOWN] * (number % 3 == 0) + rng.sample(areas, 2) * (number % 7 == 0),
            interests=rng.sample(["music", "football", "bathing", "planning"], rng.randint(0, 3)),
            organisers=["o-1"] * (number % 50 == 0),
            places=[place("home", rng.uniform(10.0, 10.4), rng.uniform(59.0, 59.2), rng.uniform(1, 5000))],
            muted={"interests": rng.sample(["music", "football"], rng.randint(0, 2))}
            if number % 5 == 0
            else {},
            minimum_severity=rng.choice(["unknown", "moderate", "extreme"]),
            audience=["young"] * (number % 4 == 0),
        )
    index = ProfileIndex(FJORDVIK)
    for some in (list(held.values())[:4000], list(held.values())[4000:]):
        for one in some:
            index.put(one)
        merged(index)
    corners = [[10.1, 59.05], [10.15, 59.05], [10.15, 59.1], [10.1, 59.05]]
    geometries = [None, point(10.2, 59.1), {"type": "Polygon", "coordinates": [corners]}]
    for geometry in geometries:
        for wanted in ([], ["music"], ["football", "music"], ["planning", "bathing", "music"]):
            for near in ([areas[0]], [TOWN, *areas]):
                offered = item(
                    areas=near,
                    geometry=geometry,
                    interests=wanted,
                    kind="alert" if len(wanted) == 2 else "notice",
                    severity="severe",
                    organiser={"id": "o-1", "name": "A club"} if len(wanted) == 3 else None,
                    audience=["young"] if len(wanted) == 1 else [],
                )
                found = set(answers(index, offered))
                assert found == set(expected(held, offered))
                assert found or not wanted
