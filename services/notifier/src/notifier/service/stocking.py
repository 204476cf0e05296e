"""Having message keys made ahead while nothing is to be sent."""

import asyncio
from collections.abc import Callable, Collection

from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.process import run_together
from kommunepuls_chassis.store.errors import StoreError

from notifier.ports import Stock
from notifier.records.vault import Vault
from notifier.records.waves import shard_of

_ROUND_SECONDS = 3600.0
_WORK_SECONDS, _REST_SECONDS = 0.005, 0.01
"""A third of a processor at most, in steps that an emergency can wait for."""
_IDLE_SECONDS = 0.5
_QUIET_SECONDS = 1.0
"""So long nothing was to be sent before the next key is made: waves of one alert come in bursts."""


class Stocking:
    """Offers every push subscription of some shards to a stock of keys once an hour, and has it work."""

    def __init__(
        self, vault: Vault, stock: Stock, shards: Collection[int], is_busy: Callable[[], bool]
    ) -> None:
        self._vault = vault
        self._stock = stock
        self._shards = shards
        self._is_busy = is_busy
        self._log = get_logger()

    async def run(self) -> None:
        """Work until cancelled."""
        await run_together(self._offer, self._make)

    async def _offer(self) -> None:
        while True:
            try:
                await self._offer_all()
            except StoreError as error:
                self._log.warning("store_unavailable", error=str(error))
            await asyncio.sleep(_ROUND_SECONDS)

    async def _offer_all(self) -> None:
        async for page in self._vault.all_push():
            for endpoint in page:
                if shard_of(endpoint.subscriber) in self._shards:
                    self._stock.offer(endpoint.contact.p256dh, endpoint.contact.auth)
            if self._stock.full:
                return
            await asyncio.sleep(_REST_SECONDS if not self._is_busy() else _IDLE_SECONDS)

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
                    self._log.info("keys_ahead", count=len(self._stock), shards=list(self._shards))
                continue
            self._stock.work(_WORK_SECONDS)
            told = False
            await asyncio.sleep(_REST_SECONDS)
