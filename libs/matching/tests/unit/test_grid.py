"""The cells let through every place that measuring would find."""

from hypothesis import given, settings
from hypothesis import strategies as st
from kommunepuls_matching.footprint import Footprint
from kommunepuls_matching.grid import PlaceGrid
from kommunepuls_matching.testing import item
from matching_strategies import geometries, places


@settings(max_examples=500, deadline=None)
@given(st.data(), geometries().filter(bool))
def test_no_place_within_its_radius_is_missed(data: st.DataObject, geometry: dict) -> None:
    footprint = Footprint.of(item(geometry=geometry).geometry)
    chosen = data.draw(st.lists(places(geometry), min_size=1, max_size=6))
    grid = PlaceGrid()
    for row, one in enumerate(chosen):
        grid.append(row, *one)
    let_through = {int(row) for rows in grid.near(footprint.bounds) for row in rows}
    within = {row for row, one in enumerate(chosen) if footprint.distance_within(*one) is not None}
    assert within <= let_through


def test_far_places_are_not_looked_at() -> None:
    grid = PlaceGrid()
    for row in range(1000):
        grid.append(row, 10 + row / 1000, 59.0, 500.0)
    (rows,) = grid.near((10.5, 59.0, 10.5, 59.0))
    assert len(rows) < 150
    assert list(rows) == sorted(rows)
