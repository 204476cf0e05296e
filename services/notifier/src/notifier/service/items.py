"""Delivering a message about one item: decide, compose, carry, conclude, tell."""

from dataclasses import replace

from kommunepuls_events import ContentItemV1, SubscriberProfileV1

from notifier.domain.attention import CAUSE as BUDGET
from notifier.domain.attention import Verdict, limit_for, local_day
from notifier.domain.composing import compose_item
from notifier.domain.decisions import (
    CHANNEL_OFF,
    Digest,
    Hold,
    Send,
    Suppress,
    Wait,
    decide_item,
    over_budget,
)
from notifier.domain.outcomes import conclude
from notifier.domain.sendings import DIGEST_GRACE, Sending, State, digest_of
from notifier.records.vault import Endpoint
from notifier.service.briefing import Briefing
from notifier.service.budgeting import Wish
from notifier.service.desk import Desk
from notifier.service.sequels import catch_up, hand_over

_LOOK_AGAIN_SECONDS = 1.0


class ItemDelivery:
    """Delivers sendings about one item."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def deliver(self, sending: Sending, briefing: Briefing) -> None:
        """Do what is to be done with it now."""
        desk = self._desk
        if sending.state is State.DIGESTED:
            # The digest that it waited for was sent before it was put there: it is decided on anew.
            if not await desk.ledger.take_back(sending):
                return
            sending = replace(sending, state=State.RESERVED)
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
        if isinstance(decision, Send) and sending.state is not State.SENT:
            decision = await self._within_budget(sending, item, profile)
        match decision:
            case Suppress(cause):
                if cause == CHANNEL_OFF:
                    await hand_over(desk, sending, profile)
                await desk.close(sending, State.SUPPRESSED, cause)
            case Hold(until, cause):
                await desk.close(sending, State.HELD, cause, until)
            case Digest(due_at, cause):
                await desk.ledger.reserve([digest_of(sending, due_at, now)])
                spent_on = str(local_day(profile, now)) if cause == BUDGET else None
                await desk.put_by(replace(sending, budget_day=spent_on), cause, due_at + DIGEST_GRACE)
            case Wait(until):
                await desk.keep(replace(sending, due_at=until))
            case Send():
                await self._send(sending, item, profile, endpoints, briefing.taken_at)

    async def _within_budget(
        self, sending: Sending, item: ContentItemV1, profile: SubscriberProfileV1
    ) -> Send | Digest | Wait:
        """Send it if the resident's day has a place for it."""
        desk = self._desk
        limit = limit_for(item, profile)
        verdict = Verdict.GRANTED if limit is None else await desk.budget(Wish(sending, profile, limit))
        match verdict:
            case Verdict.GRANTED:
                return Send()
            case Verdict.OUTRANKED:
                return Wait(desk.clock.after(_LOOK_AGAIN_SECONDS))
            case Verdict.SPENT:
                return over_budget(profile, desk.digest_times, desk.clock.now())

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
            await catch_up(desk, conclusion.sending)
