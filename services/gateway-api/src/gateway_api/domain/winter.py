"""Which areas are ploughed or salted, and which are not said to be yet."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kommunepuls_events import ContentItemV1, Kind

_INTEREST = "winter-maintenance"


@dataclass(frozen=True, slots=True)
class Clearing:
    """Areas of the map by what was said of them; ``items`` are the ids of the items that said it."""

    done: tuple[str, ...]
    waiting: tuple[str, ...]
    items: frozenset[str]


def clearing(
    live: Iterable[ContentItemV1], areas: Sequence[str], ancestors: Callable[[str], Iterable[str]]
) -> Clearing | None:
    """What the live items say of clearing; None when they say nothing of it, as in summer.

    Args:
        live: items that the pulse shows.
        areas: those on the map, in its order.
        ancestors: of an area; what lies in a cleared area is cleared.
    """
    told = [
        item
        for item in live
        if item.kind is Kind.CONDITION and _INTEREST in item.interests and set(item.areas) & set(areas)
    ]
    if not told:
        return None
    said = {area for item in told for area in item.areas}
    done = tuple(area for area in areas if said & {area, *ancestors(area)})
    return Clearing(
        done, tuple(area for area in areas if area not in done), frozenset(item.id for item in told)
    )
