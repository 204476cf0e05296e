"""Everything kept of one resident, for themselves."""

import json
from typing import Any

from gateway_api.domain import parking
from gateway_api.domain.subscribers import Subscriber
from gateway_api.service.collections import Collections

_CONTACTS = (
    "Your e-mail address and the addresses of your browsers are not kept here: they are sealed for the "
    "service that sends, which keeps them encrypted. Here is only a keyed hash, by which you are known again."
)


async def everything_of(subscriber: Subscriber, collections: Collections) -> dict[str, Any]:
    """The profile, devices, feed, messages and sessions of a subscriber, as JSON."""
    of_subscriber = {"subscriber": subscriber.id}
    feed = await collections.feed.find(of_subscriber, order_by="matched_at")
    reads = await collections.reads.find(of_subscriber)
    messages = await collections.messages.find(of_subscriber, order_by="at")
    sessions = await collections.sessions.find(of_subscriber)
    return {
        "profile": subscriber.profile.model_dump(mode="json"),
        "paused": json.loads(parking.written(subscriber.parked) or "{}"),
        "signed_up_at": subscriber.created_at,
        "contacts": _CONTACTS,
        "endpoints": [
            {
                "id": one.id,
                "channel": one.channel,
                "label": one.label,
                "registered_at": one.registered_at,
                "retired": one.retired,
            }
            for one in subscriber.endpoints
        ],
        "feed": [
            {
                "item": stored.document["item"],
                "revision": stored.document["revision"],
                "matched_at": stored.document["matched_at"],
                "reasons": [json.loads(reason) for reason in stored.document["reasons"]],
            }
            for stored in feed
        ],
        "messages": [
            {name: value for name, value in stored.document.items() if name != "subscriber"}
            for stored in messages
        ],
        "read": [
            {"item": one.document["item"], "revision": one.document["revision"], "at": one.document["at"]}
            for one in reads
        ],
        "sessions": [{"expires_at": stored.document["expires_at"]} for stored in sessions],
    }
