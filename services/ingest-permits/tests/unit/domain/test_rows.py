from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ingest_permits.domain.cases import Document
from ingest_permits.domain.mapping import ColumnMapping, Row, check_columns, folded
from ingest_permits.domain.rows import document_of_row
from ingest_permits.domain.stages import Stage
from kommunepuls_chassis.errors import RejectedInput
from pydantic import ValidationError

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ROW = {
    "Number": "B00472129-P1",
    "Status": "Approved",
    "House No": "61",
    "Street ": "MAIN STREET      ",
    "Work": "PERMIT – EXPRESS PROGRAM",
    "Filed": "02/15/2026 12:00:00 AM",
    "Lat": "40.673077",
    "Lon": "-73.968474",
    "Page": "https://portal.example/B00472129",
}
MAPPING: dict[str, Any] = {
    "id": "{Number}",
    "case_pattern": r"^([A-Z]\d+)-",
    "title": "{Work}: {House No} {Street}",
    "place": "{House No} {Street}",
    "date": ["Approved", "Filed"],
    "date_formats": ["%m/%d/%Y %I:%M:%S %p"],
    "stage": {"column": "Status", "values": {"APPROVED": "decided", "objections": "amended"}},
    "x": "Lon",
    "y": "Lat",
    "url": "{Page}",
    "replace": {"Work": {"PERMIT - EXPRESS PROGRAM": "Express permit"}},
}


def read(row: Any = ROW, **changes: Any) -> Document | None:
    return document_of_row(
        row,
        ColumnMapping.model_validate({**MAPPING, **changes}),
        country="US",
        language="en",
        zone=ZoneInfo("America/New_York"),
        now=NOW,
    )


def test_a_row_becomes_a_document_of_its_case() -> None:
    document = read()
    assert document is not None
    assert (document.case, document.id) == ("B00472129", "B00472129-P1")
    assert document.title == "Express permit: 61 MAIN STREET"
    assert document.place == "61 MAIN STREET"
    assert document.stage is Stage.DECIDED
    assert document.point == (-73.968474, 40.673077)
    assert document.dated == datetime(2026, 2, 15, 5, tzinfo=UTC)
    assert document.url == "https://portal.example/B00472129"


def test_a_long_dash_and_padding_make_no_other_value() -> None:
    assert folded("PERMIT – SIGNS   ") == folded("permit - signs")


def test_a_heading_is_found_with_and_without_its_padding() -> None:
    assert Row({"Full Demolition (Work Type) ": "YES"}).text("Full Demolition (Work Type)") == "YES"
    assert Row({"a": {"b": 3.0}}).text("a.b") == "3"


def test_filters_keep_and_leave_out() -> None:
    assert read(keep={"Status": ["approved"]}) is not None
    assert read(keep={"Status": ["Rejected"]}) is None
    assert read(leave_out={"Work": ["permit - express program"]}) is None


def test_a_status_that_is_not_named_leaves_the_row_out_unless_there_is_a_default() -> None:
    assert read({**ROW, "Status": "On hold"}) is None
    stage = {"column": "Status", "values": {}, "default": "received"}
    assert read({**ROW, "Status": "On hold"}, stage=stage).stage is Stage.RECEIVED


def test_the_title_may_tell_the_stage() -> None:
    by_title = {"by_title": True, "default": "received"}
    assert read(title="Application for a Non Material Amendment", stage=by_title).stage is Stage.AMENDED
    assert read(title="Erection of a porch", stage=by_title).stage is Stage.RECEIVED


def test_html_in_a_cell_does_no_harm() -> None:
    document = read({**ROW, "Street ": "<script>alert(1)</script><b>MAIN</b> STREET"})
    assert document.title == "Express permit: 61 MAIN STREET"


def test_empty_parts_of_a_template_leave_no_separator() -> None:
    assert read({**ROW, "House No": "", "Street ": ""}).title == "Express permit"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Number": "  "}, "missing-id"),
        ({"Number": "472129"}, "missing-id"),
        ({"Filed": ""}, "missing-date"),
        ({"Filed": "15.02.2026"}, "unreadable-date"),
        ({"Filed": "02/15/2126 12:00:00 AM"}, "date-out-of-range"),
        ({"Lat": "4503000", "Lon": "586000"}, "bad-coordinates"),
        ({"Lat": "-173.9", "Lon": "40.6"}, "bad-coordinates"),
        ({"Page": "javascript:alert(1)"}, "bad-link"),
        ({"Page": "https://[portal"}, "bad-link"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(change: dict[str, str], reason: str) -> None:
    with pytest.raises(RejectedInput) as refused:
        read({**ROW, **change})
    assert refused.value.reason == reason


@pytest.mark.parametrize("row", [None, 7, "text", ["a"]])
def test_what_is_no_row_is_refused(row: Any) -> None:
    with pytest.raises(RejectedInput) as refused:
        read(row)
    assert refused.value.reason == "not-a-row"


def test_a_table_without_a_column_that_is_named_is_refused_with_its_name() -> None:
    with pytest.raises(RejectedInput, match="Approved"):
        check_columns(Row(ROW), ColumnMapping.model_validate(MAPPING), optional=False)
    check_columns(Row(ROW), ColumnMapping.model_validate(MAPPING), optional=True)


@pytest.mark.parametrize(
    "change",
    [{"crs": "EPSG:1"}, {"case_pattern": "("}, {"case_pattern": "abc"}, {"stage": "done"}, {"colour": "red"}],
)
def test_a_mapping_that_cannot_be_meant_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ColumnMapping.model_validate({**MAPPING, **change})
