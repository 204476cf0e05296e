"""Telling those who were sent an earlier revision that it was changed or withdrawn."""

import asyncio
from datetime import timedelta

from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.store.errors import StoreError
from kommunepuls_events import Channel, ContentItemV1

from notifier.domain.sendings import FOLLOW_UP, Sending, about, lane_of
from notifier.records.knowledge import FollowUp, Knowledge
from notifier.records.ledger import Ledger
from notifier.records.waves import SMALLEST_CROWD, Recipients
from notifier.service.clock import Clock
from notifier.service.wakes import Wakes

_LOOK_SECONDS = 0.5
_LEASE = timedelta(seconds=120)


class Follower:
    """Turns changed and withdrawn items into reservations. Repeating it reserves nothing twice."""

    def __init__(
        self,
        ledger: Ledger,
        knowledge: Knowledge,
        wakes: Wakes,
        clock: Clock,
        health: Health,
        lease: timedelta,
    ) -> None:
        self._lease = lease
        self._ledger = ledger
        self._knowledge = knowledge
        self._wakes = wakes
        self._clock = clock
        self._health = health.component("follow-ups")
        self._log = get_logger()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                done = await self.follow_up_once()
                self._health.beat(ready=True)
            except StoreError as error:
                self._health.down()
                self._log.warning("store_unavailable", error=str(error))
                done = 0
            if not done:
                await asyncio.sleep(_LOOK_SECONDS)

    async def follow_up_once(self) -> int:
        """Follow up the items that are due; returns how many there were."""
        due = await self._knowledge.claim_follow_ups(self._clock.now(), _LEASE, 20)
        for follow_up in due:
            await self._follow_up(follow_up)
        return len(due)

    async def _follow_up(self, follow_up: FollowUp) -> None:
        revision = (follow_up.item, follow_up.revision)
        item = (await self._knowledge.contents([revision])).get(revision)
        reserved = 0
        if item is not None:
            async for earlier in self._ledger.told_of(follow_up.item, follow_up.revision):
                reserved += await self._reserve(item, earlier, follow_up.trace)
                self._health.beat()
        await self._knowledge.follow_up_done(follow_up)
        self._log.info("followed_up", item=follow_up.item, revision=follow_up.revision, reservations=reserved)

    async def _reserve(self, item: ContentItemV1, earlier: list[Sending], trace: str | None) -> int:
        now, lane = self._clock.now(), lane_of(item)
        crowd = {one.subscriber: (FOLLOW_UP,) for one in earlier if one.channel is Channel.PUSH}
        if len(crowd) >= SMALLEST_CROWD:
            to = Recipients(item, lane, trace or earlier[0].trace, list(crowd.items()))
            reserved = await self._ledger.waves.reserve(to, now, self._lease)
            self._wakes.waves[lane].set()
        else:
            reserved, crowd = 0, {}
        sendings = {
            sending.key: sending
            for one in earlier
            if one.channel is not Channel.PUSH or one.subscriber not in crowd
            for sending in [about(item, one.subscriber, one.channel, (FOLLOW_UP,), now, trace or one.trace)]
        }
        reserved += sum(await self._ledger.reserve(list(sendings.values())))
        self._wakes.wake(sendings.values())
        return reserved
