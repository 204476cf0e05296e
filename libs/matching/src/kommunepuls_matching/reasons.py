"""Why an item concerns a slot, worked out for one slot at a time."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from kommunepuls_events import Reason, ReasonType

from kommunepuls_matching.columns import is_among
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.segment import Segment


@dataclass(frozen=True)
class Reasons:
    """What was found for an item in a segment.

    Attributes:
        followers: slots that follow a related area, perhaps some twice.
        rows: rows of places that are near, ascending.
        organised: slots that follow the organiser, ascending.
        related: numbers of the related areas that are known to the segment.
        by_area: for an item without geometry its areas, each with the rows of the places in it, ascending.
    """

    segment: Segment
    concern: Concern
    followers: np.ndarray
    rows: np.ndarray
    organised: np.ndarray
    related: frozenset[int]
    by_area: tuple[tuple[str, np.ndarray], ...]

    @classmethod
    def of_item(cls, segment: Segment, concern: Concern) -> "Reasons":
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
            followers=segment.followers.of_all(related),
            rows=rows,
            organised=_organised(segment, organiser.id) if organiser is not None else _NO_ROWS,
            related=related,
            by_area=by_area,
        )

    def of(self, slot: int) -> tuple[Reason, ...]:
        """Every reason of one slot: emergency, places from the nearest, areas, organiser, interests."""
        segment, item = self.segment, self.concern.item
        places = sorted(
            (self._place(row) for row in segment.rows_of(slot) if is_among(row, self.rows)),
            key=lambda reason: reason.distance_metres,
        )
        areas = [
            Reason(type=ReasonType.AREA, area=segment.words.areas.word(number))
            for number in segment.areas.of(slot)
            if number in self.related
        ]
        reasons = [*places, *areas]
        if reasons and item.emergency:
            reasons.insert(0, Reason(type=ReasonType.EMERGENCY))
        if is_among(slot, self.organised):
            reasons.append(Reason(type=ReasonType.ORGANISER, organiser=item.organiser.id))
        reasons += [
            Reason(type=ReasonType.INTEREST, interest=slug)
            for slug in self.concern.interests
            if segment.interest_masks.has(slot, slug)
        ]
        return tuple(reasons)

    def of_many(self, slots: np.ndarray) -> list[tuple[Reason, ...]]:
        """The reasons of several slots."""
        return [self.of(slot) for slot in slots.tolist()]

    @cached_property
    def _distances(self) -> dict[int, float]:
        """Metres by row, all measured at once."""
        places = self.segment.longitudes, self.segment.latitudes, self.segment.radii
        measured = self.concern.footprint.distances_within(*(column.values[self.rows] for column in places))
        return dict(zip(self.rows.tolist(), measured.tolist(), strict=True))

    def _place(self, row: int) -> Reason:
        segment = self.segment
        place = segment.words.places.word(int(segment.place_ids.values[row]))
        if self.concern.footprint is None:
            area = next(area for area, rows in self.by_area if is_among(row, rows))
            return Reason(type=ReasonType.PLACE, place=place, distance_metres=0.0, area=area)
        return Reason(type=ReasonType.PLACE, place=place, distance_metres=self._distances[row])


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
