"""Delivering a message about one item: decide, compose, carry, conclude, tell."""

from dataclasses import replace

from kommunepuls_events import ContentItemV1, SubscriberProfileV1

from notifier.domain.composing import compose_item
from notifier.domain.decisions import Digest, Hold, Send, Suppress, Wait, decide_item
from notifier.domain.outcomes import conclude
from notifier.domain.sendings import FOLLOW_UP, Sending, State, about, digest_of
from notifier.domain.standing import calls_for_follow_up
from notifier.records.vault import Endpoint
from notifier.service.briefing import Briefing
from notifier.service.desk import Desk


class ItemDelivery:
    """Delivers sendings about one item."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def deliver(self, sending: Sending, briefing: Briefing) -> None:
        """Do what is to be done with it now."""
        desk = self._desk
        item = briefing.content(sending)
        profile = briefing.profiles.get(sending.subscriber)
        if sending.subscriber in briefing.erased:
            await desk.ledger.drop(sending.key)
            return
        if item is None:
            await desk.close(sending, State.SUPPRESSED, "expired")
            return
        endpoints = briefing.endpoints_left(sending)
        if sending.state is State.SENT and (not endpoints or profile is None):
            await desk.keep(replace(sending, due_at=None))
            return
        now = desk.clock.now()
        decision = decide_item(
            sending,
            item,
            briefing.standings.get(item.id),
            profile,
            len(endpoints),
            sending.subscriber in briefing.known,
            desk.digest_times,
            now,
        )
        if sending.state is State.SENT and not isinstance(decision, Send):
            # One endpoint has it; what was decided since is no reason to tell of it otherwise.
            await desk.keep(replace(sending, due_at=None))
            return
        match decision:
            case Suppress(cause):
                await desk.close(sending, State.SUPPRESSED, cause)
            case Hold(until, cause):
                await desk.close(sending, State.HELD, cause, until)
            case Digest(due_at, cause):
                digest = digest_of(sending, due_at, now)
                await desk.ledger.reserve([digest])
                await desk.close(replace(sending, digest=digest.key), State.DIGESTED, cause)
            case Wait(until):
                await desk.keep(replace(sending, due_at=until))
            case Send():
                await self._send(sending, item, profile, endpoints, briefing.taken_at)

    async def _send(
        self,
        sending: Sending,
        item: ContentItemV1,
        profile: SubscriberProfileV1,
        endpoints: list[Endpoint],
        taken_at: float,
    ) -> None:
        desk = self._desk
        reader = desk.reader(profile, sending.channel)
        story = desk.stories.of(item, sending, reader)
        message = compose_item(sending, item, story, reader, desk.clock.now())
        outcomes = await desk.carry(sending, message, endpoints, taken_at)
        conclusion = conclude(sending, outcomes, desk.clock.now())
        if await desk.finish(conclusion.sending, conclusion.news) and conclusion.sending.state is State.SENT:
            await self._catch_up(conclusion.sending)

    async def _catch_up(self, sending: Sending) -> None:
        """Follow up what was withdrawn or changed while it was being sent."""
        desk = self._desk
        standing = await desk.standing(sending.item)
        if standing is None or standing.announced <= sending.revision:
            return
        newest = (sending.item, standing.announced)
        item = (await desk.knowledge.contents([newest])).get(newest)
        if item is not None and calls_for_follow_up(item):
            follow_up = about(
                item, sending.subscriber, sending.channel, (FOLLOW_UP,), desk.clock.now(), sending.trace
            )
            await desk.ledger.reserve([follow_up])
            desk.wakes.wake([follow_up])
