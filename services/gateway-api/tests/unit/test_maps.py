from datetime import UTC, datetime, timedelta

import pytest
from gateway_api.domain.charts import chart
from gateway_api.domain.maps import Marker, labels, spread, town_map
from kommunepuls_geography import Area
from shapely import Polygon, box

HAVNA = Area("havna", "Havna", geometry=box(10.0, 59.0, 10.1, 59.1))
NORDMARKA = Area("nordmarka", "Nordmarka", geometry=box(10.0, 59.1, 10.1, 59.2))


def test_north_is_up_and_a_degree_is_as_long_east_as_north() -> None:
    town = town_map([HAVNA, NORDMARKA])
    assert town is not None
    south_west, north_east = town.place(10.0, 59.0), town.place(10.1, 59.2)
    assert south_west is not None
    assert north_east is not None
    assert north_east[1] < south_west[1]
    east, north = north_east[0] - south_west[0], south_west[1] - north_east[1]
    # 0.1 degrees east at 59.1 degrees north are 5.7 km, 0.2 degrees north 22.2 km.
    assert east / north == pytest.approx(5.7 / 22.2, rel=0.02)
    assert town.place(20.0, 59.0) is None


def test_neighbours_keep_one_common_border_when_simplified() -> None:
    # The border between the two has many corners; each side must lose the same ones.
    border = [(10.0 + step / 200, 59.1 + (step % 2) / 5000) for step in range(21)]
    south = Polygon([(10.0, 59.0), (10.1, 59.0), *reversed(border)])
    north = Polygon([*border, (10.1, 59.2), (10.0, 59.2)])
    town = town_map([Area("s", "S", geometry=south), Area("n", "N", geometry=north)])
    assert town is not None
    corners = [set(shape.path.strip("MZ").split("L")) for shape in town.shapes]
    assert len(corners[0] & corners[1]) >= 2
    assert len(corners[0]) < 20


def test_a_district_stays_on_the_map_around_the_neighbourhood_in_it() -> None:
    brygga = Area("brygga", "Brygga", parent="havna", geometry=box(10.04, 59.04, 10.06, 59.06))
    town = town_map([brygga, NORDMARKA, HAVNA])
    assert town is not None
    shapes = {shape.area: shape for shape in town.shapes}
    assert [*shapes] == ["nordmarka", "havna", "brygga"]
    assert [shape.area for shape in town.shapes if shape.inside] == ["brygga"]
    assert shapes["havna"].path.count("M") == 1
    # The district's name stands beside the neighbourhood, not on it.
    inner = [town.place(10.04, 59.06), town.place(10.06, 59.04)]
    assert inner[0] is not None
    assert inner[1] is not None
    name = shapes["havna"]
    assert not (inner[0][0] < name.x < inner[1][0] and inner[0][1] < name.y < inner[1][1])


def test_a_district_that_its_neighbourhoods_fill_is_drawn_too() -> None:
    halves = [
        Area("west", "West", parent="havna", geometry=box(10.0, 59.0, 10.05, 59.1)),
        Area("east", "East", parent="havna", geometry=box(10.05, 59.0, 10.1, 59.1)),
    ]
    town = town_map([HAVNA, *halves])
    assert town is not None
    assert all(shape.path for shape in town.shapes)
    assert len(town.shapes) == 3


def test_areas_without_polygons_have_no_map() -> None:
    assert town_map([Area("a", "A")]) is None


def test_markers_at_one_place_are_spread_so_that_none_hides_another() -> None:
    town = town_map([HAVNA])
    assert town is not None
    placed = spread([Marker(str(n), "road", "urgent", 500, 300) for n in range(8)], town, apart=60)
    assert len(placed) == 8
    for one in placed:
        for other in placed:
            assert one is other or (one.x - other.x) ** 2 + (one.y - other.y) ** 2 >= 59.9**2


def test_a_name_makes_way_for_a_marker_or_is_left_out() -> None:
    town = town_map([HAVNA, NORDMARKA])
    assert town is not None
    shape = town.shapes[0]
    free = labels(town, {"havna": "Havna"}, [])[0]
    moved = labels(town, {"havna": "Havna"}, [Marker("i", "road", "urgent", shape.x, shape.y)])[0]
    assert (free.y, moved.x) == (shape.y, shape.x)
    assert abs(moved.y - shape.y) > 30
    assert labels(town, {"havna": "H" * 200}, []) == []


def test_a_chart_has_round_steps_and_needs_two_points() -> None:
    begins = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert chart([(begins, 20.0)], "Europe/Oslo") is None
    drawn = chart([(begins + timedelta(hours=n), 14.8 + n / 10) for n in range(48)], "Europe/Oslo")
    assert drawn is not None
    assert [tick.value for tick in drawn.values] == [14, 16, 18, 20]
    assert all(tick.value.hour % 8 == 0 for tick in drawn.times)
    flat = chart([(begins, 5.0), (begins + timedelta(hours=1), 5.0)], "Europe/Oslo")
    assert flat is not None
    assert len(flat.values) >= 2


def test_the_grid_leaves_room_for_long_numbers_and_the_table_has_the_newest_first() -> None:
    begins = datetime(2026, 7, 1, 12, tzinfo=UTC)
    short = chart([(begins, 5.0), (begins + timedelta(hours=1), 9.0)], "Europe/Oslo")
    long = chart([(begins + timedelta(hours=n), 1013.5 + n / 50) for n in range(40)], "Europe/Oslo")
    assert short is not None
    assert long is not None
    assert long.left > short.left + 60
    assert len(long.rows) <= 12
    assert long.rows[0] == (begins + timedelta(hours=39), 1013.5 + 39 / 50)
    assert long.rows[0][0] > long.rows[-1][0]
