"""Trying choices on what was told lately, in threads, some at a time: everybody may ask, signed in or not."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from kommunepuls_events import Organiser, SubscriberProfileV1
from kommunepuls_events.base import utc_now

from gateway_api.domain import preview
from gateway_api.domain.choices import Choices, new_profile
from gateway_api.domain.errors import TooMany
from gateway_api.domain.preview import Outlook, Recent
from gateway_api.service.recent_items import RecentItems
from gateway_api.service.towns import TownView

_AT_ONCE = 2
_MOST_WAITING = 60

Answer = TypeVar("Answer")


class Previews:
    """What choices would have brought in the last 60 days.

    All raise TooMany while more ask than can be answered soon.
    """

    def __init__(self, recent: RecentItems) -> None:
        self._recent = recent
        # What waits here holds up nobody who only reads pages.
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def of(self, town: TownView, *candidates: Choices) -> list[Outlook]:
        """What each of the candidates would have brought."""
        profiles = [candidate(town, choices) for choices in candidates]
        return await self._ask(
            town, lambda recent: [preview.outlook(profile, recent) for profile in profiles]
        )

    async def interests(self, town: TownView, choices: Choices, interests: Sequence[str]) -> Counter[str]:
        """How many items each interest would have brought to the areas and places of the choices."""
        profile = candidate(town, choices)
        return await self._ask(town, lambda recent: preview.interest_counts(profile, recent, interests))

    async def organisers(self, town: TownView) -> tuple[dict[str, Organiser], Counter[str]]:
        """Those of the town file and those whose items came, by id, and how many items each had.

        An organiser is called what its items call it.
        """
        recent = await self._recent.of(town)
        seen = {one.item.organiser.id: one.item.organiser for one in recent.items if one.item.organiser}
        return {one.id: one for one in town.organisers} | seen, preview.organiser_counts(recent)

    async def _ask(self, town: TownView, ask: Callable[[Recent], Answer]) -> Answer:
        if self._waiting >= _MOST_WAITING:
            raise TooMany("many are asking just now", retry_after=5)
        self._waiting += 1
        try:
            async with self._turns:
                recent = await self._recent.of(town)
                return await asyncio.to_thread(ask, recent)
        finally:
            self._waiting -= 1


def candidate(town: TownView, choices: Choices) -> SubscriberProfileV1:
    """The profile that choices would make."""
    return new_profile("candidate", town.code, choices, utc_now())


def with_every_interest(town: TownView, choices: Choices) -> Choices:
    """The choices before interests and organisers are asked for: everything counts."""
    return choices.model_copy(update={"interests": tuple(sorted(town.offer.interests)), "organisers": ()})
