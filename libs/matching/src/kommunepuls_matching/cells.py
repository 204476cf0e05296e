"""Cells that places are sorted by, and the stretches of them that come near something."""

import math

import numpy as np

from kommunepuls_matching.compiling import compiled
from kommunepuls_matching.plane import degree_bounds, reach_degrees

# Metres; a place belongs to the first class that is at least its radius. The finer the classes, the fewer places
# are looked at in vain; the more, the more cells.
RADIUS_CLASSES = np.array(
    (
        300.0,
        600.0,
        1_000.0,
        1_500.0,
        2_200.0,
        3_200.0,
        5_000.0,
        7_500.0,
        11_000.0,
        17_000.0,
        27_000.0,
        50_000.0,
    )
)
# Cells: layer, band and column in one number, so that a stretch of a band is a stretch of numbers.
_BAND, _LAYER = 1 << 20, 1 << 40
_METRES_PER_DEGREE = 111_000.0
_CELL_SHARE = 0.5  # of the radius
# A geometry that reaches over more bands than this looks through all places of a class instead.
_MOST_BANDS = 2_048


@compiled
def _columns_of(band, step):
    """How many columns a band of cells has: as many as keep its cells about square."""
    middle = (band + 0.5) * step - 90.0
    return max(1, int(360.0 / step * max(0.0, math.cos(math.radians(middle)))))


@compiled
def _band_of(latitude, step):
    return int((min(90.0, max(-90.0, latitude)) + 90.0) / step)


@compiled
def discs_of(longitudes, latitudes, radii):
    """West, south, east and north (degrees) of what lies within the radius of each place, or of more than that."""
    discs = np.empty((len(radii), 4))
    for row in range(len(radii)):
        wide, high = reach_degrees(latitudes[row], radii[row])
        west, east = longitudes[row] - wide, longitudes[row] + wide
        if west <= -180.0 or east >= 180.0:  # over the 180th meridian, or the pole
            west, east = -180.0, 180.0
        discs[row, 0], discs[row, 1] = west, latitudes[row] - high
        discs[row, 2], discs[row, 3] = east, latitudes[row] + high
    return discs


@compiled
def cells_of(longitudes, latitudes, radii, classes):
    """The cell of every place: its layer is the first class that is at least its radius."""
    cells = np.empty(len(longitudes), np.int64)
    for row in range(len(longitudes)):
        layer = 0
        while classes[layer] < radii[row]:
            layer += 1
        step = classes[layer] * _CELL_SHARE / _METRES_PER_DEGREE
        band = _band_of(latitudes[row], step)
        columns = _columns_of(band, step)
        column = math.floor((longitudes[row] + 180.0) / 360.0 * columns) % columns
        cells[row] = layer * _LAYER + band * _BAND + column
    return cells


@compiled
def stretches_near(cells, starts, classes, west, south, east, north):
    """The stretches of rows in every cell that bounds (degrees) touch when widened by the radius of each layer.

    Args:
        cells: ascending; the rows of cell n are ``starts[n]`` up to ``starts[n + 1]``.

    Returns:
        begins, ends and layers of the stretches; by layer, the metres of a degree as :func:`screen` takes them.
    """
    begins, ends, layers = [0], [0], [0]
    begins.clear()
    ends.clear()
    layers.clear()
    degrees = np.zeros((len(classes), 4))
    for layer in range(len(classes)):
        lowest, highest = layer * _LAYER, (layer + 1) * _LAYER - 1
        if np.searchsorted(cells, lowest) == np.searchsorted(cells, highest):
            continue
        found, low_x, low_y, high_x, high_y = degree_bounds(west, south, east, north, classes[layer])
        if found:
            degrees[layer, 0], degrees[layer, 1] = low_x, low_y
            degrees[layer, 2], degrees[layer, 3] = high_x, high_y
        step = classes[layer] * _CELL_SHARE / _METRES_PER_DEGREE
        wide, high = reach_degrees(max(abs(south), abs(north)), classes[layer])
        first_band, last_band = _band_of(south - high, step), _band_of(north + high, step)
        if last_band - first_band > _MOST_BANDS:
            _add(cells, starts, begins, ends, layers, layer, lowest, highest)
            continue
        for band in range(first_band, last_band + 1):
            columns = _columns_of(band, step)
            first = math.floor((west - wide + 180.0) / 360.0 * columns)
            last = math.floor((east + wide + 180.0) / 360.0 * columns)
            if last - first + 1 >= columns:
                first, last = 0, columns - 1
            first, last = first % columns, last % columns
            row = lowest + band * _BAND
            if first <= last:
                _add(cells, starts, begins, ends, layers, layer, row + first, row + last)
            else:  # over the 180th meridian
                _add(cells, starts, begins, ends, layers, layer, row + first, row + columns - 1)
                _add(cells, starts, begins, ends, layers, layer, row, row + last)
    return np.array(begins, np.int64), np.array(ends, np.int64), np.array(layers, np.int64), degrees


@compiled
def _add(cells, starts, begins, ends, layers, layer, first, last):
    begin = starts[np.searchsorted(cells, first)]
    end = starts[np.searchsorted(cells, last + 1)]
    if begin < end:
        begins.append(np.int64(begin))
        ends.append(np.int64(end))
        layers.append(layer)
