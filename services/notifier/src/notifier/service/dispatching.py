"""The senders: each queue is served by its own, so that a slow one holds nobody else up."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.process import run_together
from kommunepuls_chassis.store.errors import StoreError
from kommunepuls_chassis.tracing import span

from notifier.domain.outcomes import NotNow, conclude
from notifier.domain.sendings import Kind, Sending, State
from notifier.service.briefing import Briefing, brief
from notifier.service.desk import Desk
from notifier.service.digests import DigestDelivery
from notifier.service.items import ItemDelivery
from notifier.service.letters import LetterDelivery

_IDLE_SECONDS = 0.5
_STORE_DOWN_SECONDS = 2.0
_FAREWELL_SECONDS = 10.0


class Dispatcher:
    """Claims due sendings and has them delivered, a bounded number a queue at a time."""

    def __init__(
        self,
        desk: Desk,
        items: ItemDelivery,
        digests: DigestDelivery,
        letters: LetterDelivery,
        health: Health,
        *,
        at_once: Mapping[str, int],
        lease: timedelta,
    ) -> None:
        """`at_once` says how many sendings of each queue are under way at a time, `lease` for how long one
        that was claimed belongs to who claimed it."""
        self._desk = desk
        self._deliveries = {
            Kind.ITEM: items,
            Kind.DIGEST: digests,
            Kind.LINK: letters,
            Kind.TEST: letters,
        }
        self._health = health
        self._at_once = at_once
        self._lease = lease
        self._log = get_logger()

    async def run(self) -> None:
        """Serve every queue until cancelled; what is being sent then is finished first."""
        await run_together(*(self._server(queue, limit) for queue, limit in self._at_once.items()))

    def _server(self, queue: str, limit: int):
        async def serve() -> None:
            await self._serve(queue, limit)

        return serve

    async def _serve(self, queue: str, limit: int) -> None:
        health = self._health.component(f"sender {queue}")
        wake = self._desk.wakes.event(queue)
        running: set[asyncio.Task] = set()
        try:
            while True:
                wake.clear()
                try:
                    started = await self._start(queue, limit - len(running))
                    health.beat(ready=True)
                except StoreError as error:
                    health.down()
                    self._log.warning("store_unavailable", queue=queue, error=str(error))
                    await asyncio.sleep(_STORE_DOWN_SECONDS)
                    continue
                running |= started
                if not started or len(running) >= limit:
                    await self._something_happens(running, wake)
                running = {task for task in running if not task.done()}
        finally:
            if running:
                # A mail that is half handed over would be sent again by whoever claims it next.
                await asyncio.wait(running, timeout=_FAREWELL_SECONDS)
                for task in running:
                    task.cancel()

    async def _start(self, queue: str, free: int) -> set[asyncio.Task]:
        if free <= 0:
            return set()
        claimed = await self._desk.ledger.claim(queue, self._desk.clock.now(), self._lease, free)
        if not claimed:
            return set()
        briefing = await brief(claimed, self._desk.knowledge, self._desk.vault)
        return {asyncio.create_task(self._deliver(sending, briefing)) for sending in claimed}

    @staticmethod
    async def _something_happens(running: set[asyncio.Task], wake: asyncio.Event) -> None:
        woken = asyncio.create_task(wake.wait())
        try:
            await asyncio.wait({*running, woken}, timeout=_IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()

    async def _deliver(self, sending: Sending, briefing: Briefing) -> None:
        with span(sending.trace):
            try:
                if sending.kind is Kind.ITEM and await self._only_untold(sending):
                    return
                await self._deliveries[sending.kind].deliver(sending, briefing)
            except StoreError as error:
                self._log.warning("delivery_put_off", kind=sending.kind, error=str(error))
            except Exception:
                self._log.exception("delivery_failed", kind=sending.kind, item=sending.item)
                await self._put_off(sending)

    async def _put_off(self, sending: Sending) -> None:
        """An error of ours: tried again like any failure that may pass, and ended like one.

        What was sent already and only could not be told is left alone: when its lease ends it is told.
        """
        now = self._desk.clock.now()
        try:
            current = await self._desk.ledger.get(sending.key)
            if current is None or current.state in (State.SENT, State.FAILED):
                return
            after = conclude(sending, {"": NotNow("internal-error")}, now)
            if sending.kind is Kind.DIGEST and after.news:
                # Given up: it is looked at once more, to tell what became of the items in it.
                await self._desk.ledger.keep(replace(after.sending, due_at=now))
            else:
                await self._desk.finish(after.sending, after.news)
        except Exception as error:
            self._log.warning("delivery_put_off", kind=sending.kind, error=type(error).__name__)

    async def _only_untold(self, sending: Sending) -> bool:
        """Tell the state of one whose sender died before telling it; True if nothing else is left to do."""
        if sending.told or sending.state not in (State.SENT, State.FAILED):
            return False
        await self._desk.tell_and_close(replace(sending, due_at=None))
        return True
