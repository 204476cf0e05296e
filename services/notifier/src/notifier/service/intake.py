"""From the topics into the store: matches become reservations; nothing is sent here, so nothing waits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from kommunepuls_chassis.consumer import Handler, Received
from kommunepuls_chassis.errors import PermanentError
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.sealing import unseal
from kommunepuls_events import (
    Channel,
    ContactAction,
    ContactCommandV1,
    ContentItemV1,
    LifecycleState,
    Match,
    Reason,
    SubscriberProfileV1,
    Topic,
)
from kommunepuls_events.topics import CONTACT_COMMANDS, CONTENT, MATCHES, MATCHES_V1, PROFILES
from pydantic import SecretStr

from notifier.domain.contacts import contact_of
from notifier.domain.decisions import DigestTimes, another_rhythm, next_digest_for
from notifier.domain.identity import command_key
from notifier.domain.sendings import Kind, Lane, Sending, about, digest_of, lane_of, with_follow_up
from notifier.domain.standing import calls_for_follow_up, standing_after
from notifier.records.attention import Attention
from notifier.records.knowledge import Knowledge
from notifier.records.ledger import Ledger
from notifier.records.vault import Endpoint, Vault
from notifier.records.waves import SMALLEST_CROWD, Recipients
from notifier.service.clock import Clock
from notifier.service.wakes import Wakes

_FIRST_AT_ONCE, _MOST_AT_ONCE = 1000, 5000
"""Recipients that are reserved together. The first few sooner, so that sending begins while the others are reserved."""


class Intake:
    """Handlers for the notifier's topics. Each may be called again with the same records."""

    def __init__(
        self,
        ledger: Ledger,
        vault: Vault,
        knowledge: Knowledge,
        attention: Attention,
        wakes: Wakes,
        clock: Clock,
        *,
        contact_key: SecretStr,
        digest_times: DigestTimes,
        follow_up_delay_seconds: float,
        lease: timedelta,
    ) -> None:
        self._ledger = ledger
        self._vault = vault
        self._knowledge = knowledge
        self._attention = attention
        self._wakes = wakes
        self._clock = clock
        self._contact_key = contact_key
        self._digest_times = digest_times
        self._follow_up_delay_seconds = follow_up_delay_seconds
        self._lease = lease
        self._log = get_logger()

    def handlers(self) -> dict[Topic, Handler]:
        """The rows for an :class:`~kommunepuls_chassis.consumer.EventConsumer`."""
        return {
            MATCHES: self.take_matches,
            MATCHES_V1: self.take_matches,
            CONTENT: self.take_content,
            PROFILES: self.take_profiles,
            CONTACT_COMMANDS: self.take_commands,
        }

    async def take_matches(self, records: Sequence[Received]) -> None:
        """Reserve a message to each recipient on the channels they chose; those reserved before stay.

        Of what comes together emergencies are reserved first.
        """
        kept: set[tuple[str, int]] = set()
        waiting, enough = _Waiting(), _FIRST_AT_ONCE
        for record in sorted(records, key=lambda one: not one.event.data.item.emergency):
            match: Match = record.event.data
            if (revision := (match.item.id, match.item.revision)) not in kept:
                await self._knowledge.keep_contents([match.item], self._clock.now())
                kept.add(revision)
            await self._add_recipients(match, record.event.traceparent, waiting)
            if waiting.count >= enough:
                await self._reserve_waiting(waiting)
                waiting, enough = _Waiting(), _MOST_AT_ONCE
        await self._reserve_waiting(waiting)

    async def _add_recipients(self, match: Match, trace: str | None, waiting: "_Waiting") -> None:
        now, item = self._clock.now(), match.item
        recipients = list(match.each())
        subscribers = [subscriber for subscriber, _ in recipients]
        profiles, gone = await self._knowledge.gists(subscribers)
        told = set()
        if item.lifecycle.state is LifecycleState.UPDATED:
            told = await self._ledger.told_before(item.id, item.revision, subscribers)
        crowd = waiting.crowd(item, trace)
        for subscriber, reasons in recipients:
            if subscriber in gone:
                continue
            gist = profiles.get(subscriber)
            # Both channels while the profile is still on its way.
            for channel in gist.channels if gist is not None else tuple(Channel):
                why = with_follow_up(reasons, (subscriber, channel) in told)
                if channel is Channel.PUSH and gist is not None:
                    crowd.append((subscriber, why))
                else:
                    waiting.sendings.append(about(item, subscriber, channel, why, now, trace))

    async def _reserve_waiting(self, waiting: "_Waiting") -> None:
        now = self._clock.now()
        for item, trace, crowd in waiting.crowds.values():
            if len(crowd) >= SMALLEST_CROWD:
                lane = lane_of(item)
                await self._ledger.waves.reserve(Recipients(item, lane, trace, crowd), now, self._lease)
                self._wakes.waves[lane].set()
            else:
                waiting.sendings += [
                    about(item, subscriber, Channel.PUSH, reasons, now, trace)
                    for subscriber, reasons in crowd
                ]
        await self._reserve(waiting.sendings)

    async def _reserve(self, sendings: list[Sending]) -> None:
        if sendings:
            await self._ledger.reserve(sendings)
            self._wakes.wake(sendings)

    async def take_content(self, records: Sequence[Received]) -> None:
        """Keep where items stand; earlier readers of a withdrawn or changed item are told soon."""
        for record in records:
            item = record.event.data
            before = (await self._knowledge.standings([item.id])).get(item.id)
            standing = standing_after(before, item)
            if standing is None:
                continue
            now = self._clock.now()
            follow_up_at = None
            if calls_for_follow_up(item):
                await self._knowledge.keep_contents([item], now)
                # Those whom a changed item concerns still are matched meanwhile, and get one message, not two.
                delay = 0.0 if item.withdrawn else self._follow_up_delay_seconds
                follow_up_at = self._clock.after(delay)
            elif standing.announced and not item.announced:
                # No news, but the newest wording of what may still wait to be told.
                await self._knowledge.keep_contents([item], now)
            await self._knowledge.keep_standing(
                item.id, standing, now, follow_up_at, record.event.traceparent
            )

    async def take_profiles(self, records: Sequence[Received]) -> None:
        """Keep profiles; a tombstone erases all that is kept of the subscriber."""
        for record in records:
            if record.event is None:
                await self.erase(record.key)
                continue
            profile: SubscriberProfileV1 = record.event.data
            before = await self._knowledge.keep_profile(profile)
            if before is not None and another_rhythm(before, profile):
                await self._plan_digests(profile)

    async def _plan_digests(self, profile: SubscriberProfileV1) -> None:
        """See that what waits is sent when the new rhythm wants it, or when it was planned if that is sooner.

        A digest takes all that waits on its channel, so the one that comes second finds nothing. What waits on
        a channel that was switched off is decided on anew, for the one that is on.
        """
        now = self._clock.now()
        due_at = next_digest_for(profile, self._digest_times, now)
        waiting = await self._ledger.waiting(profile.subscriber)
        staying = {one.channel: one for one in waiting if one.channel in profile.channels}
        await self._ledger.reserve([digest_of(one, due_at, now) for one in staying.values()])
        moving = [one for one in waiting if one.channel not in profile.channels]
        await self._ledger.look_at(moving, now)
        self._wakes.wake(moving)

    async def take_commands(self, records: Sequence[Received]) -> None:
        """Carry contact commands out, in order.

        Raises:
            PermanentError: for what cannot be unsealed or is no contact: a dead letter, still sealed.
        """
        for record in records:
            command: ContactCommandV1 = record.event.data
            match command.action:
                case ContactAction.REGISTER:
                    await self._register(command)
                case ContactAction.RETIRE:
                    if command.endpoint:
                        await self._vault.retire(command.endpoint, "asked", self._clock.now())
                case ContactAction.SEND_LINK:
                    await self._send(command, Kind.LINK, Channel.EMAIL)
                case ContactAction.SEND_TEST:
                    await self._send_test(command)
                case ContactAction.ERASE:
                    await self.erase(command.subscriber)

    async def _register(self, command: ContactCommandV1) -> None:
        if not command.sealed or command.channel is None:
            raise PermanentError("the command has no sealed contact or no channel", reason="incomplete")
        content = unseal(command.sealed, self._contact_key.get_secret_value(), subscriber=command.subscriber)
        endpoint = Endpoint(
            command.endpoint or f"e-{command_key(command.id)[:24]}",
            command.subscriber,
            command.channel,
            contact_of(command.channel, content),
        )
        await self._vault.register(endpoint, self._clock.now())
        self._log.info("endpoint_registered", id=endpoint.id, channel=endpoint.channel)

    async def _send_test(self, command: ContactCommandV1) -> None:
        endpoint = await self._vault.get(command.endpoint or "")
        if endpoint is None or endpoint.subscriber != command.subscriber:
            raise PermanentError("the test is for an endpoint that is not in use", reason="no-endpoint")
        await self._send(command, Kind.TEST, endpoint.channel)

    async def _send(self, command: ContactCommandV1, kind: Kind, channel: Channel) -> None:
        if kind is Kind.LINK and not command.sealed:
            raise PermanentError("the command has no sealed link", reason="incomplete")
        now = self._clock.now()
        sending = Sending(
            key=command_key(command.id),
            kind=kind,
            subscriber=command.subscriber,
            channel=channel,
            lane=Lane.FIRST,
            created_at=now,
            due_at=now,
            endpoint=command.endpoint,
            sealed=command.sealed if kind is Kind.LINK else None,
            language=command.language,
            expires_at=command.expires_at,
        )
        await self._reserve([sending])

    async def erase(self, subscriber: str) -> None:
        """Forget everything kept of a subscriber: contacts, reservations, profile."""
        await self._vault.erase(subscriber)
        await self._knowledge.erase_profile(subscriber, self._clock.now())
        await self._attention.erase(subscriber)
        sendings = await self._ledger.erase(subscriber)
        self._log.info("subscriber_erased", subscriber=subscriber, sendings=sendings)


@dataclass
class _Waiting:
    """What is to be reserved together: sendings, and for web push who is told of the same item."""

    sendings: list[Sending] = field(default_factory=list)
    crowds: dict[tuple[str, int], tuple[ContentItemV1, str | None, list]] = field(default_factory=dict)

    def crowd(self, item: ContentItemV1, trace: str | None) -> list[tuple[str, tuple[Reason, ...]]]:
        """Those who are told of an item."""
        return self.crowds.setdefault((item.id, item.revision), (item, trace, []))[2]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.sendings) + sum(len(crowd) for _, _, crowd in self.crowds.values())
