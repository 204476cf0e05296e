import json

import pytest
from kommunepuls_geography import AreaError, AreaKind, AreaSource, load_areas
from pyproj import Transformer


def projected(geometry: dict, crs: str) -> dict:
    transform = Transformer.from_crs("OGC:CRS84", crs, always_xy=True).transform
    return {**geometry, "coordinates": [[list(transform(*point)) for point in geometry["coordinates"][0]]]}


def swapped(geometry: dict) -> dict:
    return {**geometry, "coordinates": [[point[::-1] for point in geometry["coordinates"][0]]]}


def test_a_feature_by_itself_is_one_area(geojson):
    [area] = load_areas(geojson.feature(geojson.square(10, 59), id="a", name="A", kind="district"))
    assert (area.id, area.name, area.kind, area.parent) == ("a", "A", AreaKind.DISTRICT, None)
    assert area.geometry is not None
    assert area.geometry.bounds == pytest.approx((10, 59, 10.1, 59.1))


def test_a_code_stored_as_a_number_gets_its_zeros_back(geojson):
    [area] = load_areas(geojson.feature(geojson.square(10.7, 59.9), id=301, name="Oslo"), country="NO")
    assert area.id == "NO-0301"
    assert area.codes == ("NO-0301",)
    assert area.kind is AreaKind.MUNICIPALITY


def test_properties_are_read_under_the_names_the_options_give(geojson):
    document = geojson.feature(geojson.square(10, 59), nr="7", navn="Syv", over="NO-3907", slag="district")
    options = AreaSource(
        data=document,
        id_property="nr",
        name_property="navn",
        parent_property="over",
        kind_property="slag",
        id_prefix="x/",
    )
    for [area] in (load_areas(options), load_areas(document, options)):
        assert (area.id, area.name, area.parent, area.kind) == ("x/7", "Syv", "NO-3907", AreaKind.DISTRICT)


def test_several_features_of_one_id_become_one_area(geojson):
    document = geojson.collection(
        geojson.feature(geojson.square(10.6, 60.0), id="1701", name="Marka"),
        geojson.feature(geojson.square(10.2, 59.9), id="1", name="Byen"),
        geojson.feature(geojson.square(10.9, 59.8), id="1701", name="Marka"),
    )
    marka, town = load_areas(document)
    assert (marka.id, town.id) == ("1701", "1")
    assert marka.geometry is not None
    assert marka.geometry.geom_type == "MultiPolygon"
    assert marka.geometry.area == pytest.approx(0.02)


def test_one_id_for_two_names_is_refused(geojson):
    document = geojson.collection(
        geojson.feature(geojson.square(10, 59), id="1", name="Nord"),
        geojson.feature(geojson.square(11, 59), id="1", name="Sør"),
    )
    with pytest.raises(
        AreaError, match=r"feature 2 \('Sør'\) has the id '1', which belongs to feature 1 \('Nord'\)"
    ):
        load_areas(document)


def test_a_ring_that_crosses_itself_is_mended(geojson):
    bow_tie = {"type": "Polygon", "coordinates": [[[10, 59], [11, 60], [11, 59], [10, 60], [10, 59]]]}
    [area] = load_areas(geojson.feature(bow_tie, id="a", name="A"))
    assert area.geometry is not None
    assert area.geometry.is_valid
    assert area.geometry.area == pytest.approx(0.5)


def test_heights_are_dropped_and_empty_geometry_is_none(geojson):
    with_height = {"type": "Polygon", "coordinates": [[[10, 59, 5], [11, 59, 5], [11, 60, 5], [10, 59, 5]]]}
    [area] = load_areas(geojson.feature(with_height, id="a", name="A"))
    assert area.geometry is not None
    assert not area.geometry.has_z
    [without] = load_areas(geojson.feature(None, id="b", name="B"))
    assert without.geometry is None


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:25833", "EPSG:25832"])
def test_metres_are_refused_by_name_when_no_system_is_stated(geojson, crs):
    metres = projected(geojson.square(10, 59), crs)
    with pytest.raises(AreaError, match=r"feature 1 \('Nes'\) is not in WGS84 degrees"):
        load_areas(geojson.feature(metres, id="a", name="Nes"))


@pytest.mark.parametrize("crs", ["EPSG:3857", "urn:ogc:def:crs:EPSG::25833"])
def test_metres_are_reprojected_when_the_file_states_its_system(geojson, crs):
    metres = projected(geojson.square(10, 59), crs)
    document = geojson.collection(
        geojson.feature(metres, id="3907", name="A"), crs={"type": "name", "properties": {"name": crs}}
    )
    [area] = load_areas(document, country="NO")
    assert area.geometry is not None
    assert area.geometry.bounds == pytest.approx((10, 59, 10.1, 59.1), abs=1e-6)


def test_the_options_can_state_the_system_for_the_file(geojson):
    metres = projected(geojson.square(10, 59), "EPSG:25832")
    [area] = load_areas(geojson.feature(metres, id="a", name="A"), crs="EPSG:25832")
    assert area.geometry is not None
    assert area.geometry.bounds == pytest.approx((10, 59, 10.1, 59.1), abs=1e-6)


def test_degrees_under_a_system_of_metres_are_refused(geojson):
    with pytest.raises(AreaError, match="coordinates in degrees although the file says EPSG:25833"):
        load_areas(geojson.feature(geojson.square(10, 59), id="a", name="A"), crs="EPSG:25833")


@pytest.mark.parametrize("settings", [{"country": "NO"}, {"parent": "NO-3907"}, {"id_prefix": "NO-3907/"}])
def test_latitude_before_longitude_is_refused_where_the_country_is_known(geojson, settings):
    with pytest.raises(
        AreaError, match=r"\('A'\) has its coordinates swapped: GeoJSON wants longitude first"
    ):
        load_areas(geojson.feature(swapped(geojson.square(10, 59)), id="3907", name="A"), **settings)


def test_latitude_beyond_the_pole_is_refused_as_swapped(geojson):
    with pytest.raises(AreaError, match="swapped"):
        load_areas(geojson.feature(swapped(geojson.square(100, 59)), id="a", name="A"))


def test_another_country_is_refused(geojson):
    with pytest.raises(AreaError, match="lies outside of NO"):
        load_areas(geojson.feature(geojson.square(-80, 43), id="1", name="Toronto"), country="NO")


@pytest.mark.parametrize(
    ("name", "code", "expected", "names"),
    [
        (
            "Gáivuotna - Kåfjord - Kaivuono",
            "5540",
            "Kåfjord",
            {"se": "Gáivuotna", "nb": "Kåfjord", "fkv": "Kaivuono"},
        ),
        ("Trondheim - Tråante", "5001", "Trondheim", {"nb": "Trondheim", "sma": "Tråante"}),
        ("Nord-Odal", "3414", "Nord-Odal", {}),
    ],
)
def test_a_name_in_several_languages_is_split(geojson, name, code, expected, names):
    [area] = load_areas(geojson.feature(geojson.square(18, 69), id=code, name=name), country="NO")
    assert area.name == expected
    assert dict(area.names) == names


def test_parts_of_a_name_in_unknown_languages_become_aliases(geojson):
    document = geojson.feature(geojson.square(18, 69), id="a", name="Her - Der")
    [area] = load_areas(document)
    assert (area.name, area.aliases) == ("Her", ("Der",))
    [named] = load_areas(document, name_languages=("sma", "nb"))
    assert (named.name, dict(named.names)) == ("Der", {"sma": "Her", "nb": "Der"})


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"type": "Topology"}, "a Feature or FeatureCollection is wanted, not 'Topology'"),
        ({"type": "FeatureCollection"}, "a Feature or FeatureCollection is wanted"),
        ({"type": "FeatureCollection", "features": [7]}, "member 1 of the features is no Feature"),
        ({"type": "Feature", "properties": {"id": "a"}, "geometry": None}, "has no name in the property 'name'"),
        ({"type": "Feature", "properties": {"name": "A"}, "geometry": None}, "'A'.*has no id"),
        ({"type": "Feature", "properties": {"name": "A", "id": True}, "geometry": None}, "has no id"),
        ({"type": "Feature", "properties": {"name": "A", "id": "a", "kind": "county"}}, "'county'; known are"),
        ({"type": "Feature", "properties": {"name": "A", "id": "a"}, "geometry": {"type": "Point", "coordinates": [10, 59]}}, "is a Point; an area needs"),
        ({"type": "Feature", "properties": {"name": "A", "id": "a"}, "geometry": {"type": "Polygon", "coordinates": [[[1, 2], "x"]]}}, "do not make a Polygon"),
        ({"type": "Feature", "properties": {"name": "A", "id": "a"}, "geometry": {"type": "Polygon", "coordinates": [[[10, 59], [11, 59], [11, float("nan")], [10, 59]]]}}, "no numbers"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_area_is_refused_in_one_sentence(broken, message):
    with pytest.raises(AreaError, match=message) as refusal:
        load_areas(broken)
    assert "\n" not in str(refusal.value)


def test_a_code_that_is_none_is_refused(geojson):
    with pytest.raises(AreaError, match="has the code 'abc', which is no number of 4 digits"):
        load_areas(geojson.feature(geojson.square(10, 59), id="abc", name="A"), country="NO")


def test_a_file_is_named_in_its_errors(tmp_path):
    truncated = tmp_path / "town.geojson"
    truncated.write_text('{"type": "FeatureCollection", "features": [')
    with pytest.raises(AreaError, match=r"town\.geojson: is no JSON"):
        load_areas(truncated)
    with pytest.raises(AreaError, match=r"missing\.geojson: cannot be read"):
        load_areas(tmp_path / "missing.geojson")
    truncated.write_text(json.dumps([1]))
    with pytest.raises(AreaError, match=r"town\.geojson: is no GeoJSON object"):
        load_areas(truncated)


def test_only_the_ids_asked_for_are_kept(geojson):
    document = geojson.collection(
        geojson.feature(geojson.square(10, 59), id=3907, name="Sandefjord"),
        geojson.feature(geojson.square(10, 60), id=301, name="Oslo"),
    )
    assert [area.id for area in load_areas(document, country="NO", only={"NO-0301"})] == ["NO-0301"]
