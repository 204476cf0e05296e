"""From plough reports to covered roads. The roads are a small grid of ours near 59.1 N 10.2 E."""

from datetime import UTC, datetime, timedelta

import pytest
from kommunepuls_chassis.errors import OperatorError, PermanentError, RejectedInput, TransientError
from kommunepuls_events import Organiser
from pyproj import Transformer
from sensor_gateway.domain.ploughs import arcgis, avl, harja
from sensor_gateway.domain.ploughs.coverage import (
    AreaCover,
    Cover,
    area_cover,
    confidence,
    is_covered,
    marked,
    step_of,
)
from sensor_gateway.domain.ploughs.grid import grid as grid_of
from sensor_gateway.domain.ploughs.identity import without_identity
from sensor_gateway.domain.ploughs.items import Told, item_of
from sensor_gateway.domain.ploughs.roads import MatchRules, RoadNetwork, network_from_geojson
from sensor_gateway.domain.ploughs.sightings import Gaps, Sighting, Tracks, Work

NOW = datetime(2026, 1, 30, 12, 0, tzinfo=UTC)
BOTH = frozenset({Work.PLOUGHING, Work.SALTING})
PLOUGH = frozenset({Work.PLOUGHING})
RULES = MatchRules(15, 30)
WEST, EAST, SOUTH, NORTH = 10.2, 10.2035, 59.1, 59.1018  # 200 m each way


def harja_observation(**changes: object) -> dict:
    fields = {
        "tyokone": {"id": 7, "tyokonetyyppi": "aura-auto"},
        "sijainti": {"viivageometria": {"type": "LineString", "coordinates": [[385_000, 6_672_000], [385_100, 6_672_000]]}},
        "havaintoaika": "2026-01-30T12:00:00+02:00", "urakkaid": 1,
        "suoritettavatTehtavat": ["auraus ja sohjonpoisto", "suolaus"],
    }  # fmt: skip
    return {"havainto": {**fields, **changes}}


FINNISH = grid_of(3067)


def test_a_harja_line_becomes_degrees_and_several_works():
    sighting = harja.read(harja_observation(), FINNISH)
    assert sighting.works == BOTH
    assert sighting.at == datetime(2026, 1, 30, 10, 0, tzinfo=UTC)
    (longitude, latitude), _ = sighting.points
    assert (longitude, latitude) == pytest.approx((24.93, 60.17), abs=0.02)  # Helsinki
    back = Transformer.from_crs("EPSG:4326", "EPSG:3067", always_xy=True).transform(longitude, latitude)
    assert back == pytest.approx((385_000, 6_672_000), abs=0.1)


def test_setting_snow_stakes_ploughs_nothing():
    stakes = harja_observation(suoritettavatTehtavat=["aurausviitoitus ja kinostimet"])
    assert harja.read(stakes, FINNISH).works == frozenset()


def test_a_harja_point_is_read():
    point = harja_observation(sijainti={"koordinaatit": {"x": 385_000, "y": 6_672_000}})
    assert len(harja.read(point, FINNISH).points) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"suoritettavatTehtavat": None}, "tasks-missing"),
        ({"suoritettavatTehtavat": "auraus"}, "wrong-shape"),
        ({"sijainti": {"koordinaatit": {"x": 6_672_000, "y": 385_000}}}, "outside-grid"),
        ({"sijainti": {"koordinaatit": {"x": 24.9, "y": 60.2}}}, "outside-grid"),
        ({"sijainti": {}}, "wrong-shape"),
        ({"sijainti": {"viivageometria": {"coordinates": [[1]]}}}, "wrong-shape"),
        ({"havaintoaika": "2026-01-30T12:00:00"}, "time-without-zone"),
    ],
)
def test_what_is_wrong_with_a_harja_report_is_named(changes, reason):
    with pytest.raises(RejectedInput) as caught:
        harja.read(harja_observation(**changes), FINNISH)
    assert caught.value.reason == reason


def unit(**changes: object) -> dict:
    fields = {"OBJECTID": 1, "LASTUPDATE": 1_769_792_400_000, "VELOCITY": "12", "UNITTYPE": "U1",
              "COORDINATES": "59.1,10.2", "RECEIVEDTIME": 1_769_774_400_000}  # fmt: skip
    return {"type": "Feature", "geometry": None, "properties": {**fields, **changes}}


def test_an_arcgis_text_position_has_latitude_first():
    sighting, received = arcgis.read_unit(unit(), timedelta(hours=-5))
    assert sighting.points == ((10.2, 59.1),)
    assert sighting.at == received == NOW


def test_an_arcgis_unit_that_stands_or_has_no_time_is_not_at_work():
    with pytest.raises(arcgis.Standing):
        arcgis.read_unit(unit(VELOCITY="0"), timedelta())
    with pytest.raises(RejectedInput, match="time-missing"):
        arcgis.read_unit(unit(LASTUPDATE=None), timedelta())
    with pytest.raises(RejectedInput, match="position-missing"):
        arcgis.read_unit(unit(COORDINATES="here"), timedelta())


def test_an_arcgis_answer_with_status_200_may_be_no_list():
    assert arcgis.features({"type": "FeatureCollection", "features": []}) == []
    with pytest.raises(PermanentError, match="Invalid"):
        arcgis.features({"error": {"code": 400, "message": "Invalid query"}})
    with pytest.raises(TransientError):
        arcgis.features({"error": {"code": 500, "message": "busy"}})
    with pytest.raises(RejectedInput, match="not-features"):
        arcgis.features({"currentVersion": 10.9, "name": "Layer"})


def test_a_street_counts_when_its_status_says_that_it_is_done():
    street = {"geometry": {"type": "LineString", "coordinates": [[10.2, 59.1], [10.21, 59.1]]},
              "properties": {"status": "3", "completetime": 1_769_774_400_000}}  # fmt: skip
    assert arcgis.read_street(street, timedelta(), frozenset({"3"})).whole
    with pytest.raises(arcgis.Standing):
        arcgis.read_street(street, timedelta(), frozenset({"4"}))


def test_a_trackers_feet_are_used_where_degrees_are_missing():
    works = {"SPREADER": PLOUGH}
    feet = {
        "assetType": "SPREADER",
        "assetName": "A",
        "postingTime": "2026-01-30T06:00:00-06:00",
        "XCoord": 1161569.6,
        "YCoord": 1915929.2,
    }
    sighting = avl.read(feet, works)
    assert sighting.points[0] == pytest.approx((-87.68174, 41.924988), abs=0.0005)
    assert avl.read({**feet, "assetType": "SWEEPER"}, works).works == frozenset()


def seen(seconds: int, longitude: float, works: frozenset[Work] = PLOUGH, vehicle: str = "v") -> Sighting:
    return Sighting(vehicle, NOW + timedelta(seconds=seconds), ((longitude, SOUTH),), works)


def test_two_positions_of_a_vehicle_make_a_line():
    tracks = Tracks(Gaps())
    assert tracks.join(seen(0, 10.2)) == []
    (trace,) = tracks.join(seen(30, 10.203))
    assert trace.line == ((10.2, SOUTH), (10.203, SOUTH))


def test_positions_of_two_vehicles_make_none():
    tracks = Tracks(Gaps())
    tracks.join(seen(0, 10.2))
    assert tracks.join(seen(30, 10.203, vehicle="w")) == []


@pytest.mark.parametrize(
    ("seconds", "longitude"), [(301, 10.203), (290, 10.23), (5, 10.21)], ids=["time", "distance", "speed"]
)
def test_a_gap_splits_the_track(seconds, longitude):
    tracks = Tracks(Gaps())
    tracks.join(seen(0, 10.2))
    assert tracks.join(seen(seconds, longitude)) == []


def test_a_parked_truck_and_a_repeated_poll_make_no_line():
    tracks = Tracks(Gaps())
    tracks.join(seen(0, 10.2))
    assert tracks.join(seen(0, 10.2)) == []
    assert tracks.join(seen(30, 10.2)) == []


def test_the_way_to_where_ploughing_begins_is_not_ploughed():
    tracks = Tracks(Gaps())
    tracks.join(seen(0, 10.2, frozenset({Work.SALTING})))
    assert tracks.join(seen(30, 10.203, PLOUGH)) == []
    (trace,) = tracks.join(seen(60, 10.206, BOTH))
    assert trace.works == PLOUGH


def test_a_jump_within_a_line_splits_it():
    line = Sighting("v", NOW, ((10.2, 59.1), (10.201, 59.1), (10.5, 59.1), (10.501, 59.1)), PLOUGH)
    assert [trace.line for trace in Tracks(Gaps()).join(line)] == [line.points[:2], line.points[2:]]


def test_vehicles_are_forgotten():
    tracks = Tracks(Gaps())
    for number in range(50):
        tracks.join(seen(0, 10.2, vehicle=str(number)))
    tracks.join(seen(3600, 10.2, vehicle="late"))
    assert len(tracks) == 1


def grid() -> RoadNetwork:
    return RoadNetwork(
        [
            ("south", "NO-3907/a", ((WEST, SOUTH), (EAST, SOUTH))),
            ("north", "NO-3907/a", ((WEST, NORTH), (EAST, NORTH))),
            ("west", "NO-3907/b", ((WEST, SOUTH), (WEST, NORTH))),
        ]
    )


def test_a_line_along_a_road_covers_it_and_not_the_roads_it_crosses():
    network = grid()
    line = ((WEST - 0.001, SOUTH + 0.00003), (EAST + 0.001, SOUTH + 0.00003))
    (match,) = network.match(line, RULES)
    assert match.segment == "south"
    assert match.distance == pytest.approx(3.3, abs=1)
    assert is_covered(network.by_id["south"], Cover(match.cells, NOW, match.distance))


def test_a_road_is_covered_either_way():
    assert [one.segment for one in grid().match(((EAST, SOUTH), (WEST, SOUTH)), RULES)] == ["south"]


def test_half_a_road_is_not_covered_until_the_other_half_is():
    network, middle = grid(), (WEST + EAST) / 2
    (first,) = network.match(((WEST, SOUTH), (middle, SOUTH)), RULES)
    (second,) = network.match(((middle, SOUTH), (EAST, SOUTH)), RULES)
    half = marked(None, first, NOW)
    assert not is_covered(network.by_id["south"], half)
    assert is_covered(network.by_id["south"], marked(half, second, NOW))


def test_a_line_too_far_off_covers_nothing():
    assert grid().match(((WEST, SOUTH + 0.0003), (EAST, SOUTH + 0.0003)), RULES) == []


def test_the_same_match_again_changes_nothing():
    (match,) = grid().match(((WEST, SOUTH), (EAST, SOUTH)), RULES)
    once = marked(None, match, NOW)
    assert marked(once, match, NOW) is once


def test_an_areas_share_is_by_length():
    network = grid()
    covers = {"south": Cover(2**60 - 1, NOW, 1.0)}
    state = area_cover("NO-3907/a", network.segments, covers, network.area_lengths["NO-3907/a"])
    assert state.share == pytest.approx(0.5, abs=0.01)
    assert area_cover("NO-3907/b", network.segments, covers, network.area_lengths["NO-3907/b"]) is None
    assert step_of(0.949) == pytest.approx(0.9)
    assert step_of(0.95) == pytest.approx(0.95)


def test_confidence_falls_with_distance_and_age():
    near = AreaCover(0.95, NOW, NOW, 0)
    assert confidence(near, RULES, NOW) == 0.95
    assert confidence(AreaCover(0.95, NOW, NOW, 15), RULES, NOW) == 0.65
    assert confidence(near, RULES, NOW + timedelta(hours=5)) == 0.85


def test_the_item_says_what_where_and_how_much_in_four_languages():
    told = Told(
        "NO-3907/breidablikk",
        Work.PLOUGHING,
        NOW - timedelta(hours=6),
        0.9,
        NOW - timedelta(hours=2),
        NOW,
        0.8,
    )
    item = item_of(
        told, source="NO-3907/brøyt".replace("ø", "o"), municipality="NO-3907",
        organiser=Organiser(id="NO-3907/kommune", name="Fjordvik"), area_name="Breidablikk", zone="Europe/Oslo", now=NOW,
    )  # fmt: skip
    assert item.title == "Breidablikk er brøytet"
    assert (
        item.summary
        == "Minst 90 prosent av veilengden er brøytet siden snøfallet begynte 30. januar kl. 07.00. Sist 30. januar kl. 13.00."
    )
    assert {language: text.title for language, text in item.translations.items()} == {
        "nn": "Breidablikk er brøytt",
        "sv": "Breidablikk är plogat",
        "en": "Breidablikk has been ploughed",
    }
    assert item.areas == ("NO-3907/breidablikk",)
    assert item.interests == ("winter-maintenance",)


def test_a_refused_report_keeps_nothing_that_names_vehicle_or_firm():
    kept = without_identity(
        b'{"otsikko": {"lahettaja": "Firma"}, "havainnot": [{"havainto": {"tyokone": {"id": 7}, "urakkaid": 3, "havaintoaika": "x"}}]}'
    )
    assert kept == b'{"havainnot": [{"havainto": {"havaintoaika": "x"}}]}'
    assert without_identity(b"{broken") == b""


@pytest.mark.parametrize(
    ("feature", "complaint"),
    [
        ({"properties": {"area": "a"}, "geometry": {"type": "LineString", "coordinates": [[10, 59], [11, 59]]}}, "'id'"),
        ({"properties": {"id": 1}, "geometry": {"type": "LineString", "coordinates": [[10, 59], [11, 59]]}}, "'area'"),
        ({"properties": {"id": 1, "area": "a"}, "geometry": {"type": "Point", "coordinates": [10, 59]}}, "no LineString"),
        ({"properties": {"id": 1, "area": "a"}, "geometry": {"type": "LineString", "coordinates": [[293358, 6889075], [293359, 6889072]]}}, "not in WGS84"),
    ],
)  # fmt: skip
def test_a_faulty_road_file_names_the_feature(feature, complaint):
    with pytest.raises(OperatorError, match="feature 1") as caught:
        network_from_geojson({"features": [feature]})
    assert complaint in str(caught.value)


def test_a_grid_of_another_country_is_taken_as_the_town_says() -> None:
    place = {"sijainti": {"koordinaatit": {"x": 569_000, "y": 6_555_000}}}
    ((longitude, latitude),) = harja.read(harja_observation(**place), grid_of(25832)).points
    assert (round(longitude, 2), round(latitude, 2)) == (10.21, 59.13)


@pytest.mark.parametrize("number", [4326, 1])
def test_a_number_that_is_no_grid_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="EPSG"):
        grid_of(number)
