"""The quick bounds and the clipping say what measuring the whole geometry says."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kommunepuls_events import ContentItemV1
from kommunepuls_geography import distance_to_geometry_metres
from kommunepuls_matching.footprint import Footprint
from kommunepuls_matching.plane import reach_degrees
from kommunepuls_matching.testing import item
from matching_strategies import RADII, geometries, places

circle = [
    [10 + 0.1 * math.cos(n / 100 * math.pi), 59 + 0.05 * math.sin(n / 100 * math.pi)] for n in range(200)
]
LARGE = {"type": "Polygon", "coordinates": [[*circle, circle[0]]]}


def footprint(geometry: dict) -> Footprint:
    offered: ContentItemV1 = item(geometry=geometry)
    return Footprint.of(offered.geometry)


@settings(max_examples=300, deadline=None)
@given(st.data(), geometries().filter(bool))
def test_many_places_at_once_are_judged_as_one_by_one(data: st.DataObject, geometry: dict) -> None:
    shape = footprint(geometry)
    chosen = data.draw(st.lists(places(geometry), min_size=1, max_size=8))
    longitudes, latitudes, radii = (np.array(column) for column in zip(*chosen, strict=True))
    singly = [shape.distance_within(*one) is not None for one in chosen]
    assert shape.which_within(longitudes, latitudes, radii).tolist() == singly


@settings(max_examples=100, deadline=None)
@given(st.floats(9.7, 10.3), st.floats(58.9, 59.1), st.sampled_from(RADII))
def test_a_large_geometry_is_measured_only_where_it_is_near(
    longitude: float, latitude: float, radius: float
) -> None:
    shape = footprint(LARGE)
    whole = distance_to_geometry_metres(longitude, latitude, shape.shape)
    found = shape.distance_within(longitude, latitude, radius)
    if found is None:
        assert whole > radius - 0.3
    else:
        assert found == pytest.approx(whole, abs=0.3)


@pytest.mark.parametrize("latitude", [0.0, 59.0, -70.0, 85.0])
@pytest.mark.parametrize("metres", [300.0, 50_000.0])
def test_the_reach_in_degrees_is_never_too_short(latitude: float, metres: float) -> None:
    wide, high = reach_degrees(latitude, metres)
    point = footprint({"type": "Point", "coordinates": [0.0, latitude]})
    for turn in range(360):
        angle = math.radians(turn)
        assert point.distance_within(wide * 1.0001, latitude + high * math.sin(angle), metres) is None
        assert point.distance_within(wide * math.cos(angle), latitude + high * 1.0001, metres) is None
