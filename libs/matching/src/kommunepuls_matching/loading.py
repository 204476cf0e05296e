"""Many profiles taken in at once, before anybody asks for them: what a partition's log is read into."""

from kommunepuls_events import SubscriberProfileV1

from kommunepuls_matching.base import Base
from kommunepuls_matching.columns import Words
from kommunepuls_matching.draft import Draft
from kommunepuls_matching.merging import joined, rehearse
from kommunepuls_matching.packer import by_place, packed
from kommunepuls_matching.surroundings import Surroundings

# So many profiles are written into columns at once.
_AT_ONCE = 4_096


class Loading:
    """Takes profiles into an index that nobody else changes meanwhile; needs the compiled loops.

    Attributes:
        surroundings: which areas hold a place, as is known now.
        made: the new base of the index, once :meth:`work` is done.
    """

    def __init__(self, base: Base, words: Words, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        self.made = base
        self._base = base
        self._draft = Draft(words)
        self._slots: dict[str, int] = {}
        # Profiles that have a slot, but are not written yet.
        self._waiting: list[SubscriberProfileV1] = []

    def __len__(self) -> int:
        return self._base.alive + len(self._slots)

    def put(self, profile: SubscriberProfileV1) -> None:
        """Take a profile in, in place of the one there was of that subscriber."""
        subscriber, draft = profile.subscriber, self._draft
        self.erase(subscriber)
        self._slots[subscriber] = len(draft.subscribers)
        draft.subscribers.append(subscriber)
        draft.alive.append(1)
        self._waiting.append(profile)
        if len(self._waiting) == _AT_ONCE:
            self._write()

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._draft.take(waiting)

    def erase(self, subscriber: str) -> None:
        """Forget a subscriber; nothing happens if there is none of that id."""
        slot = self._slots.pop(subscriber, None)
        if slot is not None:
            self._draft.erase(slot)
        elif len(self._base) and (slot := self._base.slot_of(subscriber)) is not None:
            self._base.erase(slot)

    def work(self) -> None:
        """Make the base; for a thread, while nothing is put or erased."""
        self._write()
        draft, base = self._draft, self._base
        codes = self.surroundings.codes(draft.longitudes.values, draft.latitudes.values)
        made = joined(base, base.flags, base.surroundings, packed(draft, by_place(draft), codes))
        rehearse(made)
        self.made = made
