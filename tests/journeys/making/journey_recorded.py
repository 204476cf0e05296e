"""Recorded answers of real upstreams, which lie outside of the repository.

They are years old, and old news is told to nobody: what a journey takes from them is moved in time. Nothing
else is changed but what its docstring names.
"""

import json
import os
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[3].parent / "shared" / "data"
_CAP_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[+-]\d\d:\d\d|Z)")
_ENTERED = re.compile(r"(CREATED|LAST-MODIFIED|DTSTAMP)[^:\r\n]*:\w+")
_ICAL_TIME = re.compile(r"\d{8}T\d{6}")


def recorded(path: str) -> bytes:
    """A recorded file; the test is skipped where there is none."""
    folder = Path(os.environ.get("KP_SHARED_DATA") or _BESIDE)
    if not (folder / path).is_file():
        pytest.skip(f"the recorded file {path} is not here: set KP_SHARED_DATA to the folder with such files")
    return (folder / path).read_bytes()


def recorded_json(path: str) -> object:
    """A recorded JSON file."""
    return json.loads(recorded(path))


def hours_from_now(hours: float) -> datetime:
    """A time to the second."""
    return (datetime.now(UTC) + timedelta(hours=hours)).replace(microsecond=0)


def moved_cap(body: bytes) -> str:
    """A CAP document as if it was sent a minute ago: every time moves by the same length."""
    text = body.decode()
    sent = datetime.fromisoformat(re.search(r"<sent>([^<]+)</sent>", text)[1])
    shift = hours_from_now(-1 / 60) - sent

    def later(found: re.Match) -> str:
        return (datetime.fromisoformat(found[0]) + shift).isoformat(timespec="seconds")

    return _CAP_TIME.sub(later, text)


def moved_calendar(body: bytes, *, days_ahead: int) -> bytes:
    """A calendar whose first event was entered an hour ago and begins in so many days, at its time of day."""
    text = body.decode()
    head, event = text[: text.index("BEGIN:VEVENT")], text[text.index("BEGIN:VEVENT") :]
    starts = date.fromisoformat(re.search(r"DTSTART[^:]*:(\d{8})", event)[1])
    shift = timedelta(days=((datetime.now(UTC) + timedelta(days=days_ahead)).date() - starts).days)

    def later(found: re.Match) -> str:
        day, time = found[0].split("T")
        return f"{date.fromisoformat(day) + shift:%Y%m%d}T{time}"

    entered = f"{hours_from_now(-1):%Y%m%dT%H%M%SZ}"
    return (head + _ENTERED.sub(rf"\g<1>:{entered}", _ICAL_TIME.sub(later, event))).encode()
