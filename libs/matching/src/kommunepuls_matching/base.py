"""The bulk of an index: profiles in compact arrays that are never changed, but for erasing.

A merge (:mod:`kommunepuls_matching.merging`) makes one of another and of the profiles that came since. The
loops are those of :mod:`kommunepuls_matching.native`.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from kommunepuls_events import ContentItemV1, Kind

from kommunepuls_matching import native
from kommunepuls_matching.columns import WORD, Numbering, Words
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.draft import ITEM, ORGANISER, SOURCE
from kommunepuls_matching.footprint import Footprint
from kommunepuls_matching.packing import found_slot, grouped
from kommunepuls_matching.surroundings import Surroundings

_NO_SLOTS = np.zeros(0, np.uint32)
_NO_LINES = np.zeros((0, 4))
_FIRST = np.zeros(1, np.int64)


@dataclass(frozen=True)
class Packed:
    """Postings: the numbers that have key n, ascending, are ``members[starts[n]:starts[n + 1]]``."""

    numbers: Mapping[Hashable, int]
    starts: np.ndarray
    members: np.ndarray

    def of(self, key: Hashable) -> np.ndarray:
        """The numbers of a key."""
        number = self.numbers.get(key)
        return _NO_SLOTS if number is None else self.members[self.starts[number] : self.starts[number + 1]]

    def count(self, places: np.ndarray) -> int:
        """How many numbers the keys have that stand at these places."""
        return int((self.starts[places + 1].astype(np.int64) - self.starts[places]).sum())

    @property
    def nbytes(self) -> int:
        return self.starts.nbytes + self.members.nbytes


@dataclass(frozen=True)
class Sparse:
    """Masks of the few slots that have any: ascending slots, and a row of masks for each word.

    The masks are as narrow as they can be: one byte where there are at most eight words.
    """

    slots: np.ndarray
    masks: np.ndarray

    def of(self, slots: np.ndarray) -> np.ndarray:
        """The masks of slots that are all among them."""
        return self.masks[:, np.searchsorted(self.slots, slots.astype(self.slots.dtype))]

    @property
    def nbytes(self) -> int:
        return self.slots.nbytes + self.masks.nbytes


@dataclass
class Base:
    """Profiles by slot, places by row.

    Attributes:
        id_text, id_starts, id_table: ids as UTF-8 one after the other, and a hash table of them.
        flags: by slot, see :mod:`kommunepuls_matching.native`.
        interests: for each interest by its number, the bits of the slots that follow it.
        muted_interests, audience: those of the slots that have any.
        area_starts, area_numbers: the areas that each slot follows, in the order of its profile.
        followers, organisers, muted: slots by followed area, by organiser, by what is muted.
        place_slots, longitudes, latitudes, radii, place_orders, place_ids: by row; rows are sorted by cell.
        cells, cell_starts: the rows of a cell.
        surroundings: rows by the set of areas that holds them.
        bits, summary: room for the answer of a match.
    """

    words: Words
    id_text: np.ndarray
    id_starts: np.ndarray
    id_table: np.ndarray
    flags: np.ndarray
    interests: np.ndarray
    muted_interests: Sparse
    audience: Sparse
    area_starts: np.ndarray
    area_numbers: np.ndarray
    followers: Packed
    organisers: Packed
    muted: Packed
    place_slots: np.ndarray
    longitudes: np.ndarray
    latitudes: np.ndarray
    radii: np.ndarray
    place_orders: np.ndarray
    place_ids: np.ndarray
    cells: np.ndarray
    cell_starts: np.ndarray
    surroundings: Packed
    alive: int = 0

    def __post_init__(self) -> None:
        self.alive = int(np.count_nonzero(self.flags < native.DEAD))
        self.bits = np.zeros(len(self.flags) // WORD + 1, np.uint64)
        self.summary = np.zeros(len(self.bits) // (WORD * WORD) + 1, np.uint64)
        self._around = _by_area(self.surroundings)

    def __len__(self) -> int:
        return len(self.flags)

    def nbytes(self) -> dict[str, int]:
        """Bytes of the arrays by name; what begins with ``id_`` serves the subscribers' ids alone."""
        names = [one.name for one in fields(self) if one.name not in ("words", "alive")]
        return {name: getattr(self, name).nbytes for name in [*names, "bits", "summary"]}

    def slot_of(self, subscriber: str) -> int | None:
        """The slot of a subscriber who is not erased."""
        if not len(self):
            return None
        wanted = np.frombuffer(subscriber.encode(), np.uint8)
        slot = found_slot(self.id_table, self.id_text, self.id_starts, wanted)
        return None if slot < 0 or self.flags[slot] >= native.DEAD else int(slot)

    def name(self, slot: int) -> str:
        """The subscriber of a slot."""
        return self.id_text[self.id_starts[slot] : self.id_starts[slot + 1]].tobytes().decode()

    def erase(self, slot: int) -> None:
        """Leave a slot out of every later answer."""
        if self.flags[slot] < native.DEAD:
            self.flags[slot] |= native.DEAD
            self.alive -= 1

    def match(self, concern: Concern) -> tuple[np.ndarray, np.ndarray]:
        """The slots, ascending, whom an item concerns, and the rows of the places that brought some."""
        item = concern.item
        organised = self.organisers.of(item.organiser.id) if item.organiser is not None else _NO_SLOTS
        keys = [
            self.followers.numbers[number]
            for area in concern.related
            if (number := self.words.areas.get(area)) in self.followers.numbers
        ]
        followed = np.array(keys, np.int64)
        room = self.bits, self.summary
        interested = self._interested(concern, self.followers.count(followed))
        native.mark_followers(
            *room,
            *interested,
            item.emergency,
            organised,
            self.followers.starts,
            self.followers.members,
            followed,
        )
        if concern.footprint is not None:
            rows = self._rows_near(concern.footprint, *interested, item.emergency)
        else:
            places, held = self.surroundings, self._keys_of_areas(concern.areas)
            rows = native.mark_places_of(
                *room, *interested, item.emergency, places.starts, places.members, held, self.place_slots
            )
        if not item.emergency:
            for key in muting_keys(item):
                native.unmark(self.bits, self.muted.of(key))
        return self._heard(item), rows

    def _interested(self, concern: Concern, looks: int) -> tuple[np.ndarray, np.ndarray]:
        """Sets of slots, and the numbers of those whose union follows one of the interests.

        For more looks than a set has words they are made one set first, so that each look is one.
        """
        numbers = [self.words.interests.get(slug) for slug in concern.interests]
        known = np.array([one for one in numbers if one is not None and one < len(self.interests)], np.int64)
        if len(known) < 2 or looks < self.interests.shape[1]:
            return self.interests, known
        return native.union_of(self.interests, known)[None], _FIRST

    def rows_of_areas(self, areas: Sequence[str]) -> np.ndarray:
        """The rows of the places that one of the areas holds, none twice."""
        keys, starts = self._keys_of_areas(areas), self.surroundings.starts
        found = [self.surroundings.members[starts[key] : starts[key + 1]] for key in keys.tolist()]
        return np.concatenate(found) if found else _NO_SLOTS

    def _keys_of_areas(self, areas: Sequence[str]) -> np.ndarray:
        numbers = [self.words.areas.get(area) for area in areas]
        return np.array(sorted({key for one in numbers for key in self._around.get(one, ())}), np.int64)

    def _masks(
        self, words: Sequence[str], columns: int, numbering: Numbering
    ) -> tuple[np.ndarray, np.ndarray, bool]:
        """Masks of words by column, and whether each of them could be in one of the columns."""
        masks: dict[int, int] = {}
        complete = True
        for word in words:
            number = numbering.get(word)
            if number is None or number // WORD >= columns:
                complete = False
                continue
            masks[number // WORD] = masks.get(number // WORD, 0) | 1 << number % WORD
        return np.array(list(masks), np.int64), np.array(list(masks.values()), np.uint64), complete

    def _rows_near(
        self, footprint: Footprint, interests: np.ndarray, numbers: np.ndarray, everyone: bool
    ) -> np.ndarray:
        *stretches, degrees = native.stretches_near(
            self.cells, self.cell_starts, native.RADIUS_CLASSES, *footprint.bounds
        )
        lines, areal = footprint.lines or (_NO_LINES, False)
        surely, perhaps = native.screen(
            self.bits, self.summary, interests, numbers, everyone, *stretches, degrees,
            self.place_slots, self.longitudes, self.latitudes, self.radii, lines, areal,
        )  # fmt: skip
        if not len(perhaps):
            return surely
        given = self.longitudes[perhaps], self.latitudes[perhaps], self.radii[perhaps].astype(np.float64)
        if len(lines):
            within = ~np.isnan(footprint.distances_within(*given))
        else:
            within = footprint.which_within(*given)
        perhaps = perhaps[within]
        native.mark_places(self.bits, self.summary, perhaps, self.place_slots)
        return np.concatenate((surely, perhaps))

    def _heard(self, item: ContentItemV1) -> np.ndarray:
        """The slots that are marked, without those who do not want to hear of such an item.

        Some said from which severity on, some muted every interest it has, some belong to another audience.
        """
        rank = item.severity.rank if item.kind is Kind.ALERT else native.RANK
        muting = native.MUTES_INTERESTS if item.interests and not item.emergency else 0
        meant = native.HAS_AUDIENCE if item.audience else 0
        slots, some = native.drain(self.bits, self.summary, self.flags, rank, muting | meant)
        if not len(some):
            return slots
        theirs = slots[some]
        flags = self.flags[theirs]
        out = np.zeros(len(some), bool)
        if muting:
            mutes = np.flatnonzero(flags & muting)
            out[mutes] = self._mutes_all(item, theirs[mutes])
        if meant:
            others = np.flatnonzero(flags & meant)
            out[others] |= self._are_others(item, theirs[others])
        return np.delete(slots, some[out])

    def _are_others(self, item: ContentItemV1, slots: np.ndarray) -> np.ndarray:
        words, masks, _ = self._masks(item.audience, len(self.audience.masks), self.words.audience)
        return ~((self.audience.of(slots)[words] & masks[:, None]) != 0).any(axis=0)

    def _mutes_all(self, item: ContentItemV1, slots: np.ndarray) -> np.ndarray:
        words, masks, complete = self._masks(
            item.interests, len(self.muted_interests.masks), self.words.interests
        )
        theirs = self.muted_interests.of(slots)[words]
        return ((theirs & masks[:, None]) == masks[:, None]).all(axis=0) & complete

    def mutes(self, slot: int, item: ContentItemV1) -> bool:
        """Whether the subscriber asked not to hear of such an item."""
        if item.emergency:
            return False
        if any(bool(np.isin(slot, self.muted.of(key))) for key in muting_keys(item)):
            return True
        some = bool(self.flags[slot] & native.MUTES_INTERESTS and item.interests)
        return some and bool(self._mutes_all(item, np.array([slot]))[0])

    def relocated(self, surroundings: Surroundings, step: int = 2_000) -> Iterator[None]:
        """Work out anew which areas hold each place; yields between steps."""
        codes = np.zeros(len(self.place_slots), np.uint32)
        for begin in range(0, len(codes), step):
            some = slice(begin, begin + step)
            codes[some] = surroundings.codes(self.longitudes[some], self.latitudes[some])
            yield
        self.surroundings = rows_by_surroundings(codes, self.words)
        self._around = _by_area(self.surroundings)


def rows_by_surroundings(codes: np.ndarray, words: Words) -> Packed:
    """Postings of rows by the set of areas that holds them, of the number of that set by row."""
    used, codes = np.unique(codes, return_inverse=True)
    starts, rows = grouped(codes, len(used))
    return Packed({words.surroundings.word(int(code)): n for n, code in enumerate(used)}, starts, rows)


def _by_area(surroundings: Packed) -> dict[int, list[int]]:
    """The places in the postings of the sets that an area is in, by its number."""
    found: dict[int, list[int]] = {}
    for around, place in surroundings.numbers.items():
        for area in around:
            found.setdefault(area, []).append(place)
    return found


def muting_keys(item: ContentItemV1) -> list[tuple[str, str]]:
    """What a resident may have muted for not hearing of the item."""
    keys = [(SOURCE, item.source), (ITEM, item.id)]
    if item.organiser is not None:
        keys.append((ORGANISER, item.organiser.id))
    return keys
