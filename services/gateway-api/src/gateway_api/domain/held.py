"""When a message that is held for a resident will come, on their own clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kommunepuls_events import Cadence, SubscriberProfileV1

DIGEST_CAUSES = frozenset(
    {"daily", "weekly", "cadence", "digest", "daily-digest", "weekly-digest", "attention-budget"}
)
"""Causes for which a message waits for the next digest."""
_DAY = timedelta(days=1)


def comes_at(
    cause: str | None,
    profile: SubscriberProfileV1,
    held_at: datetime,
    *,
    digest_time: time,
    digest_weekday: int,
) -> datetime | None:
    """When what was held then, for that cause, is due; None where nobody can say.

    Args:
        digest_time, digest_weekday: of the notifier's digests; 1 is Monday.
    """
    zone = ZoneInfo(profile.timezone)
    if cause == "paused":
        return profile.paused_until
    if cause == "quiet-hours":
        quiet = profile.quiet_hours
        return _next(held_at, quiet.ends.replace(tzinfo=None), zone) if quiet else None
    if cause in DIGEST_CAUSES:
        weekday = digest_weekday if profile.cadence is Cadence.WEEKLY else None
        return _next(held_at, digest_time, zone, weekday)
    return None


def _next(after: datetime, wall: time, zone: ZoneInfo, weekday: int | None = None) -> datetime:
    """The first moment behind another at which the resident's clock shows a time."""
    day = after.astimezone(zone).date()
    while True:
        moment = datetime.combine(day, wall, zone).astimezone(UTC)
        if moment > after and weekday in (None, day.isoweekday()):
            return moment
        day += _DAY
