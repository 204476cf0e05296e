"""Erasure: everything kept of a resident, gone at once; Kafka and the notifier are told by the outbox."""

from gateway_api.service.collections import Collections


async def forget_traces(collections: Collections, subscriber: str) -> dict[str, int]:
    """Delete what is kept of a subscriber beside their own document; counts by what it was."""
    of_subscriber = {"subscriber": subscriber}
    return {
        "sessions": await collections.sessions.delete_where(of_subscriber),
        "links": await collections.links.delete_where(of_subscriber),
        "addresses": await collections.addresses.delete_where(of_subscriber),
        "feed": await collections.feed.delete_where(of_subscriber),
        "reads": await collections.reads.delete_where(of_subscriber),
        "messages": await collections.messages.delete_where(of_subscriber),
    }
