"""Which readings count as matched already."""

from datetime import timedelta

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from kommunepuls_events import OfferV1, SensorReadingV1, event_for
from kommunepuls_events.topics import OFFERS, SENSOR_READINGS
from kommunepuls_matching.testing import NOW, item
from personaliser.adapters.offsets import open_offsets
from personaliser.adapters.reading_history import ReadingHistory
from personaliser_making import reading
from personaliser_running import everything_else, settings_of

pytestmark = pytest.mark.integration


async def commit(bootstrap: str, offsets: dict[TopicPartition, int]) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id="personaliser", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign(list(offsets))
        await consumer.commit(offsets)
    finally:
        await consumer.stop()


async def test_what_was_routed_counts_but_for_what_is_still_ahead(variables: dict[str, str]) -> None:
    settings = settings_of(variables, threshold_history_hours=24 * 3650)
    readings = [reading(float(n), NOW + timedelta(minutes=n)) for n in range(6)]

    def offer(one: SensorReadingV1) -> OfferV1:
        return OfferV1(reading=one, offered_at=NOW)

    async with everything_else(variables) as (producer, _), open_offsets(settings) as offsets:
        history = ReadingHistory(settings, offsets, partitions=SENSOR_READINGS.partitions)
        assert await history.before(0) == [], "nothing was ever committed"
        await producer.publish(*readings, reading(99.0, NOW + timedelta(hours=1), quality="bad"))
        ends = await offsets.ends(SENSOR_READINGS, range(SENSOR_READINGS.partitions))
        (partition,) = (one for one, end in ends.items() if end)
        # The router's commit shows readings 0 to 3, while 4 was matched too; 2 and 3 are still ahead, and 5
        # was never routed. 1 lies ahead once more, offered twice by a router that was killed.
        offered = [0, 1, 4, 2, 3, 1]
        batch = [offer(readings[n]) for n in offered[:3]] + [OfferV1(item=item(), offered_at=NOW)]
        batch += [offer(readings[n]) for n in offered[3:]]
        await producer.publish_events([event_for(one, producer="test") for one in batch], partition=0)
        await commit(
            settings.kafka_bootstrap,
            {TopicPartition(SENSOR_READINGS.name, partition): 4, TopicPartition(OFFERS.name, 0): 4},
        )
        assert sorted(one.value for one in await history.before(0)) == [0.0, 1.0, 4.0]
        # A partition that has matched nothing yet has nothing ahead either, so all that was routed counts.
        assert sorted(one.value for one in await history.before(1)) == [0.0, 1.0, 2.0, 3.0]
        await commit(settings.kafka_bootstrap, {TopicPartition(SENSOR_READINGS.name, partition): 7})
        assert sorted(one.value for one in await history.before(1)) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
