from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from ingest_permits.domain.dates import read_date
from ingest_permits.domain.positions import position
from kommunepuls_chassis.errors import RejectedInput

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
OSLO = ZoneInfo("Europe/Oslo")


def test_a_date_is_midnight_in_the_town() -> None:
    assert read_date("01.07.2025", ["%d.%m.%Y"], OSLO, NOW) == datetime(2025, 6, 30, 22, tzinfo=UTC)
    assert read_date("2025-01-01", ["iso"], OSLO, NOW) == datetime(2024, 12, 31, 23, tzinfo=UTC)


def test_formats_are_tried_in_their_order() -> None:
    formats = ["%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y"]
    zone = ZoneInfo("America/New_York")
    assert read_date("12/21/2022 05:12:01 PM", formats, zone, NOW).hour == 22
    assert read_date("12/15/2022 ", formats, zone, NOW) == datetime(2022, 12, 15, 5, tzinfo=UTC)


def test_a_time_with_a_zone_keeps_it() -> None:
    assert read_date("2026-01-02T03:04:05.000Z", ["iso"], OSLO, NOW) == datetime(
        2026, 1, 2, 3, 4, 5, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [("31.02.2025", "unreadable-date"), ("soon", "unreadable-date"), ("01.01.1725", "date-out-of-range"),
     ("01.01.2205", "date-out-of-range"), ("01.01.0001", "date-out-of-range"),
     ("31.12.9999", "date-out-of-range")],
)  # fmt: skip
def test_a_date_that_cannot_be_is_refused(text: str, reason: str) -> None:
    with pytest.raises(RejectedInput) as refused:
        read_date(text, ["%d.%m.%Y"], OSLO, NOW)
    assert refused.value.reason == reason


def test_longitude_and_latitude_are_taken_as_they_are() -> None:
    assert position("6.05", "59.05", "EPSG:4326", "NO") == (6.05, 59.05)
    assert position("6,05", "59,05", "EPSG:4326", "NO") == (6.05, 59.05)


def test_a_stated_projection_is_turned_into_degrees() -> None:
    found = position("318000", "6550000", "EPSG:25832", "NO")
    assert found is not None
    assert found == pytest.approx((5.817, 59.047), abs=0.02)


def test_a_row_without_position_has_none() -> None:
    assert position("", " ", "EPSG:4326", "NO") is None
    assert position("0", "0.0", "EPSG:4326", "NO") is None


@pytest.mark.parametrize(
    ("x", "y", "crs", "said"),
    [
        ("59.05", "6.05", "EPSG:4326", "swapped"),
        ("318000", "6550000", "EPSG:4326", "metres"),
        ("6.05", "59.05", "EPSG:25832", "degrees"),
        ("nan", "59.05", "EPSG:4326", "finite"),
        ("6.05", "", "EPSG:4326", "numbers"),
        ("east", "north", "EPSG:4326", "numbers"),
    ],
)
def test_coordinates_that_cannot_be_are_refused_with_what_they_look_like(
    x: str, y: str, crs: str, said: str
) -> None:
    with pytest.raises(RejectedInput) as refused:
        position(x, y, crs, "NO")
    assert refused.value.reason == "bad-coordinates"
    assert said in refused.value.detail
