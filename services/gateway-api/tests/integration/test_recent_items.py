"""The items of the last 60 days, as any process sees them."""

from datetime import timedelta

import pytest
from gateway_api.service.recent_items import RecentItems
from kommunepuls_events import Lifecycle, LifecycleState
from kommunepuls_events.base import utc_now

pytestmark = pytest.mark.integration

DAY = timedelta(days=1)


class _Clock:
    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self):
        return self.now


def _titles(recent) -> list[str]:
    return [one.item.title for one in recent.items]


async def test_it_loads_the_newest_revisions_and_then_what_has_come_since(town, make_item) -> None:
    gateway, clock = town.running.gateway, _Clock()
    take = town.running.read_model.take_items
    await take([
        make_item("1", title="Nytt"),
        make_item("2", title="Eldre", published_at=utc_now() - 59 * DAY),
        make_item("3", title="For gammelt", published_at=utc_now() - 61 * DAY),
        make_item("4", title="Øvelse", exercise=True),
        make_item("5", title="Trukket", lifecycle=Lifecycle(state=LifecycleState.WITHDRAWN)),
    ])  # fmt: skip
    recent = RecentItems(gateway.collections, now=clock)
    assert _titles(await recent.of(gateway.towns.first)) == ["Nytt", "Eldre"]
    updated = Lifecycle(state=LifecycleState.UPDATED)
    await take([
        make_item("1", revision=2, title="Endret", lifecycle=updated),
        make_item("1", revision=3, title="Endret igjen", lifecycle=Lifecycle(news=False)),
        make_item("6", title="Senere sett", published_at=utc_now() - 2 * DAY),
    ])  # fmt: skip
    assert _titles(await recent.of(gateway.towns.first)) == ["Nytt", "Eldre"]
    clock.now += timedelta(seconds=6)
    found = await recent.of(gateway.towns.first)
    assert _titles(found) == ["Endret igjen", "Senere sett", "Eldre"]
    # The first and the second revision were told, the third was no news.
    assert [one.told for one in found.items] == [2, 1, 1]
    withdrawn = Lifecycle(state=LifecycleState.WITHDRAWN)
    await take([make_item("1", revision=4, title="Trukket", lifecycle=withdrawn)])
    clock.now += timedelta(seconds=6)
    assert _titles(await recent.of(gateway.towns.first)) == ["Senere sett", "Eldre"]
    clock.now += 2 * DAY
    assert _titles(await recent.of(gateway.towns.first)) == ["Senere sett"]


async def test_a_busy_town_is_looked_at_for_a_shorter_time(town, make_item) -> None:
    gateway = town.running.gateway
    at = utc_now()
    await town.running.read_model.take_items(
        [make_item(str(day), published_at=at - day * DAY) for day in range(1, 12)]
    )
    recent = await RecentItems(gateway.collections, most=7).of(gateway.towns.first)
    assert len(recent.items) == 7
    assert recent.window / DAY == pytest.approx(7, abs=0.01)
    assert recent.a_week(7) == pytest.approx(7, abs=0.01)
