"""The part of an index that changes: a draft that can be searched.

A slot is written once and never changed but for being erased. A changed profile gets a new slot, so every list
of slots is ascending by itself and what a match found stays true while it is written out.
"""

from collections.abc import Iterator

import numpy as np
from kommunepuls_events import SubscriberProfileV1

from kommunepuls_matching.columns import Column, Masks, Postings, Words
from kommunepuls_matching.draft import Chosen, Draft, PlaceRow, rank_of
from kommunepuls_matching.plane import reach_degrees
from kommunepuls_matching.surroundings import Surroundings


class Segment(Draft):
    """A draft, and what it is searched by.

    Attributes:
        interest_masks, muted_masks, audience_masks: by slot.
        followers: slots by followed area; by_organiser: by organiser; by_muted: by what is muted; all by number.
        codes: by row, the number of the set of areas that hold the place.
        places_in: rows by number of an area that holds them.
        bounds: by row, west, south, east and north (degrees) of what lies within its radius.
    """

    def __init__(self, words: Words) -> None:
        super().__init__(words)
        self.interest_masks, self.muted_masks = Masks(words.interests), Masks(words.interests)
        self.audience_masks = Masks(words.audience)
        self.followers, self.by_organiser, self.by_muted = Postings(), Postings(), Postings()
        self.codes = Column(np.uint32)
        self.places_in = Postings()
        self.bounds = tuple(Column(np.float64) for _ in range(4))

    def name(self, slot: int) -> str:
        """The subscriber of a slot."""
        return self.subscribers[slot]

    def put(self, profile: SubscriberProfileV1, surroundings: Surroundings) -> int:
        """Write a profile into the next slot; returns the slot."""
        places = self.places_of(profile)
        codes = [surroundings.code(place[1], place[2]) for place in places]
        return self._write(
            profile.subscriber, rank_of(profile), Chosen.of(profile, self.words), places, codes
        )

    def _write(
        self, subscriber: str, rank: int, chosen: Chosen, places: list[PlaceRow], codes: list[int]
    ) -> int:
        row = len(self.place_slots)
        slot = self.append(subscriber, rank, chosen, places)
        self.interest_masks.append(chosen.interests)
        self.muted_masks.append(chosen.muted_interests)
        self.audience_masks.append(chosen.audience)
        for number in chosen.areas:
            self.followers.append(number, slot)
        for number in chosen.organisers:
            self.by_organiser.append(number, slot)
        for number in chosen.muted:
            self.by_muted.append(number, slot)
        for code, place in zip(codes, places, strict=True):
            self.codes.append(code)
            for column, bound in zip(self.bounds, _bounds(*place[1:]), strict=True):
                column.append(bound)
            for area in self.words.surroundings.word(code):
                self.places_in.append(area, row)
            row += 1
        return slot

    def rows_of(self, slot: int) -> range:
        """The rows of a slot's places."""
        starts = self.place_starts.values
        return range(int(starts[slot]), int(starts[slot + 1]))

    def rows_near(self, west: float, south: float, east: float, north: float) -> np.ndarray:
        """The rows, ascending, that could lie within their radius of something inside the bounds (degrees)."""
        wests, souths, easts, norths = (column.values for column in self.bounds)
        return np.flatnonzero((wests <= east) & (easts >= west) & (souths <= north) & (norths >= south))

    def relocated(self, surroundings: Surroundings, step: int = 500) -> Iterator[None]:
        """Work out anew which areas hold each place; yields between steps, and new places may come meanwhile."""
        places_in, codes = Postings(), Column(np.uint32)
        while len(codes) < len(self.place_slots):
            some = slice(len(codes), len(codes) + step)
            found = surroundings.codes(self.longitudes.values[some], self.latitudes.values[some]).tolist()
            for row, code in enumerate(found, start=len(codes)):
                for area in self.words.surroundings.word(code):
                    places_in.append(area, row)
            codes.extend(found)
            if len(found) == step:
                yield
        self.places_in, self.codes = places_in, codes

    def without_the_erased(self) -> "Segment":
        """A segment of the slots that are alive, in their order, numbered anew from 0."""
        kept = Segment(self.words)
        columns = (self.place_ids, self.longitudes, self.latitudes, self.radii)
        places = list(zip(*(column.values.tolist() for column in columns), strict=True))
        codes = self.codes.values.tolist()
        ranks = self.minimum_severity.values.tolist()
        for slot in np.flatnonzero(self.living()).tolist():
            rows = self.rows_of(slot)
            theirs = slice(rows.start, rows.stop)
            kept._write(self.subscribers[slot], ranks[slot], self.chosen(slot), places[theirs], codes[theirs])
        return kept


def _bounds(longitude: float, latitude: float, metres: float) -> tuple[float, float, float, float]:
    wide, high = reach_degrees(latitude, metres)
    west, east = longitude - wide, longitude + wide
    if west <= -180.0 or east >= 180.0:  # over the 180th meridian, or the pole
        west, east = -180.0, 180.0
    return west, latitude - high, east, latitude + high
