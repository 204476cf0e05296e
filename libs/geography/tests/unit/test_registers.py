import pytest
from kommunepuls_geography import (
    AddressRegister,
    GeographyError,
    PropertyRegister,
    RegisterSource,
    load_register,
)

# The columns of the official export that are read, and one that is not.
HEADING = "lokalid;kommunenummer;adressenavn;nummer;bokstav;gardsnummer;bruksnummer;festenummer;EPSG-kode;Nord;Øst;postnummer"
ROWS = [
    "1;0710;Prøveveien;10;B;0057;014;;25833;6561000,50;230000.25;3210",
    "2;0710;Prøveveien;12;;57;15;2;25833;6561020;230020;3210",
    "3;0301;Annengata;1;;1;1;;25833;6650000;262000;0150",
    "4;0710;;;;58;1;;25833;6561500;230500;3210",
    "5;0710;Utenfor;1;;58;2;;25833;;;3210",
]


@pytest.fixture
def matrikkel(tmp_path):
    path = tmp_path / "addresses.csv"
    path.write_text("\n".join([HEADING, *ROWS]), encoding="utf-8-sig")
    return path


def test_the_official_export_is_read_with_its_projection_and_zeros(matrikkel):
    entries = load_register(matrikkel)
    assert len(entries) == 4
    first = entries[0]
    assert (first.street, first.number, first.letter) == ("Prøveveien", 10, "B")
    assert (first.gnr, first.bnr, first.municipality) == (57, 14, "NO-3907")
    # 59.1 N 10.3 E lies at about 230 km east, 6561 km north in UTM 33 (true north is bent there).
    assert first.lon == pytest.approx(10.29, abs=0.05)
    assert first.lat == pytest.approx(59.10, abs=0.05)
    assert entries[2].municipality == "NO-0301"
    assert entries[2].postcode == "0150"


def test_latin_1_and_commas_are_read_too(tmp_path):
    path = tmp_path / "plain.csv"
    path.write_bytes("street,number,letter,lon,lat\nÅsgata,3,a,10.1,59.1\n".encode("latin-1"))
    [entry] = load_register(path)
    assert (entry.street, entry.letter, entry.point) == ("Åsgata", "A", (10.1, 59.1))


def test_a_municipality_of_any_year_can_be_asked_for(matrikkel):
    source = RegisterSource(path=matrikkel, only_municipalities={"NO-3804"})
    assert {entry.municipality for entry in load_register(source)} == {"NO-3907"}


def test_an_address_is_found_in_any_spelling_of_its_street(matrikkel):
    register = AddressRegister(load_register(matrikkel))
    for street in ("Prøveveien", "PRØVEVEGEN", "prøvevei"):
        [entry] = register.lookup(street, 12)
        assert entry.number == 12
    assert register.lookup("Prøvegata", 12) == []
    assert register.lookup("Prøveveien", 12, municipality="NO-0301") == []
    assert register.lookup("Prøveveien", 12, municipality="NO-0710") == register.lookup("Prøveveien", 12)


def test_letters_fall_back_to_what_the_register_has(matrikkel):
    register = AddressRegister(load_register(matrikkel))
    assert [entry.letter for entry in register.lookup("Prøveveien", 10)] == ["B"]
    assert [entry.letter for entry in register.lookup("Prøveveien", 12, "C")] == [None]
    assert register.lookup("Prøveveien", 10, "C") == []
    assert len(register.lookup_street("Prøveveien")) == 2


def test_a_property_is_found_by_its_numbers(matrikkel):
    register = PropertyRegister(load_register(matrikkel))
    assert [entry.street for entry in register.lookup(57, 15)] == ["Prøveveien"]
    assert register.lookup(57, 15, fnr=2) == register.lookup(57, 15, fnr=9)
    assert register.lookup(58, 1)[0].street == ""
    assert register.lookup(99, 1) == []
    assert register.lookup(1, 1, municipality="NO-3907") == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"street": "A", "number": 1, "lon": 59.1, "lat": 10.1}, "row 1 has longitude and latitude swapped"),
        ({"street": "A", "number": 1, "lon": 230000, "lat": 6561000}, "row 1 is not in WGS84 degrees"),
        ({"street": "A", "number": "x", "lon": 10, "lat": 59}, "row 1, number, is no number: 'x'"),
        ({"street": "A", "number": 1.5, "lon": 10, "lat": 59}, "is no whole number"),
        ({"street": "A", "number": 1, "lon": 10, "lat": 59, "municipality": "Oslo"}, "'Oslo' is no municipality code"),
        ({"street": "A", "number": 1, "lon": "nan", "lat": 59}, "row 1"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named(row, message):
    with pytest.raises(GeographyError, match=message):
        load_register(RegisterSource(rows=[row]))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(GeographyError, match=r"none\.csv: cannot be read"):
        load_register(tmp_path / "none.csv")


def test_the_real_export_loads(real_areas):
    entries = load_register(real_areas / "no_addresses_1.csv")
    assert len(entries) == 20
    assert all(4 < entry.lon < 32 and 57 < entry.lat < 72 for entry in entries)
    assert {entry.municipality for entry in entries} <= {"NO-3118", "NO-3110"}
    register = AddressRegister(entries)
    assert all(register.lookup(entry.street, entry.number, entry.letter) for entry in entries)
