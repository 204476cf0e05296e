"""Taking in what upstreams say: offers to the journal, rejects with their reason, the state of each source."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from kommunepuls_events import ContentItemV1, ContentRule, SourceStatusV1
from kommunepuls_events.base import utc_now
from kommunepuls_events.dead_letters import DeadLetter
from kommunepuls_events.rules import DROPPED_BY_RULE, DROPPED_ENTRY
from kommunepuls_events.topics import REJECTS

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.journal import NEWS_FIELDS, ItemJournal, Observation, Outcome
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import SOURCE_ITEMS, SOURCE_LAST_SUCCESS, SOURCE_REJECTS
from kommunepuls_chassis.producer import Producer
from kommunepuls_chassis.store import DocumentStore
from kommunepuls_chassis.town import SourceConfig, Town

LARGEST_REJECT = 6_000_000
"""Bytes of a reject that are kept; what is longer is cut, and the reason says so."""


class SourceIntake:
    """One source of one town: what it brings is counted, published or rejected here."""

    def __init__(
        self,
        service: str,
        town: Town,
        source: SourceConfig,
        journal: ItemJournal,
        producer: Producer,
        store: DocumentStore,
    ) -> None:
        self.town = town
        self.config = source
        self.id = town.source_id(source)
        self._service = service
        self._journal = journal
        self._producer = producer
        self._store = store
        self._lock = asyncio.Lock()
        self._log = get_logger().bind(source=self.id)

    async def open(self) -> "SourceIntake":
        """Read what was counted before the last stop."""
        self._states = await self._store.collection("source_states")
        known = await self._states.get(self.id)
        fresh = SourceStatusV1(
            source=self.id,
            municipality=self.town.code,
            service=self._service,
            type=self.config.type,
            at=utc_now(),
        )
        self._status = SourceStatusV1.model_validate_json(known.document["status"]) if known else fresh
        self._position: dict = known.document.get("position") or {} if known else {}
        return self

    @property
    def status(self) -> SourceStatusV1:
        """How the source is doing."""
        return self._status

    @property
    def position(self) -> dict:
        """Where the adapter stands in the upstream (cursor, ETag, newest time); survives a restart."""
        return self._position

    async def take(
        self,
        draft: ContentItemV1,
        *,
        news_fields: frozenset[str] = NEWS_FIELDS,
        listed_until: datetime | None = None,
    ) -> Observation:
        """Offer an item to the journal under the source's rules."""
        async with self._lock:
            seen = await self._journal.observe(
                draft,
                announce_within=timedelta(hours=self.config.announce_within_hours),
                news_fields=news_fields,
                listed_until=listed_until,
            )
            if seen.dropped_by is not None:
                await self._keep_dropped(draft, seen.dropped_by)
            self._count(seen)
            return seen

    async def _keep_dropped(self, draft: ContentItemV1, rule: ContentRule) -> None:
        """Show editors what a rule dropped, and only then write down that it was shown."""
        letter = DeadLetter(
            reason=DROPPED_BY_RULE,
            detail=f"{rule.id}: {rule.name}",
            service=self._service,
            source=self.id,
            entry=DROPPED_ENTRY,
        )
        await self._producer.publish_raw(REJECTS.name, self.id, draft.to_json(), letter.headers())
        await self._journal.note_dropped(draft)
        self._log.info("item_dropped_by_rule", rule=rule.id)

    async def withdraw(self, item_id: str) -> Observation:
        """Take an item back."""
        async with self._lock:
            seen = await self._journal.withdraw(item_id)
            self._count(seen)
            return seen

    def _count(self, seen: Observation) -> None:
        SOURCE_ITEMS.labels(self.id, seen.outcome.value).inc()
        if seen.outcome is Outcome.UNCHANGED:
            self._status = self._status.model_copy(update={"unchanged": self._status.unchanged + 1})
        elif seen.outcome is Outcome.DROPPED:
            self._status = self._status.model_copy(update={"dropped": self._status.dropped + 1})
        else:
            self._status = self._status.model_copy(
                update={"items": self._status.items + 1, "last_item_at": seen.item.observed_at}
            )

    async def count_published(self, number: int) -> None:
        """Count what was published without the journal (sensor readings)."""
        self._status = self._status.model_copy(
            update={"items": self._status.items + number, "last_item_at": utc_now()}
        )

    async def reject(self, entry: str, raw: bytes, rejected: RejectedInput) -> None:
        """Keep input that cannot be taken, with its reason, for operators to inspect and replay.

        Args:
            entry: how the service takes it in again: ``webhook``, ``item``, ``answer``…
            raw: the bytes as they came.
            rejected: reason and detail.
        """
        detail = rejected.detail
        if len(raw) > LARGEST_REJECT:
            detail, raw = f"{detail} (cut from {len(raw)} bytes)", raw[:LARGEST_REJECT]
        letter = DeadLetter(
            reason=rejected.reason, detail=detail, service=self._service, source=self.id, entry=entry
        )
        await self._producer.publish_raw(REJECTS.name, self.id, raw, letter.headers())
        SOURCE_REJECTS.labels(self.id, rejected.reason).inc()
        rejects = dict(self._status.rejects)
        rejects[rejected.reason] = rejects.get(rejected.reason, 0) + 1
        self._status = self._status.model_copy(update={"rejects": rejects})
        self._log.warning("input_rejected", entry=entry, reason=rejected.reason, detail=detail)

    async def guard(self, entry: str, raw: bytes, work: Callable[[], Awaitable[None]]) -> bool:
        """Run ``work``; input that it rejects is kept with its reason. True if it was taken."""
        try:
            await work()
        except RejectedInput as rejected:
            await self.reject(entry, raw, rejected)
            return False
        return True

    async def save(
        self,
        *,
        position: dict | None = None,
        error: str | None = None,
        attempted: bool = True,
        next_attempt_at: datetime | None = None,
    ) -> None:
        """Write down position and state, and publish the state for operators."""
        now = utc_now()
        changes: dict = {"error": error, "at": now, "next_attempt_at": next_attempt_at}
        if attempted:
            changes["last_attempt_at"] = now
            if error is None:
                changes["last_success_at"] = now
                SOURCE_LAST_SUCCESS.labels(self.id).set(now.timestamp())
        self._status = self._status.model_copy(update=changes)
        if position is not None:
            self._position = position
        await self._states.put(
            self.id, {"status": self._status.to_json().decode(), "position": self._position}
        )
        await self._producer.publish(self._status)
