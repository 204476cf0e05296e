"""The bulk of an index: profiles in compact arrays that are never changed, but for erasing.

A merge (:mod:`kommunepuls_matching.merging`) makes one of another and of the profiles that came since. The
loops are those of :mod:`kommunepuls_matching.native`.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from kommunepuls_events import ContentItemV1, Kind

from kommunepuls_matching import native
from kommunepuls_matching.cells import RADIUS_CLASSES, stretches_near
from kommunepuls_matching.columns import WORD, Numbering, Words, is_among
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.draft import ITEM, ORGANISER, SOURCE
from kommunepuls_matching.footprint import Footprint
from kommunepuls_matching.packing import found_slot, grouped
from kommunepuls_matching.surroundings import Surroundings

_NO_SLOTS = np.zeros(0, np.uint32)
_NO_LINES = np.zeros((0, 4))
_NO_KEYS = np.zeros(0, np.int64)
# With more looks for each word of a set than this, the words are worked through instead.
_LOOKS_PER_WORD = 1 / 16


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

    @property
    def nbytes(self) -> int:
        return self.starts.nbytes + self.members.nbytes


@dataclass
class Base:
    """Profiles by slot, places by row.

    Attributes:
        id_text, id_starts, id_table: ids as UTF-8 one after the other, and a hash table of them.
        flags: by slot, see :mod:`kommunepuls_matching.native`.
        interests: for each interest by its number, the bits of the slots that follow it.
        audiences: for each audience by its number, the bits of the slots that belong to it.
        area_starts, area_numbers: the areas that each slot follows, in the order of its profile.
        followers, organisers: slots by followed area, by organiser.
        muted, muted_interests: slots by what is muted.
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
    audiences: np.ndarray
    area_starts: np.ndarray
    area_numbers: np.ndarray
    followers: Packed
    organisers: Packed
    muted: Packed
    muted_interests: Packed
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
        self.summary = np.zeros(len(self.bits) // (8 * WORD) + 1, np.uint64)
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

    def match(self, concern: Concern) -> tuple[np.ndarray, np.ndarray | None]:
        """The slots, ascending, whom an item concerns, and the rows of the places near its geometry, if it has one."""
        item = concern.item
        room = self.bits, self.summary
        sets = self.interests, self._numbers(concern.interests, self.words.interests, self.interests)
        self._mark_located(concern, sets)
        if item.organiser is not None:
            native.mark_all(*room, self.organisers.of(item.organiser.id))
        rows = (
            None if concern.footprint is None else self._rows_near(concern.footprint, *sets, item.emergency)
        )
        if not item.emergency:
            for slots in self._muting(item):
                native.unmark(self.bits, slots)
        rank = item.severity.rank if item.kind is Kind.ALERT else native.RANK
        audiences = self._numbers(item.audience, self.words.audience, self.audiences)
        found = native.drain(*room, self.flags, rank, self.audiences, audiences, bool(item.audience))
        return found, rows

    def _mark_located(self, concern: Concern, sets: tuple[np.ndarray, np.ndarray]) -> None:
        """Mark who shares an interest and follows an area, or has a place in one if there is no geometry."""
        followers, places, everyone = self.followers, self.surroundings, concern.item.emergency
        numbers = [followers.numbers.get(self.words.areas.get(area), -1) for area in concern.related]
        keys = np.array([one for one in numbers if one >= 0], np.int64)
        held = _NO_KEYS if concern.footprint is not None else self._keys_of_areas(concern.areas)
        room = self.bits, self.summary
        looks = native.total_of(followers.starts, keys) + native.total_of(places.starts, held)
        if looks > len(self.bits) * _LOOKS_PER_WORD:
            native.gather_members(self.bits, followers.starts, followers.members, keys)
            native.gather_owners(self.bits, places.starts, places.members, held, self.place_slots)
            native.keep_marked(*room, *sets, everyone)
        else:
            native.mark_members(*room, *sets, everyone, followers.starts, followers.members, keys)
            native.mark_owners(*room, *sets, everyone, places.starts, places.members, held, self.place_slots)

    def _numbers(self, words: Sequence[str], numbering: Numbering, sets: np.ndarray) -> np.ndarray:
        """The numbers of those words that have a set."""
        numbers = [numbering.get(word, len(sets)) for word in words]
        return np.array([one for one in numbers if one < len(sets)], np.int64)

    def _muting(self, item: ContentItemV1) -> Iterator[np.ndarray]:
        """The slots of those who muted the item: its source, organiser or itself, or all of its interests."""
        for key in muting_keys(item):
            yield self.muted.of(key)
        if item.interests:
            first, *others = sorted((self.muted_interests.of(one) for one in item.interests), key=len)
            for other in others:
                first = native.in_both(first, other)
            yield first

    def rows_of_areas(self, areas: Sequence[str]) -> np.ndarray:
        """The rows of the places that one of the areas holds, none twice."""
        keys, starts = self._keys_of_areas(areas), self.surroundings.starts
        found = [self.surroundings.members[starts[key] : starts[key + 1]] for key in keys.tolist()]
        return np.concatenate(found) if found else _NO_SLOTS

    def _keys_of_areas(self, areas: Sequence[str]) -> np.ndarray:
        numbers = [self.words.areas.get(area) for area in areas]
        return np.array(sorted({key for one in numbers for key in self._around.get(one, ())}), np.int64)

    def _rows_near(
        self, footprint: Footprint, sets: np.ndarray, numbers: np.ndarray, everyone: bool
    ) -> np.ndarray:
        *stretches, degrees = stretches_near(self.cells, self.cell_starts, RADIUS_CLASSES, *footprint.bounds)
        lines, areal = footprint.lines or (_NO_LINES, False)
        surely, perhaps = native.screen(
            self.bits, self.summary, sets, numbers, everyone, *stretches, degrees,
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

    def mutes(self, slot: int, item: ContentItemV1) -> bool:
        """Whether the subscriber asked not to hear of such an item."""
        if item.emergency:
            return False
        return any(is_among(slot, slots) for slots in self._muting(item))

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
