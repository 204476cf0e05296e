"""Why an item concerns slots of the base, worked out for all who were found together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from kommunepuls_events import Reason
from kommunepuls_events.matches import each_with

from kommunepuls_matching import grouping
from kommunepuls_matching.base import Base
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.packing import grouped
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
        groups, firsts = grouping.grouped_by_path(
            slots, self._endings, base.area_starts, base.area_numbers, self._speaks,
            placed.starts, placed.numbers, placed.kinds,
        )  # fmt: skip
        # Nearly in the order of their ids, which makes putting them into it a matter of looking on.
        order = np.argsort(grouping.beginnings(base.id_text, base.id_starts, slots))
        starts, places = grouped(groups[order], len(firsts))
        members = order[places]
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
        places, place_ends = self._places_of(some)
        areas, area_ends = self._areas_of(some)
        endings = {bits: self._ending(bits) for bits in np.unique(self._endings[some]).tolist()}
        before = (self.wording.emergency,) if self.concern.item.emergency else ()
        place = area = 0
        for ending, place_end, area_end in zip(
            self._endings[some].tolist(), place_ends, area_ends, strict=True
        ):
            located = place_end > place or area_end > area
            yield (
                *(before if located else ()),
                *places[place:place_end],
                *areas[area:area_end],
                *endings[ending],
            )
            place, area = place_end, area_end

    def _areas_of(self, some: np.ndarray) -> tuple[list[Reason], list[int]]:
        """The reasons of all of them, one after the other, and where those of each end."""
        base, slots, area = self.base, self.slots[some], self.wording.area
        where, whose = _between(base.area_starts[slots], base.area_starts[slots + 1])
        numbers = base.area_numbers[where]
        speaks = self._speaks[numbers]
        ends = np.cumsum(np.bincount(whose[speaks], minlength=len(some))).tolist()
        return _made(numbers[speaks], lambda number: area(self._related[number])), ends

    @cached_property
    def _related(self) -> dict[int, str]:
        """The related areas that somebody follows, by number."""
        areas = self.base.words.areas
        return {number: area for area in self.concern.related if (number := areas.get(area)) is not None}

    @cached_property
    def _speaks(self) -> np.ndarray:
        """Whether the area of a number is a related one."""
        found = np.zeros(len(self.base.words.areas) + 1, bool)
        found[list(self._related)] = True
        return found

    def _places_of(self, some: np.ndarray) -> tuple[list[Reason], list[int]]:
        placed, word = self._placed, self.base.words.places.word
        areas = [None] if self.concern.footprint is not None else self.concern.areas
        where, whose = _between(placed.starts[some], placed.starts[some + 1])
        kinds = 2 * len(areas)

        def reason(both: int) -> Reason:
            number, kind = divmod(both, kinds)
            return self.wording.place(word(number), areas[kind >> 1], measured=bool(kind & 1))

        both = placed.numbers[where].astype(np.int64) * kinds + placed.kinds[where]
        return _made(both, reason), np.cumsum(np.bincount(whose, minlength=len(some))).tolist()

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


def _between(begins: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The numbers from each begin to its end, one after the other, and which of them each belongs to."""
    wide_begins, lengths = begins.astype(np.int64), ends.astype(np.int64) - begins
    after = np.cumsum(lengths)
    whose = np.repeat(np.arange(len(lengths)), lengths)
    return (wide_begins - (after - lengths))[whose] + np.arange(len(whose)), whose


def _made(codes: np.ndarray, reason: Callable[[int], Reason]) -> list[Reason]:
    """The reason of each code, made once for those that are the same."""
    different, which = np.unique(codes, return_inverse=True)
    reasons = [reason(code) for code in different.tolist()]
    return [reasons[one] for one in which.tolist()]
