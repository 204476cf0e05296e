from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from ingest_permits.service import OpenSource
from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError
from starlette.responses import Response

pytestmark = pytest.mark.integration
Poll = Callable[[OpenSource], Awaitable[dict]]


def source_of(socrata: Any, **settings: Any) -> str:
    lines = "".join(f"    {name}: {value}\n" for name, value in settings.items())
    return f"""
  - id: permits
    type: socrata
    url: {socrata.url}
    app_token_env: KP_TOKEN_PORTAL
    page_size: 2
{lines}    mapping:
      id: "{{permit}}"
      title: "{{work}}"
      date: [issue_date]
      stage: {{column: status, values: {{ISSUED: decided}}, default: received}}
      x: location.longitude
      y: location.latitude
"""


def row(number: int, updated: str, **others: Any) -> dict[str, Any]:
    return {
        ":id": f"row-{number:04}",
        ":updated_at": f"2026-03-{updated}T00:00:00.000Z",
        "permit": str(number),
        "work": "Garage",
        "issue_date": "2026-03-02T00:00:00.000",
        "status": "FILED",
        "location": {"longitude": "6.05", "latitude": "59.05"},
        **others,
    }


@pytest.mark.parametrize("paging", ["keyset", "offset"])
async def test_all_pages_are_read_in_the_order_of_the_watermark(
    town: Any, socrata: Any, poll: Poll, paging: str
) -> None:
    socrata.rows = [row(number, "05" if number < 4 else "06") for number in (5, 3, 1, 2, 4)]
    position = await poll(await town.source(source_of(socrata, paging=paging)))
    assert [item.native_id for item in town.items] == ["1", "2", "3", "4", "5"]
    assert position["from"] == "2026-03-06T00:00:00.000Z"
    assert town.items[0].geometry.coordinates == (6.05, 59.05)
    assert socrata.requests[0]["$where"] == ":updated_at IS NOT NULL"


async def test_only_what_changed_is_asked_for_next_time(town: Any, socrata: Any, poll: Poll) -> None:
    socrata.rows = [row(1, "05"), row(2, "06")]
    source = await town.source(source_of(socrata, where="issue_date > '2026-01-01'"))
    await poll(source)
    socrata.rows[0] = row(1, "07", status="ISSUED")
    await poll(source)
    behind = [request["$where"] for request in socrata.requests]
    assert "(issue_date > '2026-01-01') AND :updated_at >= '2026-03-06T00:00:00.000Z'" in behind
    assert [(item.native_id, item.stage, item.announced) for item in town.items][2:] == [
        ("1", "decided", True)
    ]


async def test_rows_that_change_while_pages_are_read_push_none_out(
    town: Any, socrata: Any, poll: Poll
) -> None:
    socrata.rows = [row(number, "05") for number in range(1, 5)] + [row(5, "06")]
    source = await town.source(source_of(socrata))
    answers = 0

    async def moves_the_first_row_to_the_end() -> Response:
        nonlocal answers
        answers += 1
        socrata.rows[0] = row(1, "07")
        return Response(status_code=502)

    socrata.answers_after[2] = moves_the_first_row_to_the_end
    with pytest.raises(TransientError):
        await poll(source)
    await poll(await town.source(source_of(socrata)))
    assert answers == 1
    assert {item.native_id for item in town.items} == {"1", "2", "3", "4", "5"}


async def test_a_restart_in_the_middle_goes_on_where_it_stood(town: Any, socrata: Any, poll: Poll) -> None:
    socrata.rows = [row(number, f"{number:02}") for number in range(1, 8)]
    socrata.rows[4]["issue_date"] = "garbled"
    socrata.answers_after[3] = Response(status_code=500)
    with pytest.raises(TransientError):
        await poll(await town.source(source_of(socrata)))
    socrata.requests.clear()
    await poll(await town.source(source_of(socrata)))
    assert "2026-03-04" in socrata.requests[0]["$where"]
    assert [item.native_id for item in town.items] == ["1", "2", "3", "4", "6", "7"]
    assert town.reasons == ["unreadable-date"]


async def test_throttling_says_how_long(town: Any, socrata: Any, poll: Poll) -> None:
    socrata.instead = [Response(status_code=429, headers={"Retry-After": "30"})]
    with pytest.raises(ThrottledError) as throttled:
        await poll(await town.source(source_of(socrata)))
    assert throttled.value.delay_seconds == 30


async def test_an_answer_still_being_made_is_asked_for_later(town: Any, socrata: Any, poll: Poll) -> None:
    socrata.instead = [Response(status_code=202)]
    with pytest.raises(TransientError):
        await poll(await town.source(source_of(socrata)))


async def test_a_token_that_is_not_set_is_named(
    town: Any, socrata: Any, poll: Poll, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KP_TOKEN_PORTAL")
    with pytest.raises(PermanentError, match="KP_TOKEN_PORTAL"):
        await poll(await town.source(source_of(socrata)))


async def test_a_data_set_without_the_watermark_says_so(town: Any, socrata: Any, poll: Poll) -> None:
    socrata.instead = [Response(b'[{"permit": "1", "work": "Garage"}]', media_type="application/json")]
    with pytest.raises(PermanentError, match="updated_at"):
        await poll(await town.source(source_of(socrata)))


async def test_a_truncated_answer_is_rejected_and_asked_for_again(
    town: Any, socrata: Any, poll: Poll
) -> None:
    socrata.rows = [row(1, "05")]
    socrata.instead = [Response(b'[{"permit": "1", "wo', media_type="application/json")]
    source = await town.source(source_of(socrata))
    with pytest.raises(TransientError):
        await poll(source)
    await poll(source)
    assert town.reasons == ["truncated-json"]
    assert len(town.items) == 1
