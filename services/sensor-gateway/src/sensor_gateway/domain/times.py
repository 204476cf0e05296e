"""Times as network servers write them."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from kommunepuls_chassis.errors import RejectedInput

_TIME = re.compile(
    r"^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?\s*(Z|z|[+-]\d\d:?\d\d|[+-]\d\d)?$"
)
_LATEST_EPOCH = 32_503_680_000
"""The year 3000, in seconds."""


def instant(text: object, what: str = "time", naive_in: str | None = None) -> datetime:
    """An RFC 3339 time with 0 to 9 decimals, in UTC; decimals past the microsecond are dropped.

    Args:
        text: as written.
        what: its name, for errors.
        naive_in: the time zone of a time that states none, where the sender is known to write so.

    Raises:
        RejectedInput: ``time-without-zone`` or ``bad-time``.
    """
    if isinstance(text, str) and _is_usual(text):
        # As most network servers write it; what fails here is told of below. (suppress() would double the time.)
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    match = _TIME.match(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise RejectedInput("bad-time", f"{what} is {text!r:.60}, not a time such as 2026-01-30T12:00:00Z")
    date, clock, decimals, zone = match.groups()
    if zone is None and naive_in is None:
        raise RejectedInput("time-without-zone", f"{what} is {text!r:.60}: the zone is missing")
    written = f"{date}T{clock}"
    if clock.count(":") == 2:
        written += f".{(decimals or '0')[:6]:0<6}"
    try:
        if zone is None:
            return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(naive_in)).astimezone(UTC)
        return datetime.fromisoformat(written + ("+00:00" if zone in "Zz" else zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise RejectedInput("bad-time", f"{what} is {text!r:.60}, which is no date and time") from None


def _is_usual(text: str) -> bool:
    """2026-01-30T12:00:00Z, with decimals or without."""
    return (
        len(text) >= 20 and text[-1] == "Z" and text[10] == "T" and text[4] == text[7] == "-"
        and text[13] == text[16] == ":" and (len(text) == 20 or text[19] == ".")
    )  # fmt: skip


def from_epoch_milliseconds(value: object, what: str = "time") -> datetime:
    """Milliseconds since 1970.

    Raises:
        RejectedInput: ``bad-time``.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _LATEST_EPOCH * 1000:
        raise RejectedInput("bad-time", f"{what} is {value!r:.60}, not milliseconds since 1970")
    return datetime.fromtimestamp(value / 1000, UTC)


def from_epoch_seconds(value: float, what: str = "time") -> datetime:
    """Seconds since 1970.

    Raises:
        RejectedInput: ``bad-time``.
    """
    if not 0 < value < _LATEST_EPOCH:
        raise RejectedInput("bad-time", f"{what} is {value!r:.60}, not seconds since 1970")
    return datetime.fromtimestamp(value, UTC)
