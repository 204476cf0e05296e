"""Delivering a digest: all that came together for one person on one channel since the last."""

from dataclasses import replace

from notifier.domain.composing import compose_digest, compose_story
from notifier.domain.decisions import CHANNEL_OFF, Suppress, decide_digested, hold_for_quiet
from notifier.domain.messages import Story
from notifier.domain.outcomes import conclude
from notifier.domain.sendings import Sending, State
from notifier.service.briefing import Briefing, brief
from notifier.service.desk import Desk
from notifier.service.sequels import catch_up, hand_over


class DigestDelivery:
    """Delivers digests."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def deliver(self, digest: Sending, briefing: Briefing) -> None:
        """Send what is still worth telling, and tell what became of each item in it."""
        desk = self._desk
        if digest.state in (State.SENT, State.FAILED):  # told of only in part, by one who died
            await self._close(digest, await desk.ledger.in_digest(digest.key))
            return
        profile = briefing.profiles.get(digest.subscriber)
        if profile is None:
            await self._end(digest, await desk.ledger.gather(digest), "no-profile")
            return
        if (hold := hold_for_quiet(profile, desk.clock.now())) is not None:
            await desk.ledger.keep(replace(digest, due_at=hold.until))
            return
        waiting, stories = await self._stories(digest, await desk.ledger.gather(digest), briefing)
        endpoints = briefing.endpoints_left(digest)
        if digest.channel not in profile.channels:
            for one in waiting:
                await hand_over(desk, one, profile)
            await self._end(digest, waiting, CHANNEL_OFF)
            return
        if not stories or not endpoints:
            await self._end(digest, waiting, "no-endpoint")
            return
        message = compose_digest(digest, stories, desk.reader(profile, digest.channel))
        outcomes = await desk.carry(digest, message, endpoints, briefing.taken_at)
        after = conclude(digest, outcomes, desk.clock.now()).sending
        if after.state is State.RESERVED:
            await desk.ledger.keep(after)
            return
        leased = desk.clock.after(desk.carry_seconds)
        if await desk.ledger.keep(replace(after, due_at=leased, told=False)):
            await self._close(after, waiting)

    async def _stories(
        self, digest: Sending, waiting: list[Sending], briefing: Briefing
    ) -> tuple[list[Sending], list[Story]]:
        """Those of the items that are still worth telling, as this resident reads them."""
        desk = self._desk
        profile = briefing.profiles[digest.subscriber]
        known = await brief(waiting, desk.knowledge, desk.vault) if waiting else briefing
        reader = desk.reader(profile, digest.channel)
        kept, stories = [], []
        for one in waiting:
            item = known.content(one)
            decision = Suppress("expired")
            if item is not None:
                decision = decide_digested(one, item, known.standings.get(item.id), profile, desk.clock.now())
            if isinstance(decision, Suppress):
                await desk.close(one, State.SUPPRESSED, decision.cause)
            else:
                kept.append(one)
                stories.append(compose_story(item, one.reasons, one.follow_up, reader))
        return kept, stories

    async def _end(self, digest: Sending, waiting: list[Sending], cause: str) -> None:
        """Nothing is sent."""
        for one in waiting:
            await self._desk.close(one, State.SUPPRESSED, cause)
        await self._desk.ledger.keep(replace(digest, state=State.SUPPRESSED, due_at=None, told=True))

    async def _close(self, digest: Sending, waiting: list[Sending]) -> None:
        """Write down and tell of each item how the digest ended."""
        desk = self._desk
        ended = [
            replace(
                one,
                state=digest.state,
                cause=digest.cause,
                permanence=digest.permanence,
                endpoint=digest.endpoint,
                attempt=digest.attempt,
                reached=digest.reached,
                due_at=None,
                told=True,
            )
            for one in waiting
        ]
        await desk.reporter.tell(ended, desk.clock.now())
        await desk.ledger.keep_many(ended)
        if digest.state is State.SENT:
            for one in ended:
                await catch_up(desk, one)
        await desk.ledger.keep(replace(digest, due_at=None, told=True))
