"""Telling many the same over web push: waves are claimed, read, decided on and handed to push services whole.

What is not as simple as that leaves the wave and becomes a sending of its own, which is delivered like any other: a
message that is held, digested or suppressed, for which the resident's day may have no room, or that a provider would not
take at once.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.process import run_together
from kommunepuls_chassis.store.errors import StoreError
from kommunepuls_chassis.tracing import span
from kommunepuls_events import Channel, ContentItemV1, SubscriberProfileV1
from kommunepuls_events.vocabulary import ReasonType

from notifier.domain.attention import Verdict, limit_for
from notifier.domain.composing import compose_item
from notifier.domain.decisions import Send, decide_item
from notifier.domain.messages import Message
from notifier.domain.outcomes import Outcome, Refused, conclude
from notifier.domain.sendings import FOLLOW_UP, Lane, Sending, about
from notifier.domain.standing import Standing, calls_for_follow_up
from notifier.domain.waves import RESERVED, SENT, Wave
from notifier.ports import CrowdCarrier
from notifier.records.vault import Endpoint
from notifier.service.attempts import Attempts
from notifier.service.budgeting import Wish
from notifier.service.desk import Desk
from notifier.service.scribe import Scribe

_IDLE_SECONDS = 0.25
_BUSY_SECONDS = 0.005
_STORE_DOWN_SECONDS = 2.0
_FAREWELL_SECONDS = 10.0
_MOST_IN_HAND = 32
"""Waves. Most of them may wait for the last few messages, to a push service that is slow."""
_MOST_BEING_READ = 3
"""Of these not handed to a carrier yet."""
_ENOUGH_WAITING = {Lane.FIRST: 4000, Lane.ORDINARY: 1000}
"""Messages that wait for providers that answer: no more waves are taken in hand meanwhile."""
_ANSWERED_WITHIN = 1.0
_LAST_PLACES = 2
"""Of a resident's attention budget are not given out in waves, which do not know of each other, but one by one, where
the most severe of what comes together goes first."""
_PERSONAL = (ReasonType.PLACE, ReasonType.SENSOR)
"""Reasons whose words hold something of the resident's own."""


@dataclass(frozen=True, slots=True)
class _Story:
    """What a wave is about, in its newest wording."""

    item: ContentItemV1
    standing: Standing | None


class CrowdDelivery:
    """Serves the waves of some shards."""

    def __init__(
        self, desk: Desk, carrier: CrowdCarrier, scribe: Scribe, health: Health, shards: Sequence[int], lease: timedelta
    ) -> None:  # fmt: skip
        self._desk = desk
        self._waves = desk.ledger.waves
        self._carrier = carrier
        self._scribe = scribe
        self._health = health
        self._shards = shards
        self._lease = lease
        self._log = get_logger()
        self.in_hand: set[asyncio.Task] = set()
        self._being_read: dict[Lane, int] = dict.fromkeys(Lane, 0)

    async def run(self) -> None:
        """Serve both lanes until cancelled; what is being sent then is finished and written down first."""
        writing = asyncio.create_task(self._scribe.run())
        try:
            await run_together(*(partial(self._serve, lane) for lane in Lane))
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _serve(self, lane: Lane) -> None:
        health = self._health.component(f"waves {lane}")
        wake = self._desk.wakes.waves[lane]
        running: set[asyncio.Task] = set()

        def done(task: asyncio.Task) -> None:
            running.discard(task)
            self.in_hand.discard(task)
            wake.set()

        try:
            while True:
                wake.clear()
                claimed: list[Wave] = []
                try:
                    if self._has_room(lane, len(running)):
                        now = self._desk.clock.now()
                        claimed = await self._waves.claim(lane, self._shards, now, self._lease, 1)
                    health.beat(ready=True)
                except StoreError as error:
                    health.down()
                    self._log.warning("store_unavailable", lane=lane, error=str(error))
                    await asyncio.sleep(_STORE_DOWN_SECONDS)
                    continue
                for wave in claimed:
                    self._being_read[lane] += 1
                    task = asyncio.create_task(self._deliver(wave))
                    task.add_done_callback(done)
                    running.add(task)
                    self.in_hand.add(task)
                if claimed:
                    continue
                if not self._has_room(lane, len(running)):
                    await asyncio.sleep(_BUSY_SECONDS)
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(_IDLE_SECONDS):
                        await wake.wait()
        finally:
            if running:
                # What is half handed over would be sent again by whoever claims it next.
                farewell = set(running)
                await asyncio.wait(farewell, timeout=_FAREWELL_SECONDS)
                for task in farewell:
                    task.cancel()

    def _has_room(self, lane: Lane, running: int) -> bool:
        return (
            running < _MOST_IN_HAND
            and self._being_read[lane] < _MOST_BEING_READ
            and self._carrier.waiting(_ANSWERED_WITHIN, first=lane is Lane.FIRST) < _ENOUGH_WAITING[lane]
        )

    async def _deliver(self, wave: Wave) -> None:
        taken_at = asyncio.get_running_loop().time()
        being_read = True

        def handed_over() -> None:
            nonlocal being_read
            self._being_read[wave.lane] -= being_read
            being_read = False

        with span(wave.trace):
            try:
                for place in wave.places(SENT):  # by one who died before telling
                    self._scribe.sent(wave, place, None, _nothing)
                story = await self._story(wave)
                if story is None or story.item.exercise:
                    await self._leave(wave, wave.places(RESERVED))
                else:
                    await self._send(wave, story, taken_at, handed_over)
                handed_over()
                await self._scribe.until_told(wave)
                if story is not None:
                    await self._catch_up(wave)
            except StoreError as error:
                self._log.warning("wave_put_off", error=str(error))
            except Exception:
                self._log.exception("wave_failed", item=wave.item)
            finally:
                handed_over()

    async def _story(self, wave: Wave) -> _Story | None:
        """None if there is nothing to tell any more: each is then told why by itself."""
        knowledge = self._desk.knowledge
        standing = (await knowledge.standings([wave.item])).get(wave.item)
        if standing is not None and standing.allows(wave.revision):
            return None
        own = (wave.item, wave.revision)
        newest = (wave.item, standing.wording_of(wave.revision)) if standing is not None else own
        contents = await knowledge.contents({own, newest})
        item = contents.get(own)
        if item is None:
            return None
        worded = contents.get(newest, item)
        if worded is not item:
            item = worded.model_copy(update={"lifecycle": item.lifecycle})
        return _Story(item, standing)

    async def _send(
        self, wave: Wave, story: _Story, taken_at: float, handed_over: Callable[[], None]
    ) -> None:
        """Hand the messages over; returns when what became of each is known."""
        desk, item = self._desk, story.item
        reserved = wave.places(RESERVED)
        subscribers = [wave.subscribers[place] for place in reserved]
        endpoints = await desk.vault.active_push(subscribers)
        emergency = item.emergency
        whole = not emergency or any(
            reason.type in _PERSONAL for reasons in wave.reasons for reason in reasons
        )
        if whole:
            profiles = await desk.knowledge.profiles(subscribers)
        else:
            profiles, _ = await desk.knowledge.gists(subscribers)
        now = desk.clock.now()
        leaving: list[int] = []
        wishes: dict[int, Wish] = {}
        messages: dict[tuple, Message] = {}
        sending: dict[tuple, list[tuple[int, list[Endpoint]]]] = {}
        for place, subscriber in zip(reserved, subscribers, strict=True):
            profile, to, why = profiles.get(subscriber), endpoints.get(subscriber), wave.why[place]
            if to is None or profile is None or Channel.PUSH not in profile.channels:
                leaving.append(place)
                continue
            if not emergency:
                if not self._is_plain(wave.sample(why), story, profile, len(to), now):
                    leaving.append(place)
                    continue
                if (limit := limit_for(item, profile)) is not None:
                    wishes[place] = Wish(wave.sending(place), profile, limit - _LAST_PLACES)
            personal = whole and any(reason.type in _PERSONAL for reason in wave.reasons[why])
            key = (subscriber if personal else "", profile.language, profile.timezone, why)
            if key not in messages:
                messages[key] = self._message(wave.sample(why), item, profile, now)
            sending.setdefault(key, []).append((place, to))
        without_place = await self._without_place(wishes)
        await self._leave(wave, [*leaving, *without_place])
        if asyncio.get_running_loop().time() > taken_at + desk.carry_seconds / 2:
            return  # too late to begin: whoever claims it next does
        attempts = Attempts(self, self._carrier, self._scribe, wave)
        for key, group in sending.items():
            attempts.begin(messages[key], [one for one in group if one[0] not in without_place])
        handed_over()
        await attempts.all_done()

    def _is_plain(
        self,
        sample: Sending,
        story: _Story,
        profile: SubscriberProfileV1,
        endpoints: int,
        now: datetime,
    ) -> bool:
        """Whether what is no emergency is simply to be sent now."""
        decision = decide_item(
            sample, story.item, story.standing, profile, endpoints, True, self._desk.digest_times, now
        )
        return isinstance(decision, Send)

    async def _without_place(self, wishes: Mapping[int, Wish]) -> set[int]:
        """Those for whom the first places of their day are taken; the others have one now."""
        if not wishes:
            return set()
        verdicts = await self._desk.places.ask(list(wishes.values()))
        return {
            place for place, verdict in zip(wishes, verdicts, strict=True) if verdict is not Verdict.GRANTED
        }

    def _message(self, sample: Sending, item: ContentItemV1, profile, now: datetime) -> Message:
        """What those read who read the same."""
        if not isinstance(profile, SubscriberProfileV1):
            profile = SubscriberProfileV1(
                subscriber="-", revision=1, municipality=item.municipality, changed_at=now,
                language=profile.language, timezone=profile.timezone,
            )  # fmt: skip
        reader = self._desk.reader(profile, Channel.PUSH)
        return compose_item(sample, item, self._desk.stories.of(item, sample, reader), reader, now)

    async def not_all_sent(self, wave: Wave, failures: dict[int, dict[str, Outcome]]) -> None:
        """Let messages leave the wave that some endpoint of their residents did not take."""
        now, desk = self._desk.clock.now(), self._desk
        for outcomes in failures.values():
            for endpoint, outcome in outcomes.items():
                if isinstance(outcome, Refused) and outcome.gone:
                    await desk.vault.retire(endpoint, outcome.cause, now)
        leased = desk.clock.after(desk.carry_seconds)
        concluded = {
            place: conclude(wave.sending(place), outcomes, now) for place, outcomes in failures.items()
        }
        left = [
            replace(one.sending, due_at=leased, told=False) if one.news else one.sending
            for one in concluded.values()
        ]
        kept = await desk.ledger.leave_wave(left)
        for place in concluded:
            self._scribe.left(wave, place)
        news = [
            one.sending
            for one, is_there in zip(concluded.values(), kept, strict=True)
            if one.news and is_there
        ]
        await asyncio.gather(*(desk.tell_and_close(one) for one in news))

    async def _leave(self, wave: Wave, places: Sequence[int]) -> None:
        """Let messages leave the wave untried, due at once."""
        if not places:
            return
        now = self._desk.clock.now()
        sendings = [replace(wave.sending(place), due_at=now) for place in places]
        await self._desk.ledger.leave_wave(sendings)
        for place in places:
            self._scribe.left(wave, place)
        self._desk.wakes.wake(sendings)

    async def _catch_up(self, wave: Wave) -> None:
        """Follow up what was withdrawn or changed while it was being sent."""
        desk = self._desk
        standing = await desk.standing(wave.item)
        if standing is None or standing.announced <= wave.revision:
            return
        newest = (wave.item, standing.announced)
        item = (await desk.knowledge.contents([newest])).get(newest)
        if item is None or not calls_for_follow_up(item):
            return
        now = desk.clock.now()
        follow_ups = [
            about(item, wave.subscribers[place], Channel.PUSH, (FOLLOW_UP,), now, wave.trace)
            for place, state in enumerate(wave.states)
            if chr(state) in "st"
        ]
        if follow_ups:
            await desk.ledger.reserve(follow_ups)
            desk.wakes.wake(follow_ups)


def _nothing() -> None:
    """Nobody waits."""
