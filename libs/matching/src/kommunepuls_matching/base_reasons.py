"""Why an item concerns slots of the base, worked out for all who were found together."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise

import numpy as np
from kommunepuls_events import Reason
from kommunepuls_events.matches import each_with

from kommunepuls_matching import grouping
from kommunepuls_matching.base import Base
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.sharing import Group, Wording


@dataclass(frozen=True)
class Placed:
    """The places that speak for who was found: by place among the slots, the nearest first.

    Attributes:
        starts: where the places of each begin, and where the last ends.
        numbers: of the places' ids.
        kinds: for an item without geometry, twice which of its areas holds the place; 1 more if the distance is their own.
        distances: in metres; their own where they are not 0.
    """

    starts: np.ndarray
    numbers: np.ndarray
    kinds: np.ndarray
    distances: np.ndarray


@dataclass(frozen=True)
class BaseReasons:
    """What was found for an item in a base; ``near`` are the rows of the places near its geometry, if it has one."""

    base: Base
    concern: Concern
    wording: Wording
    slots: np.ndarray
    near: np.ndarray | None

    def of(self, slot: int) -> tuple[Reason, ...]:
        """Every reason of one slot, best first."""
        one = int(np.searchsorted(self.slots, self.slots.dtype.type(slot)))
        (reasons,) = self._said_of(np.array([one]))
        distances = self._placed.distances[self._placed.starts[one] : self._placed.starts[one + 1]]
        ((_, measured),) = each_with(reasons, ("",), distances[distances > 0.0].tolist())
        return measured

    def groups(self) -> Iterator[Group]:
        """All who were found, by what they share."""
        if not len(self.slots):
            return
        base, slots, placed = self.base, self.slots, self._placed
        related = np.zeros(len(base.words.areas) + 1, bool)
        related[list(self._related)] = True
        groups, firsts = grouping.grouped_by_path(
            slots, self._endings, base.area_starts, base.area_numbers, related,
            placed.starts, placed.numbers, placed.kinds,
        )  # fmt: skip
        # Nearly in the order of their ids, which makes putting them into it a matter of looking on.
        order = np.argsort(grouping.beginnings(base.id_text, base.id_starts, slots))
        starts, members = grouping.members_of(groups, len(firsts), order)
        names = self._names(slots[members])
        distances, ends = grouping.own_distances(members, placed.starts, placed.distances)
        bounds = zip(pairwise(starts.tolist()), pairwise([0, *ends[starts[1:] - 1].tolist()]), strict=True)
        metres = distances.tolist()
        for reasons, ((begin, end), (first, last)) in zip(self._said_of(firsts), bounds, strict=True):
            yield Group(reasons, names[begin:end], metres[first:last])

    def _names(self, slots: np.ndarray) -> list[str]:
        text, ends = grouping.texts_of(self.base.id_text, self.base.id_starts, slots)
        together = text.tobytes()
        between = pairwise([0, *ends.tolist()])
        if not together.isascii():
            return [together[begin:end].decode() for begin, end in between]
        letters = together.decode()
        return [letters[begin:end] for begin, end in between]

    def _said_of(self, some: np.ndarray) -> Iterator[tuple[Reason, ...]]:
        """What groups say of some places among the slots: emergency, places from the nearest, areas, and the rest."""
        endings: dict[int, tuple[Reason, ...]] = {}
        emergency = self.concern.item.emergency
        every = zip(self._places_of(some), self._areas_of(some), self._endings[some].tolist(), strict=True)
        for places, areas, ending in every:
            rest = endings.get(ending)
            if rest is None:
                rest = endings[ending] = self._ending(ending)
            before = (self.wording.emergency,) if emergency and (places or areas) else ()
            yield (*before, *places, *areas, *rest)

    def _areas_of(self, some: np.ndarray) -> Iterator[list[Reason]]:
        base, known, slots = self.base, self._related, self.slots[some]
        numbers = _between(base.area_starts[slots], base.area_starts[slots + 1], base.area_numbers)
        made = {number: self.wording.area(known[number]) for number in set(chain(*numbers)) & known.keys()}
        return ([made[number] for number in theirs if number in made] for theirs in numbers)

    @cached_property
    def _related(self) -> dict[int, str]:
        """The related areas that somebody follows, by number."""
        areas = self.base.words.areas
        return {number: area for area in self.concern.related if (number := areas.get(area)) is not None}

    def _places_of(self, some: np.ndarray) -> Iterator[list[Reason]]:
        placed, place, word = self._placed, self.wording.place, self.base.words.places.word
        areas = [None] if self.concern.footprint is not None else self.concern.areas
        spans = placed.starts[some], placed.starts[some + 1]
        numbers, kinds = (_between(*spans, values) for values in (placed.numbers, placed.kinds))
        return (
            [
                place(word(number), areas[kind >> 1], measured=bool(kind & 1))
                for number, kind in zip(*theirs, strict=True)
            ]
            for theirs in zip(numbers, kinds, strict=True)
        )

    @cached_property
    def _placed(self) -> Placed:
        base, footprint = self.base, self.concern.footprint
        near = base.rows_of_areas(self.concern.areas) if self.near is None else self.near
        room = np.empty(len(base), np.int32)
        starts, rows = grouping.rows_of_slots(self.slots, near, base.place_slots, base.place_orders, room)
        if footprint is None:
            return Placed(starts, base.place_ids[rows], self._areas_of_rows(rows) << 1, np.zeros(len(rows)))
        distances = footprint.distances_within(
            base.longitudes[rows], base.latitudes[rows], base.radii[rows].astype(np.float64)
        )
        grouping.nearest_first(starts, rows, distances)
        return Placed(starts, base.place_ids[rows], (distances > 0.0).astype(np.int64), distances)

    def _areas_of_rows(self, rows: np.ndarray) -> np.ndarray:
        """The first of the item's areas that holds each place."""
        first = np.empty(len(self.base.place_slots), np.int32)
        for number in reversed(range(len(self.concern.areas))):
            first[self.base.rows_of_areas([self.concern.areas[number]])] = number
        return first[rows].astype(np.int64)

    @cached_property
    def _interests(self) -> list[tuple[str, int]]:
        """The item's interests that somebody follows, with their numbers."""
        base = self.base
        numbers = ((slug, base.words.interests.get(slug)) for slug in self.concern.interests)
        return [
            (slug, number) for slug, number in numbers if number is not None and number < len(base.interests)
        ]

    @cached_property
    def _endings(self) -> np.ndarray:
        """What does not depend on where they are: a bit for the organiser, then one for each interest."""
        base, item = self.base, self.concern.item
        followers = base.organisers.of(item.organiser.id) if item.organiser is not None else _NO_SLOTS
        numbers = np.array([number for _, number in self._interests], np.int64)
        return grouping.endings_of(self.slots, followers, base.interests, numbers)

    def _ending(self, bits: int) -> tuple[Reason, ...]:
        reasons = [self.wording.organiser(self.concern.item.organiser.id)] if bits & 1 else []
        reasons += [
            self.wording.interest(slug)
            for bit, (slug, _) in enumerate(self._interests, start=1)
            if bits >> bit & 1
        ]
        return tuple(reasons)


_NO_SLOTS = np.zeros(0, np.uint32)


def _between(begins: np.ndarray, ends: np.ndarray, values: np.ndarray) -> list[list[int]]:
    """The values from each begin to its end."""
    wide_begins, lengths = begins.astype(np.int64), ends.astype(np.int64) - begins
    after = np.cumsum(lengths)
    places = np.repeat(wide_begins - (after - lengths), lengths) + np.arange(int(lengths.sum()))
    together = values[places].tolist()
    return [together[begin:end] for begin, end in pairwise([0, *after.tolist()])]
