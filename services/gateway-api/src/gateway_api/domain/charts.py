"""A sensor's last days as the paths of a small SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

WIDTH, HEIGHT = 1000.0, 300.0
_RIGHT, _TOP, _BOTTOM = 16.0, 20.0, 44.0
_LETTER = 22.0
_MOST_ROWS = 12


@dataclass(frozen=True, slots=True)
class Tick:
    """A grid line: where it is, and the value or time it stands for."""

    at: float
    value: float | datetime


@dataclass(frozen=True, slots=True)
class Chart:
    """A line with its area, the newest point, and its grid; all in units of WIDTH by HEIGHT.

    ``left`` is where the grid begins; ``rows`` are some of the points, for a table, the newest first.
    """

    line: str
    area: str
    x: float
    y: float
    values: tuple[Tick, ...]
    times: tuple[Tick, ...]
    rows: tuple[tuple[datetime, float], ...]
    left: float
    lowest: float
    highest: float
    mean: float


def chart(points: Sequence[tuple[datetime, float]], timezone: str) -> Chart | None:
    """The chart of points in the order of time; None for fewer than two."""
    if len(points) < 2 or points[0][0] == points[-1][0]:
        return None
    values = [value for _, value in points]
    step = _step(max(values) - min(values))
    low = math.floor(min(values) / step) * step
    high = max(math.ceil(max(values) / step) * step, low + step)
    ticks = [low + index * step for index in range(round((high - low) / step) + 1)]
    # Room for the longest number in the large letters of a narrow screen.
    left = 24 + _LETTER * max(len(f"{round(value, 2):g}") for value in ticks)
    begins, ends = points[0][0], points[-1][0]
    seconds = (ends - begins).total_seconds()

    def across(at: datetime) -> float:
        return left + (at - begins).total_seconds() / seconds * (WIDTH - left - _RIGHT)

    def down(value: float) -> float:
        return _TOP + (high - value) / (high - low) * (HEIGHT - _TOP - _BOTTOM)

    corners = [f"{across(at):.1f} {down(value):.1f}" for at, value in points]
    floor = HEIGHT - _BOTTOM
    return Chart(
        line="M" + "L".join(corners),
        area=f"M{left:.1f} {floor:.1f}L" + "L".join(corners) + f"L{WIDTH - _RIGHT:.1f} {floor:.1f}Z",
        x=across(ends),
        y=down(values[-1]),
        values=tuple(Tick(down(value), value) for value in ticks),
        times=tuple(Tick(across(at), at) for at in _hours(begins, ends, timezone)),
        rows=tuple(points[:: -math.ceil(len(points) / _MOST_ROWS)]),
        left=left,
        lowest=min(values),
        highest=max(values),
        mean=sum(values) / len(values),
    )


def _step(spread: float) -> float:
    """A round step that gives about four grid lines."""
    rough = max(spread / 4, 0.1)
    power = 10 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def _hours(begins: datetime, ends: datetime, timezone: str) -> list[datetime]:
    hours = (ends - begins).total_seconds() / 3600
    every = next((step for step in (1, 2, 4, 8, 24) if hours / step <= 7), 24)
    at = begins.astimezone(ZoneInfo(timezone)).replace(minute=0, second=0, microsecond=0)
    found = []
    while at <= ends:
        if at >= begins and at.hour % every == 0:
            found.append(at)
        at += timedelta(hours=1)
    return found
