"""The part of an index that changes: a draft that can be searched.

A slot is written once and never changed but for being erased. A changed profile gets a new slot, so every list
of slots is ascending by itself and what a match found stays true while it is written out.
"""

from collections.abc import Iterator

import numpy as np
from kommunepuls_events import SubscriberProfileV1

from kommunepuls_matching.cells import discs_of
from kommunepuls_matching.columns import Column, Masks, Postings, Words
from kommunepuls_matching.draft import Chosen, Draft, PlaceRow, rank_of
from kommunepuls_matching.surroundings import Surroundings


class Segment(Draft):
    """A draft, and what it is searched by.

    Attributes:
        interest_masks: by slot.
        followers, by_organiser, by_muted, by_muted_interest, by_audience: slots by number.
        codes: by row, the number of the set of areas that hold the place.
        places_in: rows by number of an area that holds them.
    """

    def __init__(self, words: Words) -> None:
        super().__init__(words)
        self.interest_masks = Masks(words.interests)
        self.followers, self.by_organiser, self.by_muted = Postings(), Postings(), Postings()
        self.by_muted_interest, self.by_audience = Postings(), Postings()
        self.codes = Column(np.uint32)
        self.places_in = Postings()
        self._bounds = np.zeros((0, 4))

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
        for postings, numbers in (
            (self.followers, chosen.areas),
            (self.by_organiser, chosen.organisers),
            (self.by_muted, chosen.muted),
            (self.by_muted_interest, chosen.muted_interests),
            (self.by_audience, chosen.audience),
        ):
            for number in numbers:
                postings.append(number, slot)
        for place, code in enumerate(codes, start=row):
            self.codes.append(code)
            for area in self.words.surroundings.word(code):
                self.places_in.append(area, place)
        return slot

    def rows_of(self, slot: int) -> range:
        """The rows of a slot's places."""
        starts = self.place_starts.values
        return range(int(starts[slot]), int(starts[slot + 1]))

    def rows_near(self, west: float, south: float, east: float, north: float) -> np.ndarray:
        """The rows, ascending, that could lie within their radius of something inside the bounds (degrees)."""
        known = len(self._bounds)
        if known < len(self.place_slots):
            columns = (self.longitudes, self.latitudes, self.radii)
            more = discs_of(*(column.values[known:] for column in columns))
            self._bounds = np.concatenate((self._bounds, more))
        wests, souths, easts, norths = self._bounds.T
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
