"""The bulk of an index: profiles in compact arrays that are never changed, but for erasing.

A merge (:mod:`kommunepuls_matching.merging`) makes one of another and of the profiles that came since. The
loops are those of :mod:`kommunepuls_matching.searching`.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from kommunepuls_events import ContentItemV1, Kind

from kommunepuls_matching import native
from kommunepuls_matching.columns import WORD, Words, is_among
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.draft import ITEM, ORGANISER, SOURCE
from kommunepuls_matching.footprint import Footprint
from kommunepuls_matching.packing import found_slot, grouped
from kommunepuls_matching.postings import Blocked, Packed
from kommunepuls_matching.searching import finish, search
from kommunepuls_matching.surroundings import Surroundings

_NO_SLOTS = np.zeros(0, np.uint32)
_NO_LINES = np.zeros((0, 4))
_NO_KEYS = np.zeros(0, np.int64)
_NOWHERE = (math.nan, math.nan, math.nan, math.nan)


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
        share_begins, shares: which followers of an area follow which interest, see :func:`shares_of`.
        muted, muted_interests: slots by what is muted.
        place_slots, positions (longitude, latitude), radii, place_orders, place_ids: by row; rows are sorted by cell.
        cells, cell_starts, bands, band_starts: the rows of a cell, the cells of a band.
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
    followers: Blocked
    share_begins: np.ndarray
    shares: np.ndarray
    organisers: Blocked
    muted: Packed
    muted_interests: Packed
    place_slots: np.ndarray
    positions: np.ndarray
    radii: np.ndarray
    place_orders: np.ndarray
    place_ids: np.ndarray
    cells: np.ndarray
    cell_starts: np.ndarray
    bands: np.ndarray
    band_starts: np.ndarray
    surroundings: Packed
    alive: int = 0

    def __post_init__(self) -> None:
        self.alive = int(np.count_nonzero(self.flags < native.DEAD))
        self.bits = np.zeros(len(self.flags) // WORD + 1, np.uint64)
        self.summary = np.zeros(len(self.bits) // WORD + 1, np.uint64)
        areas = self.words.areas
        self._followed = {areas.word(number): key for number, key in self.followers.numbers.items()}
        self._take_surroundings(self.surroundings)

    def _take_surroundings(self, surroundings: Packed) -> None:
        self.surroundings = surroundings
        self._around = _by_area(surroundings)
        self._room = self.bits, self.summary
        self._wishes = (
            self.flags, self.audiences,
            self.muted.starts, self.muted.members, self.muted_interests.starts, self.muted_interests.members,
        )  # fmt: skip
        self._searched = (
            self._room,
            self.interests,
            (self.followers.starts, self.followers.lows),
            (self.share_begins, self.shares),
            (self.organisers.starts, self.organisers.lows),
            self.followers.blocks,
            (surroundings.starts, surroundings.members),
            (self.place_slots, self.positions, self.radii),
            (self.cells, self.cell_starts, self.bands, self.band_starts),
            self._wishes,
        )

    def __len__(self) -> int:
        return len(self.flags)

    @property
    def longitudes(self) -> np.ndarray:
        """Degrees, by row."""
        return self.positions[:, 0]

    @property
    def latitudes(self) -> np.ndarray:
        """Degrees, by row."""
        return self.positions[:, 1]

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
        item, words, footprint = concern.item, self.words, concern.footprint
        held, bounds, segments, areal = _NO_KEYS, _NOWHERE, _NO_LINES, False
        if footprint is None:
            held = self._keys_of_areas(concern.areas)
        else:
            bounds = footprint.bounds
            segments, areal = footprint.lines or (_NO_LINES, False)
        organiser = None if item.organiser is None else self.organisers.numbers.get(item.organiser.id)
        refused = self._refused(item)
        rank = item.severity.rank if item.kind is Kind.ALERT else native.RANK
        heard = rank, _keys(map(words.audience.get, item.audience), len(self.audiences)), bool(item.audience)
        found, count, surely, perhaps = search(
            *self._searched,
            _keys(map(words.interests.get, concern.interests), len(self.interests)), item.emergency,
            _keys(map(self._followed.get, concern.related)), held, -1 if organiser is None else organiser,
            bounds, segments, areal, refused, heard,
        )  # fmt: skip
        if footprint is None:
            return found, None
        if not len(perhaps):
            return found, surely
        try:
            near = self._measured(footprint, perhaps)
        except BaseException:
            self.bits[:], self.summary[:] = 0, 0
            raise
        found = finish(self._room, count, self.place_slots, near, self._wishes, refused, heard)
        return found, np.concatenate((surely, near))

    def _measured(self, footprint: Footprint, rows: np.ndarray) -> np.ndarray:
        """Which of the rows are of places that have the geometry within their radius."""
        given = self.longitudes[rows], self.latitudes[rows], self.radii[rows].astype(np.float64)
        if footprint.lines:
            return rows[~np.isnan(footprint.distances_within(*given))]
        return rows[footprint.which_within(*given)]

    def _refused(self, item: ContentItemV1) -> tuple[np.ndarray, np.ndarray]:
        """The keys of which one, and those of which all must be muted for not hearing of the item; nobody: none."""
        if item.emergency:
            return _NO_KEYS, _NO_KEYS
        keys = _keys(map(self.muted.numbers.get, muting_keys(item)))
        numbers = self.muted_interests.numbers
        if not item.interests or not all(one in numbers for one in item.interests):
            return keys, _NO_KEYS
        return keys, _keys(numbers[one] for one in item.interests)

    def rows_of_areas(self, areas: Sequence[str]) -> np.ndarray:
        """The rows of the places that one of the areas holds, none twice."""
        keys, starts = self._keys_of_areas(areas), self.surroundings.starts
        found = [self.surroundings.members[starts[key] : starts[key + 1]] for key in keys.tolist()]
        return np.concatenate(found) if found else _NO_SLOTS

    def _keys_of_areas(self, areas: Sequence[str]) -> np.ndarray:
        numbers = [self.words.areas.get(area) for area in areas]
        return np.array(sorted({key for one in numbers for key in self._around.get(one, ())}), np.int64)

    def mutes(self, slot: int, item: ContentItemV1) -> bool:
        """Whether the subscriber asked not to hear of such an item."""
        if item.emergency:
            return False
        return any(is_among(slot, self.muted.of(key)) for key in muting_keys(item)) or (
            bool(item.interests)
            and all(is_among(slot, self.muted_interests.of(one)) for one in item.interests)
        )

    def relocated(self, surroundings: Surroundings, step: int = 2_000) -> Iterator[None]:
        """Work out anew which areas hold each place; yields between steps."""
        codes = np.zeros(len(self.place_slots), np.uint32)
        for begin in range(0, len(codes), step):
            some = slice(begin, begin + step)
            codes[some] = surroundings.codes(self.longitudes[some], self.latitudes[some])
            yield
        self._take_surroundings(rows_by_surroundings(codes, self.words))


def _keys(found: Iterable[int | None], below: int = 1 << 62) -> np.ndarray:
    """The numbers among them that are below another."""
    return np.array([one for one in found if one is not None and one < below], np.int64)


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
