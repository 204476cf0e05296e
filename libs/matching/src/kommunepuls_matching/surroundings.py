"""Which areas hold a position, as the number of a set of areas: for one position or for very many at once.

The same answer as :func:`kommunepuls_matching.areas.areas_around`, which asks for one position at a time.
"""

import math

import numpy as np
import shapely
from kommunepuls_geography import Geography

from kommunepuls_matching.columns import Words

# Cells of a 20th of a degree (about 5,500 by 2,500 metres in the Nordic countries): each has few areas.
_CELLS_PER_DEGREE = 20
_MOST_CELLS = 1 << 16
# A cell is taken a little larger than it is, so that rounding leaves no position outside of its own cell.
_MARGIN_DEGREES = 1e-9
_AT_ONCE = 65_536

Cell = tuple[np.ndarray, np.ndarray, dict[bytes, int]]


class Surroundings:
    """What is known of areas, made ready for asking which of them hold a position (WGS84 degrees)."""

    def __init__(self, geography: Geography, words: Words) -> None:
        located = [area for area in geography.areas if area.geometry is not None]
        self._words = words
        self._shapes = np.array([area.geometry for area in located], object)
        shapely.prepare(self._shapes)
        self._tree = shapely.STRtree(self._shapes)
        # What holds an area holds what lies in it, whatever the borders say.
        self._numbers = [
            frozenset(words.areas[one.id] for one in (area, *geography.areas.ancestors(area.id)))
            for area in located
        ]
        self._cells: dict[tuple[int, int], Cell] = {}

    def code(self, longitude: float, latitude: float) -> int:
        """The number (of ``words.surroundings``) of the set of areas that hold a position."""
        key = math.floor(longitude * _CELLS_PER_DEGREE), math.floor(latitude * _CELLS_PER_DEGREE)
        shapes, areas, codes = self._cells.get(key) or self._cell(key)
        inside = shapely.intersects_xy(shapes, longitude, latitude)
        held = inside.tobytes()
        code = codes.get(held)
        if code is None:
            code = codes[held] = self._number(areas[inside])
        return code

    def _cell(self, key: tuple[int, int]) -> Cell:
        """The areas that touch a cell: shapes and positions, and codes by which of them hold a position."""
        west, south = (one / _CELLS_PER_DEGREE - _MARGIN_DEGREES for one in key)
        east, north = ((one + 1) / _CELLS_PER_DEGREE + _MARGIN_DEGREES for one in key)
        areas = np.sort(self._tree.query(shapely.box(west, south, east, north), predicate="intersects"))
        if len(self._cells) >= _MOST_CELLS:
            self._cells.clear()
        found = self._cells[key] = self._shapes[areas], areas, {}
        return found

    def _number(self, areas: np.ndarray) -> int:
        numbers = (self._numbers[one] for one in areas.tolist())
        return self._words.surroundings[frozenset().union(*numbers)]

    def codes(self, longitudes: np.ndarray, latitudes: np.ndarray) -> np.ndarray:
        """:meth:`code` of many positions."""
        found = np.empty(len(longitudes), np.uint32)
        known: dict[bytes, int] = {}
        for begin in range(0, len(found), _AT_ONCE):
            some = slice(begin, begin + _AT_ONCE)
            found[some] = self._codes(longitudes[some], latitudes[some], known)
        return found

    def _codes(self, longitudes: np.ndarray, latitudes: np.ndarray, known: dict[bytes, int]) -> list[int]:
        places, areas = self._tree.query(shapely.points(longitudes, latitudes))
        inside = shapely.intersects_xy(self._shapes[areas], longitudes[places], latitudes[places])
        places, areas = places[inside], areas[inside].astype(np.int32)
        order = np.lexsort((areas, places))
        held = areas[order].tobytes()
        ends = np.cumsum(np.bincount(places, minlength=len(longitudes))) * areas.itemsize
        codes, begin = [], 0
        for end in ends.tolist():
            key = held[begin:end]
            code = known.get(key)
            if code is None:
                code = known[key] = self._number(np.frombuffer(key, np.int32))
            codes.append(code)
            begin = end
        return codes
