"""The outbox: what a document still has to say to Kafka, kept inside that document.

The store writes one document atomically and not two, so a change and its announcement share one.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from kommunepuls_events import ContactCommandV1, ContentItemV1, SubscriberProfileV1

FIELD, DUE_FIELD = "outbox", "outbox_due_at"

Announced = SubscriberProfileV1 | ContactCommandV1 | ContentItemV1
"""What an outbox can hold, tombstones aside."""


class EntryKind(StrEnum):
    """What is to be published."""

    PROFILE = "profile"
    COMMAND = "command"
    ITEM = "item"
    TOMBSTONE = "tombstone"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to publish: the message's JSON, the subscriber id of a tombstone, the municipality of rules."""

    id: str
    kind: EntryKind
    value: str

    def message(self) -> Announced:
        """The message of an entry that holds one."""
        return _CONTRACTS[self.kind].model_validate_json(self.value)


_CONTRACTS: dict[EntryKind, type[Announced]] = {
    EntryKind.PROFILE: SubscriberProfileV1,
    EntryKind.COMMAND: ContactCommandV1,
    EntryKind.ITEM: ContentItemV1,
}


def entry_for(message: Announced) -> Entry:
    """The entry that publishes a message."""
    kind = next(kind for kind, contract in _CONTRACTS.items() if isinstance(message, contract))
    return Entry(secrets.token_hex(8), kind, message.to_json().decode())


def tombstone_for(subscriber: str) -> Entry:
    """The entry that erases a subscriber's profile from the compacted topic."""
    return Entry(secrets.token_hex(8), EntryKind.TOMBSTONE, subscriber)


def rules_of(municipality: str) -> Entry:
    """The entry that publishes the rules of a municipality, as they are by then."""
    return Entry(secrets.token_hex(8), EntryKind.RULES, municipality)


def entries_of(document: dict[str, Any]) -> list[Entry]:
    """The entries of a stored document, in the order they were written."""
    return [Entry(one["id"], EntryKind(one["kind"]), one["value"]) for one in document.get(FIELD) or []]


def fields(entries: Iterable[Entry], due_at: datetime | None) -> dict[str, Any]:
    """The document fields that hold entries; due is when a publisher may take them, None for never."""
    kept = [{"id": one.id, "kind": str(one.kind), "value": one.value} for one in entries]
    return {FIELD: kept, DUE_FIELD: due_at if kept else None}


def with_entries(document: dict[str, Any], entries: Iterable[Entry], now: datetime) -> dict[str, Any]:
    """The document with entries appended, due at once.

    The due time of a document that a publisher works on is left alone: it is that publisher's lease, and
    its end the time from which the next one may go on.
    """
    waiting = entries_of(document)
    due_at = document.get(DUE_FIELD) if waiting else now
    return document | fields([*waiting, *entries], due_at)


def without(document: dict[str, Any], published: set[str], now: datetime) -> dict[str, Any]:
    """The document without the entries of these ids; what was added meanwhile becomes due at once."""
    return document | fields([one for one in entries_of(document) if one.id not in published], now)
