"""Following a partition of ``profiles.v1``: from its beginning into the index, then every change."""

import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_events import MalformedEvent
from kommunepuls_events.topics import PROFILES

from personaliser.adapters.log_reading import plain_consumer
from personaliser.adapters.offsets import Offsets
from personaliser.adapters.reading_history import ReadingHistory
from personaliser.profile_decoding import ProfileDecoder
from personaliser.records import DeadLetters, Record, decoded
from personaliser.shards import Shard

_RETRY_SECONDS = 1.0


class ProfileLog:
    """Makes a shard what the log says and keeps it so."""

    def __init__(
        self,
        settings: ServiceSettings,
        offsets: Offsets,
        history: ReadingHistory,
        dead_letters: DeadLetters,
    ) -> None:
        self._settings = settings
        self._offsets = offsets
        self._history = history
        self._dead_letters = dead_letters
        self._plain = ProfileDecoder()

    async def follow(self, shard: Shard) -> None:
        """Rebuild the shard, say that it is ready, go on until cancelled; a lost connection is made anew."""
        log = get_logger().bind(partition=shard.partition)
        while True:
            consumer = plain_consumer(self._settings)
            try:
                await consumer.start()
                await self._follow(shard, consumer)
            except (KafkaError, OSError) as error:
                log.warning("profiles_interrupted", error=type(error).__name__)
            finally:
                await consumer.stop()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self, shard: Shard, consumer: AIOKafkaConsumer) -> None:
        partition = TopicPartition(PROFILES.name, shard.partition)
        consumer.assign([partition])
        consumer.seek(partition, max(shard.position, await self._beginning(shard)))
        if not shard.ready:
            end = (await self._offsets.profile_ends([shard.partition]))[shard.partition]
            while await consumer.position(partition) < end:
                await self._take_some(shard, consumer, partition)
            await shard.begin(await self._history.before(shard.partition))
            get_logger().info("partition_ready", partition=shard.partition, profiles=len(shard.index))
        while True:
            await self._take_some(shard, consumer, partition)

    async def _beginning(self, shard: Shard) -> int:
        return (await self._offsets.beginnings(PROFILES, [shard.partition]))[shard.partition]

    async def _take_some(self, shard: Shard, consumer: AIOKafkaConsumer, partition: TopicPartition) -> None:
        taken = await consumer.getmany(partition, timeout_ms=1000, max_records=500)
        for record in taken.get(partition, ()):
            profile = record.value and self._plain.decoded(record.key, record.value, record.headers)
            if profile:
                shard.take(profile.subscriber, profile)
            else:
                await self._take(shard, record)
        shard.advance(await consumer.position(partition))

    async def _take(self, shard: Shard, raw: ConsumerRecord) -> None:
        if raw.value is None and raw.key is not None:
            shard.take(raw.key.decode(errors="replace"), None)
            return
        record = Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, list(raw.headers))
        try:
            profile = decoded(PROFILES, record).data
        except MalformedEvent as error:
            # A compacted log keeps a bad record, and every rebuild meets it: it is put aside once, by who
            # sees it come. The profile held before it stays.
            if shard.ready:
                await self._dead_letters.bury(PROFILES, record, error.reason, error.detail)
            else:
                get_logger().info("profile_passed_over", offset=raw.offset, reason=error.reason)
            return
        shard.take(profile.subscriber, profile)
