"""Routing: each announced item and each good reading is offered to every partition of subscribers."""

from collections.abc import Callable, Sequence

from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.tracing import new_traceparent
from kommunepuls_events import (
    ContentItemV1,
    Event,
    MalformedEvent,
    OfferV1,
    Quality,
    SensorReadingV1,
    Topic,
    event_for,
)
from kommunepuls_events.base import utc_now
from kommunepuls_geography import Geography, GeographyError
from kommunepuls_matching.areas import with_areas
from kommunepuls_matching.concern import is_offered

from personaliser.records import SERVICE, DeadLetters, Outbox, Publisher, Record, decoded


class Router:
    """Takes records of ``content.v1`` and ``sensor-readings.v1`` to ``offers.v1``."""

    def __init__(
        self,
        publisher: Publisher,
        geography: Callable[[], Geography],
        *,
        partitions: int,
    ) -> None:
        self._publisher = publisher
        self._dead_letters = DeadLetters(publisher)
        self._geography = geography
        self._partitions = partitions

    async def take(self, topic: Topic, records: Sequence[Record]) -> None:
        """Offer a batch; returns when every partition has acknowledged every offer."""
        outbox = Outbox(topic, self._publisher, self._dead_letters)
        for record in records:
            try:
                event = decoded(topic, record)
                offer = self._offer_of(event)
            except MalformedEvent as error:
                await self._dead_letters.bury(topic, record, error.reason, error.detail)
                continue
            except GeographyError as error:
                await self._dead_letters.bury(topic, record, "unusable-geometry", str(error))
                continue
            except Exception as error:
                # An item that cannot be prepared must not stop those behind it.
                get_logger().exception("routing_failed", topic=topic.name, offset=record.offset)
                await self._dead_letters.bury(topic, record, "routing-failed", type(error).__name__)
                continue
            if offer is None:
                continue
            offered = event_for(offer, producer=SERVICE, traceparent=new_traceparent(event.traceparent))
            for partition in range(self._partitions):
                await outbox.add(record, offered, partition=partition)
        await outbox.send()

    def _offer_of(self, event: Event) -> OfferV1 | None:
        match event.data:
            case ContentItemV1() as item if is_offered(item):
                return OfferV1(item=with_areas(item, self._geography()), offered_at=utc_now())
            case SensorReadingV1(quality=Quality.GOOD) as reading if reading.value is not None:
                return OfferV1(reading=reading, offered_at=utc_now())
            case _:
                return None
