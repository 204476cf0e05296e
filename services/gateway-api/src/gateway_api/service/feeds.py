"""A resident's feed as they read it: what they still want, ranked, narrowed, a page at a time."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kommunepuls_events import ContentItemV1, Reason
from kommunepuls_events.base import utc_now

from gateway_api.domain.items import area_terms, search_terms
from gateway_api.domain.less import still_wanted
from gateway_api.domain.ranking import age_in_hours
from gateway_api.domain.residents_record import reasons_of
from gateway_api.domain.subscribers import Subscriber
from gateway_api.service.queries import ItemFilter, Queries
from gateway_api.service.towns import TownView

MOST_RANKED = 500
"""The newest entries that are ranked; a resident who hears of four things a week has fewer in 90 days."""
PAGE = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of the feed; ``kept`` when it has a page (thresholds passed live in the feed alone)."""

    item: ContentItemV1
    areas: tuple[str, ...]
    reasons: tuple[Reason, ...]
    matched_at: datetime
    kept: bool


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page of the feed, and what it can be narrowed by: how many entries of each kind, area, interest."""

    entries: tuple[Entry, ...]
    number: int
    pages: int
    found: int
    kinds: Counter[str] = field(default_factory=Counter)
    areas: Counter[str] = field(default_factory=Counter)
    interests: Counter[str] = field(default_factory=Counter)


class Feeds:
    """Reads feeds."""

    def __init__(self, queries: Queries, *, now: Callable[[], datetime] = utc_now) -> None:
        self._queries = queries
        self._now = now

    async def page(
        self, subscriber: Subscriber, town: TownView | None, wanted: ItemFilter, number: int
    ) -> FeedPage:
        """A page of the feed, the first is 1; beyond the last it is the last."""
        now = self._now()
        entries = [
            one
            for one in await self._newest(subscriber.id)
            if still_wanted(one.item, one.reasons, subscriber.profile)
        ]
        found = [one for one in entries if _is_wanted(one, wanted, town)]
        found.sort(key=lambda one: (age_in_hours(one.item, one.reasons, one.matched_at, now), one.item.id))
        pages = max((len(found) + PAGE - 1) // PAGE, 1)
        number = min(max(number, 1), pages)
        return FeedPage(
            entries=tuple(found[(number - 1) * PAGE : number * PAGE]),
            number=number,
            pages=pages,
            found=len(found),
            kinds=Counter(str(one.item.kind) for one in entries),
            areas=_areas(entries, subscriber.profile.municipality, town),
            interests=Counter(slug for one in entries for slug in one.item.interests),
        )

    async def _newest(self, subscriber: str) -> list[Entry]:
        page = await self._queries.feed(subscriber, limit=MOST_RANKED)
        documents = [stored.document for stored in page.documents]
        shown = await self._queries.items_by_id([one["item"] for one in documents])
        entries = []
        for held in documents:
            known = shown.get(held["item"])
            item = known.item if known else ContentItemV1.model_validate_json(held["snapshot"])
            areas = known.areas if known else item.areas
            entries.append(Entry(item, areas, tuple(reasons_of(held)), held["matched_at"], known is not None))
        return entries


def _is_wanted(entry: Entry, wanted: ItemFilter, town: TownView | None) -> bool:
    if wanted.kind and entry.item.kind is not wanted.kind:
        return False
    if wanted.interest and wanted.interest not in entry.item.interests:
        return False
    return not wanted.area or _concerns(entry, wanted.area, town)


def _concerns(entry: Entry, area: str, town: TownView | None) -> bool:
    """Whether it concerns an area: it lies in it, or is about one around it."""
    ancestors = town.ancestors if town else (lambda _: ())
    return not set(area_terms(entry.areas, ancestors)).isdisjoint(search_terms(area, ancestors))


def _areas(entries: Sequence[Entry], municipality: str, town: TownView | None) -> Counter[str]:
    named = {area for one in entries for area in one.areas if area != municipality}
    return Counter({area: sum(_concerns(one, area, town) for one in entries) for area in named})
