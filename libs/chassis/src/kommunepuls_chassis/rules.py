"""Content rules as a service holds them: followed on their compacted topic, so that a change counts at once.

Every process reads the topic for itself, without a group, from the beginning: it is small, and each must know all
of it. Until it has been read once nothing is judged, so that no item slips through at the start.
"""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaConnectionError
from kommunepuls_events import ContentItemV1, ContentRulesV1, Event, Judged, MalformedEvent, judge
from kommunepuls_events.topics import CONTENT_RULES

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.kafka import client_options
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.settings import ServiceSettings


class Rules(Protocol):
    """What the journal asks of rules."""

    async def judge(self, item: ContentItemV1) -> Judged:
        """What the rules in force make of an item as its source sent it."""


class NoRules:
    """Leaves every item as it is."""

    async def judge(self, item: ContentItemV1) -> Judged:
        """See :meth:`Rules.judge`."""
        return Judged(item)


class RuleBook:
    """The newest rules of each municipality."""

    def __init__(self) -> None:
        self._held: dict[str, ContentRulesV1] = {}
        self._read = asyncio.Event()

    def take(self, rules: ContentRulesV1) -> bool:
        """Take rules; older ones than those held are passed over. Whether they count from now on."""
        held = self._held.get(rules.municipality)
        if held is not None and held.revision >= rules.revision:
            return False
        self._held[rules.municipality] = rules
        return True

    def forget(self, municipality: str) -> None:
        """A tombstone: the municipality has no rules any more."""
        self._held.pop(municipality, None)

    def all_read(self) -> None:
        """Say that the topic was read to its end."""
        self._read.set()

    async def judge(self, item: ContentItemV1) -> Judged:
        """See :meth:`Rules.judge`. Waits until the topic was read once."""
        await self._read.wait()
        held = self._held.get(item.municipality)
        return judge(item, held.rules if held else ())


class RuleFollower:
    """Keeps a rule book up to date."""

    def __init__(self, settings: ServiceSettings, book: RuleBook, health: Health) -> None:
        self._settings = settings
        self._book = book
        self._health = health.component("content rules")
        self._log = get_logger()

    async def run(self) -> None:
        """Follow the topic until cancelled.

        Raises:
            OperatorError: if no broker answers at the start.
        """
        consumer = AIOKafkaConsumer(
            CONTENT_RULES.name,
            **client_options(self._settings),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=250,
        )
        try:
            await consumer.start()
        except KafkaConnectionError:
            await consumer.stop()
            bootstrap = self._settings.kafka_bootstrap
            raise OperatorError(f"no Kafka broker answers at {bootstrap} (KP_KAFKA_BOOTSTRAP)") from None
        try:
            behind = await self._ends(consumer)
            while True:
                if behind is not None:
                    behind = {
                        part: end for part, end in behind.items() if await consumer.position(part) < end
                    }
                    if not behind:
                        behind = None
                        self._book.all_read()
                        self._health.beat(ready=True)
                taken = await consumer.getmany(timeout_ms=500)
                self._health.beat()
                for records in taken.values():
                    self._take(records)
        finally:
            self._health.down()
            await consumer.stop()

    async def _ends(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        """Where the partitions end now; waits until the topic exists."""
        while not consumer.assignment():
            self._log.warning("topics_missing", wanted=[CONTENT_RULES.name])
            self._health.beat()
            await asyncio.sleep(1.0)
        return await consumer.end_offsets(consumer.assignment())

    def _take(self, records: Iterable[ConsumerRecord]) -> None:
        for record in records:
            municipality = (record.key or b"").decode(errors="replace")
            if record.value is None:
                self._book.forget(municipality)
                continue
            try:
                rules = Event.decode(record.value, record.headers).data
                if not isinstance(rules, ContentRulesV1) or rules.municipality != municipality:
                    raise MalformedEvent("wrong-topic", "these are no rules of that municipality")
            except MalformedEvent as error:
                # Those held before go on counting: to guess at half of a rule would be worse.
                self._log.error("content_rules_unreadable", municipality=municipality, reason=str(error))
                continue
            if self._book.take(rules):
                self._log.info(
                    "content_rules_taken",
                    municipality=municipality,
                    revision=rules.revision,
                    rules=len(rules.rules),
                )
