"""The index answers as the reference does, however it came to hold what it holds."""

from hypothesis import given, settings
from hypothesis import strategies as st
from kommunepuls_events import ContentItemV1, Reason, SubscriberProfileV1
from kommunepuls_geography import Geography
from kommunepuls_matching import index as index_module
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.index import ProfileIndex
from kommunepuls_matching.reference import reasons_for
from kommunepuls_matching.testing import TOWN, geography_of_fjordvik, item, place, point, profile
from matching_strategies import items, profiles
from telling import told

FJORDVIK = geography_of_fjordvik()
SUBSCRIBERS = [f"s-{number}" for number in range(6)]


def answers(
    index: ProfileIndex, offered: ContentItemV1, geography: Geography
) -> dict[str, tuple[Reason, ...]]:
    answer = index.match(Concern.of(offered, geography))
    found = {subscriber: answer.reasons(slot) for subscriber, slot in answer.subscribers()}
    assert told(answer) == found
    return found


def expected(
    held: dict[str, SubscriberProfileV1], offered: ContentItemV1, geography: Geography
) -> dict[str, tuple[Reason, ...]]:
    reasons = {name: reasons_for(offered, one, geography) for name, one in held.items()}
    return {name: found for name, found in reasons.items() if found}


def index_of(*held: SubscriberProfileV1) -> ProfileIndex:
    index = ProfileIndex(FJORDVIK)
    for one in held:
        index.put(one)
    return index


@settings(max_examples=200, deadline=None)
@given(st.data(), items())
def test_the_index_finds_whom_the_reference_finds_for_the_same_reasons(
    data: st.DataObject, offered: ContentItemV1
) -> None:
    geometry = offered.geometry.model_dump() if offered.geometry is not None else None
    held = {name: data.draw(profiles(name, geometry)) for name in SUBSCRIBERS[:4]}
    assert answers(index_of(*held.values()), offered, FJORDVIK) == expected(held, offered, FJORDVIK)


changes = st.lists(
    st.one_of(
        st.sampled_from(SUBSCRIBERS).flatmap(profiles),
        st.sampled_from(SUBSCRIBERS),  # an id alone erases
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(changes, st.lists(items(), min_size=1, max_size=3), st.integers(0, 5))
def test_an_index_kept_up_to_date_equals_one_rebuilt_by_replay(
    history: list[SubscriberProfileV1 | str], offered: list[ContentItemV1], fewest_erased: int
) -> None:
    index = ProfileIndex(FJORDVIK)
    held: dict[str, SubscriberProfileV1] = {}
    remembered, index_module._FEWEST_ERASED = index_module._FEWEST_ERASED, fewest_erased
    try:
        for change in history:
            if isinstance(change, str):
                index.erase(change)
                held.pop(change, None)
            else:
                index.put(change)
                held[change.subscriber] = change
    finally:
        index_module._FEWEST_ERASED = remembered
    rebuilt = index_of(*held.values())
    assert len(index) == len(rebuilt) == len(held)
    for one in offered:
        assert answers(index, one, FJORDVIK) == answers(rebuilt, one, FJORDVIK)
        assert answers(index, one, FJORDVIK) == expected(held, one, FJORDVIK)


def test_many_changes_leave_no_dead_slots_behind() -> None:
    index = ProfileIndex(FJORDVIK)
    for round in range(3000):
        index.put(
            profile(f"s-{round % 10}", areas=[TOWN], interests=["music"], places=[place("p", 10.1, 59.1)])
        )
    assert len(index) == 10
    assert len(index._segment) < 1100
    assert set(answers(index, item(interests=["music"], geometry=point(10.1, 59.1)), FJORDVIK)) == {
        f"s-{number}" for number in range(10)
    }


def test_an_answer_stays_true_while_the_index_changes() -> None:
    index = index_of(profile("s-1", organisers=["o-1"]), profile("s-2", organisers=["o-1"]))
    answer = index.match(Concern.of(item(organiser={"id": "o-1", "name": "A club"}), FJORDVIK))
    index.erase("s-1")
    for number in range(3000):
        index.put(profile("s-3", revision=number + 1))
    found = told(answer)
    assert list(found) == ["s-1", "s-2"]
    assert all(reasons[0].organiser == "o-1" for reasons in found.values())


def test_more_interests_than_a_mask_has_bits_are_told_apart() -> None:
    index = index_of(
        *(
            profile(f"s-{n}", areas=[TOWN], interests=[f"interest-{n}", f"interest-{n + 1}"])
            for n in range(200)
        )
    )
    for wanted in (0, 63, 64, 65, 127, 128, 199):
        found = answers(index, item(interests=[f"interest-{wanted}"]), FJORDVIK)
        assert set(found) == {f"s-{n}" for n in (wanted - 1, wanted) if n >= 0}


def test_new_area_knowledge_is_taken_over_while_profiles_change() -> None:
    index = ProfileIndex(Geography())
    for number in range(1200):
        index.put(profile(f"s-{number}", interests=["music"], places=[place("p", 10.05, 59.05)]))
    offered = item(areas=[f"{TOWN}/west/harbour"], interests=["music"])
    assert answers(index, offered, FJORDVIK) == {}
    for step, _ in enumerate(index.relocate(FJORDVIK)):
        index.put(profile(f"new-{step}", interests=["music"], places=[place("p", 10.05, 59.05)]))
        for number in range(3000 if step == 0 else 1):  # the index compacts itself in the midst of it
            index.put(profile("s-0", revision=number + 1))
    found = answers(index, offered, FJORDVIK)
    assert {"s-1", "s-1199", "new-0", "new-1"} <= set(found)
    assert "s-0" not in found
