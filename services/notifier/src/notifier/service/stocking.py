"""Having message keys made ahead and endpoints in memory while nothing is to be sent, and forgetting who was erased."""

import asyncio
import gc
from collections.abc import Callable, Collection
from datetime import timedelta

from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.process import run_together
from kommunepuls_chassis.producer import Producer
from kommunepuls_chassis.store.errors import StoreError
from kommunepuls_events.topics import DELIVERIES

from notifier.ports import Stock
from notifier.records.knowledge import Knowledge
from notifier.records.vault import Vault
from notifier.records.waves import shard_of
from notifier.service.clock import Clock

_ROUND_SECONDS = 3600.0
_WORK_SECONDS, _REST_SECONDS = 0.005, 0.01
"""A third of a processor at most, in steps that an emergency can wait for."""
_IDLE_SECONDS = 0.5
_QUIET_SECONDS = 1.0
"""So long nothing was to be sent before the next key is made: waves of one alert come in bursts."""


_FORGET_SECONDS = 5.0
_LOOK_BACK = timedelta(minutes=10)
"""More than clocks differ, and than a page of endpoints is old when it is kept."""


class Stocking:
    """Opens every push endpoint of some shards once an hour, offers it to a stock of keys, and has that work."""

    def __init__(
        self,
        vault: Vault,
        knowledge: Knowledge,
        stock: Stock,
        producer: Producer,
        clock: Clock,
        shards: Collection[int],
        is_busy: Callable[[], bool],
    ) -> None:
        self._vault = vault
        self._knowledge = knowledge
        self._producer = producer
        self._clock = clock
        self._stock = stock
        self._shards = shards
        self._is_busy = is_busy
        self._log = get_logger()

    async def run(self) -> None:
        """Work until cancelled."""
        await run_together(self._offer, self._make, self._forget)

    async def _offer(self) -> None:
        while True:
            try:
                await self.offer_all()
            except StoreError as error:
                self._log.warning("store_unavailable", error=str(error))
            await asyncio.sleep(_ROUND_SECONDS)

    async def offer_all(self) -> None:
        """Go through all once."""
        async for page in self._vault.all_push(lambda subscriber: shard_of(subscriber) in self._shards):
            for endpoint in page:
                self._stock.offer(endpoint.contact.p256dh, endpoint.contact.auth)
            await self._producer.look_up(DELIVERIES, (endpoint.subscriber for endpoint in page))
            if self._stock.full and self._vault.memory_is_full:
                return
            await asyncio.sleep(_REST_SECONDS if not self._is_busy() else _IDLE_SECONDS)

    async def _forget(self) -> None:
        while True:
            try:
                await self.forget_erased()
            except StoreError as error:
                self._log.warning("store_unavailable", error=str(error))
            await asyncio.sleep(_FORGET_SECONDS)

    async def forget_erased(self) -> None:
        """Have nothing in memory of those who were erased lately."""
        self._vault.forget(await self._knowledge.erased_since(self._clock.now() - _LOOK_BACK))

    async def _make(self) -> None:
        told, quiet_since = True, 0.0
        while True:
            now = asyncio.get_running_loop().time()
            if self._is_busy():
                quiet_since = now
            if now < quiet_since + _QUIET_SECONDS or not self._stock.wanting:
                await asyncio.sleep(_IDLE_SECONDS)
                self._stock.work(0.0)  # throws away what is too old
                if not told and not self._stock.wanting:
                    told = True
                    _let_stay()
                    self._log.info("keys_ahead", count=len(self._stock), shards=list(self._shards))
                continue
            self._stock.work(_WORK_SECONDS)
            told = False
            await asyncio.sleep(_REST_SECONDS)


def _let_stay() -> None:
    """Spare what was made ahead the garbage collector's attention: it would look at all of it again in every alert."""
    gc.collect()
    gc.freeze()
