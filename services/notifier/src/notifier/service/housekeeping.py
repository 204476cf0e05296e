"""Forgetting what is too old to matter."""

import asyncio
from datetime import timedelta

from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.store.errors import StoreError

from notifier.records.attention import Attention
from notifier.records.knowledge import Knowledge
from notifier.records.ledger import Ledger
from notifier.service.clock import Clock

_EVERY_SECONDS = 3600.0
_ERASURES_REMEMBERED = timedelta(days=1)
_PLACES_REMEMBERED = timedelta(days=3)
"""More than any day is long on anybody's clock."""


class Housekeeper:
    """Purges the ledger and the texts once an hour."""

    def __init__(
        self, ledger: Ledger, attention: Attention, knowledge: Knowledge, clock: Clock, keep: timedelta
    ) -> None:
        self._ledger = ledger
        self._attention = attention
        self._knowledge = knowledge
        self._clock = clock
        self._keep = keep
        self._log = get_logger()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.clean_once()
            except StoreError as error:
                self._log.warning("store_unavailable", error=str(error))
            await asyncio.sleep(_EVERY_SECONDS)

    async def clean_once(self) -> None:
        """Purge now."""
        now = self._clock.now()
        sendings = await self._ledger.purge(now - self._keep)
        places = await self._attention.purge(now - _PLACES_REMEMBERED)
        copies = await self._knowledge.purge(now - self._keep, now - _ERASURES_REMEMBERED)
        if sendings or places or copies:
            self._log.info("purged", sendings=sendings, places=places, copies=copies)
