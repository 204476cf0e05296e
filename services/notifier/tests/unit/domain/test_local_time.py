"""Quiet hours and digests on the resident's clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kommunepuls_events import Cadence, QuietHours
from notifier.domain.local_time import HOME_ZONE, is_quiet, next_digest, quiet_until, zone_of

OSLO = ZoneInfo("Europe/Oslo")
NIGHT = QuietHours(begins=time(22), ends=time(7))


def local(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=OSLO, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [("21:59", False), ("22:00", True), ("23:59", True), ("00:00", True), ("06:59", True), ("07:00", False)],
)
def test_quiet_hours_go_past_midnight(clock: str, quiet: bool) -> None:
    assert is_quiet(local(f"2026-11-24T{clock}"), NIGHT, OSLO) is quiet


def test_quiet_hours_of_no_length_are_none() -> None:
    assert not is_quiet(local("2026-11-24T22:00"), QuietHours(begins=time(7), ends=time(7)), OSLO)


def test_quiet_hours_end_on_the_residents_clock_in_summer_and_in_winter() -> None:
    assert quiet_until(local("2026-07-01T23:00"), NIGHT, OSLO) == datetime(2026, 7, 2, 5, tzinfo=UTC)
    assert quiet_until(local("2026-12-01T23:00"), NIGHT, OSLO) == datetime(2026, 12, 2, 6, tzinfo=UTC)


def test_the_night_of_the_change_to_summer_time_is_an_hour_shorter() -> None:
    begun = local("2026-03-28T22:00")
    assert quiet_until(begun, NIGHT, OSLO) - begun == timedelta(hours=8)


def test_the_night_of_the_change_to_winter_time_is_an_hour_longer() -> None:
    begun = local("2026-10-24T22:00")
    assert quiet_until(begun, NIGHT, OSLO) - begun == timedelta(hours=10)


def test_an_end_that_is_skipped_in_spring_is_the_moment_of_the_jump() -> None:
    hours = QuietHours(begins=time(22), ends=time(2, 30))
    assert quiet_until(local("2026-03-29T01:00"), hours, OSLO) == local("2026-03-29T03:00")


def test_an_end_that_comes_twice_in_autumn_is_quiet_until_the_second() -> None:
    hours = QuietHours(begins=time(22), ends=time(2, 30))
    second_quarter_past = local("2026-10-25T02:15", fold=1)
    assert quiet_until(second_quarter_past, hours, OSLO) == local("2026-10-25T02:30", fold=1)


def test_a_daily_digest_is_due_at_the_next_such_hour() -> None:
    assert next_digest(local("2026-11-24T06:59"), Cadence.DAILY, time(7), 5, OSLO) == local(
        "2026-11-24T07:00"
    )
    assert next_digest(local("2026-11-24T07:00"), Cadence.DAILY, time(7), 5, OSLO) == local(
        "2026-11-25T07:00"
    )


def test_a_weekly_digest_is_due_on_its_weekday() -> None:
    friday = local("2026-11-27T07:00")
    assert next_digest(local("2026-11-24T12:00"), Cadence.WEEKLY, time(7), 5, OSLO) == friday
    assert next_digest(friday, Cadence.WEEKLY, time(7), 5, OSLO) == local("2026-12-04T07:00")


def test_a_digest_hour_that_is_skipped_comes_with_the_jump() -> None:
    due = next_digest(local("2026-03-29T01:00"), Cadence.DAILY, time(2, 30), 5, OSLO)
    assert due == local("2026-03-29T03:00")


def test_a_digest_hour_that_comes_twice_counts_once() -> None:
    first = local("2026-10-25T02:30", fold=0)
    assert next_digest(local("2026-10-25T01:00"), Cadence.DAILY, time(2, 30), 5, OSLO) == first
    assert next_digest(first, Cadence.DAILY, time(2, 30), 5, OSLO) == local("2026-10-26T02:30")


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "Europe"])
def test_an_unknown_time_zone_is_oslo(name: str) -> None:
    assert zone_of(name) is HOME_ZONE


moments = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
clocks = st.times().map(lambda at: at.replace(second=0, microsecond=0))
zones = st.sampled_from(["Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]).map(
    ZoneInfo
)


@settings(max_examples=150, deadline=None)
@given(moments, clocks, clocks, zones)
def test_what_is_held_is_let_go_when_it_is_no_longer_quiet(
    now: datetime, begins: time, ends: time, zone: ZoneInfo
) -> None:
    hours = QuietHours(begins=begins, ends=ends)
    if not is_quiet(now, hours, zone):
        return
    until = quiet_until(now, hours, zone)
    assert now < until <= now + timedelta(hours=26)
    assert not is_quiet(until, hours, zone)
    assert is_quiet(until - timedelta(minutes=1), hours, zone)


@settings(max_examples=100, deadline=None)
@given(moments, clocks, st.integers(1, 7), zones)
def test_digests_come_every_day_and_every_week(now: datetime, at: time, weekday: int, zone: ZoneInfo) -> None:
    assert now < next_digest(now, Cadence.DAILY, at, weekday, zone) <= now + timedelta(hours=26)
    weekly = next_digest(now, Cadence.WEEKLY, at, weekday, zone)
    assert now < weekly <= now + timedelta(days=7, hours=2)
    assert weekly.astimezone(zone).isoweekday() == weekday
