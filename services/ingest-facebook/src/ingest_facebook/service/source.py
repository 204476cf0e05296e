"""One source while it runs: its intake, its lists, and the pace of its polls."""

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.polling import SourcePoller
from kommunepuls_events.base import utc_now

from ingest_facebook.domain.answers import objects_of
from ingest_facebook.ports import Graph
from ingest_facebook.service.rejects import Rejects
from ingest_facebook.service.takers import EventTaker, PostTaker
from ingest_facebook.service.tracks import EventTrack, PostTrack


class PageSource:
    """A page: its posts, its events, or both."""

    def __init__(
        self,
        intake: SourceIntake,
        graph: Graph,
        rejects: Rejects,
        *,
        posts: PostTrack | None,
        events: EventTrack | None,
        takers: tuple[PostTaker, EventTaker],
    ) -> None:
        self.intake = intake
        self.id = intake.id
        self.page_id: str = intake.config.page
        self._graph = graph
        self._rejects = rejects
        self._posts = posts
        self._events = events
        self._post_taker, self._event_taker = takers
        # A list answered before an edit must not be taken after the edit was fetched.
        self._one_at_a_time = asyncio.Lock()

    @property
    def takes_posts(self) -> bool:
        """Whether webhooks about the page's posts are for this source."""
        return self._posts is not None

    @property
    def slower_by(self) -> float:
        """How many times longer than usual to wait between polls."""
        return self._graph.slower_by

    async def poll(self) -> dict:
        """Read the page's lists once; returns the position to write down."""
        tracks: Mapping[str, PostTrack | EventTrack | None] = {"posts": self._posts, "events": self._events}
        async with self._one_at_a_time:
            position = dict(self.intake.position)
            for name, track in tracks.items():
                if track is not None:
                    position[name] = await track.poll(position.get(name) or {})
        return position

    async def knows(self, post_id: str) -> bool:
        """Whether a post was published before."""
        return await self._post_taker.known(post_id) is not None

    async def refresh(self, post_id: str) -> None:
        """Fetch a post and take it as it is now; one that is gone is withdrawn. Raises as the client."""
        assert self._posts is not None
        async with self._one_at_a_time:
            seen = await self._posts.refresh(post_id)
            position = None
            if seen is not None:
                # The next poll must miss it if it is deleted before then.
                place = dict(self.intake.position.get("posts") or {})
                place["listed"] = {**place.get("listed", {}), seen[0]: seen[1].isoformat()}
                position = {**self.intake.position, "posts": place}
            await self._save(position)

    async def withdraw(self, post_id: str) -> None:
        """Take a deleted post back."""
        async with self._one_at_a_time:
            await self._post_taker.withdraw(post_id)
            await self._save(None)

    async def take_again(self, entry: str, raw: bytes) -> None:
        """Take a reject again that an operator sends back; what still cannot be taken is rejected anew."""
        if entry not in ("post", "event", "answer"):
            await self.intake.reject(
                entry, raw, RejectedInput("unknown-entry", f"no such entry: {entry[:40]}")
            )
            return
        try:
            objects = objects_of(raw) if entry == "answer" else [json.loads(raw)]
        except (ValueError, RecursionError):
            await self.intake.reject(entry, raw, RejectedInput("invalid-json", "the object is not JSON"))
            return
        except RejectedInput as rejected:
            await self.intake.reject(entry, raw, rejected)
            return
        for one in objects:
            is_event = entry == "event" or (isinstance(one, dict) and "start_time" in one)

            async def work(one: object = one, is_event: bool = is_event) -> None:
                if is_event:
                    await self._event_taker.take(one)
                else:
                    await self._post_taker.take(one, listed=True)

            await self._rejects.guard("event" if is_event else "post", one, work, again=True)
        await self._save(None)

    async def _save(self, position: dict | None) -> None:
        status = self.intake.status
        await self.intake.save(
            position=position, error=status.error, attempted=False, next_attempt_at=status.next_attempt_at
        )


class PagePoller(SourcePoller):
    """Polls a page, the slower the more of its allowance is used."""

    def __init__(self, source: PageSource, health: Health) -> None:
        super().__init__(source.intake, source.poll, health)
        self._source = source

    async def poll_once(self) -> float:
        """See :meth:`SourcePoller.poll_once`."""
        delay = await super().poll_once()
        intake, slower_by = self._source.intake, self._source.slower_by
        if slower_by == 1.0 or intake.status.error is not None:
            return delay
        delay *= slower_by
        next_attempt = utc_now() + timedelta(seconds=delay)
        await intake.save(attempted=False, next_attempt_at=next_attempt)
        return delay
