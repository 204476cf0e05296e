import pytest
from hypothesis import given
from hypothesis import strategies as st
from kommunepuls_geography import find_addresses, parse_address


def read(text: str) -> list[str]:
    return [str(address) for address in find_addresses(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Storgata 12 B", ["Storgata 12B"]),
        ("Kirkeveien 3-5", ["Kirkeveien 3-5"]),
        ("Brand på Storgatan 12A i Hammarö", ["Storgatan 12A"]),
        ("Kungsvägen 4", ["Kungsvägen 4"]),
        ("Vi møtes i Olav Trygvasons gate 4 kl 18", ["Olav Trygvasons gate 4"]),
        ("Peder Bogens gt 7", ["Peder Bogens gt 7"]),
        ("KIRKEGT. 7", ["KIRKEGT. 7"]),
        ("GARASJE, ØVRE BARKVEDVEG 88", ["ØVRE BARKVEDVEG 88"]),
        ("Storgata 3, 5 og 7", ["Storgata 3", "Storgata 5", "Storgata 7"]),
        ("Storgata 12, 3210 Sandefjord", ["Storgata 12"]),
        ("Storgata 12 - 58/62", ["Storgata 12"]),
        ("Nedre Torggate 3", ["Nedre Torggate 3"]),
        ("innbrudd i storgata 12", ["storgata 12"]),
        ("53/145 Tillatelse - Steinhagen 41 - garasje", ["Steinhagen 41"]),
        ("Boliger - Moen 1A og 1B", ["Moen 1A", "Moen 1B"]),
        ("STORGATA 12 I BYEN", ["STORGATA 12"]),
        ("Breidablikkveien 12 m fra sjøen", ["Breidablikkveien 12"]),
    ],
)
def test_addresses_are_read_in_free_text(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Uke 12",
        "Budsjett 2026",
        "17. mai 2025",
        "For alle 3 barna",
        "Torggata 5. mai",
        "Plan 12 - høring",
        "utvidelse av fylkesvei 4638",
        "Ærespris-nominering 5",
        "Leilighetsblokk 2",
        "Veien 1/2",
        "Storgata 12,5 %",
        "barnehageplass 12",
        "Bygda fikk 4 boliger",
        "",
        "12 34 56 78",
    ],
)
def test_other_numbers_are_no_addresses(text):
    assert read(text) == []


def test_a_street_by_its_ending_is_surer_than_a_name_with_a_number():
    street, name = find_addresses("Storgata 12 - Steinhagen 41")
    assert street.confidence > 0.8 > name.confidence
    assert parse_address("Steinhagen 41 - Storgata 12") == find_addresses("Steinhagen 41 - Storgata 12")[1]
    assert parse_address("ingen adresse") is None


def test_a_house_number_that_looks_like_a_year_is_less_sure():
    assert find_addresses("Bekkevegen 2025")[0].confidence < find_addresses("Bekkevegen 1225")[0].confidence


def test_spans_cut_the_address_out_of_the_text():
    text = "Brann i Olav Trygvasons gate 4B, ingen skadd"
    [address] = find_addresses(text)
    assert text[address.start : address.end] == "Olav Trygvasons gate 4B"
    assert (address.street, address.number, address.letter) == ("Olav Trygvasons gate", 4, "B")


@given(st.text(alphabet="Storgata gate vei.,-/12 3Bé\n", max_size=80))
def test_any_text_is_read_without_harm(text):
    for address in find_addresses(text):
        assert 0 <= address.start < address.end <= len(text)
        assert address.number > 0
        assert address.street
