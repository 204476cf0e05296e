"""Which areas were ploughed or salted how long ago, and which are not said to be since the snowfall."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kommunepuls_events import ContentItemV1, Kind

_INTEREST = "winter-maintenance"

RECENT, EARLIER, LONGER, WAITING = "recent", "earlier", "longer", "waiting"
_WITHIN = ((RECENT, timedelta(hours=3)), (EARLIER, timedelta(hours=12)))


@dataclass(frozen=True, slots=True)
class Clearing:
    """Areas of the map by how long ago they were cleared: each a step of the scale, and when that was.

    ``items`` are the ids of the items that said it.
    """

    steps: dict[str, str]
    times: dict[str, datetime]
    items: frozenset[str]

    def areas(self, step: str) -> list[str]:
        """The areas of one step, in the map's order."""
        return [area for area, held in self.steps.items() if held == step]


def clearing(
    live: Iterable[ContentItemV1],
    areas: Sequence[str],
    ancestors: Callable[[str], Iterable[str]],
    now: datetime,
) -> Clearing | None:
    """What the live items say of clearing; None when they say nothing of it, as in summer.

    Args:
        live: items that the pulse shows; they are published as of the last road that was done.
        areas: those on the map, in its order.
        ancestors: of an area; what lies in a cleared area is cleared.
        now: the time that the scale counts from.
    """
    told = [
        item
        for item in live
        if item.kind is Kind.CONDITION and _INTEREST in item.interests and set(item.areas) & set(areas)
    ]
    if not told:
        return None
    newest: dict[str, datetime] = {}
    for item in told:
        for area in item.areas:
            newest[area] = max(item.published_at, newest.get(area, item.published_at))
    times = {
        area: max(newest[one] for one in around)
        for area in areas
        if (around := [one for one in (area, *ancestors(area)) if one in newest])
    }
    return Clearing(
        {area: _step(times.get(area), now) for area in areas},
        times,
        frozenset(item.id for item in told),
    )


def _step(at: datetime | None, now: datetime) -> str:
    if at is None:
        return WAITING
    return next((step for step, within in _WITHIN if now - at < within), LONGER)
