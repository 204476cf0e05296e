"""Why an item concerns a slot, worked out for one slot at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from kommunepuls_events import Reason
from kommunepuls_events.matches import each_with

from kommunepuls_matching.columns import is_among
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.segment import Segment
from kommunepuls_matching.sharing import Group, Wording


@dataclass(frozen=True)
class Reasons:
    """What was found for an item in a segment.

    Attributes:
        followers: slots that follow a related area, perhaps some twice.
        rows: rows of places that are near, ascending.
        organised: slots that follow the organiser, ascending.
        related: numbers of the related areas that are known to the segment.
        by_area: for an item without geometry its areas, each with the rows of the places in it, ascending.
        slots: who is concerned.
    """

    segment: Segment
    concern: Concern
    wording: Wording
    followers: np.ndarray
    rows: np.ndarray
    organised: np.ndarray
    related: frozenset[int]
    by_area: tuple[tuple[str, np.ndarray], ...]
    slots: np.ndarray

    @classmethod
    def of_item(cls, segment: Segment, concern: Concern, wording: Wording) -> "Reasons":
        """Look an item up."""
        numbers = (segment.words.areas.get(area) for area in concern.related)
        related = frozenset(number for number in numbers if number is not None)
        organiser = concern.item.organiser
        by_area: tuple[tuple[str, np.ndarray], ...] = ()
        if concern.footprint is not None:
            rows = _rows_near(segment, concern)
        else:
            known = ((area, segment.words.areas.get(area)) for area in concern.areas)
            by_area = tuple(
                (area, segment.places_in.of(number)) for area, number in known if number is not None
            )
            rows = np.unique(np.concatenate([rows for _, rows in by_area])) if by_area else _NO_ROWS
        return cls(
            segment=segment,
            concern=concern,
            wording=wording,
            followers=segment.followers.of_all(related),
            rows=rows,
            organised=_organised(segment, organiser.id) if organiser is not None else _NO_ROWS,
            related=related,
            by_area=by_area,
            slots=_NO_ROWS,
        )

    def of(self, slot: int) -> tuple[Reason, ...]:
        """Every reason of one slot: emergency, places from the nearest, areas, organiser, interests."""
        reasons, distances = self._said_of(slot)
        ((_, measured),) = each_with(reasons, ("",), distances)
        return measured

    def groups(self) -> Iterator[Group]:
        """All who are concerned, one by one; who shares reasons is found when they are joined."""
        for slot in self.slots.tolist():
            reasons, distances = self._said_of(slot)
            yield Group(reasons, [self.segment.name(slot)], distances)

    def _said_of(self, slot: int) -> tuple[tuple[Reason, ...], list[float]]:
        """The reasons of one slot as a group says them, and the distances that it says beside."""
        segment, item, wording = self.segment, self.concern.item, self.wording
        rows = [row for row in segment.rows_of(slot) if is_among(row, self.rows)]
        metres = dict.fromkeys(rows, 0.0) if self.concern.footprint is None else self._distances
        rows.sort(key=metres.__getitem__)
        reasons = [self._place(row, metres[row]) for row in rows] + [
            wording.area(segment.words.areas.word(number))
            for number in segment.areas.of(slot)
            if number in self.related
        ]
        if reasons and item.emergency:
            reasons.insert(0, wording.emergency)
        if is_among(slot, self.organised):
            reasons.append(wording.organiser(item.organiser.id))
        reasons += [
            wording.interest(slug)
            for slug in self.concern.interests
            if segment.interest_masks.has(slot, slug)
        ]
        return tuple(reasons), [metres[row] for row in rows if metres[row] > 0.0]

    @cached_property
    def _distances(self) -> dict[int, float]:
        """Metres by row, all measured at once."""
        places = self.segment.longitudes, self.segment.latitudes, self.segment.radii
        measured = self.concern.footprint.distances_within(*(column.values[self.rows] for column in places))
        return dict(zip(self.rows.tolist(), measured.tolist(), strict=True))

    def _place(self, row: int, metres: float) -> Reason:
        segment = self.segment
        place = segment.words.places.word(int(segment.place_ids.values[row]))
        area = next((area for area, rows in self.by_area if is_among(row, rows)), None)
        return self.wording.place(place, area, measured=metres > 0.0)


_NO_ROWS = np.zeros(0, np.uint32)


def _rows_near(segment: Segment, concern: Concern) -> np.ndarray:
    """The rows whose place lies within its radius of the item's geometry, ascending."""
    rows = segment.rows_near(*concern.footprint.bounds)
    rows = rows[segment.living()[segment.place_slots.values[rows]]]
    if not len(rows):
        return _NO_ROWS
    within = concern.footprint.which_within(
        segment.longitudes.values[rows], segment.latitudes.values[rows], segment.radii.values[rows]
    )
    return rows[within].astype(np.uint32)


def _organised(segment: Segment, organiser: str) -> np.ndarray:
    number = segment.words.organisers.get(organiser)
    return _NO_ROWS if number is None else segment.by_organiser.of(number)
