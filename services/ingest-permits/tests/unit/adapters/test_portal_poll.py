import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ingest_permits.service import OpenSource
from kommunepuls_chassis.errors import PermanentError, TransientError
from kommunepuls_events import LifecycleState

Poll = Callable[[OpenSource], Awaitable[dict]]
HEAD = "number,status,address,date,lon,lat,what\n"
ROWS = (
    "B-1,open,Kirkevegen 5,2026-03-05,6.05,59.05,Garage\n",
    "B-2,open,Sjøvegen 2,2026-03-06,,,Boathouse\n",
)
SOURCE = """
  - id: permits
    type: permit-file
    url: permits.csv
    lists_everything: true
    mapping:
      id: "{number}"
      title: "{what}: {address}"
      place: "{address}"
      date: [date]
      stage: {column: status, values: {open: received, granted: decided}}
      x: lon
      y: lat
"""


def write(folder: Path, *rows: str) -> None:
    (folder / "permits.csv").write_text(HEAD + "".join(rows), encoding="utf-8")


async def test_rows_become_items_with_position_and_areas(town: Any, poll: Poll) -> None:
    write(town.folder, *ROWS)
    await poll(await town.source(SOURCE))
    first, second = town.items
    assert first.title == "Garage: Kirkevegen 5"
    assert first.geometry.coordinates == (6.05, 59.05)
    assert first.areas == ("NO-9999/nordbygda", "NO-9999")
    assert first.announced
    # No coordinates in the row: the register knows the address.
    assert second.geometry.coordinates == (6.25, 58.95)
    assert second.areas == ("NO-9999",)


async def test_a_file_that_has_not_changed_is_not_taken_again(town: Any, poll: Poll) -> None:
    write(town.folder, *ROWS)
    source = await town.source(SOURCE)
    await poll(source)
    await poll(source)
    assert len(town.items) == 2
    assert source.cases.tally.read == 2


async def test_a_decision_is_announced_and_a_file_taken_twice_changes_nothing(town: Any, poll: Poll) -> None:
    write(town.folder, *ROWS)
    source = await town.source(SOURCE)
    await poll(source)
    write(town.folder, ROWS[0].replace("open", "granted"), ROWS[1])
    await poll(source)
    *_, item = town.items
    assert (item.revision, item.stage, item.announced) == (2, "decided", True)
    assert len(town.items) == 3


async def test_one_bad_row_is_rejected_alone_and_only_once(town: Any, poll: Poll) -> None:
    bad = (
        "B-3,open,x,yesterday,,,Shed\n",
        "B-4,open,y,2026-03-01,59.05,6.05,Shed\n",
        "B-5,open\n",
        ",open,z,2026-03-01,,,S\n",
    )
    write(town.folder, ROWS[0], *bad, ROWS[1])
    source = await town.source(SOURCE)
    await poll(source)
    assert [item.native_id for item in town.items] == ["B-1", "B-2"]
    assert sorted(town.reasons) == [
        "bad-coordinates",
        "missing-id",
        "unreadable-date",
        "wrong-number-of-cells",
    ]
    write(town.folder, ROWS[0], *bad, ROWS[1], "B-6,open,v,2026-03-07,,,Shed\n")
    await poll(source)
    assert len(town.items) == 3
    assert len(town.reasons) == 4


async def test_a_row_that_is_gone_withdraws_its_case(town: Any, poll: Poll) -> None:
    write(town.folder, *ROWS)
    source = await town.source(SOURCE)
    await poll(source)
    write(town.folder, ROWS[0])
    await poll(source)
    assert town.items[-1].native_id == "B-2"
    assert town.items[-1].lifecycle.state is LifecycleState.WITHDRAWN


async def test_a_file_that_lost_most_of_its_rows_is_not_believed(town: Any, poll: Poll) -> None:
    write(town.folder, *ROWS, "B-3,open,x,2026-03-01,,,Shed\n")
    source = await town.source(SOURCE)
    await poll(source)
    write(town.folder, ROWS[0])
    with pytest.raises(TransientError, match="not believed"):
        await poll(source)
    assert len(town.items) == 3


async def test_a_broken_file_is_rejected_whole_and_asked_for_again(town: Any, poll: Poll) -> None:
    source = await town.source(SOURCE)
    (town.folder / "permits.csv").write_text("<html>503</html>", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(TransientError):
            await poll(source)
    assert town.reasons == ["not-csv"]
    write(town.folder, *ROWS)
    await poll(source)
    assert len(town.items) == 2


async def test_a_file_without_a_named_column_says_which(town: Any, poll: Poll) -> None:
    (town.folder / "permits.csv").write_text("number,what\nB-1,Garage\n", encoding="utf-8")
    with pytest.raises(TransientError, match="address, date, lat, lon, status"):
        await poll(await town.source(SOURCE))


async def test_a_file_that_is_not_there_is_said_in_words(town: Any, poll: Poll) -> None:
    with pytest.raises(PermanentError, match="no file"):
        await poll(await town.source(SOURCE))


async def test_a_reject_sent_back_by_an_operator_is_taken(town: Any, poll: Poll) -> None:
    write(town.folder, "B-7,open,x,2027-01-01,,,Shed\n")
    source = await town.source(SOURCE)
    await poll(source)
    assert town.reasons == ["date-out-of-range"]
    (_, _, raw, _) = town.producer.raw[0]
    await source.upstream.take_again("row", raw)
    assert town.reasons == ["date-out-of-range"] * 2
    town.now += timedelta(days=365)
    await source.upstream.take_again("row", raw)
    assert town.items[-1].native_id == "B-7"


async def test_several_rows_of_one_case_are_one_item(town: Any, poll: Poll) -> None:
    yaml = SOURCE.replace('id: "{number}"', 'id: "{number}"\n      case_pattern: "^(B-[0-9])"')
    write(
        town.folder,
        "B-1/P1,open,Kirkevegen 5,2026-03-05,,,Garage\n",
        "B-1/P2,granted,Kirkevegen 5,2026-03-08,,,Garage\n",
    )
    await poll(await town.source(yaml))
    (item,) = town.items
    assert (item.native_id, item.stage) == ("B-1", "decided")


async def test_five_megabytes_in_one_cell_harm_nobody(town: Any, poll: Poll) -> None:
    write(town.folder, f"B-1,open,{'x' * 5_000_000},2026-03-05,,,Garage\n", ROWS[1])
    await poll(await town.source(SOURCE))
    assert {item.native_id for item in town.items} == {"B-1", "B-2"}
    assert all(len(item.title) <= 300 for item in town.items)


async def test_json_rows_may_leave_columns_out(town: Any, poll: Poll) -> None:
    rows = [{"number": "B-1", "status": "open", "date": "2026-03-05", "what": "Garage"}, 17]
    (town.folder / "permits.json").write_text(json.dumps({"data": rows}), encoding="utf-8")
    yaml = SOURCE.replace("permits.csv", "permits.json\n    records: data")
    await poll(await town.source(yaml))
    assert town.items[0].title == "Garage"
    assert town.reasons == ["not-a-row"]
