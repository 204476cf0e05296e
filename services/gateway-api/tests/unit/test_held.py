"""When what is held for a resident will come, on their own clock."""

from datetime import UTC, datetime, time

import pytest
from gateway_api.domain.choices import Choices, new_profile
from gateway_api.domain.held import comes_at
from kommunepuls_events import QuietHours

MONDAY = datetime(2026, 11, 30, 12, tzinfo=UTC)
QUIET = QuietHours(begins=time(22), ends=time(7))


@pytest.mark.parametrize(
    ("cause", "choices", "held_at", "due"),
    [
        ("daily-digest", {"cadence": "daily"}, MONDAY, datetime(2026, 12, 1, 6, tzinfo=UTC)),
        ("weekly-digest", {"cadence": "weekly"}, MONDAY, datetime(2026, 12, 4, 6, tzinfo=UTC)),
        ("attention-budget", {}, MONDAY, datetime(2026, 12, 1, 6, tzinfo=UTC)),
        # The clocks go forward on 28 March 2027: seven in the morning is an hour earlier in UTC.
        ("daily-digest", {"cadence": "daily"}, datetime(2027, 3, 27, 12, tzinfo=UTC), datetime(2027, 3, 28, 5, tzinfo=UTC)),
        ("quiet-hours", {"quiet_hours": QUIET}, datetime(2026, 11, 30, 22, tzinfo=UTC), datetime(2026, 12, 1, 6, tzinfo=UTC)),
        ("paused", {"paused_until": datetime(2026, 12, 9, tzinfo=UTC)}, MONDAY, datetime(2026, 12, 9, tzinfo=UTC)),
        ("mailbox-full", {}, MONDAY, None),
        ("quiet-hours", {}, MONDAY, None),
    ],
)  # fmt: skip
def test_what_waits_has_a_time(cause: str, choices: dict, held_at: datetime, due: datetime | None) -> None:
    profile = new_profile("s-1", "NO-9901", Choices(**choices), MONDAY)
    assert comes_at(cause, profile, held_at, digest_time=time(7), digest_weekday=5) == due
