"""Matching: offers of a partition against the subscribers of that partition."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

from aiokafka.errors import KafkaError
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import MATCH_SECONDS, MATCHED_RECIPIENTS
from kommunepuls_chassis.tracing import new_traceparent
from kommunepuls_events import ContentItemV1, MalformedEvent, MatchV2, SensorReadingV1, event_for
from kommunepuls_events.base import utc_now
from kommunepuls_events.topics import OFFERS
from kommunepuls_geography import Geography, GeographyError
from kommunepuls_matching.concern import Concern

from personaliser.domain.matches import chunked
from personaliser.domain.sensor_items import item_of_reading, recipients_of
from personaliser.domain.thresholds import Observation
from personaliser.records import SERVICE, DeadLetters, Outbox, Publisher, Record, decoded
from personaliser.shards import Shard, Shards

ProfileEnds = Callable[[Iterable[int]], Awaitable[dict[int, int]]]
"""The end offsets of partitions of ``profiles.v1``, as they are now."""


class Matcher:
    """Takes records of ``offers.v1`` to ``matches.v2``.

    An offer sees every profile that was acknowledged before the offer was published: when a batch has been
    taken, the end of the profile log is asked for once, and matching waits until the index has got there.
    """

    def __init__(
        self,
        publisher: Publisher,
        shards: Shards,
        profile_ends: ProfileEnds,
        geography: Callable[[], Geography],
    ) -> None:
        self._publisher = publisher
        self._dead_letters = DeadLetters(publisher)
        self._shards = shards
        self._profile_ends = profile_ends
        self._geography = geography

    async def take(self, records: Sequence[Record]) -> frozenset[int]:
        """Match a batch, partitions side by side; returns the partitions whose records are done.

        Records of a partition that is not (or no longer) held are left to whoever holds it.
        """
        by_partition: dict[int, list[Record]] = {}
        for record in records:
            by_partition.setdefault(record.partition, []).append(record)
        ends = await self._profile_ends(by_partition)
        done = await asyncio.gather(
            *(self._take(partition, ends[partition], part) for partition, part in by_partition.items())
        )
        return frozenset(partition for partition, taken in zip(by_partition, done, strict=True) if taken)

    async def _take(self, partition: int, profiles_end: int, records: Sequence[Record]) -> bool:
        shard = self._shards.held(partition)
        if shard is None or not await shard.reach(profiles_end):
            return False
        outbox = Outbox(OFFERS, self._publisher, self._dead_letters)
        for record in records:
            try:
                event = decoded(OFFERS, record)
                for match in self._matches(shard, event.data.item, event.data.reading):
                    traceparent = new_traceparent(event.traceparent)
                    await outbox.add(record, event_for(match, producer=SERVICE, traceparent=traceparent))
                    await asyncio.sleep(0)  # a chunk at a time: heartbeats and profiles go on
            except MalformedEvent as error:
                await self._dead_letters.bury(OFFERS, record, error.reason, error.detail)
            except GeographyError as error:
                await self._dead_letters.bury(OFFERS, record, "unusable-geometry", str(error))
            except KafkaError:
                raise
            except Exception as error:
                # An offer that cannot be matched must not stop those behind it.
                get_logger().exception("match_failed", partition=partition, offset=record.offset)
                await self._dead_letters.bury(OFFERS, record, "match-failed", type(error).__name__)
        await outbox.send()
        return True

    def _matches(
        self, shard: Shard, item: ContentItemV1 | None, reading: SensorReadingV1 | None
    ) -> Iterator[MatchV2]:
        began = time.perf_counter()
        if item is not None:
            answer = shard.index.match(Concern.of(item, self._geography()))
            MATCH_SECONDS.observe(time.perf_counter() - began)
            MATCHED_RECIPIENTS.labels(item.kind).inc(len(answer))
            yield from chunked(item, shard.partition, answer.groups(), utc_now())
        elif reading is None:
            raise MalformedEvent("empty-offer", "the offer holds neither an item nor a reading")
        elif reading.value is not None:
            yield from self._threshold_matches(shard, reading)

    def _threshold_matches(self, shard: Shard, reading: SensorReadingV1) -> Iterator[MatchV2]:
        crossings = shard.thresholds.read(
            Observation(reading.sensor, reading.observed_property, reading.observed_at, reading.value)
        )
        if not crossings:
            return
        item = item_of_reading(reading)
        heard = [one for one in crossings if not shard.index.mutes(one.subscriber, item)]
        groups = recipients_of(reading, heard)
        count = sum(len(group.subscribers) for group in groups)
        MATCHED_RECIPIENTS.labels("threshold").inc(count)
        get_logger().info("thresholds_passed", sensor=reading.sensor, recipients=count)
        yield from chunked(item, shard.partition, groups, utc_now())
