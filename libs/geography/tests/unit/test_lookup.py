import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from kommunepuls_geography import Area, AreaKind, AreaLookup, AreaTree, GeographyError, distance_metres


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(west, south, east, north)


@pytest.fixture
def lookup() -> AreaLookup:
    return AreaLookup(
        AreaTree(
            [
                Area("m", "M", AreaKind.MUNICIPALITY, geometry=box(10, 59, 11, 60)),
                Area("m/west", "W", AreaKind.DISTRICT, "m", box(10, 59, 10.5, 60)),
                Area("m/west/a", "A", AreaKind.NEIGHBOURHOOD, "m/west", box(10, 59, 10.2, 59.2)),
                Area("bare", "Bare", AreaKind.MUNICIPALITY),
                Area("bare/b", "B", AreaKind.NEIGHBOURHOOD, "bare", box(12, 59, 12.1, 59.1)),
            ]
        )
    )


def ids(areas) -> list[str]:
    return [area.id for area in areas]


def test_areas_at_a_position_come_most_specific_first(lookup):
    assert ids(lookup.areas_at(10.1, 59.1)) == ["m/west/a", "m/west", "m"]
    assert ids(lookup.areas_at(10.9, 59.1)) == ["m"]
    assert lookup.areas_at(9, 59) == []


def test_a_position_on_a_border_is_in_the_area(lookup):
    assert ids(lookup.areas_at(10.5, 59.5)) == ["m/west", "m"]


def test_an_ancestor_without_polygon_is_found_by_the_hierarchy(lookup):
    assert ids(lookup.areas_at(12.05, 59.05)) == ["bare/b", "bare"]


def test_of_areas_at_one_depth_the_smaller_comes_first():
    tree = AreaTree(
        [Area("large", "L", geometry=box(0, 0, 9, 9)), Area("small", "S", geometry=box(1, 1, 2, 2))]
    )
    assert ids(AreaLookup(tree).areas_at(1.5, 1.5)) == ["small", "large"]


def test_a_hole_is_outside():
    ring = box(10, 59, 11, 60).difference(box(10.4, 59.4, 10.6, 59.6))
    lookup = AreaLookup(AreaTree([Area("ring", "R", geometry=ring)]))
    assert lookup.areas_at(10.5, 59.5) == []
    assert ids(lookup.areas_at(10.2, 59.5)) == ["ring"]


def test_a_line_has_its_share_of_length_in_each_area(lookup):
    line = {"type": "LineString", "coordinates": [[10.0, 59.1], [10.4, 59.1]]}
    shares = {one.area.id: one.share for one in lookup.areas_of(line)}
    assert list(shares) == ["m/west/a", "m/west", "m"]
    assert shares == pytest.approx({"m/west/a": 0.5, "m/west": 1.0, "m": 1.0})


def test_shares_of_a_bent_line_are_shares_of_metres(lookup):
    # 0.1 degrees of longitude are about half of 0.1 degrees of latitude at 59 degrees north.
    bent = {"type": "LineString", "coordinates": [[10.1, 59.2], [10.1, 59.1], [10.2, 59.1], [10.3, 59.1]]}
    up, along = distance_metres(10.1, 59.2, 10.1, 59.1), distance_metres(10.1, 59.1, 10.2, 59.1)
    [share] = [one.share for one in lookup.areas_of(bent) if one.area.id == "m/west/a"]
    assert share == pytest.approx((up + along) / (up + 2 * along), rel=0.01)


def test_a_sliver_is_left_out_below_the_stated_share(lookup):
    line = {"type": "LineString", "coordinates": [[10.19, 59.1], [10.49, 59.1]]}
    assert [one.area.id for one in lookup.areas_of(line)] == ["m/west", "m"]
    assert lookup.areas_of(line, minimum_share=0.01)[0].area.id == "m/west/a"


def test_a_polygon_has_its_share_of_surface(lookup):
    polygon = shapely.geometry.mapping(box(10.1, 59.0, 10.3, 59.2))
    shares = {one.area.id: one.share for one in lookup.areas_of(polygon)}
    assert shares == pytest.approx({"m/west/a": 0.5, "m/west": 1.0, "m": 1.0})


def test_a_small_area_under_a_large_polygon_is_found_and_one_that_it_grazes_is_not(lookup):
    county = box(9, 58, 13, 62)
    assert {"m/west/a", "m/west", "m", "bare/b", "bare"} == {one.area.id for one in lookup.areas_of(county)}
    grazing = box(10.4999, 58, 13, 62)
    assert "m/west" not in {one.area.id for one in lookup.areas_of(grazing)}


def test_points_and_collections_are_looked_up_too(lookup):
    points = {"type": "MultiPoint", "coordinates": [[10.1, 59.1], [10.9, 59.1]]}
    assert {one.area.id: one.share for one in lookup.areas_of(points)}["m/west/a"] == 0.5
    mixed = {
        "type": "GeometryCollection",
        "geometries": [{"type": "Point", "coordinates": [12.05, 59.05]}, shapely.geometry.mapping(box(10, 59, 10.1, 59.1))],
    }  # fmt: skip
    assert [one.area.id for one in lookup.areas_of(mixed)] == ["m/west/a", "m/west", "m"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "Point", "coordinates": [569000, 6550000]},
        {"type": "Point", "coordinates": []},
        {"type": "Point"},
        {"type": "Circle", "coordinates": [1, 2]},
        {"type": "LineString", "coordinates": [[10, 59]]},
        {},
    ],
)
def test_a_geometry_that_is_none_is_refused(lookup, wrong):
    with pytest.raises(GeographyError):
        lookup.areas_of(wrong)


def test_a_pier_off_the_coast_finds_its_municipality(lookup):
    pier = (9.995, 59.1)
    assert lookup.areas_at(*pier) == []
    nearest = lookup.nearest_area(*pier, within_metres=500)
    assert nearest is not None
    assert nearest.area.id == "m/west/a"
    assert nearest.metres == pytest.approx(distance_metres(*pier, 10.0, 59.1), rel=0.006)
    assert lookup.nearest_area(*pier, within_metres=200) is None


def test_the_nearest_area_of_a_kind_can_be_asked_for(lookup):
    nearest = lookup.nearest_area(9.995, 59.1, 500, kind=AreaKind.MUNICIPALITY)
    assert nearest is not None
    assert nearest.area.id == "m"


def test_a_position_inside_is_at_no_distance(lookup):
    nearest = lookup.nearest_area(10.1, 59.1, within_metres=1)
    assert nearest is not None
    assert (nearest.area.id, nearest.metres) == ("m/west/a", 0.0)


def test_an_empty_tree_holds_nothing():
    lookup = AreaLookup(AreaTree())
    assert lookup.areas_at(10, 59) == []
    assert lookup.nearest_area(10, 59, 1000) is None
    assert lookup.areas_of({"type": "Point", "coordinates": [10, 59]}) == []


# On a grid, so that borders and corners are hit again and again.
steps = st.integers(0, 8).map(lambda step: 10 + step / 8)
polygons = st.lists(st.tuples(steps, steps), min_size=3, max_size=6, unique=True).map(
    lambda points: shapely.MultiPoint(points).convex_hull
)


@settings(max_examples=150, deadline=None)
@given(
    shapes=st.lists(polygons.filter(lambda shape: shape.area > 0), max_size=6),
    parents=st.lists(st.integers(0, 5), min_size=6, max_size=6),
    lon=steps,
    lat=steps,
)
def test_areas_at_agrees_with_asking_every_area(shapes, parents, lon, lat):
    areas = [
        Area(str(number), "", parent=str(parents[number] % number) if number and parents[number] else None, geometry=shape)
        for number, shape in enumerate(shapes)
    ]  # fmt: skip
    tree = AreaTree(areas)
    expected = set()
    for area in areas:
        if area.geometry is not None and area.geometry.distance(shapely.Point(lon, lat)) == 0:
            expected |= {area.id, *(ancestor.id for ancestor in tree.ancestors(area.id))}
    found = AreaLookup(tree).areas_at(lon, lat)
    assert {area.id for area in found} == expected
    depths = [tree.depth(area.id) for area in found]
    assert depths == sorted(depths, reverse=True)
