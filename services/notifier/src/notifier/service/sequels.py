"""Reservations that follow from what became of another: what nobody may miss, and nobody gets twice."""

from dataclasses import replace

from kommunepuls_events import SubscriberProfileV1

from notifier.domain.identity import item_key
from notifier.domain.sendings import FOLLOW_UP, Sending, State, about
from notifier.domain.standing import calls_for_follow_up
from notifier.service.desk import Desk


async def catch_up(desk: Desk, sending: Sending) -> None:
    """Follow up what was withdrawn or changed while it was being sent."""
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


async def hand_over(desk: Desk, sending: Sending, profile: SubscriberProfileV1) -> None:
    """Reserve what waited on a channel that was switched off on those that are on.

    What was reserved there before stays as it is: who had both channels on is not told twice.
    """
    now = desk.clock.now()
    moved = [
        replace(
            sending,
            key=item_key(sending.subscriber, sending.item, sending.revision, channel),
            channel=channel,
            created_at=now,
            due_at=now,
            state=State.RESERVED,
            cause=None,
            budget_day=None,
            digest=None,
            endpoint=None,
            told=False,
        )
        for channel in profile.channels
        if channel is not sending.channel
    ]
    if moved:
        await desk.ledger.reserve(moved)
        desk.wakes.wake(moved)
