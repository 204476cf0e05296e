"""The real files, where they are at hand."""

import json

import pytest
from kommunepuls_geography import AreaKind, Geography, find_addresses, load_areas, parse_property_numbers

OLD = {"id_property": "kommunenummer", "name_property": "navn", "country": "NO"}
NEW = {"id_property": "kommunenummer", "name_property": "kommunenavn", "country": "NO"}
OSLO = {"id_prefix": "NO-0301/", "parent": "NO-0301", "kind": "neighbourhood"}
SWEDEN = {"name_property": "kom_namn", "country": "SE"}


@pytest.mark.parametrize(
    ("file", "options", "count"),
    [
        ("no_kommuner_2020.geojson", OLD, 354),
        ("no_kommuner_2024.geojson", NEW, 357),
        ("no_oslo_delbydeler.geojson", OSLO, 98),
        ("se_kommuner.geojson", SWEDEN, 290),
    ],
)
def test_every_area_file_loads(real_areas, file, options, count):
    areas = load_areas(real_areas / file, **options)
    assert len(areas) == count
    assert len({area.id for area in areas}) == count
    assert all(area.geometry is not None and area.geometry.is_valid for area in areas)
    assert not any(" - " in area.name for area in areas)


@pytest.fixture
def nordic(real_areas) -> Geography:
    return Geography.load(
        areas=[
            {"path": "no_kommuner_2024.geojson", **NEW},
            {"path": "no_oslo_delbydeler.geojson", **OSLO},
            {"path": "se_kommuner.geojson", **SWEDEN},
        ],
        gazetteer=[
            {"path": "no_schools.geojson", "name_property": "navn", "kind": "school",
             "municipality_property": "kommunenummer"}
        ],
        addresses=["no_addresses_1.csv"],
        folder=real_areas,
    )  # fmt: skip


def test_known_positions_are_in_their_municipalities(nordic):
    assert "NO-3907" in [area.id for area in nordic.areas_at(10.2167, 59.1312)]
    assert "NO-0301" in [area.id for area in nordic.areas_at(10.7522, 59.9139)]
    assert "SE-1761" in [area.id for area in nordic.areas_at(13.52, 59.33)]
    assert nordic.areas["NO-5540"].names["se"] == "Gáivuotna"


def test_every_school_is_in_or_just_off_the_municipality_it_names(nordic, real_areas):
    schools = json.loads((real_areas / "no_schools.geojson").read_text(encoding="utf-8"))["features"]
    for school in schools:
        nearest = nordic.nearest_area(*school["geometry"]["coordinates"][:2], 1000, AreaKind.MUNICIPALITY)
        assert nearest is not None
        assert nearest.area.id == f"NO-{school['properties']['kommunenummer']}"


def test_every_address_is_located_with_its_old_number(nordic):
    location = nordic.locate("Bergheimveien 12B - gnr 57 bnr 14 - byggesak", "NO-0125")
    assert location.area_ids == ("NO-3118",)
    assert location.confidence > 0.95


@pytest.mark.parametrize(
    ("file", "with_property", "with_address"),
    [
        ("no_strand_archive_2010-2012_property.json", 0.99, 0.19),
        ("no_strand_changes_to_2026-01-06.json", 0.40, 0.23),
        ("no_strand_journal_2025.json", 0.40, 0.23),
    ],
)
def test_titles_of_a_real_journal_give_properties_and_addresses(
    real_permits, file, with_property, with_address
):
    rows = json.loads((real_permits / file).read_text(encoding="utf-8"))
    titles = {row["tittel"] for row in rows if row.get("tittel")}
    properties = sum(bool(parse_property_numbers(title, journal_title=True)) for title in titles)
    addresses = sum(bool(find_addresses(title)) for title in titles)
    assert properties / len(titles) > with_property
    assert addresses / len(titles) > with_address
    starting = {
        title for title in titles if title[:6].split(" ")[0].replace("/", "").isdigit() and "/" in title[:5]
    }
    missed = [title for title in starting if not parse_property_numbers(title, journal_title=True)]
    assert len(missed) <= 0.01 * len(starting)
