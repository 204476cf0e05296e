"""What is looked at holds every place that measuring would find: in the segment and in the base's cells."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from kommunepuls_geography import Geography
from kommunepuls_matching.cells import RADIUS_CLASSES, bands_of, cells_of, stretches_near
from kommunepuls_matching.columns import Words
from kommunepuls_matching.footprint import Footprint
from kommunepuls_matching.plane import near_position
from kommunepuls_matching.segment import Segment
from kommunepuls_matching.surroundings import Surroundings
from kommunepuls_matching.testing import item, place, profile
from matching_strategies import ELLIPSOID, geometries, places, positions


def segment_of(chosen: list[tuple[float, float, float]]) -> Segment:
    words = Words()
    segment = Segment(words)
    rows = [place(f"p{row}", *one) for row, one in enumerate(chosen)]
    segment.put(profile(places=rows), Surroundings(Geography(), words))
    return segment


def rows_in_cells(chosen: list[tuple[float, float, float]], footprint: Footprint) -> set[int]:
    columns = (np.array(one, float) for one in zip(*chosen, strict=True))
    cells = cells_of(*columns, RADIUS_CLASSES)
    order = np.argsort(cells, kind="stable")
    used, starts = np.unique(cells[order], return_index=True)
    starts = np.append(starts, len(order)).astype(np.uint32)
    stretches, _ = stretches_near(used, starts, *bands_of(used), RADIUS_CLASSES, *footprint.bounds)
    return {int(row) for begin, end, _ in stretches for row in order[begin:end]}


@settings(max_examples=500, deadline=None)
@given(positions(), st.floats(0, 360), st.floats(0, 80_000))
def test_the_doubt_of_a_near_position_is_a_bound(
    at: tuple[float, float], azimuth: float, metres: float
) -> None:
    longitude, latitude, _ = ELLIPSOID.fwd(*at, azimuth, metres)
    there, _, measured = ELLIPSOID.inv(*at, longitude, latitude)
    east, north, doubt = near_position(*at, longitude, latitude)
    angle = math.radians(there)
    assert math.hypot(east - measured * math.sin(angle), north - measured * math.cos(angle)) <= doubt
    if metres < 10_000 and abs(latitude) < 72 and abs(longitude - at[0]) < 1:
        assert doubt < 0.5


@settings(max_examples=500, deadline=None)
@given(st.data(), geometries().filter(bool))
def test_no_place_within_its_radius_is_missed(data: st.DataObject, geometry: dict) -> None:
    footprint = Footprint.of(item(geometry=geometry).geometry)
    chosen = data.draw(st.lists(places(geometry), min_size=1, max_size=6))
    within = {row for row, one in enumerate(chosen) if footprint.distance_within(*one) is not None}
    assert within <= set(segment_of(chosen).rows_near(*footprint.bounds).tolist())
    assert within <= rows_in_cells(chosen, footprint)


def test_far_places_are_not_looked_at() -> None:
    chosen = [(10 + row / 1000, 59.0, 500.0) for row in range(1000)]
    footprint = Footprint.of(item(geometry={"type": "Point", "coordinates": [10.5, 59.0]}).geometry)
    assert 15 < len(segment_of(chosen).rows_near(*footprint.bounds)) < 25
    assert 15 < len(rows_in_cells(chosen, footprint)) < 50
