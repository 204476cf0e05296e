"""A calendar that is polled."""

import asyncio

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import NEWS_FIELDS, ItemJournal
from kommunepuls_chassis.web import Fetcher
from kommunepuls_events import ContentItemV1, item_id
from kommunepuls_events.base import utc_now

from ingest_feeds.adapters.conditional import fetch_if_changed
from ingest_feeds.domain.calendars import SERIES_NEWS_FIELDS, CalendarEvent, item_of, parse_calendar
from ingest_feeds.domain.sources import CalendarSource


class CalendarAdapter:
    """iCalendar. A calendar shows all that is to come, so what is missing was cancelled."""

    def __init__(
        self, intake: SourceIntake, source: CalendarSource, journal: ItemJournal, fetcher: Fetcher
    ) -> None:
        self._intake, self._source, self._journal, self._fetcher = intake, source, journal, fetcher

    async def poll(self) -> dict | None:
        """See :class:`kommunepuls_chassis.sources.Adapter`. Asked without validators: a series moves on by itself."""
        body, position = await fetch_if_changed(self._fetcher, self._source.url, {})
        return position if await self._intake.guard("answer", body, lambda: self.take(body)) else None

    async def take_again(self, entry: str, raw: bytes) -> None:
        """Take a calendar that was refused."""
        await self._intake.guard("answer", raw, lambda: self.take(raw))

    async def take(self, body: bytes) -> None:
        """Take all coming events; one that cannot be taken is rejected alone."""
        now = utc_now()
        events, refused = await asyncio.to_thread(
            parse_calendar, body, now=now, days_ahead=self._source.days_ahead
        )
        present = {item_id(self._intake.id, uid) for uid, _ in refused if uid}
        for _, rejected in refused:
            await self._intake.reject("answer", body, rejected)
        for event in events:
            known = item_id(self._intake.id, event.uid)
            present.add(known)
            try:
                draft = await self._draft(event, known)
            except RejectedInput as rejected:
                await self._intake.reject("answer", body, rejected)
                continue
            if draft is not None:
                news = SERIES_NEWS_FIELDS if event.series else NEWS_FIELDS
                await self._intake.take(draft, news_fields=news, listed_until=draft.ends_at)
        if self._source.withdraw_missing:
            for gone in await self._journal.missing(self._intake.id, present):
                await self._intake.withdraw(gone)

    async def _draft(self, event: CalendarEvent, known_id: str) -> ContentItemV1 | None:
        known = await self._journal.last(known_id)
        first_seen = known.published_at if known else None
        return await asyncio.to_thread(
            item_of, event, self._intake.town, self._source, now=utc_now(), first_seen=first_seen
        )
