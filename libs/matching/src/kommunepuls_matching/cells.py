"""Cells that places are sorted by, and the stretches of them that come near something."""

import math

import numpy as np

from kommunepuls_matching.compiling import compiled
from kommunepuls_matching.native import first_at_least
from kommunepuls_matching.plane import SLACK_METRES, SLACK_SHARE, degree_bounds, reach_degrees

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
_ROUNDING = 1e-9  # degrees


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
def bands_of(cells):
    """The bands that cells (ascending) lie in, layer and band in one number, and where the cells of each begin."""
    bands, begins = np.empty(len(cells), np.int64), np.empty(len(cells) + 1, np.uint32)
    count = 0
    for cell in range(len(cells)):
        if count == 0 or bands[count - 1] != cells[cell] // _BAND:
            bands[count] = cells[cell] // _BAND
            begins[count] = cell
            count += 1
    begins[count] = len(cells)
    return bands[:count].copy(), begins[: count + 1].copy()


@compiled
def stretches_near(cells, starts, bands, band_starts, classes, west, south, east, north):
    """The stretches of rows in every cell that bounds (degrees) touch when widened by the radius of each layer.

    Args:
        cells: ascending; the rows of cell n are ``starts[n]`` up to ``starts[n + 1]``.
        bands, band_starts: as :func:`bands_of` says.

    Returns:
        Begin, end and layer of each stretch; by layer, the metres of a degree as :func:`screen` takes them.
    """
    found, count = np.empty((128, 3), np.int64), 0
    degrees = np.zeros((len(classes), 4))
    for layer in range(len(classes)):
        lowest, highest = layer * _LAYER // _BAND, (layer + 1) * _LAYER // _BAND
        place = first_at_least(bands, np.int64(0), np.int64(len(bands)), np.int64(lowest))
        if place == len(bands) or bands[place] >= highest:
            continue
        bounded, low_x, low_y, high_x, high_y = degree_bounds(west, south, east, north, classes[layer])
        if bounded:
            degrees[layer, 0], degrees[layer, 1] = low_x, low_y
            degrees[layer, 2], degrees[layer, 3] = high_x, high_y
        step = classes[layer] * _CELL_SHARE / _METRES_PER_DEGREE
        wide, high = reach_degrees(max(abs(south), abs(north)), classes[layer])
        first_band = np.int64(lowest + _band_of(south - high, step))
        place = first_at_least(bands, place, np.int64(len(bands)), first_band)
        last_band = lowest + _band_of(north + high, step)
        while place < len(bands) and bands[place] <= last_band:
            band = bands[place] - lowest
            columns = _columns_of(band, step)
            reach = wide
            if bounded:
                # As far north or south of the geometry as the band is, what is within the radius is nearer than it.
                apart = (
                    max(south - (band + 1) * step + 90.0, band * step - 90.0 - north, _ROUNDING) - _ROUNDING
                )
                radius = classes[layer] * (1 + SLACK_SHARE) + SLACK_METRES
                reach = min(wide, math.sqrt(max(0.0, radius**2 - (apart * low_y) ** 2)) / low_x + _ROUNDING)
            first = math.floor((west - reach + 180.0) / 360.0 * columns)
            last = math.floor((east + reach + 180.0) / 360.0 * columns)
            if last - first + 1 >= columns:
                first, last = 0, columns - 1
            first, last = first % columns, last % columns
            if count + 2 > len(found):
                more = np.empty((2 * len(found), 3), np.int64)
                for one in range(count):
                    more[one, 0], more[one, 1], more[one, 2] = found[one, 0], found[one, 1], found[one, 2]
                found = more
            row = bands[place] * _BAND
            if first <= last:
                stretches = ((row + first, row + last), (row, row - 1))  # the second holds none
            else:  # over the 180th meridian
                stretches = ((row + first, row + columns - 1), (row, row + last))
            for lowest_cell, highest_cell in stretches:
                begin, end = np.int64(band_starts[place]), np.int64(band_starts[place + 1])
                begin = first_at_least(cells, begin, end, np.int64(lowest_cell))
                after = begin
                while after < end and cells[after] <= highest_cell:
                    after += 1
                if begin < after:
                    found[count, 0], found[count, 1], found[count, 2] = starts[begin], starts[after], layer
                    count += 1
            place += 1
    return found[:count], degrees
