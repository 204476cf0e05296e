import pytest
from ingest_permits.adapters.acos_api import read_case, read_files, read_item, read_overview
from ingest_permits.adapters.answers import check_cells, read_json, rows_of_csv, rows_of_json
from kommunepuls_chassis.errors import RejectedInput


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty-answer"),
        (b"<!doctype html><html></html>", "not-json"),
        (b'{"content": {"searchItems": {"items": [{"title": "Fer', "truncated-json"),
        (b'[{"a": 1}, {"b": 2}', "truncated-json"),
        (b'{"a": 1} trailing {', "not-json"),
        (b'{"a": "\xff\xfe"}', "wrong-encoding"),
        (b"[" * 100_000, "not-json"),
    ],
)
def test_a_broken_answer_is_refused_with_what_is_wrong(body: bytes, reason: str) -> None:
    with pytest.raises(RejectedInput) as refused:
        read_json(body)
    assert refused.value.reason == reason


def test_rows_are_found_where_the_town_file_says() -> None:
    body = b'{"result": {"records": [{"a": 1}]}}'
    assert rows_of_json(body, "result.records") == [{"a": 1}]
    with pytest.raises(RejectedInput) as refused:
        rows_of_json(body)
    assert refused.value.reason == "not-a-list"


def test_csv_with_a_byte_order_mark_quotes_and_line_breaks_is_read() -> None:
    assert rows_of_csv('\ufeffa;b\r\n"1\n2";"x;y"\r\n'.encode(), "utf-8-sig", ";") == [
        {"a": "1\n2", "b": "x;y"}
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"", "empty-answer"), (b"<html>", "not-csv"), ("navn\nSjøvegen\n".encode("latin-1"), "wrong-encoding")],
)
def test_what_is_no_csv_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(RejectedInput) as refused:
        rows_of_csv(body, "utf-8-sig", ",")
    assert refused.value.reason == reason


def test_a_row_with_too_few_or_many_cells_is_refused_by_itself() -> None:
    good, short, long = rows_of_csv(b"a,b\n1,2\n3\n4,5,6\n", "utf-8", ",")
    check_cells(good)
    for row in (short, long):
        with pytest.raises(RejectedInput):
            check_cells(row)


def test_an_overview_tells_items_and_pages() -> None:
    page = read_overview(
        b'{"content": {"searchItems": {"items": [1, 2], "pageCount": 3, "totalItemCount": 5}}}'
    )
    assert page.items == (1, 2)
    assert page.pages == 3


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"content": null}', b'{"content": {"searchItems": {"items": {}}}}']
)
def test_an_overview_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(RejectedInput) as refused:
        read_overview(body)
    assert refused.value.reason == "unknown-shape"


def test_an_item_of_the_overview_is_an_entry_without_its_parties() -> None:
    entry = read_item(
        {
            "identifier": "d-aa-2!s",
            "parentIdentifier": "a-aa-1!s",
            "title": "Ferdigattest",
            "type": "Utgående dokument",
            "properties": {"dato": "02.03.2026", "dokumentID": "26/2", "mottaker": "Ola Nordmann"},
        },
        "https://www.fjordvik.example/innsyn/",
    )
    assert (entry.document_id, entry.date) == ("26/2", "02.03.2026")
    assert entry.url == "https://www.fjordvik.example/innsyn/#/details/a-aa-1!s/d-aa-2!s"
    assert "Nordmann" not in repr(entry)


def test_the_case_tells_title_and_number() -> None:
    body = {
        "title": "Kirkevegen 5",
        "b": [{"type": "Metadata", "key": "FRIENDLY_ID", "text": "26/100"}, "odd"],
    }
    assert read_case({"content": {"body": body}}) == ("Kirkevegen 5", "26/100")


def test_files_are_read_in_both_shapes() -> None:
    model = {
        "vedleggGruppe": [{"vedlegg": [{"title": "Vedtak", "fileUrl": "/api/filer/1"}, {"title": "no file"}]}]
    }
    assert read_files({"content": {"model": model}}, "https://host") == (
        ("https://host/api/filer/1", "Vedtak"),
    )
    blocks = [{"type": "FileList", "b": [{"title": "Kart", "url": "/api/filer/2"}]}]
    assert read_files({"content": {"b": blocks}}, "https://host") == (("https://host/api/filer/2", "Kart"),)
    assert read_files({"content": None}, "https://host") == ()
