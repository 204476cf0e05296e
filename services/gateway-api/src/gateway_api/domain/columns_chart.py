"""Numbers over days or hours as stacked columns of a small SVG."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH, HEIGHT = 1000.0, 300.0
_RIGHT, _TOP, _BOTTOM = 8.0, 24.0, 48.0
_LETTER = 22.0
_MOST_LABELS = 8


@dataclass(frozen=True, slots=True)
class Column:
    """One part of a column: a rectangle, and the series it belongs to."""

    series: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class ColumnsChart:
    """Rectangles, and where numbers and times are written; all in units of WIDTH by HEIGHT."""

    columns: tuple[Column, ...]
    values: tuple[tuple[float, int], ...]
    labels: tuple[tuple[float, datetime], ...]
    left: float
    right: float = WIDTH - _RIGHT
    height: float = HEIGHT


def columns_chart(
    columns: Sequence[tuple[datetime, Mapping[str, int]]], series: Sequence[str]
) -> ColumnsChart | None:
    """The chart; None when there is nothing to show."""
    highest = max((sum(numbers.values()) for _, numbers in columns), default=0)
    if not highest:
        return None
    step = _step(highest)
    top = math.ceil(highest / step) * step
    left = 16 + _LETTER * len(f"{top:,}")
    slot = (WIDTH - left - _RIGHT) / len(columns)
    width = slot * 0.72

    def down(value: float) -> float:
        return _TOP + (1 - value / top) * (HEIGHT - _TOP - _BOTTOM)

    parts = []
    for index, (_, numbers) in enumerate(columns):
        below = 0
        for name in series:
            number = numbers.get(name, 0)
            if number:
                y = down(below + number)
                x = left + index * slot + (slot - width) / 2
                parts.append(
                    Column(name, round(x, 1), round(y, 1), round(width, 1), round(down(below) - y, 1))
                )
            below += number
    every = math.ceil(len(columns) / _MOST_LABELS)
    labels = tuple(
        (round(left + (index + 0.5) * slot, 1), at)
        for index, (at, _) in enumerate(columns)
        if index % every == 0
    )
    values = tuple((round(down(value), 1), value) for value in range(0, top + 1, step))
    return ColumnsChart(tuple(parts), values, labels, left)


def _step(highest: int) -> int:
    """A round step that gives about four lines."""
    rough = max(highest / 4, 1)
    power = 10 ** math.floor(math.log10(rough))
    return max(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough), 1)
