"""Residents' own thresholds, sorted by level for each sensor and property.

A reading that moves from one value to another looks at the thresholds between the two and at no other. A
threshold fires when the value reaches it, and can fire again after the value has moved back by more than
its hysteresis. A falling threshold is a rising one with the signs turned.
"""

import bisect
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from kommunepuls_events import Direction, SensorThreshold


class Observation(NamedTuple):
    """One good value of one property of one sensor."""

    sensor: str
    observed_property: str
    observed_at: datetime
    value: float


class Crossing(NamedTuple):
    """A threshold that a reading passed."""

    subscriber: str
    threshold: SensorThreshold


@dataclass(slots=True, eq=False)
class _Watch:
    subscriber: str
    threshold: SensorThreshold
    level: float
    """The value it fires at; signs turned for a falling threshold."""
    again: float
    """It can fire again below this."""
    serial: int
    armed: bool


class _Ladder:
    """The thresholds of one sensor, property and direction, on values whose sign is turned if falling."""

    def __init__(self) -> None:
        self._by_level: list[tuple[float, int, _Watch]] = []
        self._by_again: list[tuple[float, int, _Watch]] = []

    def add(self, watch: _Watch) -> None:
        bisect.insort(self._by_level, (watch.level, watch.serial, watch))
        bisect.insort(self._by_again, (watch.again, watch.serial, watch))

    def remove(self, watch: _Watch) -> None:
        del self._by_level[bisect.bisect_left(self._by_level, (watch.level, watch.serial))]
        del self._by_again[bisect.bisect_left(self._by_again, (watch.again, watch.serial))]

    def begin(self, value: float) -> None:
        """The first value: it arms those it lies below, and fires none."""
        for _, _, watch in self._by_level:
            watch.armed = value < watch.level

    def move(self, before: float, after: float) -> list[_Watch]:
        """From one value to the next: returns those that fire."""
        for _, _, watch in _between(self._by_again, after, before):
            watch.armed = True
        fired = [watch for _, _, watch in _between(self._by_level, before, after) if watch.armed]
        for watch in fired:
            watch.armed = False
        return fired


def _between(
    ladder: list[tuple[float, int, _Watch]], above: float, up_to: float
) -> list[tuple[float, int, _Watch]]:
    """Those with ``above < level <= up_to``."""
    if above >= up_to:
        return []
    first = bisect.bisect_right(ladder, (above, math.inf))
    # Mostly there is none.
    if first == len(ladder) or ladder[first][0] > up_to:
        return []
    return ladder[first : bisect.bisect_right(ladder, (up_to, math.inf), first)]


class _Series:
    """The values of one property of one sensor, as far as thresholds need them.

    Attributes:
        observed_at, value: of the last one; None before the first.
        ladders: where somebody has a threshold.
    """

    __slots__ = ("ladders", "observed_at", "value")

    def __init__(self) -> None:
        self.observed_at: datetime | None = None
        self.value = math.nan
        self.ladders: dict[Direction, _Ladder] = {}

    def read(self, observed_at: datetime, value: float) -> list[_Watch]:
        """Take a value in; returns those that fire."""
        if self.observed_at is not None and observed_at <= self.observed_at:
            return []
        first, before = self.observed_at is None, self.value
        self.observed_at, self.value = observed_at, value
        fired: list[_Watch] = []
        for direction, ladder in self.ladders.items():
            if first:
                ladder.begin(_signed(value, direction))
            else:
                fired += ladder.move(_signed(before, direction), _signed(value, direction))
        return fired


class ThresholdIndex:
    """The thresholds of one partition's subscribers, and the last value of every sensor."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, str], _Series] = {}
        self._watches: dict[str, list[_Watch]] = {}
        self._serial = 0

    def put(self, subscriber: str, thresholds: Iterable[SensorThreshold]) -> None:
        """Take a subscriber's thresholds in, in place of those held.

        A threshold is armed when the last value lies below it (above, if it is a falling one), so that it
        fires at the next reading that reaches it. Setting it again, changed or not, counts as setting it.
        """
        self.erase(subscriber)
        watches = [self._watch(subscriber, threshold) for threshold in thresholds]
        if watches:
            self._watches[subscriber] = watches

    def erase(self, subscriber: str) -> None:
        """Forget a subscriber's thresholds."""
        for watch in self._watches.pop(subscriber, ()):
            threshold = watch.threshold
            self._series[_key(threshold)].ladders[threshold.direction].remove(watch)

    def read(self, observation: Observation) -> list[Crossing]:
        """Take a reading in; returns what it passed, by subscriber and threshold.

        A reading that is not newer than the last of its sensor and property changes nothing.
        """
        key = observation.sensor, observation.observed_property
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _Series()
        fired = series.read(observation.observed_at, observation.value)
        if not fired:
            return []
        crossings = [Crossing(watch.subscriber, watch.threshold) for watch in fired]
        return sorted(crossings, key=lambda one: (one.subscriber, one.threshold.id))

    def armed(self) -> dict[tuple[str, str], bool]:
        """Which thresholds can fire, by subscriber and threshold id; those without a reading yet left out."""
        return {
            (subscriber, watch.threshold.id): watch.armed
            for subscriber, watches in self._watches.items()
            for watch in watches
            if self._series[_key(watch.threshold)].observed_at is not None
        }

    def _watch(self, subscriber: str, threshold: SensorThreshold) -> _Watch:
        series = self._series.setdefault(_key(threshold), _Series())
        level = _signed(threshold.value, threshold.direction)
        self._serial += 1
        watch = _Watch(
            subscriber=subscriber,
            threshold=threshold,
            level=level,
            again=level - threshold.hysteresis,
            serial=self._serial,
            armed=series.observed_at is None or _signed(series.value, threshold.direction) < level,
        )
        series.ladders.setdefault(threshold.direction, _Ladder()).add(watch)
        return watch


def _key(threshold: SensorThreshold) -> tuple[str, str]:
    return threshold.sensor, threshold.observed_property


def _signed(value: float, direction: Direction) -> float:
    return value if direction is Direction.RISING else -value


class ThresholdsSet(NamedTuple):
    """The thresholds of a subscriber as of a change of the profile."""

    set_at: datetime
    subscriber: str
    thresholds: tuple[SensorThreshold, ...]


def replayed(settings: Iterable[ThresholdsSet], history: Iterable[Observation]) -> ThresholdIndex:
    """The index as it is after the history, each threshold having been set when its profile was changed.

    What passed meanwhile has been told already and fires nothing here.
    """
    index = ThresholdIndex()
    waiting = sorted(settings, key=lambda one: one.set_at, reverse=True)
    for observation in sorted(history, key=lambda one: one.observed_at):
        while waiting and waiting[-1].set_at < observation.observed_at:
            index.put(waiting[-1].subscriber, waiting.pop().thresholds)
        index.read(observation)
    while waiting:
        index.put(waiting[-1].subscriber, waiting.pop().thresholds)
    return index
