"""A base of a draft: lists by slot turned round into slots by what is listed."""

from collections.abc import Callable, Hashable

import numpy as np

from kommunepuls_matching import native
from kommunepuls_matching.base import Base, rows_by_surroundings
from kommunepuls_matching.cells import RADIUS_CLASSES, bands_of, cells_of
from kommunepuls_matching.columns import Lists, starts_of
from kommunepuls_matching.draft import Draft
from kommunepuls_matching.packing import curve_of, grouped, picked_lists, sets_of, table_of
from kommunepuls_matching.postings import Blocked, Packed, shares_of


def packed(draft: Draft, picked: np.ndarray, codes: np.ndarray) -> Base:
    """A base of the slots of a draft that are picked, in that order; ``codes`` are the surroundings of its places."""
    words = draft.words
    names = [draft.subscribers[slot].encode() for slot in picked.tolist()]
    renumber = np.full(len(draft), -1)
    renumber[picked] = np.arange(len(picked))
    place_starts = draft.place_starts.values.astype(np.int64)
    rows = np.flatnonzero(renumber[draft.place_slots.values] >= 0)
    owners = draft.place_slots.values[rows]

    def kept(lists: Lists) -> tuple[np.ndarray, np.ndarray]:
        return picked_lists(lists.starts, lists.members, picked)

    areas = kept(draft.areas)
    audience = kept(draft.audience)
    flags = draft.minimum_severity.values[picked]
    flags[np.diff(audience[0].astype(np.int64)) > 0] |= native.HAS_AUDIENCE
    return laid_out(
        words=words,
        id_text=np.frombuffer(b"".join(names), np.uint8),
        id_starts=starts_of(np.array([len(name) for name in names], np.int64)),
        flags=flags,
        interests=sets_of(*kept(draft.interests), len(words.interests)),
        audiences=sets_of(*audience, len(words.audience)),
        area_starts=areas[0],
        area_numbers=areas[1],
        followers=_turned_round(*areas, int),
        organisers=_turned_round(*kept(draft.organisers), words.organisers.word),
        muted=_turned_round(*kept(draft.muted), words.muted.word),
        muted_interests=_turned_round(*kept(draft.muted_interests), words.interests.word),
        place_slots=renumber[owners].astype(np.uint32),
        positions=np.column_stack((draft.longitudes.values[rows], draft.latitudes.values[rows])),
        radii=draft.radii.values[rows],
        place_orders=rows - place_starts[owners],
        place_ids=draft.place_ids.values[rows],
        codes=codes[rows],
    )


def by_place(draft: Draft) -> np.ndarray:
    """The slots of a draft that are alive, neighbours beside each other, and those without a place at the end.

    Whom an item concerns for a place of theirs stands close together in the sets then, and in the processor's cache.
    """
    starts = draft.place_starts.values
    at = np.full(len(draft), np.iinfo(np.int64).max)
    located = np.flatnonzero(np.diff(starts.astype(np.int64)))
    firsts = starts[located]
    at[located] = curve_of(draft.longitudes.values[firsts], draft.latitudes.values[firsts])
    slots = np.flatnonzero(draft.living())
    return slots[np.argsort(at[slots], kind="stable")]


def laid_out(*, codes: np.ndarray, **arrays: object) -> Base:
    """A base of these arrays with its places sorted by cell, and every array as narrow as it can be."""
    longitudes, latitudes = np.asarray(arrays["positions"]).T
    radii = np.asarray(arrays["radii"], np.float64)
    cells = cells_of(longitudes, latitudes, radii, RADIUS_CLASSES)
    order = np.argsort(cells, kind="stable")
    cells, starts = np.unique(cells[order], return_index=True)
    for name in ("place_slots", "positions", "radii", "place_orders", "place_ids"):
        arrays[name] = arrays[name][order]
    for name in ("place_orders", "place_ids", "area_numbers"):
        arrays[name] = _narrow(arrays[name])
    radii = radii[order]
    short = radii.astype(np.float32)
    arrays["radii"] = short if np.array_equal(short, radii) else radii
    followers, slots = arrays["followers"], len(arrays["flags"])
    share_begins, shares = shares_of(followers.starts, followers.members, arrays["interests"])
    for name in ("followers", "organisers"):
        arrays[name] = Blocked.of_packed(arrays[name], slots)
    bands, band_starts = bands_of(cells)
    return Base(
        **arrays,
        share_begins=share_begins,
        shares=shares,
        id_table=table_of(arrays["id_text"], arrays["id_starts"]),
        cells=cells,
        cell_starts=np.append(starts, len(order)).astype(np.uint32),
        bands=bands,
        band_starts=band_starts,
        surroundings=rows_by_surroundings(codes[order], arrays["words"]),
    )


def _narrow(numbers: np.ndarray) -> np.ndarray:
    """The numbers (none negative) in the narrowest type that holds them all."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))


def _turned_round(starts: np.ndarray, numbers: np.ndarray, key: Callable[[int], Hashable]) -> Packed:
    """Slots by number, given the lists of numbers by slot; ``key`` says what a number stands for."""
    counts = np.bincount(numbers)
    used = np.flatnonzero(counts)
    places = np.zeros(len(counts), np.int64)
    places[used] = np.arange(len(used))
    begins, order = grouped(places[numbers], len(used))
    slots = np.repeat(np.arange(len(starts) - 1, dtype=np.uint32), np.diff(starts.astype(np.int64)))
    return Packed({key(number): place for place, number in enumerate(used.tolist())}, begins, slots[order])
