"""The inverted index of one partition: who matches an item, without looking at everybody.

Held to :mod:`personaliser.domain.reference` by property tests. An answer is an array of slots; the reasons
of a slot are worked out when asked for, so that a native kernel can take the place of the array work here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from kommunepuls_events import ContentItemV1, Kind, Recipient, SubscriberProfileV1
from kommunepuls_geography import Geography

from personaliser.domain.columns import Numbering
from personaliser.domain.concern import Concern, is_offered
from personaliser.domain.reasons import Reasons
from personaliser.domain.segment import ITEM, ORGANISER, SOURCE, Segment

_FEWEST_ERASED = 1_024


@dataclass(frozen=True)
class Answer:
    """Whom an item concerns: slots of a segment, ascending. Stays true while the index goes on changing."""

    segment: Segment
    slots: np.ndarray
    reasons: Reasons

    def __len__(self) -> int:
        return len(self.slots)

    def subscribers(self) -> list[tuple[str, int]]:
        """Subscriber and slot, ordered by subscriber: the same order in every process."""
        names = self.segment.subscribers
        return sorted((names[slot], slot) for slot in self.slots.tolist())

    def recipient(self, subscriber: str, slot: int) -> Recipient:
        """One resident with the reasons, best first."""
        return Recipient(subscriber=subscriber, reasons=self.reasons.of(slot))


class ProfileIndex:
    """The profiles of one partition, live on every change."""

    def __init__(self, geography: Geography) -> None:
        self._geography = geography
        self._segment = Segment(Numbering(), Numbering())
        self._slots: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, subscriber: str) -> bool:
        return subscriber in self._slots

    def put(self, profile: SubscriberProfileV1) -> None:
        """Take a profile in, in place of the one held of that subscriber."""
        self.erase(profile.subscriber)
        self._slots[profile.subscriber] = self._segment.append(profile, self._geography)

    def erase(self, subscriber: str) -> None:
        """Forget a subscriber; nothing happens if there is none of that id."""
        slot = self._slots.pop(subscriber, None)
        if slot is None:
            return
        self._segment.alive.values[slot] = False
        erased = len(self._segment) - len(self._slots)
        if erased > _FEWEST_ERASED and erased > len(self._slots):
            self._segment = self._segment.without_the_erased()
            self._slots = {name: slot for slot, name in enumerate(self._segment.subscribers)}

    def relocate(self, geography: Geography) -> Iterator[None]:
        """Go over to new area knowledge; yields now and then, and profiles may change meanwhile."""
        self._geography = geography
        while True:
            segment = self._segment
            for step in segment.relocated(geography):
                yield step
                if segment is not self._segment:
                    break
            if segment is self._segment:
                return

    def match(self, concern: Concern) -> Answer:
        """Everybody whom the item concerns."""
        segment, item = self._segment, concern.item
        reasons = Reasons.of_item(segment, concern)
        if not is_offered(item):
            return Answer(segment, np.zeros(0, np.intp), reasons)
        located = np.zeros(len(segment), bool)
        located[reasons.followers] = True
        located[segment.place_slots.values[reasons.rows]] = True
        slots = np.flatnonzero(located)
        if not item.emergency:
            slots = slots[segment.interests.any_of(slots, concern.interests)]
        chosen = np.zeros(len(segment), bool)
        chosen[slots] = True
        chosen[reasons.organised] = True
        chosen &= segment.alive.values
        slots = np.flatnonzero(chosen)
        return Answer(segment, slots[self._wants(segment, item, concern, slots)], reasons)

    def mutes(self, subscriber: str, item: ContentItemV1) -> bool:
        """Whether the subscriber asked not to hear of such an item."""
        slot = self._slots[subscriber]
        return bool(_muted(self._segment, item, np.array([slot]))[0])

    def _wants(
        self, segment: Segment, item: ContentItemV1, concern: Concern, slots: np.ndarray
    ) -> np.ndarray:
        wants = ~_muted(segment, item, slots)
        if item.kind is Kind.ALERT:
            wants &= segment.minimum_severity.values[slots] <= item.severity.rank
        if item.audience:
            wants &= ~segment.has_audience.values[slots] | segment.audience.any_of(slots, item.audience)
        return wants


def _muted(segment: Segment, item: ContentItemV1, slots: np.ndarray) -> np.ndarray:
    if item.emergency:
        return np.zeros(len(slots), bool)
    keys = [(SOURCE, item.source), (ITEM, item.id)]
    if item.organiser is not None:
        keys.append((ORGANISER, item.organiser.id))
    muted = np.isin(slots, segment.muted.of_all(keys))
    if item.interests:
        muted |= segment.muted_interests.all_of(slots, item.interests)
    return muted
