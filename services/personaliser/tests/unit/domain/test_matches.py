"""Chunks and the items of thresholds."""

from collections.abc import Iterable
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from kommunepuls_events import ContentItemV1, Direction, MatchV2, Reason, ReasonType, SensorThreshold
from kommunepuls_matching import compiling
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.index import ProfileIndex
from kommunepuls_matching.reference import reasons_for
from kommunepuls_matching.sharing import Group
from kommunepuls_matching.testing import NOW, TOWN, geography_of_fjordvik, item
from matching_strategies import items, profiles
from personaliser.domain.matches import chunked
from personaliser.domain.sensor_items import item_of_reading, recipients_of
from personaliser.domain.thresholds import Crossing
from personaliser_making import reading, threshold

FJORDVIK = geography_of_fjordvik()
MUSIC = Reason(type=ReasonType.INTEREST, interest="music")
HOME = Reason(type=ReasonType.PLACE, place="home")


def subscribers(count: int, first: int = 0) -> list[str]:
    return [f"s-{number:04}" for number in range(first, first + count)]


def read(chunks: Iterable[MatchV2]) -> list[MatchV2]:
    """As a consumer reads them."""
    return [MatchV2.model_validate_json(chunk.to_json()) for chunk in chunks]


def told(chunks: Iterable[MatchV2]) -> list[tuple[str, tuple[Reason, ...]]]:
    return [one for chunk in chunks for one in chunk.each()]


def test_recipients_go_out_in_chunks_whose_ids_can_be_worked_out_again() -> None:
    groups = [Group((MUSIC,), subscribers(2001))]
    found = read(chunked(item("7"), 3, groups, NOW))
    assert [len(list(one.each())) for one in found] == [1000, 1000, 1]
    assert [one.id for one in found] == [f"{TOWN}/kommunen/7#1#3#{n}" for n in range(3)]
    assert [one.id for one in chunked(item("7"), 3, groups, NOW + timedelta(1))] == [one.id for one in found]
    assert told(found) == [(subscriber, (MUSIC,)) for subscriber in subscribers(2001)]


def test_a_chunk_says_each_reason_once() -> None:
    groups = [Group((HOME, MUSIC), subscribers(2), [80.0, 90.5]), Group((MUSIC,), subscribers(2, first=2))]
    (chunk,) = read(chunked(item("7"), 0, groups, NOW))
    assert chunk.reasons == (HOME, MUSIC)
    assert [group.because for group in chunk.groups] == [(0, 1), (1,)]


def test_a_group_that_is_divided_keeps_the_distances_of_each() -> None:
    cabin = Reason(type=ReasonType.PLACE, place="cabin")
    metres = [float(number) for number in range(1, 11)]
    found = read(chunked(item(), 0, [Group((HOME, cabin), subscribers(5), metres)], NOW, size=2))
    assert [len(one.groups[0].subscribers) for one in found] == [2, 2, 1]
    assert [[reason.distance_metres for reason in reasons] for _, reasons in told(found)] == [
        [1, 2], [3, 4], [5, 6], [7, 8], [9, 10],
    ]  # fmt: skip


def test_a_chunk_whose_recipients_share_little_ends_sooner() -> None:
    groups = [
        Group((Reason(type=ReasonType.INTEREST, interest=f"i-{number}"),), [f"s-{number}"])
        for number in range(7)
    ]
    assert [len(one.groups) for one in chunked(item(), 0, groups, NOW, most_groups=3)] == [3, 3, 1]


def test_nobody_is_no_match() -> None:
    assert list(chunked(item(), 0, (), NOW)) == []


@settings(max_examples=100, deadline=None)
@given(st.data(), items(), st.integers(1, 5), st.integers(1, 3), st.integers(0, 8))
def test_chunks_say_exactly_what_the_plain_rules_say(
    data: st.DataObject, offered: ContentItemV1, size: int, most_groups: int, loaded: int
) -> None:
    geometry = offered.geometry.model_dump() if offered.geometry is not None else None
    held = [
        data.draw(profiles(f"s-{number}å" if number % 3 else f"s-{number}", geometry)) for number in range(8)
    ]
    index = ProfileIndex(FJORDVIK)
    if compiling.AVAILABLE:
        loading = index.begin_loading()
        for one in held[:loaded]:
            loading.put(one)
        loading.work()
        index.load(loading)
    else:
        loaded = 0
    for one in held[loaded:]:
        index.put(one)
    expected = {one.subscriber: reasons for one in held if (reasons := reasons_for(offered, one, FJORDVIK))}
    groups = index.match(Concern.of(offered, FJORDVIK)).groups()
    found = told(read(chunked(offered, 0, groups, NOW, size=size, most_groups=most_groups)))
    assert len(found) == len(expected)
    assert dict(found) == expected


def test_a_reading_becomes_an_item_that_says_it_in_four_languages() -> None:
    found = item_of_reading(reading(20.1))
    assert found.title == "Storøya: 20,1 °C i vannet"
    assert {language: one.title for language, one in found.translations.items()} == {
        "nn": "Storøya: 20,1 °C i vatnet",
        "sv": "Storøya: 20,1 °C i vattnet",
        "en": "Storøya: 20.1 °C in the water",
    }
    assert found.id == f"{TOWN}/water/threshold/storoya/water-temperature"
    assert found.revision == int(NOW.timestamp())
    assert found.interests == ("bathing",)


def test_an_unknown_property_is_told_by_its_value_and_unit() -> None:
    found = item_of_reading(reading(-3.0, observed_property="ph-value", unit="[pH]", name=None))
    assert found.title == "storoya: -3,0 [pH]"
    assert found.interests == ()


def test_two_thresholds_of_one_resident_are_two_reasons_together() -> None:
    low, high = (SensorThreshold.model_validate(threshold(value, id=f"t-{value}")) for value in (18.0, 20.0))
    crossings = [("s-1", low), ("s-1", high), ("s-2", high), ("s-3", low), ("s-3", high)]
    found = recipients_of(reading(20.1), [Crossing(*one) for one in crossings])
    assert [(one.subscribers, [reason.threshold for reason in one.reasons]) for one in found] == [
        (["s-1", "s-3"], [18.0, 20.0]),
        (["s-2"], [20.0]),
    ]
    assert found[0].reasons[0].direction is Direction.RISING
    assert found[0].reasons[0].value == 20.1
