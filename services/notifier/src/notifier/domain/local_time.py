"""Quiet hours and digest times on the resident's own clock, summer time included.

A wall time that is skipped in spring counts as the moment the clock jumps. Of one that comes twice in autumn both
times bound quiet hours; a digest is due at the first alone.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kommunepuls_events import Cadence, QuietHours

HOME_ZONE = ZoneInfo("Europe/Oslo")
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that IANA name; Europe/Oslo if there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return HOME_ZONE


def is_quiet(now: datetime, hours: QuietHours | None, zone: ZoneInfo) -> bool:
    """Whether the resident's clock stands within the quiet hours. Equal ends mean none."""
    if hours is None or hours.begins == hours.ends:
        return False
    begins, ends = hours.begins.replace(tzinfo=None), hours.ends.replace(tzinfo=None)
    clock = now.astimezone(zone).time()
    if begins < ends:
        return begins <= clock < ends
    return clock >= begins or clock < ends


def quiet_until(now: datetime, hours: QuietHours, zone: ZoneInfo) -> datetime:
    """When the quiet hours that it is in end, in UTC."""
    for moment in _occurrences(hours.ends.replace(tzinfo=None), now, zone):
        if moment > now and not is_quiet(moment, hours, zone):
            return moment
    return now + _DAY


def next_digest(now: datetime, cadence: Cadence, at: time, weekday: int, zone: ZoneInfo) -> datetime:
    """When the next digest is due, in UTC.

    Args:
        at: time of day on the resident's clock.
        weekday: of weekly digests, 1 (Monday) to 7.
    """
    weekly = cadence is Cadence.WEEKLY
    for moment in _occurrences(at, now, zone, folds=(0,)):
        if moment > now and (not weekly or moment.astimezone(zone).isoweekday() == weekday):
            return moment
    raise AssertionError("a weekday comes every week")


def _occurrences(
    wall: time, now: datetime, zone: ZoneInfo, folds: Sequence[int] = (0, 1)
) -> Iterator[datetime]:
    """The moments of ten days at which the clock shows that time, in order."""
    today = now.astimezone(zone).date()
    for day in range(-1, 9):
        local = datetime.combine(today + day * _DAY, wall, zone)
        moments = {_moment(local.replace(fold=fold), zone) for fold in folds}
        yield from sorted(moments)


def _moment(local: datetime, zone: ZoneInfo) -> datetime:
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None, fold=0) == local.replace(tzinfo=None, fold=0):
        return moment
    # Skipped in spring: the first minute after the jump.
    before = local.replace(fold=1).astimezone(UTC).replace(second=0, microsecond=0)
    wanted = local.replace(tzinfo=None, fold=0)
    while before.astimezone(zone).replace(tzinfo=None) < wanted:
        before += _MINUTE
    return before
