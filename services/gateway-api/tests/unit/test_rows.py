from types import SimpleNamespace

from gateway_api.adapters.http.pages_public import row_of
from gateway_api.service.queries import Shown


def test_what_concerns_many_areas_is_said_of_the_town(make_item) -> None:
    names = SimpleNamespace(area=str.upper)
    item = make_item()
    assert row_of(Shown(item, ("a", "b", "c")), names, "nb").areas == ("A", "B", "C")
    assert row_of(Shown(item, ("a", "b", "c", "d")), names, "nb").areas == ("NO-9901",)
