"""Fetching the pictures that items want, in the background; a failing or hostile one is not shown."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from kommunepuls_chassis.errors import PermanentError, TransientError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import PICTURES
from kommunepuls_chassis.store import Stored
from kommunepuls_chassis.store.errors import StoreUnavailable
from kommunepuls_events.base import utc_now

from gateway_api.domain.pictures import UnusablePicture
from gateway_api.service.changes import merge
from gateway_api.service.collections import Collections
from gateway_api.service.pictures import FAILED, WANTED, PictureStore

_WAITS = (timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=2))
"""How long after a failed attempt comes the next; then it is given up."""
_LEASE_SECONDS = 60.0
_IDLE_SECONDS = 1.0
_AT_ONCE = 3


class PictureSource(Protocol):
    """Where pictures come from."""

    async def fetch(self, url: str) -> bytes:
        """The bytes at an address.

        Raises:
            PermanentError: it is not there, too large, or at an address that may not be asked.
            TransientError: it may be there later.
        """


class PictureFetcher:
    """Takes wanted pictures under a lease, so that one that a process died over is taken by the next."""

    def __init__(
        self,
        collections: Collections,
        store: PictureStore,
        source: PictureSource,
        health: Health,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._pictures = collections.pictures
        self._store = store
        self._source = source
        self._health = health.component("pictures")
        self._now = now
        self._log = get_logger()

    async def run(self) -> None:
        """Fetch until cancelled."""
        while True:
            try:
                busy = await self.fetch_due()
                self._health.beat(ready=True)
            except StoreUnavailable:
                self._log.warning("pictures_store_unavailable")
                busy = False
            if not busy:
                await asyncio.sleep(_IDLE_SECONDS)

    async def fetch_due(self) -> bool:
        """Fetch what is due now; whether there was anything."""
        taken = await self._pictures.claim(
            {}, due_field="due_at", now=self._now(), lease_seconds=_LEASE_SECONDS, limit=_AT_ONCE
        )
        await asyncio.gather(*(self._fetch(stored) for stored in taken))
        return bool(taken)

    async def _fetch(self, stored: Stored) -> None:
        try:
            drawn = await self._store.drawn(await self._source.fetch(stored.document["url"]))
        except UnusablePicture:
            await self._failed(stored.key, "unusable", final=True)
        except PermanentError as error:
            await self._failed(stored.key, error.reason, final=True)
        except TransientError as error:
            await self._failed(stored.key, error.reason, final=False)
        else:
            await self._store.put(stored.key, drawn, only_wanted=True)
            PICTURES.labels("kept").inc()

    async def _failed(self, picture: str, cause: str, *, final: bool) -> None:
        def after(before: dict[str, Any] | None) -> dict[str, Any] | None:
            if before is None:
                return None
            attempts = before["attempts"] + 1
            given_up = final or attempts > len(_WAITS)
            return before | {
                "state": FAILED if given_up else WANTED,
                "attempts": attempts,
                "cause": cause,
                "due_at": None if given_up else self._now() + _WAITS[attempts - 1],
            }

        await merge(self._pictures, picture, after)
        PICTURES.labels(cause).inc()
        # The address is a stranger's and stays out of the log.
        self._log.info("picture_not_fetched", picture=picture, cause=cause, final=final)
