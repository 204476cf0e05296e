import numpy
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from kommunepuls_geography import GeographyError, distance_metres, distance_to_geometry_metres
from kommunepuls_geography.distance import HAVERSINE_RELATIVE_ERROR
from pyproj import Geod

ELLIPSOID = Geod(ellps="WGS84")
longitudes = st.floats(-180, 180)
latitudes = st.floats(-90, 90)
nordic = st.tuples(st.floats(4, 31), st.floats(55, 72))

HOLED = {
    "type": "Polygon",
    "coordinates": [
        [[10, 59], [11, 59], [11, 60], [10, 60], [10, 59]],
        [[10.4, 59.4], [10.6, 59.4], [10.6, 59.6], [10.4, 59.6], [10.4, 59.4]],
    ],
}


@settings(max_examples=300, deadline=None)
@given(lon1=longitudes, lat1=latitudes, lon2=longitudes, lat2=latitudes)
def test_haversine_is_within_its_stated_error_of_the_ellipsoid(lon1, lat1, lon2, lat2):
    _, _, true = ELLIPSOID.inv(lon1, lat1, lon2, lat2)
    assert distance_metres(lon1, lat1, lon2, lat2) == pytest.approx(
        true, rel=HAVERSINE_RELATIVE_ERROR, abs=0.001
    )


def test_the_stated_error_is_not_generous():
    _, _, true = ELLIPSOID.inv(10, 0, 10, 1)
    assert abs(distance_metres(10, 0, 10, 1) / true - 1) > HAVERSINE_RELATIVE_ERROR / 2


@settings(max_examples=200, deadline=None)
@given(position=nordic, place=nordic)
def test_the_distance_to_a_point_is_that_of_the_ellipsoid(position, place):
    _, _, true = ELLIPSOID.inv(*position, *place)
    measured = distance_to_geometry_metres(*position, {"type": "Point", "coordinates": list(place)})
    assert measured == pytest.approx(true, rel=1e-9, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    position=nordic,
    start=st.tuples(st.floats(-2, 2), st.floats(-1, 1)),
    reach=st.tuples(st.floats(-2, 2), st.floats(-1, 1)),
)
def test_the_distance_to_a_line_is_within_its_stated_error(position, start, reach):
    lon, lat = position
    first = (lon + start[0], lat + start[1])
    last = (first[0] + reach[0], first[1] + reach[1])
    along = numpy.linspace(0, 1, 20_001)
    lons, lats = first[0] + along * (last[0] - first[0]), first[1] + along * (last[1] - first[1])
    _, _, metres = ELLIPSOID.inv(numpy.full_like(lons, lon), numpy.full_like(lats, lat), lons, lats)
    measured = distance_to_geometry_metres(lon, lat, {"type": "LineString", "coordinates": [first, last]})
    # The samples lie up to 7 m from the nearest point of the line.
    assert measured == pytest.approx(metres.min(), rel=0.001, abs=8)


def test_a_long_edge_is_straight_in_longitude_and_latitude():
    # On the parallel itself, although the geodesic between its ends passes 11 km north of it.
    line = {"type": "LineString", "coordinates": [[5.0, 60.0], [18.0, 60.0]]}
    assert distance_to_geometry_metres(11.5, 60.0, line) < 1


def test_inside_a_polygon_is_no_distance_and_its_hole_is_outside():
    assert distance_to_geometry_metres(10.2, 59.5, HOLED) == 0
    assert distance_to_geometry_metres(10.0, 59.5, HOLED) == 0
    in_hole = distance_to_geometry_metres(10.5, 59.41, HOLED)
    assert in_hole == pytest.approx(distance_metres(10.5, 59.41, 10.5, 59.4), rel=0.006)


def test_outside_of_a_polygon_the_nearest_edge_counts():
    assert distance_to_geometry_metres(10.5, 58.9, HOLED) == pytest.approx(
        distance_metres(10.5, 58.9, 10.5, 59.0), rel=0.006
    )


def test_of_several_parts_the_nearest_counts():
    islands = shapely.MultiPolygon([shapely.box(10, 59, 10.1, 59.1), shapely.box(10.3, 59, 10.4, 59.1)])
    metres = distance_to_geometry_metres(10.28, 59.05, shapely.geometry.mapping(islands))
    assert metres == pytest.approx(distance_metres(10.28, 59.05, 10.3, 59.05), rel=0.006)


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "Point", "coordinates": [569000, 6550000]},
        {"type": "GeometryCollection", "geometries": []},
        {"type": "Polygon", "coordinates": "x"},
        None,
        {"type": "Point", "coordinates": [float("inf"), 59]},
    ],
)
def test_a_geometry_that_is_none_is_refused(wrong):
    with pytest.raises(GeographyError):
        distance_to_geometry_metres(10, 59, wrong)
