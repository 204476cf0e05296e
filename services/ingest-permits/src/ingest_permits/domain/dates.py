"""Dates as upstreams write them, in the time zone of the town."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from kommunepuls_chassis.errors import RejectedInput

ISO = "iso"
"""A date or time of ISO 8601; one without a zone is local time."""

_EARLIEST = date(1900, 1, 1)
_LEEWAY = timedelta(days=2)


def read_date(text: str, formats: Sequence[str], zone: ZoneInfo, now: datetime) -> datetime:
    """A date or local time as a point in time; a date alone is its midnight in the town.

    Args:
        text: as the upstream wrote it.
        formats: ``iso`` or those of :meth:`datetime.strptime`, tried in this order.
        zone: of the town, for times without one.
        now: to refuse dates that have not come.

    Raises:
        RejectedInput: ``unreadable-date`` if no format fits, ``date-out-of-range`` before 1900 or in the future.
    """
    text = " ".join(text.split())
    for form in formats:
        try:
            read = _iso(text) if form == ISO else datetime.strptime(text, form)  # noqa: DTZ007 zone follows
        except ValueError:
            continue
        aware = read if read.tzinfo else read.replace(tzinfo=zone)
        # Compared before it is brought into UTC: archives write 0001-01-01, which has no place there.
        if read.date() < _EARLIEST or aware > now + _LEEWAY:
            raise RejectedInput("date-out-of-range", f"{text[:40]!r} lies before 1900 or in the future")
        return aware.astimezone(UTC)
    raise RejectedInput("unreadable-date", f"{text[:40]!r} is not a date as {', '.join(formats)}")


def _iso(text: str) -> datetime:
    return datetime.fromisoformat(text)
