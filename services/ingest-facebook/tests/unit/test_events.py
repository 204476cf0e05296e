from datetime import UTC, datetime

import pytest
from ingest_facebook.domain.events import draft_of_event
from ingest_facebook.domain.graph_objects import read_event
from ingest_facebook.domain.page import Page
from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_events import Kind
from kommunepuls_events.geometry import Point

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def drafted(page: Page, **fields: object):
    event = {"id": "500", "name": "Konsert i Havna", "start_time": "2026-12-05T18:30:00+0100"} | fields
    return draft_of_event(read_event(event), page, now=NOW)


def test_an_event_has_its_time_and_place(page: Page) -> None:
    place = {
        "name": "Kulturhuset",
        "location": {"street": "Storgata 1", "city": "Fjordvik", "latitude": 59.05, "longitude": 10.05},
    }
    item = drafted(page, end_time="2026-12-06T02:00:00+0100", place=place, description="Åpent for alle").item

    assert (item.kind, item.title) == (Kind.EVENT, "Konsert i Havna")
    assert item.starts_at == datetime(2026, 12, 5, 17, 30, tzinfo=UTC)
    assert item.ends_at == datetime(2026, 12, 6, 1, 0, tzinfo=UTC), "past midnight"
    assert item.geometry == Point(coordinates=(10.05, 59.05))
    assert item.place_name == "Kulturhuset, Storgata 1, Fjordvik"
    assert item.areas == ("NO-9901/havna",)
    assert "music" in item.interests


def test_an_event_may_have_no_end(page: Page) -> None:
    assert drafted(page).item.ends_at is None


def test_a_date_is_midnight_in_the_events_own_time_zone(page: Page) -> None:
    abroad = drafted(page, start_time="2026-12-05", timezone="Africa/Johannesburg").item
    here = drafted(page, start_time="2026-07-05").item

    assert abroad.starts_at == datetime(2026, 12, 4, 22, 0, tzinfo=UTC)
    assert here.starts_at == datetime(2026, 7, 4, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "fields",
    [
        {"start_time": "2026-12-05T18:30:00"},
        {"start_time": "i morgen"},
        {"start_time": "2026-12-05T18:30:00", "timezone": "Mars/Base"},
        {"start_time": "2026-13-01"},
        {"end_time": "2026-12-04T18:30:00+0100"},
    ],
)
def test_a_time_that_cannot_be_is_rejected(page: Page, fields: dict) -> None:
    with pytest.raises(RejectedInput) as rejected:
        drafted(page, **fields)
    assert rejected.value.reason == "invalid-time"


@pytest.mark.parametrize(
    ("latitude", "longitude", "why"),
    [
        (10.05, 59.05, "the coordinates are swapped"),
        (6_600_000.0, 250_000.0, "the coordinates are not WGS84 degrees"),
        (0.0, 0.0, "the coordinates are not WGS84 degrees"),
    ],
)
def test_wrong_coordinates_are_left_out_and_the_event_is_kept(
    page: Page, latitude: float, longitude: float, why: str
) -> None:
    found = drafted(page, place={"name": "Salen", "location": {"latitude": latitude, "longitude": longitude}})

    assert (found.item.geometry, found.item.place_name, found.remark) == (None, "Salen", why)


def test_a_place_elsewhere_keeps_its_position(page: Page) -> None:
    oslo = {"name": "Oslo", "location": {"latitude": 59.91, "longitude": 10.75}}

    assert drafted(page, place=oslo).item.geometry == Point(coordinates=(10.75, 59.91))


def test_a_cancelled_event_is_withdrawn(page: Page) -> None:
    assert drafted(page, is_canceled=True).item.withdrawn


def test_an_event_that_is_over_is_no_news(page: Page) -> None:
    assert not drafted(page, start_time="2026-11-20T18:00:00+0100").item.lifecycle.news
    assert drafted(page).item.lifecycle.news


def test_the_dates_of_a_series_are_told(page: Page) -> None:
    times = [
        {"start_time": "2026-12-12T18:00:00+0100"},
        {"start_time": "2026-12-05T18:00:00+0100"},
        {"start_time": 3},
    ]
    item = drafted(page, event_times=times).item

    assert "Datoer:<br>05.12.2026 18:00<br>12.12.2026 18:00" in item.body


def test_it_was_published_when_it_was_seen_first(page: Page) -> None:
    first = datetime(2026, 11, 1, tzinfo=UTC)
    event = read_event({"id": "5", "name": "Konsert", "start_time": "2026-12-05T18:30:00+0100"})

    assert draft_of_event(event, page, now=NOW, first_seen=first).item.published_at == first
