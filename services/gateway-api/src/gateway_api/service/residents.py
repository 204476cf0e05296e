"""What residents do with their own: choices, devices, unsubscribing, export, erasure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.sealing import seal
from kommunepuls_chassis.store.errors import VersionConflict
from kommunepuls_events import Channel, ContactAction, SubscriberProfileV1
from kommunepuls_events.base import utc_now

from gateway_api.domain import outbox, parking, unsubscribing
from gateway_api.domain.choices import Choices, TownOffer, changed_profile, choices_of
from gateway_api.domain.errors import Conflict, NotFound
from gateway_api.domain.secrets import keyed_hash, new_endpoint_id
from gateway_api.domain.subscribers import (
    Endpoint,
    Subscriber,
    command,
    erased_document,
    with_endpoint,
    without_endpoint,
)
from gateway_api.service.changes import change
from gateway_api.service.collections import Collections
from gateway_api.service.erasure import forget_traces
from gateway_api.settings import Settings


@dataclass(frozen=True, slots=True)
class PushSubscription:
    """What a browser's ``PushSubscription.toJSON()`` holds (W3C Push API section 8), and the device's name."""

    endpoint: str
    p256dh: str
    auth: str
    label: str = ""


class Residents:
    """Subscribers and what they may change."""

    def __init__(
        self,
        settings: Settings,
        collections: Collections,
        wake: Callable[[], None],
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._collections = collections
        self._wake = wake
        self._now = now
        self._log = get_logger()

    async def get(self, subscriber: str) -> Subscriber | None:
        """The subscriber; None if there is none, or no more."""
        stored = await self._collections.subscribers.get(subscriber)
        return Subscriber.of(stored.document) if stored else None

    async def choose(
        self,
        subscriber: str,
        decide: Callable[[SubscriberProfileV1], Choices],
        offer: TownOffer,
        *,
        revision: int | None = None,
    ) -> Subscriber:
        """Change what a resident chose; announced only if it differs.

        Args:
            subscriber: whose.
            decide: from the profile as it is to the choices; may be called again.
            offer: what can be chosen in their town.
            revision: the one the caller had read; None takes whatever there is.

        Raises:
            Invalid: with each fault.
            Conflict: if the profile is at another revision.
            NotFound: if there is no such subscriber.
        """

        def next_revision(known: Subscriber) -> tuple[Subscriber, list] | None:
            if revision is not None and known.profile.revision != revision:
                raise Conflict(f"the profile is at revision {known.profile.revision}; read it again")
            profile = changed_profile(known.profile, decide(known.profile), offer, self._now())
            if profile is None:
                return None
            # What is chosen anew is no longer paused.
            parked = parking.without(known.parked, choices_of(profile))
            return replace(known, profile=profile, parked=parked), [profile]

        return await self._change(subscriber, next_revision)

    async def rearrange(
        self,
        subscriber: str,
        decide: Callable[[Choices, Choices], tuple[Choices, Choices]],
        offer: TownOffer,
    ) -> Subscriber:
        """Move subscriptions between the profile and what is paused, or take them away.

        Args:
            subscriber: whose.
            decide: from the choices and what is paused to both as they are to be; may be called again.
            offer: what can be chosen in their town.

        Raises:
            Invalid, Conflict: if they cannot be so.
            NotFound: if there is no such subscriber.
        """

        def rearranged(known: Subscriber) -> tuple[Subscriber, list] | None:
            choices, parked = decide(choices_of(known.profile), known.parked)
            profile = changed_profile(known.profile, choices, offer, self._now())
            if profile is None and parked == known.parked:
                return None
            after = replace(known, profile=profile or known.profile, parked=parked)
            return after, [profile] if profile else []

        return await self._change(subscriber, rearranged)

    async def register_push(self, subscriber: str, push: PushSubscription) -> Endpoint:
        """Take in a browser; the same browser again keeps its id."""
        pepper = self._settings.pepper.get_secret_value()
        fingerprint = keyed_hash(push.endpoint, pepper, purpose="push")
        sealed = seal(
            {"endpoint": push.endpoint, "p256dh": push.p256dh, "auth": push.auth},
            self._settings.contact_public_key,
            subscriber=subscriber,
        )
        fresh = new_endpoint_id()

        def registered(known: Subscriber) -> tuple[Subscriber, list]:
            same = next((one for one in known.endpoints if one.fingerprint == fingerprint), None)
            endpoint = Endpoint(
                same.id if same else fresh, Channel.PUSH, self._now(), push.label, fingerprint
            )
            message = command(
                subscriber,
                ContactAction.REGISTER,
                self._now(),
                endpoint=endpoint.id,
                channel=Channel.PUSH,
                language=known.profile.language,
                sealed=sealed,
            )
            changed = with_endpoint(known, endpoint)
            dropped = {one.id for one in known.endpoints} - {one.id for one in changed.endpoints}
            return changed, [message, *(self._retire(subscriber, one) for one in sorted(dropped))]

        changed = await self._change(subscriber, registered)
        return next(one for one in changed.endpoints if one.fingerprint == fingerprint)

    async def remove_endpoint(self, subscriber: str, endpoint: str) -> None:
        """Forget a device.

        Raises:
            NotFound: if there is none of that id.
        """

        def removed(known: Subscriber) -> tuple[Subscriber, list]:
            _endpoint_of(known, endpoint)
            return without_endpoint(known, endpoint), [self._retire(subscriber, endpoint)]

        await self._change(subscriber, removed)

    async def send_test(self, subscriber: str, endpoint: str) -> None:
        """Have a test notification sent to one device.

        Raises:
            NotFound: if there is none of that id.
        """

        def asked(known: Subscriber) -> tuple[Subscriber, list]:
            channel = _endpoint_of(known, endpoint).channel
            message = command(
                subscriber,
                ContactAction.SEND_TEST,
                self._now(),
                endpoint=endpoint,
                channel=channel,
                language=known.profile.language,
            )
            return known, [message]

        await self._change(subscriber, asked)

    def _retire(self, subscriber: str, endpoint: str) -> object:
        return command(subscriber, ContactAction.RETIRE, self._now(), endpoint=endpoint)

    async def stop(self, subscriber: str, scope: str) -> bool:
        """Unsubscribe from what a link's scope names; whether anything changed."""
        changed = False

        def stopped(known: Subscriber) -> tuple[Subscriber, list] | None:
            nonlocal changed
            profile = unsubscribing.stopped(known.profile, scope, self._now())
            changed = profile is not None
            if profile is None:
                return None
            gone = tuple(one for one in known.profile.channels if one not in profile.channels)
            return replace(known, profile=profile, stopped=gone), [profile]

        await self._change(subscriber, stopped)
        return changed

    async def resume(self, subscriber: str, scope: str) -> bool:
        """Undo an unsubscription; whether anything changed."""
        changed = False

        def resumed(known: Subscriber) -> tuple[Subscriber, list] | None:
            nonlocal changed
            profile = unsubscribing.resumed(known.profile, scope, known.stopped, self._now())
            changed = profile is not None
            return None if profile is None else (replace(known, profile=profile, stopped=()), [profile])

        await self._change(subscriber, resumed)
        return changed

    async def erase(self, subscriber: str) -> dict[str, int]:
        """Delete everything kept of a resident and announce it; counts of what was deleted.

        Raises:
            NotFound: if there is no such subscriber.
        """
        while True:
            stored = await self._collections.subscribers.get(subscriber)
            if stored is None or Subscriber.of(stored.document) is None:
                raise NotFound("there is no such subscriber")
            # A pseudonym that leads to nothing any more, kept for a day, so that every process stops counting.
            departure = {"municipality": stored.document["municipality"], "gone_at": self._now()}
            await self._collections.departures.put(subscriber, departure)
            document = erased_document(stored.document, subscriber, self._now())
            try:
                await self._collections.subscribers.put(subscriber, document, expected_version=stored.version)
            except VersionConflict:
                continue
            break
        self._wake()
        deleted = await forget_traces(self._collections, subscriber)
        self._log.info("subscriber_erased", subscriber=subscriber, **deleted)
        return {"profile": 1, **deleted}

    async def _change(
        self, subscriber: str, decide: Callable[[Subscriber], tuple[Subscriber, list] | None]
    ) -> Subscriber:
        def decided(document: dict) -> tuple[dict, list] | None:
            known = Subscriber.of(document)
            if known is None:
                raise NotFound("there is no such subscriber")
            outcome = decide(known)
            if outcome is None:
                return None
            after, messages = outcome
            return after.fields(), [outbox.entry_for(message) for message in messages]

        document = await change(self._collections.subscribers, subscriber, decided, self._now())
        after = Subscriber.of(document) if document else None
        if after is None:
            raise NotFound("there is no such subscriber")
        self._wake()
        return after


def _endpoint_of(subscriber: Subscriber, endpoint: str) -> Endpoint:
    for one in subscriber.endpoints:
        if one.id == endpoint:
            return one
    raise NotFound("there is no such device")
