"""Taking posts and events in: each becomes a revision, a withdrawal, or nothing."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import SOURCE_ITEMS
from kommunepuls_events import ContentItemV1, item_id

from ingest_facebook.domain.events import draft_of_event, over_at
from ingest_facebook.domain.graph_objects import Post, read_event, read_post
from ingest_facebook.domain.page import Page
from ingest_facebook.domain.posts import Drafted, draft_of_post, is_own, not_shown


class Ignored(StrEnum):
    """Why an object of the upstream is no item."""

    NOT_SHOWN = "not-shown"
    VISITOR = "visitor"
    DRAFT = "draft"


class _Taker:
    def __init__(
        self, intake: SourceIntake, journal: ItemJournal, page: Page, now: Callable[[], datetime]
    ) -> None:
        self.intake = intake
        self.page = page
        self._journal = journal
        self._now = now
        self._log = get_logger().bind(source=intake.id)

    async def known(self, native: str) -> ContentItemV1 | None:
        """The newest published revision, None if it was never published."""
        return await self._journal.last(item_id(self.page.source, native))

    async def withdraw(self, native: str) -> None:
        """Take an item back; nothing happens if it was not published."""
        await self.intake.withdraw(item_id(self.page.source, native))

    def _remark(self, native: str, drafted: Drafted) -> None:
        if drafted.remark:
            self._log.warning("position_left_out", native=native, why=drafted.remark)

    def _ignore(self, native: str, why: Ignored) -> None:
        SOURCE_ITEMS.labels(self.intake.id, "ignored").inc()
        self._log.debug("object_ignored", native=native, why=why.value)


class PostTaker(_Taker):
    """Posts of one page."""

    async def take(self, raw: Any, *, listed: bool) -> tuple[str, datetime] | None:
        """Take a post as it is now; returns id and time if readers see it.

        Args:
            raw: its JSON value.
            listed: whether it came in the page's own list; one that was fetched by itself may be a visitor's.

        Raises:
            RejectedInput: see :func:`~ingest_facebook.domain.posts.draft_of_post`.
        """
        post = read_post(raw)
        before = await self.known(post.id)
        if not listed and before is None and not is_own(post, self.intake.config.page):
            self._ignore(post.id, Ignored.VISITOR)
            return None
        now = self._now()
        if not_shown(post, now):
            self._ignore(post.id, Ignored.NOT_SHOWN)
            await self.withdraw(post.id)
            return None
        drafted = await self._drafted(post, now, before)
        self._remark(post.id, drafted)
        await self.intake.take(drafted.item)
        return post.id, drafted.item.published_at

    async def _drafted(self, post: Post, now: datetime, before: ContentItemV1 | None) -> Drafted:
        seen = before.published_at if before else None
        try:
            # Finding places in a long text takes a while: not on the loop.
            return await asyncio.to_thread(draft_of_post, post, self.page, now=now, first_seen=seen)
        except RejectedInput as rejected:
            if rejected.reason == "no-text" and before is not None:
                await self.withdraw(post.id)
            raise


class EventTaker(_Taker):
    """Events of one page."""

    async def take(self, raw: Any) -> tuple[str, datetime] | None:
        """Take an event as it is now; returns id and when it is over if readers see it.

        Raises:
            RejectedInput: see :func:`~ingest_facebook.domain.events.draft_of_event`.
        """
        event = read_event(raw)
        if event.is_draft:
            self._ignore(event.id, Ignored.DRAFT)
            await self.withdraw(event.id)
            return None
        before = await self.known(event.id)
        drafted = await asyncio.to_thread(
            draft_of_event,
            event,
            self.page,
            now=self._now(),
            first_seen=before.published_at if before else None,
        )
        self._remark(event.id, drafted)
        over = over_at(event, self.page.timezone)
        await self.intake.take(drafted.item, listed_until=over)
        return None if drafted.item.withdrawn else (event.id, over)
