"""Asking the read model."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kommunepuls_chassis.store import Collection, Stored
from kommunepuls_chassis.store.conditions import any_of, at_least
from kommunepuls_events import ContentItemV1, Kind, SourceStatusV1
from kommunepuls_events.base import utc_now

from gateway_api.domain.errors import Fault, Invalid, NotFound
from gateway_api.domain.items import happens_now, pulse_order, search_terms
from gateway_api.domain.readings import SensorNow, sensor_now
from gateway_api.domain.residents_record import feed_key
from gateway_api.service.collections import Collections
from gateway_api.service.towns import TownView

_NEWEST = 300


@dataclass(frozen=True, slots=True)
class Shown:
    """An item's newest revision and the areas that it concerns."""

    item: ContentItemV1
    areas: tuple[str, ...]

    @classmethod
    def of(cls, stored: Stored) -> "Shown":
        """From its document."""
        item = ContentItemV1.model_validate_json(stored.document["item"])
        return cls(item, tuple(stored.document["areas"]))


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items of a town are wanted; None or empty does not narrow."""

    area: str | None = None
    interest: str | None = None
    kind: Kind | None = None
    organiser: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some documents, and the cursor of the next page (None: there is none)."""

    documents: Sequence[Stored]
    next_cursor: str | None


class Queries:
    """Reading, for residents, the public and operators."""

    def __init__(
        self, collections: Collections, *, pulse_hours: int, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._collections = collections
        self._window = timedelta(hours=pulse_hours)
        self._now = now

    async def pulse(self, town: TownView, *, most: int = 60) -> list[Shown]:
        """What happens in a town now and next: warnings first, then the newest."""
        now = self._now()
        of_town = {"municipality": town.code, "public": True}
        newest = await self._collections.items.find(
            of_town, order_by="published_at", descending=True, limit=_NEWEST
        )
        going_on = await self._collections.items.find(
            of_town | {"over_at": at_least(now)}, order_by="over_at", limit=_NEWEST
        )
        found = {stored.key: stored for stored in (*newest, *going_on)}
        shown = [Shown.of(stored) for stored in found.values()]
        live = [one for one in shown if happens_now(one.item, now, window=self._window)]
        return sorted(live, key=lambda one: pulse_order(one.item))[:most]

    async def items(
        self, town: TownView, wanted: ItemFilter, *, limit: int, cursor: str | None = None
    ) -> tuple[list[Shown], str | None]:
        """Public items of a town, the newest first, and the cursor of the next page."""
        where = _where(town, wanted)
        page = await page_of(self._collections.items, where, "published_at", limit, cursor)
        return [Shown.of(stored) for stored in page.documents], page.next_cursor

    async def coming(self, town: TownView, wanted: ItemFilter, *, limit: int) -> list[Shown]:
        """Public events of a town that are not over, by when they begin."""
        where = _where(town, replace(wanted, kind=Kind.EVENT)) | {"over_at": at_least(self._now())}
        found = await self._collections.items.find(where, order_by="over_at", limit=_NEWEST)
        shown = [Shown.of(stored) for stored in found]
        begun = [(one.item.starts_at or one.item.published_at, one) for one in shown]
        return [one for _, one in sorted(begun, key=lambda pair: (pair[0], pair[1].item.id))][:limit]

    async def item(self, item: str) -> Shown:
        """An item's newest revision, withdrawn and exercises too: its page says so.

        Raises:
            NotFound: if it was never seen.
        """
        stored = await self._collections.items.get(item) if 0 < len(item) <= 512 else None
        if stored is None:
            raise NotFound("there is no such item")
        return Shown.of(stored)

    async def items_by_id(self, items: Sequence[str]) -> dict[str, Shown]:
        """Those of the items that exist."""
        found = await self._collections.items.get_many(items)
        return {key: Shown.of(stored) for key, stored in found.items()}

    async def revisions(self, item: str) -> list[ContentItemV1]:
        """Every revision of an item, the oldest first."""
        found = await self._collections.revisions.find({"item": item}, order_by="revision")
        return [ContentItemV1.model_validate_json(stored.document["content"]) for stored in found]

    async def sensors(self, town: TownView) -> list[SensorNow]:
        """The sensors of a town that have a value."""
        found = await self._collections.sensors.find({"municipality": town.code})
        return sorted(
            (now for stored in found if (now := sensor_now(stored.document))),
            key=lambda one: (one.observed_property != "water-temperature", one.name, one.sensor),
        )

    async def sensor(self, sensor: str) -> list[SensorNow]:
        """What one sensor observes, a row a property.

        Raises:
            NotFound: if it has never given a value.
        """
        found = await self._collections.sensors.find({"sensor": sensor})
        rows = [now for stored in found if (now := sensor_now(stored.document))]
        if not rows:
            raise NotFound("there is no such sensor")
        return rows

    async def feed(self, subscriber: str, *, limit: int, cursor: str | None = None) -> Page:
        """A resident's feed entries, the newest first."""
        return await page_of(self._collections.feed, {"subscriber": subscriber}, "matched_at", limit, cursor)

    async def feed_entries(self, subscriber: str, items: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Entries of a resident's feed by item."""
        found = await self._collections.feed.get_many(feed_key(subscriber, one) for one in items)
        return {stored.document["item"]: stored.document for stored in found.values()}

    async def messages(
        self, subscriber: str, *, limit: int, cursor: str | None = None, states: Sequence[str] = ()
    ) -> Page:
        """A resident's messages, the newest first; in these states, if any are named."""
        where: dict[str, Any] = {"subscriber": subscriber}
        if states:
            where["state"] = any_of(states)
        return await page_of(self._collections.messages, where, "at", limit, cursor)

    async def messages_about(self, subscriber: str, item: str) -> set[tuple[str, int]]:
        """What a resident was told of an item, as (item, revision)."""
        found = await self._collections.messages.find({"subscriber": subscriber, "item": item})
        return {(stored.document["item"], stored.document["revision"]) for stored in found}

    async def sources(self, municipality: str | None = None) -> list[SourceStatusV1]:
        """How the sources are doing, by id."""
        found = await self._collections.sources.find({"municipality": municipality} if municipality else {})
        return [SourceStatusV1.model_validate_json(stored.document["status"]) for stored in found]


def _where(town: TownView, wanted: ItemFilter) -> dict[str, Any]:
    where: dict[str, Any] = {"municipality": town.code, "public": True}
    if wanted.kind:
        where["kind"] = str(wanted.kind)
    if wanted.organiser:
        where["organiser"] = wanted.organiser
    if wanted.interest:
        where["interests"] = wanted.interest
    if wanted.area:
        where["area_terms"] = any_of(search_terms(wanted.area, town.ancestors))
    return where


async def page_of(
    collection: Collection, where: dict[str, Any], order_by: str, limit: int, cursor: str | None
) -> Page:
    """One page of a collection, the newest first.

    Raises:
        Invalid: for a cursor that we did not give.
    """
    found = await collection.find(
        where,
        order_by=order_by,
        descending=True,
        limit=limit + 1,
        after=_after(cursor) if cursor else None,
    )
    shown = found[:limit]
    more = len(found) > limit
    return Page(shown, _cursor(shown[-1].position(order_by)) if more else None)


def _cursor(position: tuple) -> str:
    at, key = position
    written = json.dumps([at.timestamp(), key], ensure_ascii=False)
    return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")


def _after(cursor: str) -> tuple[datetime, str]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        seconds, key = json.loads(raw)
        at = datetime.fromtimestamp(round(seconds, 3), UTC)
        if not isinstance(key, str) or not key or len(key) > 1024:
            raise ValueError
    except (ValueError, TypeError, OverflowError, OSError):
        raise Invalid([Fault("/cursor", "is not a cursor that we gave")]) from None
    return at, key
