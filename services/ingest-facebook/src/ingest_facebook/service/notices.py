"""Webhooks: what they name is noted in the store before they are answered, and fetched by a worker."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from kommunepuls_chassis.errors import PermanentError, RejectedInput, ThrottledError, TransientError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import SOURCE_ITEMS
from kommunepuls_chassis.store import Collection, DocumentStore, Index, Stored
from kommunepuls_chassis.store.errors import StoreUnavailable
from kommunepuls_chassis.tracing import current_traceparent, span

from ingest_facebook.domain.webhooks import Action, Change
from ingest_facebook.service.running import Sources
from ingest_facebook.service.source import PageSource

LEASE_SECONDS = 120.0
FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 900.0
KEPT = timedelta(days=3)
"""How long a post is tried that cannot be fetched; polls find it too once they work again."""
_MOST_AT_ONCE = 5


class Notices:
    """Posts that webhooks named and that are yet to be fetched."""

    def __init__(self, notes: Collection, sources: Sources, now: Callable[[], datetime]) -> None:
        self._notes = notes
        self._sources = sources
        self._now = now
        self._arrived = asyncio.Event()
        self._log = get_logger()

    @classmethod
    async def open(cls, store: DocumentStore, sources: Sources, now: Callable[[], datetime]) -> "Notices":
        """With what was noted before the last stop, due at once: whoever had claimed it is gone."""
        notes = await store.collection("notices", indexes=[Index("due_at")])
        for stored in await notes.find({}):
            await notes.patch(stored.key, {"due_at": now()})
        return cls(notes, sources, now)

    async def note(self, body: bytes, changes: list[Change]) -> int:
        """Write down what a webhook names; returns how many posts once they are safe in the store.

        The same webhook sent twice is one note. What names no post of ours is counted by its reason.

        Raises:
            NotReady: before the sources are started.
            StoreError: if it could not be written down.
        """
        await self._sources.settled()
        noted = []
        digest = hashlib.sha256(body).hexdigest()[:24]
        for number, change in enumerate(changes):
            sources = self._sources.of_page(change.page)
            if not sources:
                self._log.info("webhook_ignored", page=change.page, reason=change.reason or "unknown-page")
            for source in sources:
                if await self._wanted(source, change):
                    noted.append((f"{source.id}/{digest}/{number}", self._note_of(source, change)))
        if noted:
            await self._notes.insert_many(noted)
            self._arrived.set()
        return len(noted)

    async def work(self, health: Health) -> None:
        """Fetch what is noted until cancelled."""
        component = health.component("webhook notices", stale_after=LEASE_SECONDS * 2)
        component.beat(ready=True)
        while True:
            self._arrived.clear()
            try:
                while await self.work_once():
                    component.beat()
                component.beat(ready=True)
            except StoreUnavailable:
                component.beat(ready=False)
                self._log.warning("store_unavailable")
            try:
                async with asyncio.timeout(1.0):
                    await self._arrived.wait()
            except TimeoutError:
                continue

    async def work_once(self) -> int:
        """Work off what is due; returns how many notes were."""
        due = await self._notes.claim(
            {}, due_field="due_at", now=self._now(), lease_seconds=LEASE_SECONDS, limit=_MOST_AT_ONCE
        )
        posts: dict[tuple[str, str], list[Stored]] = {}
        for stored in due:
            posts.setdefault((stored.document["source"], stored.document["post"]), []).append(stored)
        for (source_id, post), notes in posts.items():
            with span(notes[-1].document.get("trace")):
                await self._work_on(source_id, post, notes)
        return len(due)

    async def _work_on(self, source_id: str, post: str, notes: list[Stored]) -> None:
        source = self._sources.get(source_id)
        # One fetch answers all that was noted of a post so far; a removal is the last that is heard of it.
        removed = any(stored.document["action"] == Action.WITHDRAW for stored in notes)
        try:
            if source is None:
                raise TransientError("the source does not run", reason="unknown-source")
            await (source.withdraw(post) if removed else source.refresh(post))
        except ThrottledError as throttled:
            await self._later(source, notes, throttled.delay_seconds, str(throttled))
            return
        except PermanentError as permanent:
            await self._later(source, notes, LONGEST_RETRY_SECONDS, str(permanent))
            return
        except Exception as failed:
            if not isinstance(failed, TransientError):
                self._log.exception("notice_failed", source=source_id)
            attempts = max(stored.document["attempts"] for stored in notes)
            delay = min(FIRST_RETRY_SECONDS * 2**attempts, LONGEST_RETRY_SECONDS)
            await self._later(source, notes, delay, f"{type(failed).__name__}: {failed}")
            return
        for stored in notes:
            await self._notes.delete(stored.key)

    async def _later(self, source: PageSource | None, notes: list[Stored], delay: float, why: str) -> None:
        now = self._now()
        for stored in notes:
            note = stored.document
            if note["arrived_at"] < now - KEPT:
                self._log.warning("notice_given_up", source=note["source"], post=note["post"], error=why)
                if source is not None:
                    rejected = RejectedInput("not-fetched", f"the post could not be fetched: {why}")
                    await source.intake.reject("notice", note["post"].encode(), rejected)
                await self._notes.delete(stored.key)
                continue
            self._log.info("notice_later", source=note["source"], seconds=round(delay), error=why)
            await self._notes.patch(
                stored.key,
                {"due_at": now + timedelta(seconds=delay), "attempts": min(note["attempts"] + 1, 20)},
            )

    async def _wanted(self, source: PageSource, change: Change) -> bool:
        reason = change.reason
        if change.action is Action.REJECT:
            await source.intake.reject(
                "webhook", change.raw, RejectedInput(reason, "a change that cannot be read")
            )
            return False
        if change.action is not Action.IGNORE:
            # Somebody else's post is none of ours, unless it was published once: then it was the page's.
            if not change.by_visitor or await source.knows(change.post or ""):
                return True
            reason = "visitor"
        SOURCE_ITEMS.labels(source.id, "ignored").inc()
        self._log.info("webhook_ignored", source=source.id, reason=reason)
        return False

    def _note_of(self, source: PageSource, change: Change) -> dict:
        return {
            "source": source.id,
            "post": change.post,
            "action": change.action.value,
            "due_at": self._now(),
            "arrived_at": self._now(),
            "attempts": 0,
            "trace": current_traceparent(),
        }
