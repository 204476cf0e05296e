"""Trying rules on the last 60 days: which items they would change, and how many residents that gains and loses."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from kommunepuls_chassis.store.conditions import at_least
from kommunepuls_events import ContentItemV1, ContentRule, Judged, as_sent, judge
from kommunepuls_events.base import utc_now
from pydantic import ValidationError

from gateway_api.domain.letters import DROPPED
from gateway_api.domain.preview import WINDOW, as_news
from gateway_api.domain.reach import About
from gateway_api.service.collections import Collections
from gateway_api.service.reach import ReachIndexes
from gateway_api.service.recent_items import RecentItems
from gateway_api.service.towns import TownView

MOST_COUNTED = 300
"""Items whose residents are worked out; of more that change, the newest."""
_MOST_DROPPED = 1000


@dataclass(frozen=True, slots=True)
class Tried:
    """One item that comes out otherwise. ``before`` or ``after`` is None where it is dropped.

    ``gained`` and ``lost`` are None when they were not counted.
    """

    item: ContentItemV1
    before: ContentItemV1 | None
    after: ContentItemV1 | None
    gained: About | None = None
    lost: About | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What a change of rules would have done.

    Attributes:
        items: how many were looked at.
        window: the time they span.
        changed: those that come out otherwise, the newest first.
        counted: for how many of these the residents were worked out; 0 while that is not known yet.
        gained, lost: residents who would hear of more, and of less.
    """

    items: int
    window: timedelta
    changed: tuple[Tried, ...]
    counted: int
    gained: About
    lost: About


class RuleTrials:
    """Tries rules with the items at hand and the index of residents."""

    def __init__(self, collections: Collections, recent: RecentItems, reach: ReachIndexes) -> None:
        self._letters = collections.letters
        self._recent = recent
        self._reach = reach

    async def compare(
        self, town: TownView, rules: Sequence[ContentRule], proposed: Sequence[ContentRule]
    ) -> Trial:
        """What comes out otherwise with the proposed rules than with those in force.

        Every item is judged anew from what its source sent, dropped ones too. What was published before a
        rule was there may stand otherwise on the pages.
        """
        recent = await self._recent.of(town)
        items = [as_sent(one.item) for one in recent.items]
        known = {item.id for item in items}
        items += [one for one in await self._dropped(town) if one.id not in known]
        changed = await asyncio.to_thread(_changed, items, rules, proposed)
        return await self._counted(town, len(items), recent.window, changed)

    async def _dropped(self, town: TownView) -> list[ContentItemV1]:
        """What rules have dropped, each once."""
        found = await self._letters.find(
            {"origin": DROPPED, "at": at_least(utc_now() - WINDOW)},
            order_by="at",
            descending=True,
            limit=_MOST_DROPPED,
        )
        items: dict[str, ContentItemV1] = {}
        for stored in found:
            if stored.document["source"].startswith(f"{town.code}/"):
                try:
                    item = ContentItemV1.model_validate_json(stored.document["value"] or b"")
                except ValidationError:
                    continue
                items.setdefault(item.id, as_news(item))
        return list(items.values())

    async def _counted(self, town: TownView, items: int, window: timedelta, changed: list[Tried]) -> Trial:
        counted = changed[:MOST_COUNTED]
        asked = [one for tried in counted for one in (tried.before, tried.after) if one is not None]
        reached = await self._reach.residents(town, asked) if asked else []
        nobody = self._reach.about(())
        if reached is None:
            return Trial(items, window, tuple(changed), 0, nobody, nobody)
        answers = iter(reached)
        gained: set[str] = set()
        lost: set[str] = set()
        told = []
        for tried in counted:
            before = next(answers) if tried.before else frozenset()
            after = next(answers) if tried.after else frozenset()
            gained |= after - before
            lost |= before - after
            told.append(
                Tried(
                    tried.item,
                    tried.before,
                    tried.after,
                    self._reach.about(after - before),
                    self._reach.about(before - after),
                )
            )
        return Trial(
            items,
            window,
            (*told, *changed[MOST_COUNTED:]),
            len(counted),
            self._reach.about(gained),
            self._reach.about(lost),
        )


def _changed(
    items: Iterable[ContentItemV1], rules: Sequence[ContentRule], proposed: Sequence[ContentRule]
) -> list[Tried]:
    found = []
    for item in items:
        before, after = _outcome(judge(item, rules)), _outcome(judge(item, proposed))
        if _seen(before) != _seen(after):
            found.append(Tried(item, before, after))
    return sorted(found, key=lambda one: one.item.published_at, reverse=True)


def _outcome(judged: Judged) -> ContentItemV1 | None:
    return None if judged.dropped_by else judged.item


def _seen(item: ContentItemV1 | None) -> tuple | None:
    return (item.interests, item.areas, item.severity) if item else None
