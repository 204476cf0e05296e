"""Bringing residents over from an older system, by an operator who answers for their consent."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.sealing import seal
from kommunepuls_events import Channel, ContactAction
from kommunepuls_events.base import utc_now

from gateway_api.domain import outbox
from gateway_api.domain.choices import Choices, TownOffer, faults_of, new_profile
from gateway_api.domain.errors import Invalid
from gateway_api.domain.secrets import (
    keyed_hash,
    new_endpoint_id,
    new_subscriber_id,
    normalised_address,
)
from gateway_api.domain.subscribers import Endpoint, Subscriber, command, with_endpoint
from gateway_api.service.collections import Collections
from gateway_api.service.residents import PushSubscription
from gateway_api.service.sign_in import SignIn
from gateway_api.settings import Settings


class Migration:
    """Creates subscribers without a mailed link."""

    def __init__(
        self,
        settings: Settings,
        collections: Collections,
        sign_in: SignIn,
        wake: Callable[[], None],
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._collections = collections
        self._sign_in = sign_in
        self._wake = wake
        self._now = now
        self._log = get_logger()

    async def bring(
        self,
        municipality: str,
        choices: Choices,
        offer: TownOffer,
        *,
        address: str | None,
        pushes: Sequence[PushSubscription],
        operator: str,
    ) -> tuple[Subscriber, bool]:
        """Create a subscriber with their endpoints; one whose address is known is left as they are.

        Returns:
            The subscriber, and whether they are new.

        Raises:
            Invalid: with each fault.
        """
        if faults := faults_of(choices, offer):
            raise Invalid(faults)
        now = self._now()
        hashed = self._sign_in.address_hash(address) if address else None
        subscriber_id = new_subscriber_id()
        if hashed:
            subscriber_id = await self._sign_in.reserve(hashed, now + timedelta(days=1))
        subscriber = Subscriber(new_profile(subscriber_id, municipality, choices, now), now, (), hashed)
        messages: list = [subscriber.profile]
        contacts = [(Channel.EMAIL, {"address": normalised_address(address)}, "", "")] if address else []
        pepper = self._settings.pepper.get_secret_value()
        for push in pushes:
            content = {"endpoint": push.endpoint, "p256dh": push.p256dh, "auth": push.auth}
            contacts.append(
                (Channel.PUSH, content, keyed_hash(push.endpoint, pepper, purpose="push"), push.label)
            )
        for channel, content, fingerprint, label in contacts:
            endpoint = Endpoint(new_endpoint_id(), channel, now, label, fingerprint)
            subscriber = with_endpoint(subscriber, endpoint)
            messages.append(
                command(
                    subscriber_id,
                    ContactAction.REGISTER,
                    now,
                    endpoint=endpoint.id,
                    channel=channel,
                    language=choices.language,
                    sealed=seal(content, self._settings.contact_public_key, subscriber=subscriber_id),
                )
            )
        entries = [outbox.entry_for(message) for message in messages]
        document = outbox.with_entries(subscriber.fields(), entries, now)
        new = await self._collections.subscribers.insert(subscriber_id, document)
        if hashed:
            await self._collections.addresses.patch(hashed, {"confirmed": True, "expires_at": None})
        self._wake()
        self._log.info("subscriber_brought_over", operator=operator, subscriber=subscriber_id, new=new)
        if not new:
            known = await self._collections.subscribers.get(subscriber_id)
            subscriber = (Subscriber.of(known.document) if known else None) or subscriber
        return subscriber, new
