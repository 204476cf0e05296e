import pytest
from hypothesis import given
from hypothesis import strategies as st
from kommunepuls_geography import parse_property_numbers


def read(text: str, **settings) -> list[str]:
    return [str(number) for number in parse_property_numbers(text, **settings)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("58/62 Søknad om naust", ["58/62"]),
        ("58/19 58/47 Grensejustering", ["58/19", "58/47"]),
        ("44/703,704,705 (C4) Endring", ["44/703", "44/704", "44/705"]),
        ("63/5/1 SØKNAD OM DISPENSASJON", ["63/5/1"]),
        ("47/515/0/2 Ferdigattest", ["47/515/0/2"]),
        ("49/614AVSLAG PÅ SØKNAD", ["49/614"]),
        ("16/6 M.FL. TILLATELSE TIL TILTAK", ["16/6"]),
        ("gnr. 12 bnr. 34", ["12/34"]),
        ("Gnr 12, bnr 34, fnr 2", ["12/34/2"]),
        ("gnr. 49 bnr. 222 snr. 1", ["49/222/0/1"]),
        ("gårdsnr. 3 bruksnr. 4", ["3/4"]),
        ("Gnr 44 bnr 703 og 704", ["44/703", "44/704"]),
        ("GBNR 45/6", ["45/6"]),
        ("gnr/bnr. 16/340 m.fl", ["16/340"]),
        ("klage på eiendom 6/8", ["6/8"]),
        ("gbnr 1/2 og 1/3", ["1/2", "1/3"]),
        ("Varsel om oppmåling - 14/6 14/7 14/48", ["14/6", "14/7", "14/48"]),
        ("Storgata 12 - gnr 58 bnr 62 - byggesak", ["58/62"]),
    ],
)
def test_property_numbers_are_read_as_archives_write_them(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Barnehagen søker 1/2 stilling",
        "Døgnåpent 24/7",
        "Månedsbrev 12/2025",
        "Julaften 24/12/2025",
        "Møte 24/12/25",
        "Frist for søknad om bolig: innen 15/9",
        "17/5 feiring",
        "Sak 25/382 om skolebygg",
        "PS 12/45 Budsjett",
        "skoleåret 25/26",
        "uke 40/41",
        "5/6 av barna",
        "2025/12827",
        "https://example.org/58/62",
        "31/9/11/370/371 Grensejustering",
        "gnr 0 bnr 0",
        "km/t og/eller",
        "50/50%",
    ],
)
def test_dates_fractions_and_case_numbers_are_no_properties(text):
    assert read(text) == []


def test_a_title_of_a_journal_starts_with_its_property_even_where_that_could_be_a_date():
    assert read("12/7 Forespørsel om status") == []
    assert read("12/7 Forespørsel om status", journal_title=True) == ["12/7"]
    assert read("12/2025 Månedsbrev", journal_title=True) == []


def test_words_about_building_make_a_possible_date_a_property():
    assert read("5/12 Program") == []
    assert read("5/12 Tillatelse til tiltak - hønsehus") == ["5/12"]


def test_a_label_is_surest_and_spans_cut_out_what_was_read():
    text = "Søknad på gnr. 12 bnr. 34, naust"
    [number] = parse_property_numbers(text)
    assert number.confidence > 0.9
    assert text[number.start : number.end] == "gnr. 12 bnr. 34"
    assert (number.gnr, number.bnr, number.fnr) == (12, 34, None)


@given(st.text(alphabet="0123456789/,.- gnrbGNR\nA", max_size=60))
def test_any_text_is_read_without_harm(text):
    for number in parse_property_numbers(text, minimum_confidence=0.0):
        assert 0 <= number.start < number.end <= len(text)
        assert number.gnr > 0
        assert number.bnr > 0
