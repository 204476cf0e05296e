"""Rejects and dead letters: kept with their bytes for operators, and sent back where they belong."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kommunepuls_events import TOPICS, MalformedEvent
from kommunepuls_events.dead_letters import DeadLetter, original_headers
from kommunepuls_events.event import Headers
from kommunepuls_events.rules import DROPPED_BY_RULE
from kommunepuls_events.topics import REJECTS, REPLAYS

from gateway_api.domain.errors import Conflict

OPEN, REPLAYED = "open", "replayed"
REJECT, DEAD_LETTER, DROPPED = "reject", "dead-letter", "dropped"
"""Where a letter comes from: an upstream, a topic, or a content rule that dropped an item."""


def letter_key(topic: str, partition: int, offset: int) -> str:
    """The key: where the record lies in Kafka."""
    return f"{topic}-{partition}-{offset}"


def letter_document(
    *,
    topic: str,
    key: str,
    value: bytes | None,
    headers: Headers,
    received_at: datetime,
) -> dict[str, Any]:
    """The document of a record of ``rejects.v1`` or a dead-letter topic.

    A record whose headers are not those of a dead letter is kept too, under the reason
    ``unreadable-headers``: dropping it would lose what an operator was to see.
    """
    try:
        letter = DeadLetter.from_headers(headers)
    except MalformedEvent as error:
        letter = DeadLetter("unreadable-headers", error.detail, service="unknown", at=received_at)
    origin = REJECT if topic == REJECTS.name else DEAD_LETTER
    if origin == REJECT and letter.reason == DROPPED_BY_RULE:
        origin = DROPPED
    return {
        "origin": origin,
        "kept_in": topic,
        "state": OPEN,
        "reason": letter.reason,
        "detail": letter.detail,
        "service": letter.service,
        "attempts": letter.attempts,
        "at": letter.at or received_at,
        "topic": letter.topic or ("" if topic == REJECTS.name else topic.removesuffix(".dead")),
        "partition": letter.partition,
        "offset": letter.offset,
        "source": letter.source,
        "entry": letter.entry,
        "key": key,
        "value": value,
        "size": len(value or b""),
        "headers": [{"name": name, "value": raw or b""} for name, raw in headers],
        "replay": None,
        "replayed_at": None,
    }


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to publish."""

    topic: str
    key: str
    value: bytes | None
    headers: Headers
    partition: int | None = None


_CHOSEN_BY_PRODUCER = {topic.name for topic in TOPICS if topic.contract and topic.key_of is None}
_KNOWN = {topic.name for topic in TOPICS if topic.dead_letters}


def outgoing(document: dict[str, Any]) -> Outgoing:
    """What a replay publishes: a dead letter as it was on its topic, a reject to ``replays.v1``.

    Raises:
        Conflict: if it does not say where it came from, so that it can only be looked at.
    """
    headers = [(one["name"], one["value"]) for one in document["headers"]]
    if document["origin"] in (REJECT, DROPPED):
        if not document["source"] or document["reason"] == "unreadable-headers":
            raise Conflict("it names no source, so nobody would take it again", slug="cannot-be-replayed")
        # Its headers go along: the service reads from them which door it came by.
        return Outgoing(REPLAYS.name, document["key"], document["value"], headers)
    if document["topic"] not in _KNOWN:
        raise Conflict("it does not say which topic it came from", slug="cannot-be-replayed")
    # Where the producer chose the partition, the key does not lead back to it.
    partition = document["partition"] if document["topic"] in _CHOSEN_BY_PRODUCER else None
    return Outgoing(
        document["topic"], document["key"], document["value"], original_headers(headers), partition
    )
