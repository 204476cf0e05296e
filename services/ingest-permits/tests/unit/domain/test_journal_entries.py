from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ingest_permits.domain.cases import Document
from ingest_permits.domain.changes import entry_after, entry_before, read_event
from ingest_permits.domain.journal_entries import (
    archive_number,
    case_in_link,
    document_of_entry,
    entry_of_journal_row,
)
from ingest_permits.domain.stages import Stage
from kommunepuls_chassis.errors import RejectedInput

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CASE = "a-0123abcd__0000__4444__aaaa__0123456789ab-2026000777!AbCdEf"
LINK = f"https://www.fjordvik.example/innsyn/#/details/{CASE}/d-0123abcd__0000__4444__aaaa__0123456789ab-2026000999!Xy"
ROW = {
    "tittel": "12/34 Ferdigattest - garasje - Kirkevegen 5 - Ola Nordmann",
    "dato": "02.03.2026",
    "dato_iso": "2026-03-02",
    "dokumentID": "2026/999",
    "dokumenttype": "Utgående dokument",
    "avsender_mottaker": "Mottaker: Ola Nordmann",
    "detalj_link": LINK,
    "filer": [
        {"tekst": "Ferdigattest - Ola Nordmann (pdf, 1KB)", "url": "https://www.fjordvik.example/api/filer/1"}
    ],
    "status": "Publisert",
}


def read(row: Any) -> Document | None:
    return document_of_entry(entry_of_journal_row(row), zone=ZoneInfo("Europe/Oslo"), now=NOW)


def without(row: dict[str, Any], *names: str, **others: Any) -> dict[str, Any]:
    return {**{name: value for name, value in row.items() if name not in names}, **others}


def test_the_archives_number_is_what_identifies() -> None:
    assert archive_number(CASE) == "2026000777"
    assert archive_number("a-12345!sig") == "12345"
    assert archive_number("odd identifier!sig") == "odd identifier"


def test_the_case_is_in_the_link() -> None:
    assert case_in_link(LINK) == "2026000777"
    assert case_in_link("https://www.fjordvik.example/") is None


def test_an_entry_becomes_a_document_without_any_name() -> None:
    document = read(ROW)
    assert document is not None
    assert (document.case, document.id, document.stage) == ("2026000777", "2026/999", Stage.DECIDED)
    assert document.properties == ("12/34",)
    assert document.dated == datetime(2026, 3, 1, 23, tzinfo=UTC)
    assert document.url == LINK
    assert "Nordmann" not in str(document.to_store())


@pytest.mark.parametrize(
    "row",
    [
        ROW,
        without(ROW, "dato_iso", "detalj_link", parsed_date="2026-03-02", journal_link=LINK),
        without(ROW, "dato_iso", side=1),
    ],
)
def test_all_three_schemas_of_scraped_journals_tell_the_same(row: dict[str, Any]) -> None:
    assert read(row) == read(ROW)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (without(ROW, "detalj_link"), "missing-id"),
        (without(ROW, "dokumentID"), "missing-id"),
        (without(ROW, "tittel"), "missing-title"),
        (without(ROW, "tittel", tittel="<script>x</script>"), "missing-title"),
        (without(ROW, "dato", "dato_iso"), "missing-date"),
        (without(ROW, "dato", "dato_iso", dato="32.13.2026"), "unreadable-date"),
        (without(ROW, "tittel", tittel=["12/34 Ferdigattest"]), "wrong-type"),
        (without(ROW, "filer", filer=[{"url": "javascript:1", "tekst": "x"}]), "bad-link"),
        ("a text", "not-a-row"),
    ],
)
def test_an_entry_that_cannot_be_taken_says_why(row: Any, reason: str) -> None:
    with pytest.raises(RejectedInput) as refused:
        read(row)
    assert refused.value.reason == reason


def test_an_entry_that_concerns_no_building_is_left_out_without_looking_further() -> None:
    assert read(without(ROW, "tittel", "dato", "dato_iso", tittel="Søknad om barnehageplass")) is None


def event(kind: str = "UPDATE", **changes: tuple[str | None, str | None]) -> dict[str, Any]:
    return {
        "tidspunkt": "2026-03-05 06:47:13",
        "type": kind,
        "dokumentID": "2026/999",
        "tittel": ROW["tittel"],
        "endringer": {name: {"gammel": old, "ny": new} for name, (old, new) in changes.items()},
    }


def test_a_new_document_of_the_log_is_an_entry() -> None:
    change = read_event(
        event("NEW", tittel=(None, ROW["tittel"]), detalj_link=(None, LINK), dato=(None, "02.03.2026"))
    )
    assert entry_before(change) is None
    assert entry_after(change, None).case_id == "2026000777"
    assert entry_after(change, None).date == "02.03.2026"


def test_an_update_of_an_unseen_document_tells_what_was_before() -> None:
    change = read_event(
        event(tittel=("12/34 Ferdigattest - Kirkevegen 7", ROW["tittel"]), detalj_link=(None, LINK),
              dato_iso=(None, "2026-03-02"))
    )  # fmt: skip
    before = entry_before(change)
    assert before is not None
    assert before.title == "12/34 Ferdigattest - Kirkevegen 7"
    assert before.known_before
    assert entry_after(change, before).title == ROW["tittel"]


def test_an_update_without_news_of_an_unseen_document_tells_nothing() -> None:
    assert entry_before(read_event(event(detalj_link=("", LINK)))) is None


def test_an_update_with_news_of_an_unseen_document_without_case_is_refused() -> None:
    with pytest.raises(RejectedInput) as refused:
        entry_before(read_event(event(tittel=("a", "b"))))
    assert refused.value.reason == "unknown-document"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ([], "not-a-row"),
        ({**event(), "endringer": None}, "not-a-row"),
        ({**event(), "type": "DELETE"}, "unknown-event"),
        ({**event(), "dokumentID": ""}, "missing-id"),
        ({**event(), "tidspunkt": None}, "missing-date"),
        ({**event(), "endringer": {"tittel": "new"}}, "wrong-type"),
    ],
)
def test_an_event_that_cannot_be_taken_says_why(raw: Any, reason: str) -> None:
    with pytest.raises(RejectedInput) as refused:
        read_event(raw)
    assert refused.value.reason == reason
