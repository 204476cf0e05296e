"""In which order a feed stands."""

from datetime import UTC, datetime, timedelta

import pytest
from gateway_api.domain.ranking import age_in_hours
from kommunepuls_events import (
    ContentItemV1,
    Kind,
    Lifecycle,
    LifecycleState,
    Reason,
    ReasonType,
    Severity,
    item_id,
)

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
AREA = Reason(type=ReasonType.AREA, area="NO-9901/havna")
INTEREST = Reason(type=ReasonType.INTEREST, interest="music")


def near(metres: float) -> Reason:
    return Reason(type=ReasonType.PLACE, place="home", distance_metres=metres)


def age(hours: float = 0.0, *reasons: Reason, **fields) -> float:
    at = NOW - timedelta(hours=hours)
    item = ContentItemV1(
        **{
            "id": item_id("NO-9901/nyheter", "1"), "revision": 1, "municipality": "NO-9901",
            "source": "NO-9901/nyheter", "native_id": "1", "kind": Kind.NOTICE, "title": "Vann",
            "published_at": at, "observed_at": at,
        }
        | fields
    )  # fmt: skip
    return age_in_hours(item, reasons or (AREA,), at, NOW)


def test_of_two_that_are_alike_the_newer_stands_first() -> None:
    assert age(1) < age(2)


@pytest.mark.parametrize(
    ("above", "below"),
    [(Severity.EXTREME, Severity.SEVERE), (Severity.SEVERE, Severity.MODERATE),
     (Severity.MODERATE, Severity.MINOR), (Severity.MINOR, Severity.UNKNOWN)],
)  # fmt: skip
def test_of_two_of_one_age_the_more_serious_stands_first(above: Severity, below: Severity) -> None:
    assert age(severity=above) < age(severity=below)


def test_a_severe_warning_of_yesterday_stands_above_an_everyday_notice_of_now() -> None:
    assert age(24, kind=Kind.ALERT, severity=Severity.SEVERE) < age(0)


def test_nothing_stays_on_top_for_ever() -> None:
    assert age(24 * 10, kind=Kind.ALERT, severity=Severity.EXTREME) > age(0)


def test_what_is_over_stands_below_what_holds() -> None:
    over = {"valid_until": NOW - timedelta(minutes=1)}
    assert age(1, severity=Severity.SEVERE, **over) > age(48)
    assert age(1, valid_until=NOW + timedelta(hours=1)) < age(2)


def test_what_was_withdrawn_stands_below_what_holds() -> None:
    assert age(1, lifecycle=Lifecycle(state=LifecycleState.WITHDRAWN), severity=Severity.SEVERE) > age(24)


def test_what_is_nearer_stands_first() -> None:
    assert age(1, near(50)) < age(1, near(400)) < age(1, near(3000)) < age(1, INTEREST)


def test_more_reasons_weigh_more_but_not_without_end() -> None:
    assert age(1, AREA, INTEREST) < age(1, AREA)
    assert age(1, AREA, *[INTEREST] * 3) == age(1, AREA, *[INTEREST] * 30)


def test_an_event_that_begins_tomorrow_stands_above_one_of_next_month() -> None:
    soon = age(100, kind=Kind.EVENT, starts_at=NOW + timedelta(hours=20))
    assert soon < age(100, kind=Kind.EVENT, starts_at=NOW + timedelta(days=30))
