"""The bulk of an index: profiles in compact arrays that are never changed, but for erasing.

A merge (:mod:`kommunepuls_matching.merging`) makes one of another and of the profiles that came since. The
loops are those of :mod:`kommunepuls_matching.native`.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from kommunepuls_events import ContentItemV1, Kind
from kommunepuls_geography import Geography

from kommunepuls_matching import native
from kommunepuls_matching.areas import areas_around
from kommunepuls_matching.columns import WORD, Numbering, Words
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.footprint import SLACK_METRES, SLACK_SHARE, reach_degrees
from kommunepuls_matching.grid import RADIUS_CLASSES
from kommunepuls_matching.packing import found_slot, grouped
from kommunepuls_matching.segment import ITEM, ORGANISER, SOURCE

_CLASSES = np.array(RADIUS_CLASSES)
_SLACK = np.array([SLACK_SHARE, SLACK_METRES])
_NO_SLOTS = np.zeros(0, np.uint32)
_NO_LINES = np.zeros((0, 4))


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


@dataclass(frozen=True)
class Sparse:
    """Masks of the few slots that have any: ascending slots, and a row of masks for each word."""

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
        interests: a row for each word of masks, a column for each slot.
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
        rank = item.severity.rank if item.kind is Kind.ALERT else native.RANK
        words, masks, _ = self._masks(concern.interests, len(self.interests))
        search = (self.flags, self.interests, words, masks, item.emergency, rank)
        organised = self.organisers.of(item.organiser.id) if item.organiser is not None else _NO_SLOTS
        keys = np.array(
            [
                self.followers.numbers[number]
                for area in concern.related
                if (number := self.words.areas.known(area)) in self.followers.numbers
            ],
            np.int64,
        )
        native.mark_followers(
            self.bits, self.summary, *search, organised, self.followers.starts, self.followers.members, keys
        )
        rows = self._rows_near(concern, search) if concern.footprint else self._rows_in(concern, search)
        if not item.emergency:
            for key in muting_keys(item):
                native.unmark(self.bits, self.muted.of(key))
        return self._without_the_particular(item, native.drain(self.bits, self.summary)), rows

    def rows_of_areas(self, areas: Sequence[str]) -> np.ndarray:
        """The rows of the places that one of the areas holds, none twice."""
        numbers = [self.words.areas.known(area) for area in areas]
        around = {one for number in numbers for one in self._around.get(number, ())}
        return np.concatenate([self.surroundings.of(one) for one in around]) if around else _NO_SLOTS

    def _masks(
        self, words: Sequence[str], columns: int, numbering: Numbering | None = None
    ) -> tuple[np.ndarray, np.ndarray, bool]:
        """Masks of words by column, and whether each of them could be in one of the columns."""
        numbering = self.words.interests if numbering is None else numbering
        masks: dict[int, int] = {}
        complete = True
        for word in words:
            number = numbering.known(word)
            if number is None or number // WORD >= columns:
                complete = False
                continue
            masks[number // WORD] = masks.get(number // WORD, 0) | 1 << number % WORD
        return np.array(list(masks), np.int64), np.array(list(masks.values()), np.uint64), complete

    def _rows_in(self, concern: Concern, search: tuple) -> np.ndarray:
        rows = self.rows_of_areas(concern.areas)
        rows = rows[native.which_concerned(self.bits, *search, rows, self.place_slots)]
        native.mark_places(self.bits, self.summary, rows, self.place_slots)
        return rows

    def _rows_near(self, concern: Concern, search: tuple) -> np.ndarray:
        footprint = concern.footprint
        bounds = np.array(footprint.bounds)
        furthest = max(abs(bounds[1]), abs(bounds[3]))
        reaches = np.array([reach_degrees(furthest, metres) for metres in RADIUS_CLASSES])
        degrees = [footprint.degree_bounds(metres) for metres in RADIUS_CLASSES]
        begins, ends, layers = native.stretches_near(self.cells, self.cell_starts, _CLASSES, bounds, reaches)
        lines, areal = footprint.lines or (_NO_LINES, False)
        measured = len(lines) > 0 and all(degrees[layer] is not None for layer in set(layers.tolist()))
        by_layer = np.array([one or ((0.0, 0.0), (0.0, 0.0)) for one in degrees])[layers]
        surely, perhaps = native.screen(
            self.bits, self.summary, *search, begins, ends, self.place_slots, self.longitudes,
            self.latitudes, self.radii, lines, areal, measured,
            np.ascontiguousarray(by_layer[:, 0]), np.ascontiguousarray(by_layer[:, 1]), _SLACK,
        )  # fmt: skip
        if len(perhaps):
            given = self.longitudes[perhaps], self.latitudes[perhaps], self.radii[perhaps].astype(np.float64)
            if measured:
                within = ~np.isnan(footprint.distances_within(*given))
            else:
                within = footprint.which_within(*given)
            perhaps = perhaps[within]
            native.mark_places(self.bits, self.summary, perhaps, self.place_slots)
        return np.concatenate((surely, perhaps))

    def _without_the_particular(self, item: ContentItemV1, slots: np.ndarray) -> np.ndarray:
        """Without those who muted every interest of the item, or who belong to another audience."""
        flags = self.flags[slots]
        if not item.emergency and item.interests:
            keep = np.ones(len(slots), bool)
            some = np.flatnonzero(flags & native.MUTES_INTERESTS)
            keep[some] = ~self._mutes_all(item, slots[some])
            slots, flags = slots[keep], flags[keep]
        if item.audience:
            words, masks, _ = self._masks(item.audience, len(self.audience.masks), self.words.audience)
            some = np.flatnonzero(flags & native.HAS_AUDIENCE)
            theirs = self.audience.of(slots[some])[words]
            keep = np.ones(len(slots), bool)
            keep[some] = ((theirs & masks[:, None]) != 0).any(axis=0)
            slots = slots[keep]
        return slots

    def _mutes_all(self, item: ContentItemV1, slots: np.ndarray) -> np.ndarray:
        words, masks, complete = self._masks(item.interests, len(self.muted_interests.masks))
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

    def relocated(self, geography: Geography, step: int = 500) -> Iterator[None]:
        """Work out anew which areas hold each place; yields between steps."""
        codes = np.zeros(len(self.place_slots), np.uint32)
        for row in range(len(codes)):
            around = areas_around(float(self.longitudes[row]), float(self.latitudes[row]), geography)
            numbers = frozenset(self.words.areas.number(area) for area in around)
            codes[row] = self.words.surroundings.number(numbers)
            if (row + 1) % step == 0:
                yield
        self.surroundings = rows_by_surroundings(codes, self.words)
        self._around = _by_area(self.surroundings)


def rows_by_surroundings(codes: np.ndarray, words: Words) -> Packed:
    """Postings of rows by the set of areas that holds them, of the number of that set by row."""
    used, codes = np.unique(codes, return_inverse=True)
    starts, rows = grouped(codes, len(used))
    return Packed({words.surroundings.word(int(code)): n for n, code in enumerate(used)}, starts, rows)


def _by_area(surroundings: Packed) -> dict[int, list[frozenset[int]]]:
    """The sets that an area is in, by its number."""
    found: dict[int, list[frozenset[int]]] = {}
    for around in surroundings.numbers:
        for area in around:
            found.setdefault(area, []).append(around)
    return found


def muting_keys(item: ContentItemV1) -> list[tuple[str, str]]:
    """What a resident may have muted for not hearing of the item."""
    keys = [(SOURCE, item.source), (ITEM, item.id)]
    if item.organiser is not None:
        keys.append((ORGANISER, item.organiser.id))
    return keys
