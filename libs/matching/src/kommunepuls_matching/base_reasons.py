"""Why an item concerns slots of the base, worked out for many slots at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from kommunepuls_events import Reason, ReasonType

from kommunepuls_matching.base import Base
from kommunepuls_matching.columns import WORD
from kommunepuls_matching.concern import Concern

_EMERGENCY = Reason(type=ReasonType.EMERGENCY)


@dataclass(frozen=True)
class BaseReasons:
    """What was found for an item in a base; ``near`` are the rows of the places near its geometry, if it has one."""

    base: Base
    concern: Concern
    slots: np.ndarray
    near: np.ndarray | None

    def of(self, slot: int) -> tuple[Reason, ...]:
        """Every reason of one slot, best first."""
        return self.of_many(np.array([slot]))[0]

    def of_many(self, slots: np.ndarray) -> list[tuple[Reason, ...]]:
        """Every reason of each slot: emergency, places from the nearest, areas, organiser, interests."""
        areas = self._areas(slots)
        places = self._places(slots)
        endings = self._endings(slots)
        emergency = self.concern.item.emergency
        reasons = []
        for number, slot in enumerate(slots.tolist()):
            located = (*places.get(slot, ()), *areas[number])
            before = (_EMERGENCY,) if emergency and located else ()
            reasons.append((*before, *located, *endings[number]))
        return reasons

    def _areas(self, slots: np.ndarray) -> list[list[Reason]]:
        base = self.base
        begins = base.area_starts[slots].astype(np.int64)
        counts = base.area_starts[slots + 1].astype(np.int64) - begins
        whose = np.repeat(np.arange(len(slots)), counts)
        within = np.arange(len(whose)) - np.repeat(np.cumsum(counts) - counts, counts)
        numbers = base.area_numbers[np.repeat(begins, counts) + within]
        known = self._related
        related = np.flatnonzero(np.isin(numbers, np.fromiter(known, np.int64, len(known))))
        found: list[list[Reason]] = [[] for _ in slots]
        for number, area in zip(whose[related].tolist(), numbers[related].tolist(), strict=True):
            found[number].append(known[area])
        return found

    @cached_property
    def _related(self) -> dict[int, Reason]:
        """The reason of each related area, by number."""
        areas = self.base.words.areas
        return {
            number: Reason(type=ReasonType.AREA, area=area)
            for area in self.concern.related
            if (number := areas.get(area)) is not None
        }

    def _places(self, slots: np.ndarray) -> dict[int, list[Reason]]:
        base, footprint = self.base, self.concern.footprint
        owners, by_owner = self._by_owner
        begins, ends = np.searchsorted(owners, slots), np.searchsorted(owners, slots, "right")
        some = np.flatnonzero(begins < ends)
        if not len(some):
            return {}
        rows = np.concatenate([by_owner[begins[one] : ends[one]] for one in some.tolist()])
        ids = [base.words.places.word(number) for number in base.place_ids[rows].tolist()]
        found: dict[int, list[Reason]] = {}
        if footprint is None:
            areas = [self._area_of_row[row] for row in rows.tolist()]
            distances = np.zeros(len(rows))
        else:
            areas = [None] * len(rows)
            distances = footprint.distances_within(
                base.longitudes[rows], base.latitudes[rows], base.radii[rows].astype(np.float64)
            )
        for slot, place, metres, area in zip(
            base.place_slots[rows].tolist(), ids, distances.tolist(), areas, strict=True
        ):
            reason = Reason(type=ReasonType.PLACE, place=place, distance_metres=metres, area=area)
            found.setdefault(slot, []).append(reason)
        for reasons in found.values():
            if len(reasons) > 1:
                reasons.sort(key=lambda reason: reason.distance_metres)
        return found

    @cached_property
    def _by_owner(self) -> tuple[np.ndarray, np.ndarray]:
        """Of those who were found the slots of the places that are near, ascending, and the rows in the order of profiles."""
        rows = self.base.rows_of_areas(self.concern.areas) if self.near is None else self.near
        found = np.zeros(len(self.base), bool)
        found[self.slots] = True
        rows = rows[found[self.base.place_slots[rows]]]
        owners = self.base.place_slots[rows].astype(np.int64)
        order = np.lexsort((self.base.place_orders[rows], owners))
        return owners[order], rows[order]

    @cached_property
    def _area_of_row(self) -> dict[int, str]:
        """The first of the item's areas that holds a place, by row."""
        found: dict[int, str] = {}
        for area in reversed(self.concern.areas):
            found.update(dict.fromkeys(self.base.rows_of_areas([area]).tolist(), area))
        return found

    def _endings(self, slots: np.ndarray) -> Sequence[tuple[Reason, ...]]:
        """What does not depend on where they are; few combinations, each made once."""
        base, item = self.base, self.concern.item
        kinds = np.zeros(len(slots), np.int64)
        singles: list[Reason] = []
        if item.organiser is not None:
            followers = base.organisers.of(item.organiser.id)
            kinds |= np.isin(slots, followers, assume_unique=False)
            singles.append(Reason(type=ReasonType.ORGANISER, organiser=item.organiser.id))
        for slug in self.concern.interests:
            number = base.words.interests.get(slug)
            if number is not None and number < len(base.interests):
                bits = base.interests[number, slots // WORD] >> (slots % WORD).astype(np.uint64)
                kinds |= (bits & np.uint64(1)).astype(np.int64) << len(singles)
                singles.append(Reason(type=ReasonType.INTEREST, interest=slug))
        made = {
            kind: tuple(reason for place, reason in enumerate(singles) if kind >> place & 1)
            for kind in np.unique(kinds).tolist()
        }
        return [made[kind] for kind in kinds.tolist()]
