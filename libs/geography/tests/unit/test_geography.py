import json

import pytest
from kommunepuls_geography import AreaError, EvidenceKind, Geography, GeographyError


def test_an_address_gives_its_point_and_areas(town):
    location = town.locate("Brann i Storgata 12", "NO-3907")
    assert location.geometry == {"type": "Point", "coordinates": [10.12, 59.02]}
    assert location.area_ids == ("NO-3907/sentrum", "NO-3907")
    assert location.confidence > 0.9


def test_address_and_property_that_agree_are_surer_than_either(town):
    both = town.locate("Storgata 12 - gnr 58 bnr 62 - byggesak", "NO-3907")
    assert [one.kind for one in both.evidence] == [EvidenceKind.ADDRESS, EvidenceKind.PROPERTY]
    assert both.confidence > max(
        town.locate(text, "NO-3907").confidence for text in ("Storgata 12", "gnr 58 bnr 62")
    )


def test_address_and_property_far_apart_are_less_sure(town):
    torn = town.locate("Storgata 12 - gnr 7 bnr 12", "NO-3907")
    assert torn.confidence < 0.8
    assert torn.geometry == {"type": "Point", "coordinates": [10.12, 59.02]}


def test_a_property_alone_gives_its_point(town):
    location = town.locate("gnr. 58 bnr. 62 Nabovarsel", "NO-3907")
    assert [one.kind for one in location.evidence] == [EvidenceKind.PROPERTY]
    assert location.geometry == {"type": "Point", "coordinates": [10.12, 59.02]}


def test_a_register_that_knows_the_number_makes_a_possible_date_a_property(town):
    assert town.locate("7/12 Orientering", "NO-3907", journal_title=True).evidence[0].name == "7/12"
    assert town.locate("Møtet er 7/12", "NO-3907").evidence == ()


def test_an_unknown_house_number_gives_the_street(town):
    location = town.locate("Storgata 99", "NO-3907")
    assert [one.kind for one in location.evidence] == [EvidenceKind.STREET]
    assert location.area_ids == ("NO-3907/sentrum", "NO-3907")
    assert location.confidence < 0.8


def test_words_taken_along_before_a_street_do_no_harm(town):
    assert town.locate("NY GARASJE STORGATA 12", "NO-3907").evidence[0].name == "Storgata 12"


def test_a_street_without_a_number_is_known_from_the_register(town):
    location = town.locate("Vannlekkasje i Storgaten", "NO-3907")
    assert location.area_ids == ("NO-3907/sentrum", "NO-3907")


def test_a_name_gives_areas_and_a_school_its_point(town):
    assert town.locate("Brøyting på Breidablikk").area_ids == ("NO-3907/breidablikk", "NO-3907")
    assert town.locate("Brøyting på Breidablikk").geometry is None
    school = town.locate("Dugnad ved Framnesskolen")
    assert school.geometry == {"type": "Point", "coordinates": [10.15, 59.05]}
    assert school.area_ids == ("NO-3907/sentrum", "NO-3907")


def test_a_street_named_after_an_area_is_not_the_area(town):
    location = town.locate("Arbeid i Sentrum, ikke Breidablikkgata")
    assert location.area_ids == ("NO-3907/sentrum", "NO-3907")


def test_a_name_elsewhere_says_nothing_beside_an_address(town):
    location = town.locate("Storgata 12 - søker er Breidablikk Bygg", "NO-3907")
    assert location.area_ids == ("NO-3907/sentrum", "NO-3907")


def test_what_lies_in_another_municipality_is_left_out(town):
    assert town.locate("Storgata 12 i Sentrum", "NO-0301").evidence == ()
    assert town.locate("Storgata 12", "NO-0710").evidence != ()


@pytest.mark.parametrize("text", ["", "Ingenting her", "12/2025", "<script>alert(1)</script>", "\x00" * 9])
def test_a_text_about_nowhere_has_no_location(town, text):
    location = town.locate(text, "NO-3907")
    assert (location.geometry, location.area_ids, location.evidence, location.confidence) == (
        None,
        (),
        (),
        0.0,
    )


def test_an_empty_geography_finds_nothing():
    empty = Geography()
    assert empty.locate("Storgata 12 - gnr 1 bnr 3").evidence == ()
    assert empty.areas_at(10, 59) == []
    assert empty.current_area_ids("NO-0710") == ["NO-0710"]


def test_an_item_just_off_the_coast_gets_the_nearest_area_and_those_around_it(town):
    assert town.area_ids_of({"type": "Point", "coordinates": [9.995, 59.05]}) == [
        "NO-3907/breidablikk",
        "NO-3907",
    ]
    assert town.area_ids_of({"type": "Point", "coordinates": [9.5, 59.05]}) == []


def test_an_area_of_another_year_is_found_under_its_number_of_today(town):
    assert town.current_area_ids("NO-0710") == ["NO-3907"]
    assert town.current_area_ids("NO-3804/breidablikk") == ["NO-3907/breidablikk"]


def test_sources_are_read_relative_to_the_folder_of_the_town(tmp_path, geojson):
    (tmp_path / "data").mkdir()
    areas = geojson.collection(geojson.feature(geojson.square(10, 59), id=3907, name="Sandefjord"))
    (tmp_path / "data" / "areas.geojson").write_text(json.dumps(areas))
    (tmp_path / "data" / "places.csv").write_text("name;kind;lon;lat\nBrygga;place;10.05;59.05\n")
    school = geojson.feature({"type": "Point", "coordinates": [10.06, 59.06]}, navn="Ås skole")
    (tmp_path / "data" / "schools.geojson").write_text(json.dumps(school))
    loaded = Geography.load(
        areas=[{"path": "data/areas.geojson", "country": "NO"}],
        gazetteer=[
            "data/places.csv",
            {"path": "data/schools.geojson", "name_property": "navn", "kind": "school"},
        ],
        folder=tmp_path,
    )
    assert loaded.locate("Konsert på Brygga").area_ids == ("NO-3907",)
    assert loaded.locate("Møte ved Ås skole").geometry == {"type": "Point", "coordinates": [10.06, 59.06]}


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({"areas": [{"data": {}, "colour": "red"}]}, "AreaSource is not right at colour"),
        ({"areas": [{"country": "NO"}]}, "needs either path or data"),
        ({"gazetteer": [{"rows": [{"name": ""}]}]}, "place 1 has no name"),
        ({"gazetteer": [{"rows": [{"name": "A", "kind": "planet"}]}]}, "has the kind 'planet'"),
        ({"gazetteer": [{"rows": [{"name": "A", "ordinary": "maybe"}]}]}, "yes or no is wanted"),
        ({"gazetteer": [{"rows": [{"name": "A", "lon": 59, "lat": 10}]}]}, "longitude and latitude swapped"),
        ({"addresses": ["missing.csv"]}, r"missing\.csv: cannot be read"),
    ],
)
def test_a_wrong_source_is_named(sources, message, tmp_path):
    with pytest.raises(GeographyError, match=message):
        Geography.load(**sources, folder=tmp_path)


def test_an_area_far_outside_of_its_parent_is_refused(geojson):
    parent = {"data": geojson.feature(geojson.square(10, 59), id=3907, name="Sandefjord"), "country": "NO"}
    astray = {"data": geojson.feature(geojson.square(20, 68), id="x", name="X"), "parent": "NO-3907"}
    with pytest.raises(AreaError, match=r"'x' \(X\) lies far outside of its parent 'NO-3907'"):
        Geography.load(areas=[parent, astray])
