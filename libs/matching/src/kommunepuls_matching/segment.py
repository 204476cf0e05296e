"""The columns of an index: a slot for each profile, written once and never changed but for being erased.

A changed profile gets a new slot, so every list of slots is ascending by itself and what a match found
stays true while it is written out. :meth:`Segment.without_the_erased` takes the dead slots away.
"""

from collections.abc import Iterator

import numpy as np
from kommunepuls_events import SubscriberProfileV1
from kommunepuls_geography import Geography

from kommunepuls_matching.areas import areas_around
from kommunepuls_matching.columns import Column, Masks, Postings, Words
from kommunepuls_matching.grid import PlaceGrid

SOURCE, ORGANISER, ITEM = "source", "organiser", "item"


class Segment:
    """Profiles by slot, places by row.

    Attributes:
        subscribers: id by slot.
        alive: by slot, false once erased.
        minimum_severity: rank by slot.
        interests: those followed and not muted; muted_interests: those muted; audience: life stages.
        area_starts, area_numbers: followed areas of slot n at ``area_numbers[starts[n]:starts[n + 1]]``.
        place_starts: places of slot n are the rows ``starts[n]`` up to ``starts[n + 1]``.
        followers: slots by followed area; organisers: slots by organiser; muted: slots by what is muted.
        place_*: by row; places_in: rows by area that holds them; grid: rows by cell.
    """

    def __init__(self, words: Words) -> None:
        self.words, self.areas = words, words.areas
        self.subscribers: list[str] = []
        self.alive = Column(np.bool_)
        self.minimum_severity = Column(np.uint8)
        self.interests, self.muted_interests = Masks(words.interests), Masks(words.interests)
        self.audience = Masks(words.audience)
        self.has_audience = Column(np.bool_)
        self.area_starts = Column(np.uint32, np.zeros(1, np.uint32))
        self.area_numbers = Column(np.uint32)
        self.followers, self.organisers, self.muted = Postings(), Postings(), Postings()
        self.place_starts = Column(np.uint32, np.zeros(1, np.uint32))
        self.place_slots = Column(np.uint32)
        self.place_ids: list[str] = []
        self.longitudes, self.latitudes = Column(np.float64), Column(np.float64)
        self.radii = Column(np.float64)
        self.places_in = Postings()
        self.grid = PlaceGrid()

    def __len__(self) -> int:
        return len(self.subscribers)

    def name(self, slot: int) -> str:
        """The subscriber of a slot."""
        return self.subscribers[slot]

    def append(self, profile: SubscriberProfileV1, geography: Geography) -> int:
        """Write a profile into the next slot; returns the slot."""
        slot = len(self.subscribers)
        self.subscribers.append(profile.subscriber)
        self.alive.append(True)
        self.minimum_severity.append(profile.minimum_severity.rank)
        self.interests.append(set(profile.interests) - set(profile.muted.interests))
        self.muted_interests.append(profile.muted.interests)
        self.audience.append(profile.audience)
        self.has_audience.append(bool(profile.audience))
        for area in dict.fromkeys(profile.areas):
            number = self.areas.number(area)
            self.area_numbers.append(number)
            self.followers.append(number, slot)
        self.area_starts.append(len(self.area_numbers))
        for organiser in dict.fromkeys(profile.organisers):
            self.organisers.append(organiser, slot)
        muted = profile.muted
        for kind, ids in ((SOURCE, muted.sources), (ORGANISER, muted.organisers), (ITEM, muted.items)):
            for one in dict.fromkeys(ids):
                self.muted.append((kind, one), slot)
        for place in profile.places:
            row = len(self.place_ids)
            self.place_ids.append(place.id)
            self.place_slots.append(slot)
            self.longitudes.append(place.longitude)
            self.latitudes.append(place.latitude)
            self.radii.append(place.radius_metres)
            self.grid.append(row, place.longitude, place.latitude, place.radius_metres)
            for area in areas_around(place.longitude, place.latitude, geography):
                self.places_in.append(self.areas.number(area), row)
        self.place_starts.append(len(self.place_ids))
        return slot

    def rows_of(self, slot: int) -> range:
        """The rows of a slot's places."""
        starts = self.place_starts.values
        return range(int(starts[slot]), int(starts[slot + 1]))

    def areas_followed(self, slot: int) -> list[int]:
        """The numbers of the areas a slot follows, in the order of its profile."""
        starts = self.area_starts.values
        return self.area_numbers.values[int(starts[slot]) : int(starts[slot + 1])].tolist()

    def relocated(self, geography: Geography, step: int = 500) -> Iterator[None]:
        """Work out anew which areas hold each place; yields between steps, and new places may come meanwhile."""
        places_in = Postings()
        row = 0
        while row < len(self.place_ids):
            longitude, latitude = self.longitudes.values[row], self.latitudes.values[row]
            for area in areas_around(float(longitude), float(latitude), geography):
                places_in.append(self.areas.number(area), row)
            row += 1
            if row % step == 0:
                yield
        self.places_in = places_in

    def without_the_erased(self, alive: np.ndarray | None = None) -> "Segment":
        """A segment of the slots that are alive (or were), in their order, numbered anew from 0."""
        alive = self.alive.values if alive is None else alive
        slots = np.flatnonzero(alive)
        row_alive = alive[self.place_slots.values] if len(self.place_slots) else np.zeros(0, bool)
        rows = np.flatnonzero(row_alive)
        new_slots, new_rows = np.cumsum(alive) - 1, np.cumsum(row_alive) - 1
        kept = Segment(self.words)
        kept.subscribers = [self.subscribers[slot] for slot in slots.tolist()]
        kept.alive = Column(np.bool_, np.ones(len(slots), bool))
        kept.minimum_severity = Column(np.uint8, self.minimum_severity.values[slots])
        kept.interests = self.interests.kept(slots)
        kept.muted_interests = self.muted_interests.kept(slots)
        kept.audience = self.audience.kept(slots)
        kept.has_audience = Column(np.bool_, self.has_audience.values[slots])
        area_counts = np.diff(self.area_starts.values)
        kept.area_starts = _starts(area_counts[slots])
        kept.area_numbers = Column(np.uint32, self.area_numbers.values[np.repeat(alive, area_counts)])
        kept.followers = self.followers.renumbered(new_slots, alive)
        kept.organisers = self.organisers.renumbered(new_slots, alive)
        kept.muted = self.muted.renumbered(new_slots, alive)
        kept.place_starts = _starts(np.diff(self.place_starts.values)[slots])
        kept.place_slots = Column(np.uint32, new_slots[self.place_slots.values[rows]])
        kept.place_ids = [self.place_ids[row] for row in rows.tolist()]
        kept.longitudes = Column(np.float64, self.longitudes.values[rows])
        kept.latitudes = Column(np.float64, self.latitudes.values[rows])
        kept.radii = Column(np.float64, self.radii.values[rows])
        kept.places_in = self.places_in.renumbered(new_rows, row_alive)
        kept.grid = self.grid.renumbered(new_rows, row_alive)
        return kept


def _starts(counts: np.ndarray) -> Column:
    return Column(np.uint32, np.concatenate((np.zeros(1, np.int64), np.cumsum(counts))))
