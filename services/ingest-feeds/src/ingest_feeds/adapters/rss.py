"""A feed that is polled."""

import asyncio
from datetime import datetime

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.web import Fetcher
from kommunepuls_events import item_id
from kommunepuls_events.base import utc_now

from ingest_feeds.adapters.conditional import fetch_if_changed
from ingest_feeds.domain.rss import Entry, item_of, parse_feed
from ingest_feeds.domain.sources import RssSource


class RssAdapter:
    """RSS or Atom. An entry that leaves the feed was not deleted: feeds show their newest entries only."""

    def __init__(
        self, intake: SourceIntake, source: RssSource, journal: ItemJournal, fetcher: Fetcher
    ) -> None:
        self._intake, self._source, self._journal, self._fetcher = intake, source, journal, fetcher

    async def poll(self) -> dict | None:
        """See :class:`kommunepuls_chassis.sources.Adapter`."""
        body, position = await fetch_if_changed(self._fetcher, self._source.url, self._intake.position)
        if body is None:
            return None
        return position if await self._intake.guard("answer", body, lambda: self.take(body)) else None

    async def take_again(self, entry: str, raw: bytes) -> None:
        """Take a feed that was refused."""
        await self._intake.guard("answer", raw, lambda: self.take(raw))

    async def take(self, body: bytes) -> None:
        """Take all entries of a feed; one that cannot be taken is rejected alone."""
        entries = await asyncio.to_thread(lambda: list(parse_feed(body)))
        for entry in reversed(entries):  # the oldest first, so that what residents get is in order
            try:
                await self._take_entry(entry)
            except RejectedInput as rejected:
                # The feed as it came: an entry's own bytes cannot be cut out of it.
                await self._intake.reject("answer", body, rejected)

    async def _take_entry(self, entry: Entry) -> None:
        now, first_seen = utc_now(), await self._first_seen(entry.native_id)
        draft = item_of(entry, self._intake.town, self._source, now=now, first_seen=first_seen)
        await self._intake.take(draft)

    async def _first_seen(self, native_id: str) -> datetime | None:
        known = await self._journal.last(item_id(self._intake.id, native_id)) if native_id else None
        return known.published_at if known else None
