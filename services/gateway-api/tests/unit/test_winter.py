from gateway_api.domain.winter import clearing
from kommunepuls_events import Kind

_AROUND = {"havna": ("town",), "brygga": ("havna", "town"), "nordmarka": ("town",)}


def _cleared(*items):
    return clearing(items, ["havna", "brygga", "nordmarka"], lambda area: _AROUND[area])


def test_what_lies_in_a_ploughed_area_is_ploughed_and_the_rest_waits(make_item) -> None:
    ploughed = make_item(kind=Kind.CONDITION, interests=("winter-maintenance",), areas=("havna",))
    found = _cleared(ploughed, make_item("2", areas=("nordmarka",)))
    assert found is not None
    assert found.done == ("havna", "brygga")
    assert found.waiting == ("nordmarka",)
    assert found.items == {ploughed.id}


def test_a_ploughed_neighbourhood_does_not_speak_for_its_district(make_item) -> None:
    found = _cleared(make_item(kind=Kind.CONDITION, interests=("winter-maintenance",), areas=("brygga",)))
    assert found is not None
    assert found.waiting == ("havna", "nordmarka")


def test_without_a_word_of_ploughing_there_is_nothing_to_show(make_item) -> None:
    assert _cleared(make_item(interests=("winter-maintenance",), areas=("havna",))) is None
