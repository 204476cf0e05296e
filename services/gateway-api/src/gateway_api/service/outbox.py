"""Publishing the outbox: in the order written, one publisher at a time for a document."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import OUTBOX_WAITING
from kommunepuls_chassis.producer import Producer
from kommunepuls_chassis.store import Collection, Stored
from kommunepuls_chassis.store.conditions import below
from kommunepuls_chassis.store.errors import StoreUnavailable, VersionConflict
from kommunepuls_events import ContactAction, ContentRulesV1
from kommunepuls_events.base import utc_now
from kommunepuls_events.topics import PROFILES

from gateway_api.domain import outbox
from gateway_api.domain.outbox import Entry, EntryKind
from gateway_api.domain.subscribers import Subscriber, command
from gateway_api.service.collections import Collections
from gateway_api.service.erasure import forget_traces

LEASE_SECONDS = 12.0
_WORKING_SECONDS = 6.0
_IDLE_SECONDS = 1.0
_AT_ONCE = 50


class OutboxPublisher:
    """Takes documents with a filled outbox under a lease, publishes, and empties what it published.

    Killed between publishing and emptying, it leaves the entry to be published once more with the same
    id and revision, which consumers take once. A publisher that was overtaken after its lease repairs
    what it may have put out of order.
    """

    def __init__(
        self,
        collections: Collections,
        producer: Producer,
        health: Health,
        *,
        rules: Callable[[str], Awaitable[ContentRulesV1 | None]],
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._collections = collections
        self._watched = (
            collections.subscribers,
            collections.links,
            collections.staff_links,
            collections.drafts,
            collections.rule_versions,
        )
        self._rules = rules
        self._producer = producer
        self._health = health.component("outbox")
        self._now = now
        self._woken = asyncio.Event()
        self._log = get_logger()

    def wake(self) -> None:
        """Say that something was written, so that it need not wait for the next look."""
        self._woken.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            self._woken.clear()
            try:
                busy = await self.publish_due()
                self._health.beat(ready=True)
            except StoreUnavailable:
                self._log.warning("outbox_store_unavailable")
                busy = False
            if not busy:
                try:
                    async with asyncio.timeout(_IDLE_SECONDS):
                        await self._woken.wait()
                except TimeoutError:
                    await self._measure()

    async def publish_due(self) -> bool:
        """Publish what is due now; whether there was anything."""
        found = False
        for collection in self._watched:
            taken = await collection.claim(
                {}, due_field=outbox.DUE_FIELD, now=self._now(), lease_seconds=LEASE_SECONDS, limit=_AT_ONCE
            )
            found = found or bool(taken)
            until = time.monotonic() + _WORKING_SECONDS
            await asyncio.gather(*(self._publish(collection, stored, until) for stored in taken))
        return found

    async def _publish(self, collection: Collection, stored: Stored, until: float) -> None:
        published: set[str] = set()
        try:
            for entry in outbox.entries_of(stored.document):
                # Beyond its time the lease may be another's: what is left waits for the next claim.
                async with asyncio.timeout(max(until - time.monotonic(), 0)):
                    await self._send(entry)
                published.add(entry.id)
        except Exception as error:
            # Left in the outbox in its order; the lease's end is the next attempt.
            self._log.warning("outbox_publish_failed", error=type(error).__name__, done=len(published))
        if published:
            await self._finish(collection, stored, published)

    async def _send(self, entry: Entry) -> None:
        if entry.kind is EntryKind.TOMBSTONE:
            await self._producer.publish_raw(PROFILES.name, entry.value, None)
        elif entry.kind is EntryKind.RULES:
            await self._send_rules(entry.value)
        else:
            await self._producer.publish(entry.message())

    async def _send_rules(self, municipality: str) -> None:
        """Publish the newest rules, and again if there are newer ones by then.

        Versions are documents of their own, so two publishers may be at it. Whoever publishes last looks
        afterwards, so the topic never ends on an old version.
        """
        told = 0
        while (newest := await self._rules(municipality)) is not None and newest.revision != told:
            await self._producer.publish(newest)
            told = newest.revision

    async def _finish(self, collection: Collection, claimed: Stored, published: set[str]) -> None:
        """Take the published entries off, however often the document changes meanwhile."""
        while True:
            stored = await collection.get(claimed.key)
            held = outbox.entries_of(stored.document) if stored else []
            if stored is None or not published & {entry.id for entry in held}:
                await self._replaced(collection, claimed, stored)
                return
            document = outbox.without(stored.document, published, self._now())
            if stored.document.get("state") == "erased" and not document[outbox.FIELD]:
                await forget_traces(self._collections, claimed.key)
                await collection.delete(claimed.key)
                return
            try:
                await collection.put(claimed.key, document, expected_version=stored.version)
            except VersionConflict:
                continue
            return

    async def _replaced(self, collection: Collection, claimed: Stored, stored: Stored | None) -> None:
        """What we published is no longer waiting: the subscriber was erased, or our lease had ended."""
        lease = claimed.document[outbox.DUE_FIELD]
        released = {outbox.DUE_FIELD: self._now()}
        if stored and await collection.patch(claimed.key, released, where={outbox.DUE_FIELD: lease}):
            self.wake()
        elif collection is self._collections.subscribers:
            await self._overtaken(claimed.key, stored)

    async def _overtaken(self, key: str, stored: Stored | None) -> None:
        """Somebody published the same after our lease had ended: say the last word once more."""
        self._log.warning("outbox_lease_overtaken")
        subscriber = Subscriber.of(stored.document) if stored else None
        if stored is None:
            await self._producer.publish_raw(PROFILES.name, key, None)
            await self._producer.publish(command(key, ContactAction.ERASE, self._now()))
        elif subscriber is not None:
            await self._producer.publish(subscriber.profile)

    async def _measure(self) -> None:
        waiting = 0
        for collection in self._watched:
            waiting += await collection.count({outbox.DUE_FIELD: below(_END_OF_TIME)})
        OUTBOX_WAITING.set(waiting)


_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
