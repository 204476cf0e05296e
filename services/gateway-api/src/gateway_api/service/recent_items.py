"""The items of the last weeks with their concerns, kept by each process so that a choice can be tried."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kommunepuls_chassis.store import Stored
from kommunepuls_chassis.store.conditions import any_of, at_least
from kommunepuls_events import ContentItemV1
from kommunepuls_events.base import utc_now
from kommunepuls_geography import Geography, GeographyError
from kommunepuls_matching.concern import Concern

from gateway_api.domain.preview import WINDOW, Recent, RecentItem, as_news
from gateway_api.service.collections import Collections
from gateway_api.service.towns import TownView

MOST_ITEMS = 5_000
"""Of one municipality; of a busier one the window is shorter."""
_FRESH = timedelta(seconds=5)
# Processes write with their own clocks, and a write takes its time.
_OVERLAP = timedelta(seconds=30)


@dataclass
class _Held:
    """What is known of one municipality."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    geography: Geography | None = None
    looked_at: datetime | None = None
    # By item; None for one that is not shown: withdrawn, an exercise, of no usable geometry.
    items: dict[str, tuple[int, RecentItem | None]] = field(default_factory=dict)
    recent: Recent | None = None


class RecentItems:
    """Loads a municipality at first sight, then asks the store for what has come since.

    Every process sees what any of them stored, within five seconds.
    """

    def __init__(
        self,
        collections: Collections,
        *,
        now: Callable[[], datetime] = utc_now,
        most: int = MOST_ITEMS,
    ) -> None:
        self._collections = collections
        self._now = now
        self._most = most
        self._held: dict[str, _Held] = defaultdict(_Held)

    async def of(self, town: TownView) -> Recent:
        """The items of a town of the last 60 days, the newest first."""
        held = self._held[town.code]
        async with held.lock:
            now = self._now()
            if held.geography is not town.geography:
                held.geography, held.looked_at, held.items = town.geography, None, {}
            if held.recent is None or held.looked_at is None or held.looked_at <= now - _FRESH:
                held.recent = await self._look(town, held, now)
            return held.recent

    async def _look(self, town: TownView, held: _Held, now: datetime) -> Recent:
        where = {"municipality": town.code}
        if held.looked_at is None:
            found = await self._collections.items.find(
                where | {"public": True, "published_at": at_least(now - WINDOW)},
                order_by="published_at",
                descending=True,
                limit=self._most,
            )
        else:
            since = at_least(held.looked_at - _OVERLAP)
            found = await self._collections.items.find(where | {"kept_at": since}, order_by="kept_at")
        changed = [one for one in found if held.items.get(one.key, (0,))[0] != one.document["revision"]]
        told = await self._told([one.key for one in changed if one.document["revision"] > 1])
        held.items.update(await asyncio.to_thread(_worked_out, changed, told, town.geography))
        held.looked_at = now
        return self._shown(held, town.geography, now)

    async def _told(self, items: list[str]) -> Mapping[str, int]:
        """How many revisions of each item were news."""
        told: Counter[str] = Counter()
        for begin in range(0, len(items), 500):
            asked = any_of(items[begin : begin + 500])
            for stored in await self._collections.revisions.find({"item": asked}):
                told[stored.document["item"]] += ContentItemV1.model_validate_json(
                    stored.document["content"]
                ).announced
        return told

    def _shown(self, held: _Held, geography: Geography, now: datetime) -> Recent:
        begins = now - WINDOW
        shown = [
            (key, revision, one)
            for key, (revision, one) in held.items.items()
            if one is not None and one.item.published_at >= begins
        ]
        shown.sort(key=lambda entry: (entry[2].item.published_at, entry[0]), reverse=True)
        full = len(shown) >= self._most
        shown = shown[: self._most]
        # Those taken away may come again with a later revision; then they are new here.
        held.items = {key: (revision, one) for key, revision, one in shown}
        window = now - shown[-1][2].item.published_at if full else WINDOW
        # Many of one moment would be many a week without end.
        return Recent(tuple(one for _, _, one in shown), geography, max(window, timedelta(days=1)))


def _worked_out(
    stored: Iterable[Stored], told: Mapping[str, int], geography: Geography
) -> dict[str, tuple[int, RecentItem | None]]:
    return {
        one.key: (one.document["revision"], _recent(one, told.get(one.key, 1), geography)) for one in stored
    }


def _recent(stored: Stored, told: int, geography: Geography) -> RecentItem | None:
    if not stored.document["public"]:
        return None
    item = as_news(ContentItemV1.model_validate_json(stored.document["item"]))
    try:
        return RecentItem(Concern.of(item, geography), max(told, 1))
    except GeographyError:
        # The personaliser can match it to nobody either.
        return None
