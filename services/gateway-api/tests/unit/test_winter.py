from datetime import UTC, datetime, timedelta

import pytest
from gateway_api.domain.winter import clearing
from kommunepuls_events import Kind

_AROUND = {"havna": ("town",), "brygga": ("havna", "town"), "nordmarka": ("town",)}
_NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def _cleared(*items):
    return clearing(items, ["havna", "brygga", "nordmarka"], lambda area: _AROUND[area], _NOW)


def _ploughed(make_item, area: str, hours: float, native: str = "1"):
    at = _NOW - timedelta(hours=hours)
    return make_item(
        native, kind=Kind.CONDITION, interests=("winter-maintenance",), areas=(area,), published_at=at
    )


def test_what_lies_in_a_ploughed_area_is_ploughed_and_the_rest_waits(make_item) -> None:
    ploughed = _ploughed(make_item, "havna", 1)
    found = _cleared(ploughed, make_item("2", areas=("nordmarka",)))
    assert found is not None
    assert found.areas("recent") == ["havna", "brygga"]
    assert found.areas("waiting") == ["nordmarka"]
    assert found.items == {ploughed.id}


@pytest.mark.parametrize(
    ("hours", "step"),
    [(0, "recent"), (2.9, "recent"), (3, "earlier"), (11.9, "earlier"), (12, "longer"), (70, "longer")],
)
def test_the_scale_says_how_long_ago(make_item, hours: float, step: str) -> None:
    found = _cleared(_ploughed(make_item, "nordmarka", hours))
    assert found is not None
    assert found.steps["nordmarka"] == step
    assert found.times["nordmarka"] == _NOW - timedelta(hours=hours)


def test_the_newest_pass_counts_that_of_a_neighbourhood_too(make_item) -> None:
    found = _cleared(_ploughed(make_item, "havna", 20), _ploughed(make_item, "brygga", 1, "2"))
    assert found is not None
    assert (found.steps["havna"], found.steps["brygga"]) == ("longer", "recent")


def test_a_ploughed_neighbourhood_does_not_speak_for_its_district(make_item) -> None:
    found = _cleared(_ploughed(make_item, "brygga", 1))
    assert found is not None
    assert found.areas("waiting") == ["havna", "nordmarka"]


def test_without_a_word_of_ploughing_there_is_nothing_to_show(make_item) -> None:
    assert _cleared(make_item(interests=("winter-maintenance",), areas=("havna",))) is None
