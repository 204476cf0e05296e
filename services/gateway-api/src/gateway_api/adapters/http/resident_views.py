"""A resident's feed and messages, with words, for the API and the pages alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kommunepuls_events import ContentItemV1, DeliveryState, Reason

from gateway_api.adapters.http.naming import ReaderNames
from gateway_api.domain.because import because
from gateway_api.domain.held import comes_at
from gateway_api.domain.residents_record import reasons_of
from gateway_api.domain.subscribers import Subscriber
from gateway_api.domain.words import Words, cause_sentence, reason_sentence
from gateway_api.service.gateway import Gateway
from gateway_api.service.queries import Page

_MOST_LOOKS = 8
WAITING = (str(DeliveryState.HELD), str(DeliveryState.DIGESTED))
"""States of a message that is still to come."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """An item of the feed with its reasons, as data and in words."""

    item: ContentItemV1
    matched_at: datetime
    reasons: tuple[Reason, ...]
    sentences: tuple[str, ...]
    kept: bool
    """Whether the item has a page: thresholds passed live in the feed alone."""


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message; ``title`` is None when its item is no longer known."""

    item: str
    revision: int
    title: str | None
    language: str
    kept: bool
    channel: str
    state: str
    cause: str | None
    cause_text: str
    at: datetime
    sentences: tuple[str, ...]
    because: str
    steps: tuple[dict[str, Any], ...]
    read: bool
    comes_at: datetime | None
    """When it will come, of one that waits."""


async def names_for(
    gateway: Gateway,
    subscriber: Subscriber,
    words: Words,
    items: list[ContentItemV1],
    *,
    organisers: Mapping[str, str] | None = None,
) -> ReaderNames:
    """What things are called for a resident."""
    municipality = subscriber.profile.municipality
    town = gateway.towns.get(municipality)
    sensors = {one.sensor: one for one in await gateway.queries.sensors(town)} if town else {}
    return ReaderNames(
        gateway,
        words,
        municipality=municipality,
        profile=subscriber.profile,
        items=items,
        sensors=sensors,
        organisers=organisers,
    )


def sentences(reasons: list[Reason], names: ReaderNames, words: Words) -> tuple[str, ...]:
    """The reasons in words."""
    return tuple(reason_sentence(one, names, words, unit=names.unit(one.sensor)) for one in reasons)


async def feed_view(
    gateway: Gateway, subscriber: Subscriber, words: Words, *, limit: int, cursor: str | None
) -> tuple[list[FeedEntry], str | None]:
    """A page of the feed and the cursor of the next."""
    page = await gateway.queries.feed(subscriber.id, limit=limit, cursor=cursor)
    shown = await gateway.queries.items_by_id([stored.document["item"] for stored in page.documents])
    items = [
        shown[held["item"]].item
        if held["item"] in shown
        else ContentItemV1.model_validate_json(held["snapshot"])
        for held in (stored.document for stored in page.documents)
    ]
    names = await names_for(gateway, subscriber, words, items)
    entries = []
    for stored, item in zip(page.documents, items, strict=True):
        reasons = reasons_of(stored.document)
        entries.append(
            FeedEntry(
                item,
                stored.document["matched_at"],
                tuple(reasons),
                sentences(reasons, names, words),
                item.id in shown,
            )
        )
    return entries, page.next_cursor


async def message_view(
    gateway: Gateway,
    subscriber: Subscriber,
    words: Words,
    *,
    limit: int,
    cursor: str | None,
    states: Sequence[str] = (),
    unread: bool = False,
) -> tuple[list[MessageView], str | None]:
    """A page of the message centre and the cursor of the next; only some states, only what is unread."""
    found: list[MessageView] = []
    for _ in range(_MOST_LOOKS):
        page = await gateway.queries.messages(subscriber.id, limit=limit, cursor=cursor, states=states)
        found += [one for one in await _views(gateway, subscriber, words, page) if not (unread and one.read)]
        cursor = page.next_cursor
        if cursor is None or not unread or len(found) >= limit // 2:
            break
    return found, cursor


async def _views(gateway: Gateway, subscriber: Subscriber, words: Words, page: Page) -> list[MessageView]:
    ids = sorted({stored.document["item"] for stored in page.documents})
    shown = await gateway.queries.items_by_id(ids)
    entries = await gateway.queries.feed_entries(subscriber.id, ids)
    items = {item: one.item for item, one in shown.items()}
    for item, entry in entries.items():
        items.setdefault(item, ContentItemV1.model_validate_json(entry["snapshot"]))
    names = await names_for(gateway, subscriber, words, list(items.values()))
    read = await gateway.reads.of(subscriber.id, ids)
    settings = gateway.settings
    views = []
    for held in (stored.document for stored in page.documents):
        item, entry = items.get(held["item"]), entries.get(held["item"])
        reasons = reasons_of(entry) if entry else []
        views.append(
            MessageView(
                item=held["item"],
                revision=held["revision"],
                title=item.title if item else None,
                language=item.language if item else words.language,
                kept=held["item"] in shown,
                channel=held["channel"],
                state=held["state"],
                cause=held["cause"],
                cause_text=cause_sentence(held["cause"], words),
                at=held["at"],
                sentences=sentences(reasons, names, words),
                because=because(
                    reasons,
                    names,
                    words,
                    unit=next((names.unit(one.sensor) for one in reasons if one.sensor), ""),
                ),
                steps=tuple(held["steps"]),
                read=read.get(held["item"], 0) >= held["revision"],
                comes_at=comes_at(
                    held["cause"],
                    subscriber.profile,
                    held["at"],
                    digest_time=settings.digest_time,
                    digest_weekday=settings.digest_weekday,
                )
                if held["state"] in WAITING
                else None,
            )
        )
    return views
