"""Counting deliveries as they come, and reading the counts."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from kommunepuls_chassis.store.conditions import at_least
from kommunepuls_events import DeliveryV1
from kommunepuls_events.base import utc_now

from gateway_api.domain.delivery_counts import Period, by_day, counted, period_of
from gateway_api.service.changes import merge
from gateway_api.service.collections import Collections


class DeliveryCounts:
    """The counts of all municipalities."""

    def __init__(self, collections: Collections, *, now: Callable[[], datetime] = utc_now) -> None:
        self._kept = collections.delivery_counts
        self._now = now

    async def take(self, partition: int, deliveries: Sequence[tuple[int, DeliveryV1]]) -> None:
        """Count deliveries of one partition, each with its offset; read again they are not counted again."""
        for key, told in by_day(partition, deliveries).items():
            await merge(self._kept, str(key), partial(counted, key=key, told=told))

    async def last(self, municipality: str, length: timedelta, timezone: str) -> Period:
        """The deliveries of the last hours (up to a day) or days of a municipality."""
        now = self._now()
        found = await self._kept.find(
            {"municipality": municipality, "day": at_least(now - length - timedelta(days=2))}
        )
        return period_of((stored.document for stored in found), now, length, timezone)
