"""Reading the ends of content and readings without a group, so that this process sees every event."""

import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.kafka import client_options
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_events import ContentItemV1, Event, MalformedEvent, SensorReadingV1
from kommunepuls_events.topics import CONTENT, SENSOR_READINGS

from gateway_api.domain.pulse import PulseEvent, event_of_item, event_of_reading
from gateway_api.service.stream import StreamHub

_LETTERS = {CONTENT.name: "c", SENSOR_READINGS.name: "r"}


class PulseTail:
    """Feeds the stream hub."""

    def __init__(self, settings: ServiceSettings, hub: StreamHub, health: Health, *, backlog: int) -> None:
        self._settings = settings
        self._hub = hub
        self._health = health.component("pulse stream")
        self._backlog = backlog
        self._log = get_logger()

    async def run(self) -> None:
        """Read until cancelled. Begins some records before the end, for streams that come back to us."""
        # Subscribed without a group it gets every partition, those added later too.
        consumer = AIOKafkaConsumer(
            *_LETTERS,
            **client_options(self._settings),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=250,
        )
        await consumer.start()
        try:
            await self._take_places(consumer)
            while True:
                taken = await consumer.getmany(timeout_ms=500, max_records=500)
                self._health.beat(ready=True)
                for records in taken.values():
                    for record in records:
                        self._hub.tell(
                            _LETTERS[record.topic], record.partition, record.offset, _event_of(record)
                        )
        finally:
            self._health.down()
            await consumer.stop()

    async def _take_places(self, consumer: AIOKafkaConsumer) -> None:
        partitions = await self._partitions(consumer)
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            offset = max(begins[partition], ends[partition] - self._backlog)
            self._hub.begin(_LETTERS[partition.topic], partition.partition, offset)
            consumer.seek(partition, offset)

    async def _partitions(self, consumer: AIOKafkaConsumer) -> list[TopicPartition]:
        """All partitions of both topics; waits until they exist."""
        while {partition.topic for partition in consumer.assignment()} != _LETTERS.keys():
            self._log.warning("topics_missing", wanted=sorted(_LETTERS))
            self._health.beat()
            await asyncio.sleep(1.0)
        return sorted(consumer.assignment())


def _event_of(record: ConsumerRecord) -> PulseEvent | None:
    try:
        data = Event.decode(record.value, record.headers).data
    except MalformedEvent:
        # The read model's consumer puts it among the dead letters.
        return None
    if isinstance(data, ContentItemV1):
        return event_of_item(data)
    return event_of_reading(data) if isinstance(data, SensorReadingV1) else None
