"""Subscribers: a profile, the ids of their endpoints, and what is still to be told about them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from kommunepuls_events import Channel, ContactAction, ContactCommandV1, SubscriberProfileV1

from gateway_api.domain import outbox, parking
from gateway_api.domain.choices import Choices
from gateway_api.domain.secrets import new_command_id

MOST_DEVICES = 20


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a message can go; the address itself is with the notifier alone.

    Attributes:
        id: as in contact commands and deliveries.
        channel: e-mail or push.
        registered_at: when the resident gave it.
        label: what the resident calls it ("Firefox on Linux"); empty for e-mail.
        fingerprint: keyed hash of a push endpoint, by which the same browser is known again.
        retired: why it is no longer used (hard-bounce, endpoint-gone…), None while it is.
    """

    id: str
    channel: Channel
    registered_at: datetime
    label: str = ""
    fingerprint: str = ""
    retired: str | None = None


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One resident as the gateway knows them.

    Attributes:
        address_hash: finds them again by their address.
        parked: subscriptions that they paused one by one; the profile does not hold these meanwhile.
        stopped: the channels that they unsubscribed from last, for an undo to bring back these alone.
    """

    profile: SubscriberProfileV1
    created_at: datetime
    endpoints: tuple[Endpoint, ...] = ()
    address_hash: str | None = None
    parked: Choices = field(default_factory=Choices)
    stopped: tuple[Channel, ...] = ()

    @property
    def id(self) -> str:
        """The pseudonym."""
        return self.profile.subscriber

    def active(self, channel: Channel) -> list[Endpoint]:
        """The endpoints in use on a channel."""
        return [one for one in self.endpoints if one.channel is channel and one.retired is None]

    def fields(self) -> dict[str, Any]:
        """The document fields, without the outbox."""
        return {
            "state": "active",
            "municipality": self.profile.municipality,
            "address_hash": self.address_hash,
            "created_at": self.created_at,
            "changed_at": self.profile.changed_at,
            "profile": self.profile.model_dump_json(exclude_none=True),
            "parked": parking.written(self.parked),
            "stopped": [str(one) for one in self.stopped],
            "endpoints": [
                {
                    "id": one.id,
                    "channel": str(one.channel),
                    "registered_at": one.registered_at,
                    "label": one.label,
                    "fingerprint": one.fingerprint,
                    "retired": one.retired,
                }
                for one in self.endpoints
            ],
        }

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Subscriber | None":
        """The subscriber in a document; None when they were erased and only the announcement is left."""
        if document.get("state") != "active":
            return None
        return cls(
            profile=SubscriberProfileV1.model_validate_json(document["profile"]),
            created_at=document["created_at"],
            address_hash=document["address_hash"],
            parked=parking.read(document.get("parked") or ""),
            stopped=tuple(Channel(one) for one in document.get("stopped") or ()),
            endpoints=tuple(
                Endpoint(**(one | {"channel": Channel(one["channel"])})) for one in document["endpoints"]
            ),
        )


def with_endpoint(subscriber: Subscriber, endpoint: Endpoint) -> Subscriber:
    """The subscriber with an endpoint added or, by its id, replaced; the oldest retired go first."""
    others = [one for one in subscriber.endpoints if one.id != endpoint.id]
    while len(others) >= MOST_DEVICES:
        retired = [one for one in others if one.retired]
        others.remove(retired[0] if retired else others[0])
    return replace(subscriber, endpoints=(*others, endpoint))


def without_endpoint(subscriber: Subscriber, endpoint_id: str) -> Subscriber:
    """The subscriber without an endpoint."""
    return replace(subscriber, endpoints=tuple(one for one in subscriber.endpoints if one.id != endpoint_id))


def retired(subscriber: Subscriber, endpoint_id: str, cause: str) -> Subscriber:
    """The subscriber with an endpoint that the notifier gave up."""
    return replace(
        subscriber,
        endpoints=tuple(
            replace(one, retired=cause) if one.id == endpoint_id else one for one in subscriber.endpoints
        ),
    )


def command(
    subscriber: str,
    action: ContactAction,
    now: datetime,
    *,
    endpoint: str | None = None,
    channel: Channel | None = None,
    language: str = "nb",
    sealed: str | None = None,
    expires_at: datetime | None = None,
) -> ContactCommandV1:
    """A contact command with a new id."""
    return ContactCommandV1(
        id=new_command_id(),
        subscriber=subscriber,
        action=action,
        endpoint=endpoint,
        channel=channel,
        language=language,
        sealed=sealed,
        expires_at=expires_at,
        at=now,
    )


def erased_document(before: dict[str, Any], subscriber: str, now: datetime) -> dict[str, Any]:
    """What is left of a subscriber until Kafka has been told: their pseudonym and nothing else.

    What waited in the outbox is dropped with the rest: it would register what is to be forgotten. A
    publisher that is at work on it keeps its lease, so that the tombstone comes after what it publishes.
    """
    entries: Sequence[outbox.Entry] = (
        outbox.tombstone_for(subscriber),
        outbox.entry_for(command(subscriber, ContactAction.ERASE, now)),
    )
    leased_until = before.get(outbox.DUE_FIELD)
    due_at = max(leased_until, now) if leased_until else now
    return {"state": "erased", "municipality": None} | outbox.fields(entries, due_at)
