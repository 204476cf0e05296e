"""Delivering a digest: all that came together for one person on one channel since the last."""

from dataclasses import replace

from kommunepuls_events import SubscriberProfileV1

from notifier.domain.decisions import CHANNEL_OFF, Suppress, decide_digested, hold_for_quiet
from notifier.domain.digest_composing import Entry, compose_digest
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
        entries = await self._worth_telling(await desk.ledger.gather(digest), briefing, profile)
        waiting = [entry.sending for entry in entries]
        endpoints = briefing.endpoints_left(digest)
        if digest.channel not in profile.channels:
            for one in waiting:
                await hand_over(desk, one, profile)
            await self._end(digest, waiting, CHANNEL_OFF)
            return
        if not entries or not endpoints:
            await self._end(digest, waiting, "no-endpoint")
            return
        message = compose_digest(digest, entries, desk.reader(profile, digest.channel), desk.clock.now())
        outcomes = await desk.carry(digest, message, endpoints, briefing.taken_at)
        after = conclude(digest, outcomes, desk.clock.now()).sending
        if after.state is State.RESERVED:
            await desk.ledger.keep(after)
            return
        leased = desk.clock.after(desk.carry_seconds)
        if await desk.ledger.keep(replace(after, due_at=leased, told=False)):
            await self._close(after, waiting)

    async def _worth_telling(
        self, gathered: list[Sending], briefing: Briefing, profile: SubscriberProfileV1
    ) -> list[Entry]:
        """Those that are still to be told; of the others it is told why not."""
        desk = self._desk
        known = await brief(gathered, desk.knowledge, desk.vault) if gathered else briefing
        entries = []
        for one in gathered:
            item = known.content(one)
            decision = Suppress("expired")
            if item is not None:
                decision = decide_digested(one, item, known.standings.get(item.id), profile, desk.clock.now())
            if isinstance(decision, Suppress):
                await desk.close(one, State.SUPPRESSED, decision.cause)
            else:
                entries.append(Entry(one, item))
        return entries

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
