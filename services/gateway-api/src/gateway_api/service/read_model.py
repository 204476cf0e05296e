"""The read model: what the topics say, kept so that it can be asked. Every step may be repeated."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from kommunepuls_chassis.logs import get_logger
from kommunepuls_events import (
    ContentItemV1,
    DeliveryState,
    DeliveryV1,
    Match,
    Permanence,
    Reason,
    SensorReadingV1,
    SourceStatusV1,
)
from kommunepuls_events.base import utc_now

from gateway_api.domain import readings
from gateway_api.domain.items import item_fields
from gateway_api.domain.residents_record import FeedNews, feed_key, message, message_key
from gateway_api.domain.subscribers import Subscriber, retired
from gateway_api.service.changes import change, merge
from gateway_api.service.collections import Collections
from gateway_api.service.pictures import PictureStore
from gateway_api.service.towns import Towns, TownView


class ReadModel:
    """Takes messages in; replaying them changes nothing."""

    def __init__(
        self,
        collections: Collections,
        towns: Towns,
        pictures: PictureStore,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._collections = collections
        self._towns = towns
        self._pictures = pictures
        self._now = now
        self._log = get_logger()

    async def take_items(self, items: Sequence[ContentItemV1]) -> None:
        """Keep every revision, and the newest as the item."""
        await self._collections.revisions.insert_many(
            (
                f"{item.id}#{item.revision}",
                {
                    "item": item.id,
                    "revision": item.revision,
                    "observed_at": item.observed_at,
                    "content": item.model_dump_json(exclude_none=True),
                },
            )
            for item in items
        )
        newest: dict[str, ContentItemV1] = {}
        for item in items:
            if item.id not in newest or newest[item.id].revision < item.revision:
                newest[item.id] = item
        await asyncio.gather(*(self._take_item(item) for item in newest.values()))

    async def _take_item(self, item: ContentItemV1) -> None:
        town = self._towns.get(item.municipality)
        areas, ancestors = await asyncio.to_thread(_areas, town, item)

        def newer(before: dict[str, Any] | None) -> dict[str, Any] | None:
            if before and before["revision"] >= item.revision:
                return None
            return item_fields(item, areas, ancestors) | {"kept_at": self._now()}

        if await merge(self._collections.items, item.id, newer) is None:
            return
        await (self._pictures.let_go(item) if item.withdrawn else self._pictures.want(item))

    async def take_readings(self, taken: Sequence[SensorReadingV1]) -> None:
        """Keep the newest value of each sensor and its short history."""
        by_sensor: dict[str, list[SensorReadingV1]] = defaultdict(list)
        for reading in taken:
            by_sensor[readings.sensor_key(reading.sensor, reading.observed_property)].append(reading)

        async def take(key: str, some: list[SensorReadingV1]) -> None:
            def merged(before: dict[str, Any] | None) -> dict[str, Any] | None:
                after = readings.merged(before, some)
                return None if after == before else after

            await merge(self._collections.sensors, key, merged)

        await asyncio.gather(*(take(key, some) for key, some in by_sensor.items()))

    async def take_match(self, match: Match) -> None:
        """Put the item into the feeds of the residents whom it concerns.

        Who is not, or no longer, a subscriber here gets none; looked at again after the writing, so that
        an erasure meanwhile leaves nothing behind.
        """
        recipients = list(match.each())
        known = await self._known(subscriber for subscriber, _ in recipients)
        news = FeedNews(match)

        async def take(subscriber: str, reasons: tuple[Reason, ...]) -> None:
            await merge(
                self._collections.feed,
                feed_key(subscriber, match.item.id),
                lambda before: _kept(news.entry(before, subscriber, reasons), self._now()),
            )

        await asyncio.gather(*(take(*one) for one in recipients if one[0] in known))
        for gone in known - await self._known(known):
            await self._collections.feed.delete_where({"subscriber": gone})

    async def take_deliveries(self, deliveries: Sequence[DeliveryV1]) -> None:
        """Write down what became of each message, and retire endpoints that the notifier gave up."""
        known = await self._known(one.subscriber for one in deliveries)
        by_key: dict[str, list[DeliveryV1]] = defaultdict(list)
        for delivery in deliveries:
            if delivery.subscriber in known:
                by_key[message_key(delivery)].append(delivery)

        async def take(key: str, some: list[DeliveryV1]) -> None:
            def merged(before: dict[str, Any] | None) -> dict[str, Any] | None:
                after = before
                for delivery in some:
                    after = message(after, delivery) or after
                return None if after is before else after

            await merge(self._collections.messages, key, merged)

        await asyncio.gather(*(take(key, some) for key, some in by_key.items()))
        for some in by_key.values():
            for delivery in some:
                await self._retire_endpoint(delivery)
        for gone in known - await self._known(known):
            await self._collections.messages.delete_where({"subscriber": gone})

    async def _retire_endpoint(self, delivery: DeliveryV1) -> None:
        gone = delivery.state is DeliveryState.FAILED and delivery.permanence is Permanence.PERMANENT
        if not gone or not delivery.endpoint or delivery.cause not in ENDPOINT_GONE:
            return

        def decide(document: dict[str, Any]) -> tuple | None:
            subscriber = Subscriber.of(document)
            held = [one for one in subscriber.endpoints if one.id == delivery.endpoint] if subscriber else []
            # One registered anew after the failure is another's business.
            if not held or held[0].retired or held[0].registered_at > delivery.at:
                return None
            return retired(subscriber, delivery.endpoint, delivery.cause).fields(), []

        await change(self._collections.subscribers, delivery.subscriber, decide, self._now())

    async def take_status(self, status: SourceStatusV1) -> None:
        """Keep the newest state of a source."""
        document = {
            "municipality": status.municipality,
            "at": status.at,
            "status": status.model_dump_json(exclude_none=True),
        }

        def newer(before: dict[str, Any] | None) -> dict[str, Any] | None:
            return None if before and before["at"] > _milliseconds(status.at) else document

        await merge(self._collections.sources, status.source, newer)

    async def forget_source(self, source: str) -> None:
        """A tombstone: the source is no more."""
        await self._collections.sources.delete(source)

    async def take_letters(self, letters: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Keep rejects and dead letters with their bytes; what was replayed stays so."""
        await self._collections.letters.insert_many(letters)

    async def _known(self, subscribers: Iterable[str]) -> set[str]:
        found = await self._collections.subscribers.get_many(set(subscribers))
        return {key for key, stored in found.items() if stored.document["state"] == "active"}


def _kept(entry: dict[str, Any] | None, now: datetime) -> dict[str, Any] | None:
    return None if entry is None else entry | {"kept_at": now}


ENDPOINT_GONE = frozenset({"hard-bounce", "endpoint-gone", "complaint", "gone"})


def _areas(town: TownView | None, item: ContentItemV1) -> tuple[list[str], Callable[[str], Iterable[str]]]:
    if town is None:
        # A neighbour's item on the shared topic: kept by what it says itself.
        return list(item.areas) or [
            item.municipality
        ], lambda area: () if area == item.municipality else (item.municipality,)
    return town.areas_of(item), town.ancestors


def _milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
