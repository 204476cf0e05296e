"""The inverted index of one partition: who matches an item, without looking at everybody.

Held to :mod:`kommunepuls_matching.reference` by property tests. Nearly all profiles stand in a compact base
that native loops search; those that came since stand in a segment of growing columns. A merge makes a new
base of both beside them, see :class:`kommunepuls_matching.merging.Merge`. An answer is arrays of slots; the
reasons are worked out when asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from kommunepuls_events import ContentItemV1, Kind, Reason, SubscriberProfileV1
from kommunepuls_geography import Geography

from kommunepuls_matching import compiling
from kommunepuls_matching.base import Base, muting_keys
from kommunepuls_matching.base_reasons import BaseReasons
from kommunepuls_matching.columns import Words
from kommunepuls_matching.concern import Concern, is_offered
from kommunepuls_matching.loading import Loading
from kommunepuls_matching.merging import Merge, empty
from kommunepuls_matching.reasons import Reasons
from kommunepuls_matching.segment import Segment
from kommunepuls_matching.sharing import Group, Wording, joined
from kommunepuls_matching.surroundings import Surroundings

_FEWEST_ERASED = 1_024
# A segment is merged when it has this many slots, or this share of those of the base if that is more.
_FEWEST_MERGED = 4_096
_MERGED_SHARE = 1 / 128


@dataclass(frozen=True)
class Found:
    """What a part of an index found, whose own slots begin at ``offset``."""

    part: Base | Segment
    offset: int
    reasons: BaseReasons | Reasons

    @property
    def slots(self) -> np.ndarray:
        """Of that part, ascending."""
        return self.reasons.slots


@dataclass(frozen=True)
class Answer:
    """Whom an item concerns. Stays true while the index goes on changing."""

    found: tuple[Found, ...]

    def __len__(self) -> int:
        return sum(len(one.slots) for one in self.found)

    def subscribers(self) -> list[tuple[str, int]]:
        """Subscriber and slot, ordered by subscriber: the same order in every process."""
        return sorted(
            (one.part.name(slot), one.offset + slot) for one in self.found for slot in one.slots.tolist()
        )

    def reasons(self, slot: int) -> tuple[Reason, ...]:
        """Why one of them is concerned, by a slot of :meth:`subscribers`; best reason first."""
        for one in self.found:
            if slot < one.offset + len(one.part):
                return one.reasons.of(slot - one.offset)
        raise IndexError(slot)

    def groups(self) -> list[Group]:
        """All of them, by the reasons they share; ordered as :func:`~kommunepuls_matching.sharing.joined` says."""
        return joined(group for one in self.found for group in one.reasons.groups())


class ProfileIndex:
    """The profiles of one partition, live on every change."""

    def __init__(self, geography: Geography) -> None:
        self._words = Words()
        self._surroundings = Surroundings(geography, self._words)
        self._base = empty(self._words)
        self._segment = Segment(self._words)
        self._slots: dict[str, int] = {}
        # What is being merged: no longer added to, but still searched and erased from.
        self._merging: Segment | None = None
        self._merging_slots: dict[str, int] = {}
        self._merge: Merge | None = None
        self._relocating = False

    def __len__(self) -> int:
        return self._base.alive + len(self._merging_slots) + len(self._slots)

    def __contains__(self, subscriber: str) -> bool:
        return (
            subscriber in self._slots
            or subscriber in self._merging_slots
            or self._base.slot_of(subscriber) is not None
        )

    @property
    def base(self) -> Base:
        """The part that is compact."""
        return self._base

    @property
    def unmerged(self) -> int:
        """How many slots would be taken in by a merge that begins now."""
        return len(self._segment)

    def put(self, profile: SubscriberProfileV1) -> None:
        """Take a profile in, in place of the one held of that subscriber."""
        self.erase(profile.subscriber)
        self._slots[profile.subscriber] = self._segment.put(profile, self._surroundings)

    def erase(self, subscriber: str) -> None:
        """Forget a subscriber; nothing happens if there is none of that id."""
        slot = self._slots.pop(subscriber, None)
        if slot is not None:
            self._segment.erase(slot)
            erased = len(self._segment) - len(self._slots)
            if erased > _FEWEST_ERASED and erased > len(self._slots):
                self._segment = self._segment.without_the_erased()
                self._slots = {name: slot for slot, name in enumerate(self._segment.subscribers)}
            return
        slot = self._merging_slots.pop(subscriber, None)
        if slot is not None:
            self._merging.erase(slot)
            if self._merge is not None:
                self._merge.erased(self._merging, slot)
        elif (slot := self._base.slot_of(subscriber)) is not None:
            self._base.erase(slot)
            if self._merge is not None:
                self._merge.erased(self._base, slot)

    def begin_loading(self) -> Loading:
        """Begin to take many profiles in at once; none may be put or erased by itself until :meth:`load`."""
        return Loading(self._base, self._words, self._surroundings)

    def load(self, loading: Loading) -> bool:
        """Go over to what was loaded; false if new area knowledge overtook it, which has to work again."""
        if loading.surroundings is not self._surroundings:
            loading.surroundings = self._surroundings
            return False
        self._base = loading.made
        return True

    @property
    def wants_merging(self) -> bool:
        """Whether so much has changed that a merge had better begin; never while one is going on."""
        if not compiling.AVAILABLE or self._merge is not None or self._relocating:
            return False
        dead = len(self._base) - self._base.alive
        return (
            self._merging is not None
            or len(self._segment) >= max(_FEWEST_MERGED, len(self._base) * _MERGED_SHARE)
            or dead > max(_FEWEST_MERGED, self._base.alive)
        )

    def begin_merging(self) -> Merge:
        """Begin a merge: its ``work`` may run in a thread, then :meth:`adopt` takes it over."""
        if self._merging is None:
            self._merging, self._merging_slots = self._segment, self._slots
            self._segment, self._slots = Segment(self._words), {}
        self._merge = Merge(self._base, self._merging)
        return self._merge

    def adopt(self, merge: Merge) -> None:
        """Go over to what a merge made. One that was overtaken by new area knowledge is of no use."""
        if merge is self._merge:
            self._base = merge.finished()
            self._merging, self._merging_slots, self._merge = None, {}, None

    def abandon(self, merge: Merge) -> None:
        """Go on without what a merge made; what it should have taken in stays where it is."""
        if merge is self._merge:
            self._merge = None

    def relocate(self, geography: Geography) -> Iterator[None]:
        """Go over to new area knowledge; yields now and then, and profiles may change meanwhile."""
        self._surroundings = surroundings = Surroundings(geography, self._words)
        self._relocating, self._merge = True, None
        try:
            yield from self._base.relocated(surroundings)
            if self._merging is not None:
                yield from self._merging.relocated(surroundings)
            while True:
                segment = self._segment
                for step in segment.relocated(surroundings):
                    yield step
                    if segment is not self._segment:
                        break
                if segment is self._segment:
                    return
        finally:
            self._relocating = False

    def match(self, concern: Concern) -> Answer:
        """Everybody whom the item concerns."""
        if not is_offered(concern.item):
            return Answer(())
        found, offset, wording = [], 0, Wording()
        if len(self._base):
            slots, rows = self._base.match(concern)
            found.append(Found(self._base, 0, BaseReasons(self._base, concern, wording, slots, rows)))
            offset = len(self._base)
        for segment in (self._merging, self._segment):
            if segment is not None and len(segment):
                found.append(Found(segment, offset, _matched(segment, concern, wording)))
                offset += len(segment)
        return Answer(tuple(found))

    def mutes(self, subscriber: str, item: ContentItemV1) -> bool:
        """Whether the subscriber asked not to hear of such an item.

        Raises:
            KeyError: if there is no such subscriber.
        """
        for segment, slots in ((self._segment, self._slots), (self._merging, self._merging_slots)):
            if subscriber in slots:
                return bool(_muted(segment, item, np.array([slots[subscriber]]))[0])
        slot = self._base.slot_of(subscriber)
        if slot is None:
            raise KeyError(subscriber)
        return self._base.mutes(slot, item)


def _matched(segment: Segment, concern: Concern, wording: Wording) -> Reasons:
    """Whom of a segment the item concerns."""
    item, reasons = concern.item, Reasons.of_item(segment, concern, wording)
    located = np.zeros(len(segment), bool)
    located[reasons.followers] = True
    located[segment.place_slots.values[reasons.rows]] = True
    slots = np.flatnonzero(located)
    if not item.emergency:
        slots = slots[segment.interest_masks.any_of(slots, concern.interests)]
    chosen = np.zeros(len(segment), bool)
    chosen[slots] = True
    chosen[reasons.organised] = True
    chosen &= segment.living()
    slots = np.flatnonzero(chosen)
    return replace(reasons, slots=slots[_wants(segment, item, slots)])


def _wants(segment: Segment, item: ContentItemV1, slots: np.ndarray) -> np.ndarray:
    wants = ~_muted(segment, item, slots)
    if item.kind is Kind.ALERT:
        wants &= segment.minimum_severity.values[slots] <= item.severity.rank
    if item.audience:
        audience = segment.words.audience
        meant = segment.by_audience.of_all(audience[one] for one in item.audience if one in audience)
        wants &= (np.diff(segment.audience.starts)[slots] == 0) | np.isin(slots, meant)
    return wants


def _muted(segment: Segment, item: ContentItemV1, slots: np.ndarray) -> np.ndarray:
    if item.emergency:
        return np.zeros(len(slots), bool)
    numbers = (segment.words.muted.get(key) for key in muting_keys(item))
    muted = np.isin(slots, segment.by_muted.of_all(number for number in numbers if number is not None))
    if item.interests:
        interests = segment.words.interests
        all_muted = np.ones(len(slots), bool)
        for one in item.interests:
            all_muted &= np.isin(slots, segment.by_muted_interest.of(interests.get(one)))
        muted |= all_muted
    return muted
