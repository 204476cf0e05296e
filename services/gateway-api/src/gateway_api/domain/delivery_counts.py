"""Counts of deliveries by hour, channel, state and cause, kept so that a replay changes nothing.

A document holds one day of one municipality as one partition of ``deliveries.v1`` tells it, with the offset up to
which it is counted. Records of a partition come in order, so what lies at or before that offset is in it already.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kommunepuls_events import DeliveryState, DeliveryV1

Bucket = tuple[int, str, str, str]
"""Hour of the day in UTC, channel, state, cause (empty for none)."""


@dataclass(frozen=True, slots=True)
class DayKey:
    """Which document: municipality, day in UTC, partition."""

    municipality: str
    day: date
    partition: int

    def __str__(self) -> str:
        return f"{self.municipality}|{self.day.isoformat()}|{self.partition}"


def by_day(
    partition: int, deliveries: Iterable[tuple[int, DeliveryV1]]
) -> dict[DayKey, list[tuple[int, Bucket]]]:
    """The offsets and buckets of a batch, by the document they belong to."""
    found: dict[DayKey, list[tuple[int, Bucket]]] = defaultdict(list)
    for offset, one in deliveries:
        key = DayKey(one.item.partition("/")[0], one.at.astimezone(UTC).date(), partition)
        bucket = (one.at.astimezone(UTC).hour, str(one.channel), str(one.state), one.cause or "")
        found[key].append((offset, bucket))
    return found


def counted(
    before: Mapping[str, Any] | None, key: DayKey, told: Sequence[tuple[int, Bucket]]
) -> dict[str, Any] | None:
    """The document with these counted; None when it holds them all already."""
    reached = before["offset"] if before else -1
    new = [(offset, bucket) for offset, bucket in told if offset > reached]
    if not new:
        return None
    counts: Counter[Bucket] = Counter(dict(_rows(before)) if before else {})
    counts.update(bucket for _, bucket in new)
    return {
        "municipality": key.municipality,
        "day": _midnight(key.day),
        "offset": max(offset for offset, _ in new),
        "counts": [[*bucket, number] for bucket, number in sorted(counts.items())],
    }


def _rows(document: Mapping[str, Any]) -> Iterable[tuple[Bucket, int]]:
    for hour, channel, state, cause, number in document["counts"]:
        yield (hour, channel, state, cause), number


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """Deliveries from one time to another.

    Attributes:
        begins, ends: the time they span.
        rows: how many of each channel, state and cause, the most first.
        columns: by day of the town, or by hour when it is a day or less: how many were sent by each channel.
    """

    begins: datetime
    ends: datetime
    rows: tuple[tuple[str, str, str, int], ...]
    columns: tuple[tuple[datetime, Mapping[str, int]], ...]

    def total(self, *, state: str | None = None, channel: str | None = None) -> int:
        """How many, of a state or a channel."""
        return sum(
            number
            for of_channel, of_state, _, number in self.rows
            if state in (None, of_state) and channel in (None, of_channel)
        )


def period_of(
    documents: Iterable[Mapping[str, Any]], now: datetime, length: timedelta, timezone: str
) -> Period:
    """The counts of the last hours or days until now, put together."""
    zone = ZoneInfo(timezone)
    hourly = length <= timedelta(days=1)
    starts = _starts(now, length, zone, hourly=hourly)
    begins = starts[0]
    rows: Counter[tuple[str, str, str]] = Counter()
    columns: dict[datetime, Counter[str]] = {start: Counter() for start in starts}
    for document in documents:
        for (hour, channel, state, cause), number in _rows(document):
            at = document["day"] + timedelta(hours=hour)
            if at < begins:
                continue
            rows[channel, state, cause] += number
            start = _start_of(at.astimezone(zone), hourly=hourly)
            if state == DeliveryState.SENT and start in columns:
                columns[start][channel] += number
    ordered = sorted(rows.items(), key=lambda pair: (-pair[1], pair[0]))
    return Period(
        begins,
        now,
        tuple((*bucket, number) for bucket, number in ordered),
        tuple((start, columns[start]) for start in starts),
    )


def _start_of(at: datetime, *, hourly: bool) -> datetime:
    at = at.replace(minute=0, second=0, microsecond=0)
    return at if hourly else at.replace(hour=0)


def _starts(now: datetime, length: timedelta, zone: ZoneInfo, *, hourly: bool) -> list[datetime]:
    last = _start_of(now.astimezone(zone), hourly=hourly)
    if hourly:
        hours = int(length / timedelta(hours=1))
        return [
            (last.astimezone(UTC) - timedelta(hours=back)).astimezone(zone)
            for back in range(hours - 1, -1, -1)
        ]
    # Days by the calendar: two of them a year are not of 24 hours.
    return [last - timedelta(days=back) for back in range(length.days - 1, -1, -1)]
