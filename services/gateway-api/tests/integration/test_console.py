"""The operators' console: what needs a hand, replays from the page, deliveries and gains."""

import re
from datetime import timedelta

import pytest
from gateway_api.domain.letters import letter_document, letter_key
from kommunepuls_events import Channel, DeliveryState, DeliveryV1, SourceStatusV1
from kommunepuls_events.base import utc_now
from kommunepuls_events.dead_letters import DeadLetter

pytestmark = pytest.mark.integration

TOWN = "NO-9901"


@pytest.fixture
async def operator(town):
    """The town with an operator signed in."""
    answer = await town.client.post("/staff/token", data={"token": "operator-token-0001"})
    assert answer.headers["location"] == "/staff/console"
    (session,) = await town.running.gateway.collections.staff_sessions.find({})
    town.client.headers.update({"X-CSRF-Token": session.document["csrf"], "Accept-Language": "en"})
    return town


async def _page(town, path: str = "") -> str:
    answer = await town.client.get(f"/staff/console{path}")
    assert answer.status_code == 200, answer.text
    return answer.text


async def _dead(town, offset: int, value: bytes = b'{"half": ', reason: str = "invalid-json") -> str:
    letter = DeadLetter(
        reason, "value: <b>broken</b>", "notifier", topic="content.v1", partition=2, offset=offset
    )
    key = letter_key("content.v1.dead", 0, offset)
    document = letter_document(
        topic="content.v1.dead", key="k", value=value, headers=letter.headers(), received_at=utc_now()
    )
    await town.running.read_model.take_letters([(key, document)])
    return key


async def test_the_console_says_what_needs_a_hand(operator) -> None:
    assert "Nothing just now" in await _page(operator)
    now = utc_now()
    for name, fields in (
        ("facebook", {"error": "the token is dead: make a new one", "rejects": {"no-text": 3}}),
        (
            "nyheter",
            {"next_attempt_at": now - timedelta(hours=1), "last_success_at": now - timedelta(hours=2)},
        ),
    ):
        status = SourceStatusV1(
            source=f"{TOWN}/{name}",
            municipality=TOWN,
            service="ingest-x",
            type="rss",
            at=now,
            items=7,
            **fields,
        )
        await operator.running.read_model.take_status(status)
    await _dead(operator, 1)
    page = await _page(operator)
    assert "the token is dead: make a new one" in page
    assert "It should have been asked" in page
    assert re.findall(r"<strong>(\d+)</strong>", page)[:2] == ["2", "1"]
    sources = await _page(operator, "/sources")
    assert sources.index("Needs a hand") < sources.index("Late")
    assert f"/staff/console/rejects?source={TOWN}/facebook&amp;reason=no-text" in sources


async def test_all_of_a_reason_are_sent_back_and_the_outcome_is_shown(operator) -> None:
    for offset in range(3):
        await _dead(operator, offset)
    await _dead(operator, 9, reason="wrong-key")
    page = await _page(operator, "/dead-letters")
    assert re.findall(r'<code>([\w-]+)</code></a> <span class="tag">(\d+)</span>', page) == [
        ("invalid-json", "3"),
        ("wrong-key", "1"),
    ]
    form = {"reason": "invalid-json", "service": "notifier", "topic": "content.v1"}
    assert (await operator.client.post("/staff/console/dead-letters", data=form)).status_code == 303
    while await operator.running.gateway.letters.work_once():
        pass
    assert len(operator.producer.raw) == 3
    page = await _page(operator, "/dead-letters?said=asked")
    assert "3 of 3 sent back" in page
    assert "finished" in page
    assert re.findall(r'<code>([\w-]+)</code></a> <span class="tag">', page) == ["wrong-key"]
    assert (
        "sent back all records of <strong>invalid-json</strong>"
        in (await operator.client.get("/staff/log")).text
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('{"tittel": "Blåbær <i>"}'.encode(), "Blåbær &lt;i&gt;"),
        (b"\xff\x00raw", "/wByYXc="),
        ("å".encode() * 10_001, "Only the beginning is shown"),
        (b"", "It has no content"),
    ],
)
async def test_a_record_is_shown_with_its_bytes_and_sent_back_by_a_button(operator, value, shown) -> None:
    key = await _dead(operator, 4, value)
    page = await _page(operator, f"/dead-letters/{key}")
    assert shown in page
    assert "<b>broken</b>" not in page
    assert "�" not in page
    assert (await operator.client.post(f"/staff/console/dead-letters/{key}")).status_code == 303
    assert operator.producer.raw[0][2] == value
    assert "Sent back" in await _page(operator, f"/dead-letters/{key}")
    assert (await operator.client.get(f"/staff/console/rejects/{key}")).status_code == 404


async def test_deliveries_and_what_they_save_are_shown_with_their_numbers(operator) -> None:
    now = utc_now()
    told = [
        (offset, DeliveryV1(subscriber="s-1", item=f"{TOWN}/nyheter/{offset}", revision=1, channel=channel,
                            state=state, cause=cause, at=now))
        for offset, (channel, state, cause) in enumerate(
            [(Channel.EMAIL, DeliveryState.SENT, None)] * 60
            + [(Channel.PUSH, DeliveryState.SENT, None)] * 40
            + [(Channel.EMAIL, DeliveryState.FAILED, "hard-bounce")] * 2
        )
    ]  # fmt: skip
    counts = operator.running.gateway.delivery_counts
    await counts.take(0, told)
    await counts.take(0, told)
    page = await _page(operator, "/deliveries?period=day")
    assert re.findall(r"<dd>(\d+)</dd>", page)[:4] == ["100", "0", "0", "2"]
    assert "<code>hard-bounce</code>" in page
    assert page.count('<rect class="email"') == 2  # a column and its sign in the legend
    page = await _page(operator, "/gains")
    assert re.findall(r"<strong>([\d,]+ kr)</strong>", page) == ["3,700 kr", "7,700 kr", "10,700 kr"]
    assert "300 kr" in page


async def test_an_editor_has_no_way_into_the_console(town) -> None:
    asked = {"municipality": TOWN, "address": "eva@example.no", "name": "Eva Holm", "roles": ["editor"]}
    bearer = {"Authorization": "Bearer operator-token-0001"}
    await town.client.post("/api/v1/operator/staff", headers=bearer, json=asked)
    link = (await town.opened("send-link"))[-1]["link"].rpartition("/")[2]
    first = await town.client.post(f"/staff/sign-in/{link}")
    assert first.headers["location"] != "/staff/console"
    for path in ("", "/sources", "/gains", "/rejects"):
        assert (await town.client.get(f"/staff/console{path}")).status_code == 403
