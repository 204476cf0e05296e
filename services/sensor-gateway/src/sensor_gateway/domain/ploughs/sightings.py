"""A vehicle seen at work, and how its positions become lines."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kommunepuls_geography import distance_metres

Position = tuple[float, float]
"""WGS84 longitude and latitude."""

FASTEST = 30.0
"""Metres a second (108 km/h): nothing ploughs faster, so that a longer way was not driven."""


class Work(StrEnum):
    """What the vehicle did to the road."""

    PLOUGHING = "ploughing"
    SALTING = "salting"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One report of one vehicle.

    Attributes:
        vehicle: joins its reports; never kept, published or logged. Empty: joins nothing.
        at: when the last of ``points`` was passed.
        points: in the order driven; one, or the line since the report before.
        works: what it did.
        whole: the line is a road that the upstream says is done, not a vehicle's track.
    """

    vehicle: str
    at: datetime
    points: tuple[Position, ...]
    works: frozenset[Work]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """A line that was driven at work."""

    line: tuple[Position, ...]
    at: datetime
    works: frozenset[Work]


@dataclass(frozen=True, slots=True)
class Gaps:
    """What splits a track: longer than this between two positions and the way between is not known."""

    time: timedelta = timedelta(minutes=5)
    metres: float = 1000.0


class Tracks:
    """The last position of each vehicle, in memory and only until the time gap has passed.

    Vehicles are held under a keyed hash whose key dies with the process.
    """

    def __init__(self, gaps: Gaps) -> None:
        self._gaps = gaps
        self._key = secrets.token_bytes(32)
        self._last: dict[bytes, tuple[datetime, Position, frozenset[Work]]] = {}
        self._swept_at: datetime | None = None

    def __len__(self) -> int:
        return len(self._last)

    def join(self, sighting: Sighting) -> list[Trace]:
        """The lines that a report adds; none for a vehicle that stands still or is seen for the first time.

        A report that is as old as or older than the one before it joins nothing: polls repeat positions.
        """
        if sighting.whole or not sighting.vehicle:
            return self._traces(sighting.points, sighting, sighting.works)
        vehicle = hashlib.blake2b(sighting.vehicle.encode(), key=self._key, digest_size=16).digest()
        before = self._last.get(vehicle)
        if before and sighting.at <= before[0]:
            return self._traces(sighting.points, sighting, sighting.works)
        self._last[vehicle] = (sighting.at, sighting.points[-1], sighting.works)
        self._forget(sighting.at)
        if before and self._joins(before[0], before[1], sighting):
            both = before[2] & sighting.works
            joined = self._traces((before[1], sighting.points[0]), sighting, both)
            return [*joined, *self._traces(sighting.points, sighting, sighting.works)]
        return self._traces(sighting.points, sighting, sighting.works)

    def _joins(self, at: datetime, position: Position, sighting: Sighting) -> bool:
        elapsed = sighting.at - at
        metres = distance_metres(*position, *sighting.points[0])
        return (
            elapsed <= self._gaps.time
            and metres <= self._gaps.metres
            and metres <= FASTEST * max(elapsed.total_seconds(), 1)
        )

    def _traces(
        self, points: tuple[Position, ...], sighting: Sighting, works: frozenset[Work]
    ) -> list[Trace]:
        if not works:
            return []
        lines: list[list[Position]] = [[]]
        for point in points:
            if lines[-1]:
                if point == lines[-1][-1]:
                    continue
                far = distance_metres(*lines[-1][-1], *point) > self._gaps.metres
                if far and not sighting.whole:
                    lines.append([])
            lines[-1].append(point)
        return [Trace(tuple(line), sighting.at, works) for line in lines if len(line) > 1]

    def _forget(self, now: datetime) -> None:
        if self._swept_at and abs(now - self._swept_at) < self._gaps.time:
            return
        self._swept_at = now
        self._last = {
            vehicle: last for vehicle, last in self._last.items() if now - last[0] <= self._gaps.time
        }
