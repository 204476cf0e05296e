"""The topics that feed the read model: consumers of groups that all processes share."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from kommunepuls_chassis.consumer import EventConsumer, Handler, Received
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.producer import Producer
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.store.errors import StoreUnavailable
from kommunepuls_events import Topic
from kommunepuls_events.base import utc_now
from kommunepuls_events.topics import (
    CONTENT,
    DELIVERIES,
    MATCHES,
    MATCHES_V1,
    REJECTS,
    SENSOR_READINGS,
    SOURCE_STATUS,
    dead_letter_topics,
)

from gateway_api.domain.letters import letter_document, letter_key
from gateway_api.service.delivery_counts import DeliveryCounts
from gateway_api.service.read_model import ReadModel

_LONGEST_WAIT = 5.0


def consumers(
    service: str,
    settings: ServiceSettings,
    producer: Producer,
    health: Health,
    read_model: ReadModel,
    counts: DeliveryCounts,
) -> list[EventConsumer]:
    """One consumer for what the public sees, one for residents, one for operators.

    Kept apart so that a flood of one kind does not hold up the others.
    """
    groups: dict[str, dict[Topic, Handler]] = {
        f"{service}-content": {
            CONTENT: _messages(read_model.take_items),
            SENSOR_READINGS: _messages(read_model.take_readings),
        },
        f"{service}-residents": {
            MATCHES: _one_by_one(read_model.take_match),
            MATCHES_V1: _one_by_one(read_model.take_match),
            DELIVERIES: _deliveries(read_model, counts),
        },
        f"{service}-operators": {
            SOURCE_STATUS: _statuses(read_model),
            **{topic: _letters(read_model) for topic in (REJECTS, *dead_letter_topics())},
        },
    }
    return [
        EventConsumer(
            service,
            settings,
            producer,
            {topic: patiently(handler) for topic, handler in handlers.items()},
            health=health,
            group=group,
        )
        for group, handlers in groups.items()
    ]


def patiently(handler: Handler) -> Handler:
    """Waits while the store does not answer: what cannot be stored now is no dead letter."""

    async def handle(records: Sequence[Received]) -> None:
        delay = 0.2
        while True:
            try:
                return await handler(records)
            except StoreUnavailable:
                get_logger().warning("store_unavailable", topic=records[0].topic, delay_seconds=delay)
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LONGEST_WAIT)

    return handle


def _messages(take: Callable[[Sequence], Awaitable[None]]) -> Handler:
    async def handle(records: Sequence[Received]) -> None:
        await take([record.event.data for record in records if record.event])

    return handle


def _deliveries(read_model: ReadModel, counts: DeliveryCounts) -> Handler:
    keep = _messages(read_model.take_deliveries)

    async def handle(records: Sequence[Received]) -> None:
        await keep(records)
        await counts.take(
            records[0].partition, [(record.offset, record.event.data) for record in records if record.event]
        )

    return handle


def _one_by_one(take: Callable[..., Awaitable[None]]) -> Handler:
    async def handle(records: Sequence[Received]) -> None:
        for record in records:
            if record.event:
                await take(record.event.data)

    return handle


def _statuses(read_model: ReadModel) -> Handler:
    async def handle(records: Sequence[Received]) -> None:
        for record in records:
            if record.event is None:
                await read_model.forget_source(record.key)
            else:
                await read_model.take_status(record.event.data)

    return handle


def _letters(read_model: ReadModel) -> Handler:
    async def handle(records: Sequence[Received]) -> None:
        now = utc_now()
        await read_model.take_letters(
            [
                (
                    letter_key(record.topic, record.partition, record.offset),
                    letter_document(
                        topic=record.topic,
                        key=record.key,
                        value=record.raw.value,
                        headers=[(name, raw or b"") for name, raw in record.raw.headers],
                        received_at=now,
                    ),
                )
                for record in records
            ]
        )

    return handle
