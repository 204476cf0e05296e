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
from kommunepuls_matching.base import Base, Packed, Sparse, rows_by_surroundings
from kommunepuls_matching.columns import Masks, Postings, Words
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.footprint import Footprint
from kommunepuls_matching.grid import RADIUS_CLASSES
from kommunepuls_matching.packing import joined_postings, kept_lists, table_of
from kommunepuls_matching.segment import Segment

_CLASSES = np.array(RADIUS_CLASSES)


class Merge:
    """A new base of the one in use and of a segment.

    Attributes:
        made: the new base, once :meth:`work` is done.
    """

    def __init__(self, base: Base, segment: Segment) -> None:
        self.base, self.segment = base, segment
        self.made: Base | None = None
        self._flags, self._surroundings = base.flags.copy(), base.surroundings
        self._alive = segment.alive.values.copy()
        self._erased: list[tuple[Base | Segment, int]] = []

    def erased(self, part: Base | Segment, slot: int) -> None:
        """Note that a slot was erased after the merge began."""
        self._erased.append((part, slot))

    def work(self) -> None:
        """Make the new base; for a thread."""
        new = packed(self.segment, self._alive, self.base.words)
        self._old_slots = np.cumsum(self._flags < native.DEAD) - 1
        self._new_slots = np.cumsum(self._alive) - 1 + int(np.count_nonzero(self._flags < native.DEAD))
        made = joined(self.base, self._flags, self._surroundings, new)
        _rehearse(made)
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
    nothing, sparse = (
        Packed({}, np.zeros(1, np.uint32), numbers),
        Sparse(numbers, np.zeros((1, 0), np.uint64)),
    )
    return Base(
        words=words,
        id_text=np.zeros(0, np.uint8),
        id_starts=np.zeros(1, np.uint32),
        id_table=np.full(16, -1, np.int32),
        flags=np.zeros(0, np.uint8),
        interests=np.zeros((1, 0), np.uint64),
        muted_interests=sparse,
        audience=sparse,
        area_starts=np.zeros(1, np.uint32),
        area_numbers=numbers,
        followers=nothing,
        organisers=nothing,
        muted=nothing,
        place_slots=numbers,
        longitudes=np.zeros(0),
        latitudes=np.zeros(0),
        radii=np.zeros(0),
        place_orders=numbers,
        place_ids=numbers,
        cells=np.zeros(0, np.int64),
        cell_starts=np.zeros(1, np.uint32),
        surroundings=nothing,
    )


def _rehearse(base: Base) -> None:
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
        base.match(Concern(item, (), frozenset(), footprint))
    base.slot_of(item.id)


def packed(segment: Segment, alive: np.ndarray, words: Words) -> Base:
    """The profiles of a segment that are alive, as a base."""
    segment = segment.without_the_erased(alive)
    count, rows = len(segment), len(segment.place_ids)
    names = [name.encode() for name in segment.subscribers]
    id_starts = _starts(np.array([len(name) for name in names], np.int64))
    id_text = np.frombuffer(b"".join(names), np.uint8)
    muted, audience = _sparse(segment.muted_interests, count), _sparse(segment.audience, count)
    flags = segment.minimum_severity.values.copy()
    flags[muted.slots] |= native.MUTES_INTERESTS
    flags[audience.slots] |= native.HAS_AUDIENCE
    around: list[set[int]] = [set() for _ in range(rows)]
    for area in segment.places_in:
        for row in segment.places_in.of(area).tolist():
            around[row].add(area)
    place_starts, place_slots = segment.place_starts.values.astype(np.int64), segment.place_slots.values
    return _base(
        words=words,
        id_text=id_text,
        id_starts=id_starts,
        flags=flags,
        interests=_dense(segment.interests, count),
        muted_interests=muted,
        audience=audience,
        area_starts=segment.area_starts.values.copy(),
        area_numbers=segment.area_numbers.values.copy(),
        followers=_packed(segment.followers),
        organisers=_packed(segment.organisers),
        muted=_packed(segment.muted),
        place_slots=place_slots.copy(),
        longitudes=segment.longitudes.values,
        latitudes=segment.latitudes.values,
        radii=segment.radii.values,
        place_orders=np.arange(rows) - place_starts[place_slots],
        place_ids=np.array([words.places.number(one) for one in segment.place_ids], np.uint32),
        codes=np.array([words.surroundings.number(frozenset(one)) for one in around], np.uint32),
    )


def joined(old: Base, old_flags: np.ndarray, old_surroundings: Packed, new: Base) -> Base:
    """The profiles of a base that are alive by their flags, and after them those of another."""
    alive = old_flags < native.DEAD
    kept = int(np.count_nonzero(alive))
    renumber = np.where(alive, np.cumsum(alive) - 1, -1)
    id_starts, id_text = kept_lists(old.id_starts, old.id_text, alive)
    area_starts, area_numbers = kept_lists(old.area_starts, old.area_numbers.astype(np.uint32), alive)
    rows = np.flatnonzero(alive[old.place_slots])

    def places(name: str) -> np.ndarray:
        return np.concatenate((getattr(old, name)[rows], getattr(new, name)))

    columns = max(len(old.interests), len(new.interests))
    interests = np.zeros((columns, kept + len(new)), np.uint64)
    for word in range(len(old.interests)):
        interests[word, :kept] = old.interests[word][alive]
    interests[: len(new.interests), kept:] = new.interests
    return _base(
        words=old.words,
        id_text=np.concatenate((id_text, new.id_text)),
        id_starts=_appended(id_starts, new.id_starts),
        flags=np.concatenate((old_flags[alive], new.flags)),
        interests=interests,
        muted_interests=_joined_sparse(old.muted_interests, renumber, new.muted_interests, kept),
        audience=_joined_sparse(old.audience, renumber, new.audience, kept),
        area_starts=_appended(area_starts, new.area_starts),
        area_numbers=np.concatenate((area_numbers, new.area_numbers)),
        followers=_joined(old.followers, renumber, new.followers, kept),
        organisers=_joined(old.organisers, renumber, new.organisers, kept),
        muted=_joined(old.muted, renumber, new.muted, kept),
        place_slots=np.concatenate(
            (renumber[old.place_slots[rows]].astype(np.uint32), new.place_slots + np.uint32(kept))
        ),
        longitudes=places("longitudes"),
        latitudes=places("latitudes"),
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


def _base(*, codes: np.ndarray, **arrays: object) -> Base:
    """A base of these arrays with its places sorted by cell, and every array as narrow as it can be."""
    longitudes, latitudes = arrays["longitudes"], arrays["latitudes"]
    radii = np.asarray(arrays["radii"], np.float64)
    cells = native.cells_of(longitudes, latitudes, radii, _CLASSES)
    order = np.argsort(cells, kind="stable")
    cells, starts = np.unique(cells[order], return_index=True)
    for name in ("place_slots", "longitudes", "latitudes", "radii", "place_orders", "place_ids"):
        arrays[name] = arrays[name][order]
    for name in ("place_orders", "place_ids", "area_numbers"):
        arrays[name] = _narrow(arrays[name])
    radii = radii[order]
    short = radii.astype(np.float32)
    arrays["radii"] = short if np.array_equal(short, radii) else radii
    return Base(
        **arrays,
        id_table=table_of(arrays["id_text"], arrays["id_starts"]),
        cells=cells,
        cell_starts=np.append(starts, len(order)).astype(np.uint32),
        surroundings=rows_by_surroundings(codes[order], arrays["words"]),
    )


def _narrow(numbers: np.ndarray) -> np.ndarray:
    highest = int(numbers.max(initial=0))
    return numbers.astype(np.uint8 if highest < 1 << 8 else np.uint16 if highest < 1 << 16 else np.uint32)


def _starts(counts: np.ndarray) -> np.ndarray:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(counts))).astype(np.uint32)


def _appended(starts: np.ndarray, more: np.ndarray) -> np.ndarray:
    return np.concatenate((starts, more[1:] + starts[-1]))


def _dense(masks: Masks, count: int) -> np.ndarray:
    columns = masks.columns()
    return np.array(columns) if columns else np.zeros((1, count), np.uint64)


def _sparse(masks: Masks, count: int) -> Sparse:
    dense = _dense(masks, count)
    slots = np.flatnonzero((dense != 0).any(axis=0)).astype(np.uint32)
    return Sparse(slots, dense[:, slots])


def _joined_sparse(old: Sparse, renumber: np.ndarray, new: Sparse, offset: int) -> Sparse:
    slots = renumber[old.slots]
    columns = max(len(old.masks), len(new.masks))
    wide = [np.pad(one.masks, ((0, columns - len(one.masks)), (0, 0))) for one in (old, new)]
    wide[0] = wide[0][:, slots >= 0]
    slots = np.concatenate((slots[slots >= 0], new.slots.astype(np.int64) + offset)).astype(np.uint32)
    return Sparse(slots, np.concatenate(wide, axis=1))


def _packed(postings: Postings) -> Packed:
    keys = list(postings)
    lists = [postings.of(key) for key in keys]
    members = np.concatenate(lists) if lists else np.zeros(0, np.uint32)
    return Packed(_numbered(keys), _starts(np.array([len(one) for one in lists], np.int64)), members)


def _joined(old: Packed, renumber: np.ndarray, new: Packed, offset: int) -> Packed:
    keys = list(old.numbers) + [key for key in new.numbers if key not in old.numbers]
    new_keys = np.array([new.numbers.get(key, -1) for key in keys], np.int64)
    starts, members = joined_postings(
        old.starts, old.members, renumber, new.starts, new.members, new_keys, offset
    )
    counts = np.diff(starts.astype(np.int64))
    used = np.flatnonzero(counts)
    return Packed(_numbered(keys[number] for number in used.tolist()), _starts(counts[used]), members)


def _numbered(keys: Iterable[Hashable]) -> Mapping[Hashable, int]:
    return {key: number for number, key in enumerate(keys)}


def _codes(surroundings: Packed, rows: int, words: Words) -> np.ndarray:
    """The number of the set of areas that holds each row."""
    codes = np.zeros(rows, np.uint32)
    for around in surroundings.numbers:
        codes[surroundings.of(around)] = words.surroundings.number(around)
    return codes
