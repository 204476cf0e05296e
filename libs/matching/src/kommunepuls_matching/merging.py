"""Taking new profiles into the base: a copy of both in new arrays, made beside the index that is in use.

:meth:`Merge.work` runs in a thread of its own and reads nothing that changes: who was alive is noted when
the merge begins, and who was erased meanwhile is erased in the new base when it is taken over.
"""

from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, datetime

import numpy as np
import shapely
from kommunepuls_events import ContentItemV1, Kind

from kommunepuls_matching import native
from kommunepuls_matching.base import Base
from kommunepuls_matching.base_reasons import BaseReasons
from kommunepuls_matching.columns import Words, starts_of
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.footprint import Footprint
from kommunepuls_matching.packer import laid_out, packed
from kommunepuls_matching.packing import joined_postings, joined_sets, picked_lists
from kommunepuls_matching.postings import Blocked, Packed
from kommunepuls_matching.segment import Segment
from kommunepuls_matching.sharing import Wording


class Merge:
    """A new base of the one in use and of a segment.

    Attributes:
        made: the new base, once :meth:`work` is done.
    """

    def __init__(self, base: Base, segment: Segment) -> None:
        self.base, self.segment = base, segment
        self.made: Base | None = None
        self._flags, self._surroundings = base.flags.copy(), base.surroundings
        self._alive, self._codes = segment.living(), segment.codes.values
        segment.settle()
        self._erased: list[tuple[Base | Segment, int]] = []

    def erased(self, part: Base | Segment, slot: int) -> None:
        """Note that a slot was erased after the merge began."""
        self._erased.append((part, slot))

    def work(self) -> None:
        """Make the new base; for a thread."""
        new = packed(self.segment, np.flatnonzero(self._alive), self._codes)
        self._old_slots = np.cumsum(self._flags < native.DEAD) - 1
        self._new_slots = np.cumsum(self._alive) - 1 + int(np.count_nonzero(self._flags < native.DEAD))
        made = joined(self.base, self._flags, self._surroundings, new)
        rehearse(made)
        self.made = made

    def finished(self) -> Base:
        """The new base, without those who were erased meanwhile."""
        for part, slot in self._erased:
            slots = self._old_slots if part is self.base else self._new_slots
            self.made.erase(int(slots[slot]))
        return self.made


def empty(words: Words) -> Base:
    """A base of nobody, made without a compiled loop."""
    numbers = np.zeros(0, np.uint32)
    nothing, nobody = Packed({}, np.zeros(1, np.uint32), numbers), np.zeros((0, 1), np.uint64)
    no_slots = Blocked({}, 1, np.zeros(1, np.uint32), np.zeros(0, np.uint16))
    return Base(
        words=words,
        id_text=np.zeros(0, np.uint8),
        id_starts=np.zeros(1, np.uint32),
        id_table=np.full(16, -1, np.int32),
        flags=np.zeros(0, np.uint8),
        interests=nobody,
        audiences=nobody,
        area_starts=np.zeros(1, np.uint32),
        area_numbers=numbers,
        followers=no_slots,
        share_begins=np.zeros(1, np.uint32),
        shares=numbers,
        organisers=no_slots,
        muted=nothing,
        muted_interests=nothing,
        place_slots=numbers,
        positions=np.zeros((0, 2)),
        radii=np.zeros(0),
        place_orders=numbers,
        place_ids=numbers,
        cells=np.zeros(0, np.int64),
        cell_starts=np.zeros(1, np.uint32),
        bands=np.zeros(0, np.int64),
        band_starts=np.zeros(1, np.uint32),
        surroundings=nothing,
    )


def rehearse(base: Base) -> None:
    """Match once, so that whatever has to be compiled is compiled here and not where somebody waits."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    item = ContentItemV1(
        id="NO-0000/rehearsal/1",
        revision=1,
        municipality="NO-0000",
        source="NO-0000/rehearsal",
        native_id="1",
        kind=Kind.NOTICE,
        title="Rehearsal",
        published_at=now,
        observed_at=now,
    )
    for footprint in (Footprint(shapely.Point(10.0, 60.0)), None):
        concern = Concern(item, (), frozenset(), footprint)
        base.match(concern)
        everybody = np.arange(min(len(base), 2), dtype=np.uint32)
        near = None if footprint is None else everybody[:0]
        list(BaseReasons(base, concern, Wording(), everybody, near).groups())
    base.slot_of(item.id)


def joined(old: Base, old_flags: np.ndarray, old_surroundings: Packed, new: Base) -> Base:
    """The profiles of a base that are alive by their flags, and after them those of another."""
    alive = old_flags < native.DEAD
    kept = int(np.count_nonzero(alive))
    if not kept:
        return new
    renumber = np.where(alive, np.cumsum(alive) - 1, -1)
    slots = np.flatnonzero(alive)
    id_starts, id_text = picked_lists(old.id_starts, old.id_text, slots)
    area_starts, area_numbers = picked_lists(old.area_starts, old.area_numbers.astype(np.uint32), slots)
    rows = np.flatnonzero(alive[old.place_slots])

    def places(name: str) -> np.ndarray:
        return np.concatenate((getattr(old, name)[rows], getattr(new, name)))

    return laid_out(
        words=old.words,
        id_text=np.concatenate((id_text, new.id_text)),
        id_starts=_appended(id_starts, new.id_starts),
        flags=np.concatenate((old_flags[alive], new.flags)),
        interests=joined_sets(old.interests, renumber, new.interests, kept, kept + len(new)),
        audiences=joined_sets(old.audiences, renumber, new.audiences, kept, kept + len(new)),
        area_starts=_appended(area_starts, new.area_starts),
        area_numbers=np.concatenate((area_numbers, new.area_numbers)),
        followers=_joined(old.followers.packed(), renumber, new.followers.packed(), kept),
        organisers=_joined(old.organisers.packed(), renumber, new.organisers.packed(), kept),
        muted=_joined(old.muted, renumber, new.muted, kept),
        muted_interests=_joined(old.muted_interests, renumber, new.muted_interests, kept),
        place_slots=np.concatenate(
            (renumber[old.place_slots[rows]].astype(np.uint32), new.place_slots + np.uint32(kept))
        ),
        positions=places("positions"),
        radii=places("radii"),
        place_orders=places("place_orders"),
        place_ids=places("place_ids"),
        codes=np.concatenate(
            (
                _codes(old_surroundings, len(old.place_slots), old.words)[rows],
                _codes(new.surroundings, len(new.place_slots), new.words),
            )
        ),
    )


def _appended(starts: np.ndarray, more: np.ndarray) -> np.ndarray:
    return np.concatenate((starts, more[1:] + starts[-1]))


def _joined(old: Packed, renumber: np.ndarray, new: Packed, offset: int) -> Packed:
    keys = list(old.numbers) + [key for key in new.numbers if key not in old.numbers]
    new_keys = np.array([new.numbers.get(key, -1) for key in keys], np.int64)
    starts, members = joined_postings(
        old.starts, old.members, renumber, new.starts, new.members, new_keys, offset
    )
    counts = np.diff(starts.astype(np.int64))
    used = np.flatnonzero(counts)
    return Packed(_numbered(keys[number] for number in used.tolist()), starts_of(counts[used]), members)


def _numbered(keys: Iterable[Hashable]) -> Mapping[Hashable, int]:
    return {key: number for number, key in enumerate(keys)}


def _codes(surroundings: Packed, rows: int, words: Words) -> np.ndarray:
    """The number of the set of areas that holds each row."""
    numbers = np.array([words.surroundings[around] for around in surroundings.numbers], np.uint32)
    codes = np.zeros(rows, np.uint32)
    codes[surroundings.members] = np.repeat(numbers, np.diff(surroundings.starts.astype(np.int64)))
    return codes
