"""Profiles as they came, in flat columns: quick to write, and what a base is made of."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from kommunepuls_events import Muted, SubscriberProfileV1

from kommunepuls_matching.columns import Column, Lists, Words

SOURCE, ORGANISER, ITEM = "source", "organiser", "item"
PlaceRow = tuple[int, float, float, float]
"""The number of a place's id, its longitude and latitude in degrees, its radius in metres."""


class Chosen(NamedTuple):
    """What a profile chose, in numbers, none twice; ``interests`` are those followed and not muted."""

    areas: list[int]
    interests: list[int]
    organisers: list[int]
    muted_interests: list[int]
    audience: list[int]
    muted: list[int]

    @classmethod
    def of(cls, profile: SubscriberProfileV1, words: Words) -> "Chosen":
        """Work it out; unknown words get numbers."""
        muted = profile.muted
        interests = words.interests.of(profile.interests)
        muted_interests: list[int] = []
        keys: list[int] = []
        if muted.interests:
            muted_interests = words.interests.of(muted.interests)
            interests = [one for one in interests if one not in muted_interests]
        if muted.sources or muted.organisers or muted.items:
            keys = words.muted.of(_muted_keys(muted))
        return cls(
            words.areas.of(profile.areas),
            interests,
            words.organisers.of(profile.organisers) if profile.organisers else [],
            muted_interests,
            words.audience.of(profile.audience) if profile.audience else [],
            keys,
        )


def rank_of(profile: SubscriberProfileV1) -> int:
    """The rank of its minimum severity."""
    return profile.minimum_severity.rank


def _once(words: Sequence[str]) -> Sequence[str]:
    """The words, none twice."""
    return words if len(words) < 2 or len(set(words)) == len(words) else tuple(dict.fromkeys(words))


def _muted_keys(muted: Muted) -> Sequence[tuple[str, str]]:
    """What is muted besides interests, as pairs of kind and id."""
    if not (muted.sources or muted.organisers or muted.items):
        return ()
    kinds = ((SOURCE, muted.sources), (ORGANISER, muted.organisers), (ITEM, muted.items))
    return [(kind, one) for kind, ids in kinds for one in _once(ids)]


class Draft:
    """Profiles by slot, places by row.

    Attributes:
        subscribers: id by slot; alive: by slot, 0 once erased.
        minimum_severity: rank by slot.
        areas, interests, organisers, muted_interests, audience, muted: numbers by slot, as :class:`Chosen`.
        place_starts: places of slot n are the rows ``starts[n]`` up to ``starts[n + 1]``.
        place_slots, place_ids, longitudes, latitudes, radii: by row; ids by their number.
    """

    def __init__(self, words: Words) -> None:
        self.words = words
        self.subscribers: list[str] = []
        self.alive = bytearray()
        self.minimum_severity = Column(np.uint8)
        self.areas, self.interests, self.organisers = Lists(), Lists(), Lists()
        self.muted_interests, self.audience, self.muted = Lists(), Lists(), Lists()
        self.place_starts = Column(np.uint32, np.zeros(1, np.uint32))
        self.place_slots, self.place_ids = Column(np.uint32), Column(np.uint32)
        self.longitudes, self.latitudes = Column(np.float64), Column(np.float64)
        self.radii = Column(np.float64)

    def __len__(self) -> int:
        return len(self.subscribers)

    def places_of(self, profile: SubscriberProfileV1) -> list[PlaceRow]:
        """The rows of a profile's places."""
        numbers = self.words.places
        return [
            (numbers[place.id], place.longitude, place.latitude, place.radius_metres)
            for place in profile.places
        ]

    def append(self, subscriber: str, rank: int, chosen: Chosen, places: list[PlaceRow]) -> int:
        """Write a profile into the next slot; returns the slot."""
        slot = len(self.subscribers)
        self.subscribers.append(subscriber)
        self.alive.append(1)
        self.minimum_severity.append(rank)
        self.areas.append(chosen.areas)
        self.interests.append(chosen.interests)
        self.organisers.append(chosen.organisers)
        self.muted_interests.append(chosen.muted_interests)
        self.audience.append(chosen.audience)
        self.muted.append(chosen.muted)
        for number, longitude, latitude, radius in places:
            self.place_slots.append(slot)
            self.place_ids.append(number)
            self.longitudes.append(longitude)
            self.latitudes.append(latitude)
            self.radii.append(radius)
        self.place_starts.append(len(self.place_slots))
        return slot

    def take(self, profiles: Sequence[SubscriberProfileV1]) -> None:
        """Write many profiles whose subscribers have their slots already, at a fifth of what each costs by itself."""
        words, first = self.words, len(self.minimum_severity)
        muted = [one.muted for one in profiles]
        muted_interests = [_once(one.interests) for one in muted]
        self.minimum_severity.take([rank_of(one) for one in profiles])
        self.areas.take([_once(one.areas) for one in profiles], words.areas)
        self.interests.take(
            [
                [slug for slug in _once(one.interests) if slug not in theirs]
                if theirs
                else _once(one.interests)
                for one, theirs in zip(profiles, muted_interests, strict=True)
            ],
            words.interests,
        )
        self.organisers.take([_once(one.organisers) for one in profiles], words.organisers)
        self.muted_interests.take(muted_interests, words.interests)
        self.audience.take([_once(one.audience) for one in profiles], words.audience)
        self.muted.take([_muted_keys(one) for one in muted], words.muted)
        counts = [len(one.places) for one in profiles]
        places = [place for one in profiles for place in one.places]
        self.place_slots.take(np.repeat(np.arange(first, first + len(counts)), counts))
        self.place_ids.take([words.places[one.id] for one in places])
        self.longitudes.take([one.longitude for one in places])
        self.latitudes.take([one.latitude for one in places])
        self.radii.take([one.radius_metres for one in places])
        self.place_starts.take(self.place_starts.values[-1] + np.cumsum(counts))

    def chosen(self, slot: int) -> Chosen:
        """What a slot chose."""
        return Chosen(*(getattr(self, name).of(slot) for name in Chosen._fields))

    def erase(self, slot: int) -> None:
        """Leave a slot out of whatever is made of the draft later."""
        self.alive[slot] = 0

    def settle(self) -> None:
        """Let several threads read: a column moves what waits to its values when it is asked for them."""
        for kept in vars(self).values():
            if isinstance(kept, Column | Lists):
                kept.settle()

    def living(self) -> np.ndarray:
        """By slot, whether it is not erased: a boolean array of its own."""
        return np.frombuffer(bytes(self.alive), np.bool_)
