"""Reading stretches of logs without being a member of a group."""

from collections.abc import AsyncIterator, Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from kommunepuls_chassis.kafka import client_options
from kommunepuls_chassis.settings import ServiceSettings


def plain_consumer(settings: ServiceSettings) -> AIOKafkaConsumer:
    """A consumer without a group, to be started and assigned by hand."""
    return AIOKafkaConsumer(
        **client_options(settings),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=500,
        max_partition_fetch_bytes=4_194_304,
    )


async def read_stretches(
    settings: ServiceSettings, topic: str, stretches: Mapping[int, tuple[int, int]]
) -> AsyncIterator[list[ConsumerRecord]]:
    """The records of partitions from an offset up to before another, in batches.

    Args:
        settings: where the brokers are.
        topic: which log.
        stretches: first offset and the offset to stop before, by partition.
    """
    left = {
        TopicPartition(topic, partition): end for partition, (begin, end) in stretches.items() if begin < end
    }
    if not left:
        return
    consumer = plain_consumer(settings)
    await consumer.start()
    try:
        consumer.assign(list(left))
        for partition in left:
            consumer.seek(partition, stretches[partition.partition][0])
        while left:
            taken = await consumer.getmany(*left, timeout_ms=500, max_records=2000)
            for partition, records in taken.items():
                if wanted := [record for record in records if record.offset < left[partition]]:
                    yield wanted
            # The position passes over what was compacted or expired meanwhile.
            for partition in list(left):
                if await consumer.position(partition) >= left[partition]:
                    del left[partition]
    finally:
        await consumer.stop()
