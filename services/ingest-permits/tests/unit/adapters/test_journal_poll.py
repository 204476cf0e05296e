import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ingest_permits.service import OpenSource
from kommunepuls_chassis.errors import TransientError
from kommunepuls_events import LifecycleState

Poll = Callable[[OpenSource], Awaitable[dict]]
SOURCE = """
  - id: journal
    type: acos-journal-file
    urls: [journal.json, changes.json]
"""


def link(case: int, document: int) -> str:
    archive = "0123abcd__0000__4444__aaaa__0123456789ab"
    return f"https://www.fjordvik.example/#/details/a-{archive}-{case}!s1/d-{archive}-{document}!s2"


def row(
    number: int, title: str, day: str, *, case: int = 1, kind: str = "Utgående dokument"
) -> dict[str, Any]:
    return {
        "tittel": title,
        "dato_iso": f"2026-03-{day}",
        "dokumentID": f"2026/{number}",
        "dokumenttype": kind,
        "avsender_mottaker": "Mottaker: Ola Nordmann",
        "detalj_link": link(case, number),
    }


def event(
    at: str, number: int, title: str, kind: str = "UPDATE", **changes: tuple[Any, Any]
) -> dict[str, Any]:
    fields = {name: {"gammel": old, "ny": new} for name, (old, new) in changes.items()}
    return {"tidspunkt": f"2026-03-{at} 06:00:00", "type": kind, "dokumentID": f"2026/{number}", "tittel": title,
            "endringer": fields}  # fmt: skip


def new(at: str, number: int, title: str, case: int = 1) -> dict[str, Any]:
    return event(at, number, title, "NEW", tittel=(None, title), dokumenttype=(None, "Utgående dokument"),
                 detalj_link=(None, link(case, number)), dato_iso=(None, f"2026-03-{at}"))  # fmt: skip


def write(folder: Path, name: str, rows: Any) -> None:
    (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")


APPLICATION = row(
    10, "12/34 Søknad om rammetillatelse - garasje - Ola Nordmann", "01", kind="Inngående dokument"
)
PERMISSION = row(20, "12/34 Rammetillatelse - garasje - Kirkevegen 5 - Ola Nordmann", "08")
OTHER = row(30, "Søknad om barnehageplass", "08", case=2)


@pytest.fixture
async def source(town: Any) -> OpenSource:
    write(town.folder, "journal", [])
    write(town.folder, "changes", [])
    return await town.source(SOURCE)


async def test_the_documents_of_a_case_are_one_item_located_by_its_property(
    town: Any, source: OpenSource, poll: Poll
) -> None:
    write(town.folder, "journal", [OTHER, PERMISSION, APPLICATION])
    await poll(source)
    (item,) = town.items
    assert (item.native_id, item.stage, item.revision) == ("1", "decided", 1)
    assert item.title == "Rammetillatelse - garasje - Kirkevegen 5"
    assert item.geometry.coordinates == (6.05, 59.05)
    assert item.areas == ("NO-9999/nordbygda", "NO-9999")
    assert item.place_name == "Kirkevegen 5"
    assert source.cases.tally.left_out == 1


async def test_no_name_is_published_stored_or_rejected_in_headers(
    town: Any, source: OpenSource, poll: Poll
) -> None:
    write(town.folder, "journal", [OTHER, PERMISSION, APPLICATION])
    await poll(source)
    assert "Nordmann" not in "".join(item.to_json().decode() for item in town.items)
    assert b"Nordmann" not in (town.folder / "store.db").read_bytes()


async def test_a_later_document_is_a_revision_that_is_announced(
    town: Any, source: OpenSource, poll: Poll
) -> None:
    write(town.folder, "journal", [APPLICATION])
    await poll(source)
    write(town.folder, "journal", [APPLICATION, PERMISSION])
    await poll(source)
    first, second = town.items
    assert (first.stage, second.stage) == ("received", "decided")
    assert (second.revision, second.announced) == (2, True)


async def test_a_link_that_is_signed_anew_is_a_revision_nobody_hears_of(
    town: Any, source: OpenSource, poll: Poll
) -> None:
    write(town.folder, "journal", [PERMISSION])
    await poll(source)
    write(town.folder, "journal", [{**PERMISSION, "detalj_link": link(1, 20).replace("!s2", "!s3")}])
    await poll(source)
    first, second = town.items
    assert second.revision == 2
    assert [change.field for change in second.lifecycle.changes] == ["links"]
    assert first.announced
    assert not second.announced


async def test_what_is_weeks_old_when_we_first_look_is_shown_and_told_to_nobody(
    town: Any, source: OpenSource, poll: Poll
) -> None:
    town.now += timedelta(days=60)
    write(town.folder, "journal", [PERMISSION])
    await poll(source)
    assert [item.announced for item in town.items] == [False]


async def test_the_change_log_tells_news_from_no_news(town: Any, source: OpenSource, poll: Poll) -> None:
    title = "12/34 Rammetillatelse - garasje - Kirkevegen 5"
    log = [
        new("05", 20, title),
        event(
            "06",
            20,
            title,
            detalj_link=(link(1, 20), link(1, 20) + "x"),
            dato_iso=("2026-03-05", "2026-03-04"),
        ),
        event("07", 20, title.replace("5", "7"), tittel=(title, title.replace("5", "7"))),
    ]
    write(town.folder, "changes", log)
    await poll(source)
    assert [(item.revision, item.announced) for item in town.items] == [(1, True), (2, False), (3, True)]
    assert town.items[-1].geometry.coordinates == (6.0505, 59.0502)


async def test_a_log_that_grew_is_taken_from_where_it_was(town: Any, source: OpenSource, poll: Poll) -> None:
    log = [new("05", 20, "12/34 Rammetillatelse - garasje")]
    write(town.folder, "changes", log)
    await poll(source)
    log.append(new("09", 21, "12/34 Ferdigattest - garasje"))
    write(town.folder, "changes", log)
    await poll(source)
    assert [item.title for item in town.items] == ["Rammetillatelse - garasje", "Ferdigattest - garasje"]
    assert source.cases.tally.read == 3


async def test_an_update_of_a_document_never_seen_starts_quietly_from_its_old_title(
    town: Any, source: OpenSource, poll: Poll
) -> None:
    old, fixed = "12/34 Ferdigattest - Kirkevegen 5", "12/34 Ferdigattest - Kirkevegen 7"
    write(town.folder, "changes", [
        event("06", 20, fixed, tittel=(old, fixed), detalj_link=(None, link(1, 20)), dato_iso=(None, "2026-03-02"))
    ])  # fmt: skip
    await poll(source)
    assert [(item.title[-1], item.announced) for item in town.items] == [("5", False), ("7", True)]


async def test_a_document_corrected_to_something_else_takes_the_item_back(
    town: Any, source: OpenSource, poll: Poll
) -> None:
    title = "12/34 Ferdigattest - garasje"
    write(town.folder, "changes", [
        new("05", 20, title),
        event("06", 20, "Stedlig tilsyn", tittel=(title, "Stedlig tilsyn")),
    ])  # fmt: skip
    await poll(source)
    assert town.items[-1].lifecycle.state is LifecycleState.WITHDRAWN


async def test_a_document_filed_under_another_case_moves_there(
    town: Any, source: OpenSource, poll: Poll
) -> None:
    write(town.folder, "journal", [APPLICATION, PERMISSION])
    await poll(source)
    write(town.folder, "journal", [APPLICATION, {**PERMISSION, "detalj_link": link(9, 20)}])
    await poll(source)
    newest = {item.native_id: item for item in town.items}
    assert (newest["1"].stage, newest["9"].stage) == ("received", "decided")
    assert not newest["1"].announced


async def test_bad_entries_and_events_are_rejected_one_by_one(
    town: Any, source: OpenSource, poll: Poll
) -> None:
    write(
        town.folder, "journal", [PERMISSION, None, {**PERMISSION, "dokumentID": "2026/21", "dato_iso": "x"}]
    )
    write(
        town.folder, "changes", [event("06", 99, "12/34 Ferdigattest", tittel=("a", "b")), {"endringer": {}}]
    )
    await poll(source)
    assert len(town.items) == 1
    assert sorted(town.reasons) == ["not-a-row", "unknown-document", "unknown-event", "unreadable-date"]


async def test_a_truncated_file_is_rejected_and_the_next_poll_takes_it(
    town: Any, source: OpenSource, poll: Poll
) -> None:
    (town.folder / "journal.json").write_text(json.dumps([PERMISSION])[:-20], encoding="utf-8")
    with pytest.raises(TransientError, match="breaks off"):
        await poll(source)
    assert town.reasons == ["truncated-json"]
    write(town.folder, "journal", [PERMISSION])
    await poll(source)
    assert len(town.items) == 1
