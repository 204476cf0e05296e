"""Deleting what has had its time."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.store.conditions import below
from kommunepuls_chassis.store.errors import StoreError
from kommunepuls_events.base import utc_now

from gateway_api.domain import sign_in
from gateway_api.service.collections import Collections
from gateway_api.service.pictures import PictureStore
from gateway_api.service.reach import GONE_KEPT

_EVERY_SECONDS = 600.0


class Housekeeping:
    """Ended links, sessions and counts; feeds, messages, letters and the record beyond their days."""

    def __init__(
        self,
        collections: Collections,
        pictures: PictureStore,
        health: Health,
        *,
        keep_days: int,
        audit_days: int,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._collections = collections
        self._pictures = pictures
        self._health = health.component("housekeeping", stale_after=3 * _EVERY_SECONDS)
        self._keep = timedelta(days=keep_days)
        self._keep_audit = timedelta(days=audit_days)
        self._now = now
        self._log = get_logger()

    async def run(self) -> None:
        """Clean up until cancelled."""
        while True:
            try:
                await self.clean()
            except StoreError as error:
                self._log.warning("housekeeping_failed", error=type(error).__name__)
            self._health.beat(ready=True)
            await asyncio.sleep(_EVERY_SECONDS)

    async def clean(self) -> None:
        """Delete everything whose time has come."""
        now = self._now()
        ended = {"expires_at": below(now)}
        # A link stays a day longer, so that who comes late is told so; what waited for it does not.
        for links in (self._collections.links, self._collections.staff_links):
            await links.delete_where({"expires_at": below(now - timedelta(days=1))})
        late = await self._collections.links.find(ended | {"state": sign_in.OPEN})
        forgotten = {"state": sign_in.ENDED, "choices": None}
        await self._collections.links.patch_many((one.key, forgotten) for one in late)
        await self._collections.sessions.delete_where(ended)
        await self._collections.staff_sessions.delete_where(ended)
        await self._collections.counts.delete_where(ended)
        await self._collections.addresses.delete_where(ended | {"confirmed": False})
        await self._collections.departures.delete_where({"gone_at": below(now - GONE_KEPT)})
        oldest = below(now - self._keep)
        await self._collections.feed.delete_where({"matched_at": oldest})
        await self._collections.reads.delete_where({"at": oldest})
        await self._collections.messages.delete_where({"at": oldest})
        await self._collections.letters.delete_where({"at": oldest})
        await self._collections.replays.delete_where({"created_at": oldest})
        await self._collections.delivery_counts.delete_where({"day": below(now - self._keep_audit)})
        await self._collections.audit.delete_where({"at": below(now - self._keep_audit)})
        await self._pictures.clean()
