from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from ingest_permits.service import OpenSource
from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError
from starlette.responses import JSONResponse, Response

pytestmark = pytest.mark.integration
Poll = Callable[[OpenSource], Awaitable[dict]]
APPLICATION = "12/34 Søknad om rammetillatelse - garasje - Kirkevegen 5 - Ola Nordmann"
PERMISSION = "12/34 Rammetillatelse - garasje - Kirkevegen 5 - Ola Nordmann"


async def test_all_pages_of_a_sweep_are_taken_and_each_case_is_one_item(
    town: Any, acos: Any, poll: Poll
) -> None:
    acos.add(1, 100, APPLICATION, "01.03.2026", "Inngående dokument")
    acos.add(2, 200, "Søknad om barnehageplass", "02.03.2026", "Inngående dokument")
    acos.add(3, 300, "44/7 Ferdigattest - naust", "03.03.2026")
    acos.add(4, 100, PERMISSION, "04.03.2026")
    acos.add(5, 400, "12/35 Nabovarsel - tilbygg", "05.03.2026", "Inngående dokument")
    position = await poll(await town.source(acos.source()))
    assert {request["page"] for request in acos.requests} == {"1", "2", "3"}
    assert acos.requests[0]["FilterContent"] == "DocOnly"
    newest = {item.native_id: item for item in town.items}
    assert {native: item.stage for native, item in newest.items()} == {
        "100": "decided", "300": "decided", "400": "received",
    }  # fmt: skip
    assert position == {"through": "2026-03-10"}


async def test_the_case_and_its_files_are_asked_for_and_names_are_masked(
    town: Any, acos: Any, poll: Poll
) -> None:
    acos.add(4, 100, PERMISSION, "04.03.2026")
    await poll(await town.source(acos.source()))
    (item,) = town.items
    assert "Sak 26/100" in item.summary
    page, file = item.links
    assert "#/details/a-" in str(page.url)
    assert str(file.url) == f"{acos.url}/api/filer/4"
    assert "Nordmann" not in item.to_json().decode()
    assert item.geometry.coordinates == (6.05, 59.05)


async def test_a_second_sweep_reaches_back_for_entries_that_came_late(
    town: Any, acos: Any, poll: Poll
) -> None:
    acos.add(4, 100, APPLICATION, "04.03.2026", "Inngående dokument")
    source = await town.source(acos.source(overlap_days=7))
    await poll(source)
    acos.add(5, 100, PERMISSION, "05.03.2026")
    town.now += timedelta(days=1)
    await poll(source)
    assert acos.requests[-1]["FromDate"] == "2026-03-03"
    assert [(item.stage, item.announced) for item in town.items] == [("received", True), ("decided", True)]


async def test_a_sweep_that_breaks_off_goes_on_with_its_page(town: Any, acos: Any, poll: Poll) -> None:
    for number in range(1, 7):
        acos.add(number, 100 + number, "44/7 Ferdigattest - naust", f"0{number}.03.2026")
    acos.page_answers["2"] = JSONResponse({}, 502)
    source = await town.source(acos.source())
    with pytest.raises(TransientError):
        await poll(source)
    assert {item.native_id for item in town.items} == {"105", "106"}
    acos.requests.clear()
    reopened = await town.source(acos.source())
    await poll(reopened)
    assert [request["page"] for request in acos.requests] == ["2", "3"]
    assert sorted(item.native_id for item in town.items) == ["101", "102", "103", "104", "105", "106"]


async def test_a_portal_that_misses_its_headers_is_said_in_words(town: Any, acos: Any, poll: Poll) -> None:
    acos.add(4, 100, PERMISSION, "04.03.2026")
    with pytest.raises(PermanentError, match="portal_id and menu_item_id"):
        await poll(await town.source(acos.source(portal_id="7")))


async def test_a_portal_that_asks_for_patience_gets_it(town: Any, acos: Any, poll: Poll) -> None:
    acos.instead = [Response(status_code=429, headers={"Retry-After": "120"})]
    with pytest.raises(ThrottledError) as throttled:
        await poll(await town.source(acos.source()))
    assert throttled.value.delay_seconds == 120


async def test_a_truncated_answer_is_rejected_and_asked_for_again(town: Any, acos: Any, poll: Poll) -> None:
    acos.add(4, 100, PERMISSION, "04.03.2026")
    acos.instead = [
        Response(b'{"content": {"searchItems": {"items": [{"title": "12/3', media_type="application/json")
    ]
    source = await town.source(acos.source())
    with pytest.raises(TransientError, match="breaks off"):
        await poll(source)
    assert town.reasons == ["truncated-json"]
    await poll(source)
    assert len(town.items) == 1


async def test_one_bad_item_is_rejected_alone(town: Any, acos: Any, poll: Poll) -> None:
    acos.add(4, 100, PERMISSION, "04.03.2026")
    acos.add(5, 200, PERMISSION, "05.03.2026")["properties"]["dokumentID"] = {"an": "object"}
    acos.add(6, 300, PERMISSION, "06.03.2026")["parentIdentifier"] = None
    await poll(await town.source(acos.source(page_size=10)))
    assert [item.native_id for item in town.items] == ["100"]
    assert sorted(town.reasons) == ["missing-id", "wrong-type"]


async def test_a_case_whose_page_is_closed_is_told_from_the_overview(
    town: Any, acos: Any, poll: Poll
) -> None:
    acos.add(4, 100, PERMISSION, "04.03.2026")
    acos.cases.clear()
    await poll(await town.source(acos.source()))
    assert town.items[0].summary == "Avgjort."


async def test_an_answer_of_five_megabytes_is_taken(town: Any, acos: Any, poll: Poll) -> None:
    acos.add(4, 100, PERMISSION + " x" * 2_500_000, "04.03.2026")
    acos.add(5, 200, "44/7 Ferdigattest - naust", "05.03.2026")
    await poll(await town.source(acos.source(details=False)))
    assert {item.native_id for item in town.items} == {"100", "200"}
