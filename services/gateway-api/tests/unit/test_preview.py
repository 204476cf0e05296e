from datetime import timedelta

import pytest
from gateway_api.domain import preview
from gateway_api.domain.preview import Recent, RecentItem, as_news, would_have_received
from kommunepuls_events import Lifecycle, LifecycleState, Organiser
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.reference import reasons_for
from kommunepuls_matching.testing import TOWN, geography_of_fjordvik, item, place, point, profile

GEOGRAPHY = geography_of_fjordvik()
CLUB = Organiser(id=f"{TOWN}/club", name="The club")
ITEMS = (
    item("here", areas=(f"{TOWN}/west/harbour",), interests=("water-and-sewage",)),
    item("there", areas=(f"{TOWN}/east",), interests=("water-and-sewage", "power")),
    item("near", geometry=point(10.051, 59.05), interests=("building-permits",)),
    item("far", geometry=point(10.39, 59.19), interests=("building-permits",)),
    item("club", areas=(f"{TOWN}/east",), interests=("football",), organiser=CLUB),
    item("storm", kind="alert", severity="severe", areas=(TOWN,)),
)
PROFILES = (
    profile(),
    profile(areas=(f"{TOWN}/west",), interests=("water-and-sewage",)),
    profile(places=(place("home", 10.05, 59.05, 200),), interests=("building-permits", "power")),
    profile(organisers=(CLUB.id,)),
    profile(areas=(TOWN,), interests=("water-and-sewage", "football"), organisers=(CLUB.id,),
            muted={"organisers": (CLUB.id,)}),
)  # fmt: skip


def _recent(*items, told: int = 1, **fields) -> Recent:
    return Recent(tuple(RecentItem(Concern.of(one, GEOGRAPHY), told) for one in items), GEOGRAPHY, **fields)


@pytest.mark.parametrize("resident", PROFILES, ids=["nobody", "area", "place", "club", "muted"])
def test_the_preview_is_what_the_matcher_would_have_said(resident) -> None:
    found = {one.item.id: one.reasons for one in would_have_received(resident, _recent(*ITEMS))}
    asked = {one.id: reasons_for(one, resident, GEOGRAPHY) for one in ITEMS}
    assert found == {key: reasons for key, reasons in asked.items() if reasons}
    assert bool(found) == (resident is not PROFILES[0])


def test_what_was_old_when_its_source_was_first_read_counts_as_if_it_had_come() -> None:
    old = item(areas=(TOWN,), interests=("power",), lifecycle=Lifecycle(news=False))
    resident = profile(areas=(TOWN,), interests=("power",))
    assert reasons_for(old, resident, GEOGRAPHY) == ()
    assert len(would_have_received(resident, _recent(as_news(old)))) == 1


def test_what_was_taken_back_does_not() -> None:
    gone = item(areas=(TOWN,), interests=("power",), lifecycle=Lifecycle(state=LifecycleState.WITHDRAWN))
    resident = profile(areas=(TOWN,), interests=("power",))
    # It is left out when the items are loaded; see the test over the store.
    assert as_news(gone).withdrawn
    assert reasons_for(as_news(gone), resident, GEOGRAPHY) == ()


@pytest.mark.parametrize(
    ("messages", "days", "a_week"), [(0, 60, 0.0), (60, 60, 7.0), (30, 60, 3.5), (4, 28, 1.0), (3, 7, 3.0)]
)
def test_messages_a_week_are_those_of_the_window(messages: int, days: int, a_week: float) -> None:
    assert _recent(window=timedelta(days=days)).a_week(messages) == pytest.approx(a_week)


def test_an_item_whose_changes_were_news_was_as_many_messages() -> None:
    resident = profile(areas=(TOWN,), interests=("power",))
    received = would_have_received(resident, _recent(item(areas=(TOWN,), interests=("power",)), told=3))
    assert preview.messages_in(received) == 3


def test_each_interest_says_how_much_it_would_have_brought_there() -> None:
    resident = profile(areas=(f"{TOWN}/west",), places=(place("home", 10.05, 59.05, 200),))
    counts = preview.interest_counts(
        resident, _recent(*ITEMS), ["water-and-sewage", "building-permits", "football"]
    )
    assert counts == {"water-and-sewage": 1, "building-permits": 1}
    assert preview.organiser_counts(_recent(*ITEMS)) == {CLUB.id: 1}
