"""Places by cells: which of them could lie within their radius of a geometry.

Places of a like radius share a grid whose cells are about as wide as the radius, so that a point asks few
cells and a place stands in one. Rows are bands of latitude; a row has as many columns as keep its cells
about square, so that cells do not shrink to nothing in the north. Columns go round: the last lies beside
the first, over the 180th meridian.
"""

import bisect
import math
from array import array

import numpy as np

from kommunepuls_matching.columns import Postings
from kommunepuls_matching.footprint import reach_degrees

# Metres; a place belongs to the first class that is at least its radius.
RADIUS_CLASSES = (300.0, 1_000.0, 3_000.0, 10_000.0, 50_000.0)
_METRES_PER_DEGREE = 111_000.0
_ROWS = 1 << 20
# A geometry that covers more cells than this looks through all places of a class instead.
_MOST_CELLS = 4_096


class _Layer:
    """The places of one class of radius."""

    def __init__(self, metres: float, cells: Postings | None = None, everyone: array | None = None) -> None:
        self.metres = metres
        self._step = metres / _METRES_PER_DEGREE
        self.cells = Postings() if cells is None else cells
        self.everyone = array("I") if everyone is None else everyone

    def append(self, row: int, longitude: float, latitude: float) -> None:
        band = self._band(latitude)
        self.cells.append(band * _ROWS + self._column(longitude, self._columns(band)), row)
        self.everyone.append(row)

    def near(self, bounds: tuple[float, float, float, float]) -> np.ndarray:
        """The places in every cell that the bounds, widened by the class's radius, touch."""
        west, south, east, north = bounds
        wide, high = reach_degrees(max(abs(south), abs(north)), self.metres)
        first, last = self._band(south - high), self._band(north + high)
        cells: list[int] = []
        for band in range(first, last + 1):
            columns = self._columns(band)
            begins = self._column_unbounded(west - wide, columns)
            ends = self._column_unbounded(east + wide, columns)
            if len(cells) + min(ends - begins + 1, columns) > _MOST_CELLS:
                return np.array(self.everyone, np.uint32)
            if ends - begins + 1 >= columns:
                cells.extend(range(band * _ROWS, band * _ROWS + columns))
            else:
                cells.extend(band * _ROWS + column % columns for column in range(begins, ends + 1))
        return self.cells.of_all(cells)

    def _band(self, latitude: float) -> int:
        return int((min(90.0, max(-90.0, latitude)) + 90.0) / self._step)

    def _columns(self, band: int) -> int:
        """How many columns a band has: fewer towards the poles."""
        middle = (band + 0.5) * self._step - 90.0
        return max(1, int(360.0 / self._step * max(0.0, math.cos(math.radians(middle)))))

    def _column_unbounded(self, longitude: float, columns: int) -> int:
        return math.floor((longitude + 180.0) / 360.0 * columns)

    def _column(self, longitude: float, columns: int) -> int:
        return self._column_unbounded(longitude, columns) % columns


class PlaceGrid:
    """The places of an index by row number (ascending), in one layer for each class of radius."""

    def __init__(self, layers: list[_Layer] | None = None) -> None:
        self._layers = [_Layer(metres) for metres in RADIUS_CLASSES] if layers is None else layers

    def append(self, row: int, longitude: float, latitude: float, radius_metres: float) -> None:
        """Add a place (WGS84 degrees); its row must be higher than those before."""
        layer = self._layers[bisect.bisect_left(RADIUS_CLASSES, radius_metres)]
        layer.append(row, longitude, latitude)

    def near(self, bounds: tuple[float, float, float, float]) -> list[np.ndarray]:
        """The rows that could lie within their radius of something inside the bounds, one array a class.

        Args:
            bounds: west, south, east, north in degrees.
        """
        return [rows for layer in self._layers if len(rows := layer.near(bounds))]

    def renumbered(self, renumber: np.ndarray, alive: np.ndarray) -> "PlaceGrid":
        """Without the rows that are no longer alive, the others as ``renumber`` says."""
        layers = []
        for layer in self._layers:
            everyone = np.array(layer.everyone, np.uint32)
            kept = renumber[everyone[alive[everyone]]].astype(np.uint32)
            layers.append(
                _Layer(layer.metres, layer.cells.renumbered(renumber, alive), array("I", kept.tobytes()))
            )
        return PlaceGrid(layers)
