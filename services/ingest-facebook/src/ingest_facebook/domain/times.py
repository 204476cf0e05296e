"""Times as the Graph API writes them.

Source: https://developers.facebook.com/docs/graph-api/reference/event/ (``start_time`` is a date, a local time or
a time with offset) and https://developers.facebook.com/docs/graph-api/reference/post/ (``+0000`` without colon;
Unix seconds in ``scheduled_publish_time`` and webhooks).
"""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def instant_of(value: object) -> datetime:
    """A point in time from text with an offset or from Unix seconds.

    Raises:
        ValueError: if it is neither, or a time without offset.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("a time is text with an offset, or Unix seconds")
    if isinstance(value, int | float):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (OverflowError, OSError, ValueError):
            raise ValueError("the Unix time lies outside of what can be") from None
    parsed = _parsed(value)
    if parsed.tzinfo is None:
        raise ValueError("the time has no offset")
    return _in_utc(parsed)


def event_time(value: str, timezone: str | None, town_timezone: str) -> datetime:
    """When an event starts or ends.

    Args:
        value: with an offset; or a local time, read in the event's ``timezone``; or a date, which means
            midnight in the event's time zone, or in the town's if it names none.
        timezone: the event's own, such as ``Africa/Johannesburg``.
        town_timezone: the town's.

    Raises:
        ValueError: if it is no time, or a local time of an event without time zone.
    """
    if is_date(value):
        return _in_utc(
            datetime.combine(date.fromisoformat(value), time.min, _zone(timezone or town_timezone))
        )
    parsed = _parsed(value)
    if parsed.tzinfo is None:
        if not timezone:
            raise ValueError("the time has neither an offset nor a time zone")
        parsed = parsed.replace(tzinfo=_zone(timezone))
    return _in_utc(parsed)


def is_date(value: str) -> bool:
    """Whether it is a date without time of day."""
    return len(value) == 10


def _parsed(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError(f"{value[:40]!r} is not a time") from None


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time lies outside of what can be") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name[:40]!r} is not a time zone") from None
