"""The senders: each queue is served by its own, so that a slow one holds nobody else up."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class Capacity:
    """Of a queue's senders.

    Attributes:
        in_hand: sendings claimed at a time: read together, waiting for their turn, sent and written down.
        unwritten: of these under way at a time, from before a provider is asked until what it said is written
            down. As many may be sent again after `kill -9`.
    """

    in_hand: int
    unwritten: int


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
        capacity: Mapping[str, Capacity],
        lease: timedelta,
    ) -> None:
        """`lease` says for how long a sending that was claimed belongs to who claimed it."""
        self._desk = desk
        self._deliveries = {
            Kind.ITEM: items,
            Kind.DIGEST: digests,
            Kind.LINK: letters,
            Kind.TEST: letters,
        }
        self._health = health
        self._capacity = capacity
        self._lease = lease
        self._log = get_logger()

    async def run(self) -> None:
        """Serve every queue until cancelled; what is being sent then is finished first."""
        await run_together(*(self._server(queue, capacity) for queue, capacity in self._capacity.items()))

    def _server(self, queue: str, capacity: Capacity):
        async def serve() -> None:
            await self._serve(queue, capacity)

        return serve

    async def _serve(self, queue: str, capacity: Capacity) -> None:
        health = self._health.component(f"sender {queue}")
        wake = self._desk.wakes.event(queue)
        running: set[asyncio.Task] = set()
        permits = asyncio.Semaphore(capacity.unwritten)
        refill_at = capacity.in_hand // 2

        def done(task: asyncio.Task) -> None:
            running.discard(task)
            if len(running) in (refill_at, 0):
                wake.set()

        try:
            while True:
                wake.clear()
                try:
                    started = await self._start(queue, capacity.in_hand - len(running), permits)
                    health.beat(ready=True)
                except StoreError as error:
                    health.down()
                    self._log.warning("store_unavailable", queue=queue, error=str(error))
                    await asyncio.sleep(_STORE_DOWN_SECONDS)
                    continue
                for task in started:
                    running.add(task)
                    task.add_done_callback(done)
                if not started or len(running) > refill_at:
                    with suppress(TimeoutError):
                        # wait_for of Python 3.11 can lose a cancellation that comes with the wake.
                        async with asyncio.timeout(_IDLE_SECONDS):
                            await wake.wait()
        finally:
            if running:
                # A mail that is half handed over would be sent again by whoever claims it next.
                farewell = set(running)
                await asyncio.wait(farewell, timeout=_FAREWELL_SECONDS)
                for task in farewell:
                    task.cancel()

    async def _start(self, queue: str, free: int, permits: asyncio.Semaphore) -> set[asyncio.Task]:
        if free <= 0:
            return set()
        claimed = await self._desk.ledger.claim(queue, self._desk.clock.now(), self._lease, free)
        if not claimed:
            return set()
        briefing = await brief(claimed, self._desk.knowledge, self._desk.vault)
        return {asyncio.create_task(self._in_turn(sending, briefing, permits)) for sending in claimed}

    async def _in_turn(self, sending: Sending, briefing: Briefing, permits: asyncio.Semaphore) -> None:
        async with permits:
            await self._deliver(sending, briefing)

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
