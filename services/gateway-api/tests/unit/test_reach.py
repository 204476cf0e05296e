"""Numbers of residents are useful, and tell nothing of any one of them."""

import pytest
from gateway_api.domain.reach import FEWEST, About, ReachCount
from kommunepuls_events import Reason, ReasonType

KEY = "a-key-of-the-tests"


def residents(count: int, first: int = 0) -> list[str]:
    return [f"s-{number}" for number in range(first, first + count)]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_none_and_few_are_told_alike(count: int) -> None:
    assert About.of(residents(count), KEY) == About(None)


@pytest.mark.parametrize(("count", "off"), [(12, 5), (73, 5), (412, 8), (2_345, 60), (54_321, 600)])
def test_the_number_told_is_near_the_true_one(count: int, off: int) -> None:
    told = About.of(residents(count), KEY).number
    assert told is not None
    assert abs(told - count) <= off
    assert told % 5 == 0


def test_the_same_residents_always_give_the_same_number_in_whatever_order_they_come() -> None:
    assert About.of(residents(33), KEY) == About.of(reversed(residents(33)), KEY)
    assert About.of([*residents(33), "s-1"], KEY) == About.of(residents(33), KEY)


def test_one_resident_more_cannot_be_seen_in_the_number() -> None:
    """Over many places, the number after somebody comes is lower about as often as it is where nobody comes."""
    rises = falls = 0
    for first in range(0, 40_000, 100):
        before = About.of(residents(22, first), KEY).number
        after = About.of(residents(23, first), KEY).number
        assert before is not None
        assert after is not None
        rises, falls = rises + (after > before), falls + (after < before)
    assert falls > 20
    assert rises > falls
    assert rises + falls < 300


def test_a_different_key_gives_different_numbers_so_that_towns_cannot_be_laid_side_by_side() -> None:
    told = {About.of(residents(22), f"key {number}").number for number in range(30)}
    assert len(told) > 1


def test_parts_are_counted_by_reason_and_those_of_few_are_not_named() -> None:
    count = ReachCount(KEY)
    for one in residents(40):
        count.add(
            one,
            [
                Reason(type=ReasonType.PLACE, place="home", distance_metres=10.0),
                Reason(type=ReasonType.PLACE, place="cabin", distance_metres=80.0),
                Reason(type=ReasonType.INTEREST, interest="football"),
            ],
        )
    count.add("s-100", [Reason(type=ReasonType.AREA, area="NO-9901/havna")])
    told = count.told()
    assert told.residents.number in (40, 45)
    assert told.places == About.of(residents(40), KEY)
    assert told.interests == {"football": About.of(residents(40), KEY)}
    assert told.areas == {}
    assert told.organiser == About(None)
    assert FEWEST == 5
