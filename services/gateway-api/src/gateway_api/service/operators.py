"""What operators do: look at rejects and dead letters, send them back, bring residents over."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.producer import Producer
from kommunepuls_chassis.store import Stored
from kommunepuls_chassis.store.conditions import below
from kommunepuls_chassis.store.errors import StoreUnavailable
from kommunepuls_events.base import utc_now

from gateway_api.domain import letters
from gateway_api.domain.errors import Conflict, NotFound
from gateway_api.domain.secrets import new_command_id
from gateway_api.service.collections import Collections
from gateway_api.service.queries import Page, page_of

_LEASE_SECONDS = 30.0
_BATCH = 50
FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which letters are wanted; None does not narrow."""

    origin: str
    state: str | None = None
    reason: str | None = None
    service: str | None = None
    source: str | None = None
    topic: str | None = None

    def where(self) -> dict[str, Any]:
        """As a condition of the store."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Reason:
    """Open letters of one reason, service and topic: how many, and what the newest says."""

    wanted: LetterFilter
    number: int
    detail: str
    at: datetime


class Letters:
    """Rejects and dead letters, and the replays that an operator asked for."""

    def __init__(
        self,
        collections: Collections,
        producer: Producer,
        health: Health,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._collections = collections
        self._producer = producer
        self._health = health.component("replays")
        self._now = now
        self._log = get_logger()

    async def list(self, wanted: LetterFilter, *, limit: int, cursor: str | None) -> Page:
        """Letters, the newest first."""
        return await page_of(self._collections.letters, wanted.where(), "at", limit, cursor)

    async def reasons(self, origin: str, *, sample: int = 300) -> tuple[Reason, ...]:
        """Why open letters are there, the most frequent first: the reasons of the newest, each counted in full."""
        newest = await self._collections.letters.find(
            {"origin": origin, "state": letters.OPEN}, order_by="at", descending=True, limit=sample
        )
        seen: dict[tuple[str, str, str], Stored] = {}
        for stored in newest:
            held = stored.document
            seen.setdefault((held["reason"], held["service"], held["topic"]), stored)
        reasons = []
        for (reason, service, topic), stored in seen.items():
            wanted = LetterFilter(origin, letters.OPEN, reason, service, None, topic)
            number = await self._collections.letters.count(wanted.where())
            reasons.append(Reason(wanted, number, stored.document["detail"], stored.document["at"]))
        return tuple(sorted(reasons, key=lambda one: (-one.number, one.wanted.reason or "")))

    async def open(self, origin: str) -> int:
        """How many wait for a hand."""
        return await self._collections.letters.count({"origin": origin, "state": letters.OPEN})

    async def get(self, origin: str, key: str) -> Stored:
        """One letter with its bytes.

        Raises:
            NotFound: if there is none.
        """
        stored = await self._collections.letters.get(key) if 0 < len(key) <= 512 else None
        if stored is None or stored.document["origin"] != origin:
            raise NotFound("there is no such record")
        return stored

    async def replay_one(self, origin: str, key: str) -> None:
        """Send one back where it belongs, again if it was sent before.

        Raises:
            NotFound: if there is none.
            Conflict: if it does not say where it belongs.
        """
        stored = await self.get(origin, key)
        await self._send(stored, replay=None)

    async def ask_for_replay(self, wanted: LetterFilter, operator: str) -> Stored:
        """Have every open letter of a filter sent back, those that are there now; returns the replay."""
        now = self._now()
        condition = wanted.where() | {"state": letters.OPEN, "at": below(now)}
        document = {
            "state": "running",
            "filter": asdict(wanted),
            "operator": operator,
            "created_at": now,
            "until": now,
            "due_at": now,
            "finished_at": None,
            "total": await self._collections.letters.count(condition),
            "done": 0,
            "failed": 0,
        }
        key = new_command_id().replace("c-", "r-")
        await self._collections.replays.insert(key, document)
        self._log.info("replay_asked", operator=operator, replay=key, total=document["total"])
        return await self.replay(key)

    async def replay(self, key: str) -> Stored:
        """A replay with its progress.

        Raises:
            NotFound: if there is none.
        """
        stored = await self._collections.replays.get(key) if 0 < len(key) <= 100 else None
        if stored is None:
            raise NotFound("there is no such replay")
        return stored

    async def replays(self, *, limit: int, cursor: str | None) -> Page:
        """The replays, the newest first."""
        return await page_of(self._collections.replays, {}, "created_at", limit, cursor)

    async def run(self) -> None:
        """Work off replays until cancelled; one that a killed process left goes on when its lease ends."""
        while True:
            try:
                busy = await self.work_once()
                self._health.beat(ready=True)
            except StoreUnavailable:
                self._log.warning("replays_store_unavailable")
                busy = False
            if not busy:
                await asyncio.sleep(1.0)

    async def work_once(self) -> bool:
        """Send one batch of one replay; whether there was any."""
        taken = await self._collections.replays.claim(
            {}, due_field="due_at", now=self._now(), lease_seconds=_LEASE_SECONDS, limit=1
        )
        for stored in taken:
            await self._batch(stored)
        return bool(taken)

    async def _batch(self, stored: Stored) -> None:
        asked = stored.document
        wanted = LetterFilter(**asked["filter"]).where()
        condition = wanted | {"state": letters.OPEN, "at": below(asked["until"])}
        found = await self._collections.letters.find(condition, order_by="at", limit=_BATCH)
        for letter in found:
            try:
                await self._send(letter, replay=stored.key)
            except Conflict:
                await self._collections.letters.patch(
                    letter.key, {"state": "unreplayable", "replay": stored.key}
                )
        of_replay = {"replay": stored.key}
        done = await self._collections.letters.count(of_replay | {"state": letters.REPLAYED})
        failed = await self._collections.letters.count(of_replay | {"state": "unreplayable"})
        finished = len(found) < _BATCH
        changes: dict[str, Any] = {
            "done": done,
            "failed": failed,
            "due_at": None if finished else self._now(),
        }
        if finished:
            changes |= {"state": FINISHED, "finished_at": self._now()}
            self._log.info("replay_finished", replay=stored.key, done=done, failed=failed)
        await self._collections.replays.patch(stored.key, changes)

    async def _send(self, letter: Stored, *, replay: str | None) -> None:
        out = letters.outgoing(letter.document)
        await self._producer.publish_raw(out.topic, out.key, out.value, out.headers, partition=out.partition)
        await self._collections.letters.patch(
            letter.key, {"state": letters.REPLAYED, "replayed_at": self._now(), "replay": replay}
        )
