"""A resident's feed: narrowed by its address, less of this and its undoing, live for its owner alone."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import Kind, Reason, ReasonType
from kommunepuls_events.base import utc_now
from kommunepuls_events.geometry import Point

pytestmark = pytest.mark.integration

PERMITS = Reason(type=ReasonType.INTEREST, interest="building-permits")
AREA = Reason(type=ReasonType.AREA, area="NO-9901/havna")
NEAR = Reason(type=ReasonType.PLACE, place="home", distance_metres=280)
CHOICES = {
    "areas": ["NO-9901/havna"], "interests": ["building-permits", "music"],
    "places": [{"id": "home", "label": "Hjemme", "longitude": 10.05, "latitude": 59.07, "radius_metres": 500}],
}  # fmt: skip


@pytest.fixture
async def subscriber(town, make_item, make_match) -> str:
    """A resident with a permit case and a concert in the feed."""
    subscriber = await town.sign_in()
    assert (await town.client.put("/api/v1/profile", json=CHOICES)).status_code == 200
    permit = make_item("garasje", title="Garasje", kind=Kind.PERMIT, interests=("building-permits",),
                       geometry=Point(type="Point", coordinates=(10.055, 59.07)))  # fmt: skip
    concert = make_item("konsert", title="Konsert", kind=Kind.EVENT, interests=("music",),
                        areas=("NO-9901/solasen",), starts_at=utc_now() + timedelta(days=9))  # fmt: skip
    await town.running.read_model.take_items([permit, concert])
    await town.running.read_model.take_match(make_match(permit, subscriber, reasons=(NEAR, PERMITS)))
    await town.running.read_model.take_match(make_match(concert, subscriber, reasons=(AREA,)))
    return subscriber


async def titles(town, address: str = "/feed") -> list[str]:
    page = await town.client.get(address)
    assert page.status_code == 200
    return re.findall(r"<h2><a [^>]*>([^<]*)</a></h2>", page.text)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"Garasje", "Konsert"}),
        ("?kind=permit", {"Garasje"}),
        ("?interest=music", {"Konsert"}),
        ("?area=NO-9901%2Fhavna", {"Garasje"}),
        ("?area=NO-9901", {"Garasje", "Konsert"}),
        ("?kind=permit&interest=music", set()),
        ("?kind=nonsense&page=77", {"Garasje", "Konsert"}),
    ],
)
async def test_the_address_narrows_the_feed(town, subscriber: str, query: str, found: set[str]) -> None:
    assert set(await titles(town, f"/feed{query}")) == found


async def test_each_item_says_why_in_a_sentence_and_shows_where_it_is(town, subscriber: str) -> None:
    page = (await town.client.get("/feed", headers={"Accept-Language": "en"})).text
    assert "Fordi det er 280 m fra Hjemme, og du følger Byggesaker." in page
    assert page.count('class="small-map') == 2
    assert 'class="own"' in page


async def test_older_items_stand_on_further_pages_that_keep_the_choice(
    town, subscriber: str, make_item, make_match
) -> None:
    for number in range(15):
        item = make_item(f"sak-{number}", title=f"Sak {number}", kind=Kind.PERMIT)
        await town.running.read_model.take_items([item])
        await town.running.read_model.take_match(make_match(item, subscriber, reasons=(AREA,)))
    page = (await town.client.get("/feed?kind=permit")).text
    assert len(page) < 33_000, "with its style and modules it stays below 60 kB"
    assert 'href="/feed?kind=permit&amp;page=2"' in page
    seen = await titles(town, "/feed?kind=permit") + await titles(town, "/feed?kind=permit&page=2")
    assert len(seen) == len(set(seen)) == 16


async def choices(town) -> dict:
    return (await town.client.get("/api/v1/profile")).json()["choices"]


async def press(town, page: str, action: str, **fields: str) -> httpx.Response:
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    return await town.client.post(
        action, data={"csrf_token": csrf, **fields}, headers={"X-CSRF-Token": ""}, follow_redirects=True
    )


async def test_less_of_this_changes_the_choices_and_its_undo_restores_them_exactly(
    town, subscriber: str
) -> None:
    before = await choices(town)
    page = (await town.client.get("/feed?interest=building-permits")).text
    offered = re.findall(r'name="choice" value="([^"]+)"', page)
    assert len(offered) == 5
    for choice in offered:
        answer = await press(
            town, page, "/feed/less", choice=choice, item="", back="interest=building-permits"
        )
        assert answer.url.params["interest"] == "building-permits"
        assert await choices(town) != before, choice
        assert await titles(town, "/feed?interest=building-permits") == [], choice
        token = re.search(r'name="token" value="([^"]+)"', answer.text)[1]
        undone = await press(town, answer.text, "/feed/undo", token=token, item="", back="")
        assert "Angret. Alt er som før." in undone.text
        assert await choices(town) == before, choice
        assert await titles(town, "/feed?interest=building-permits") == ["Garasje"]


async def test_an_undo_of_somebody_else_is_refused(town, subscriber: str) -> None:
    page = (await town.client.get("/feed")).text
    answer = await press(town, page, "/feed/less", choice="organisers:0.0:NO-9901/fotball", item="", back="")
    token = re.search(r'name="token" value="([^"]+)"', answer.text)[1]
    town.client.cookies.clear()
    await town.sign_in("ola@example.no")
    other = (await town.client.get("/feed")).text
    assert (await press(town, other, "/feed/undo", token=token, item="", back="")).status_code == 410
    assert "Angre" not in (await town.client.get(f"/feed?less={token}")).text


@pytest.mark.parametrize("choice", ["", "items", "model_config:0:x", "radius:9999:home", "radius:nan:home", "radius:1:cabin"])  # fmt: skip
async def test_a_choice_that_is_none_changes_nothing(town, subscriber: str, choice: str) -> None:
    before = await choices(town)
    page = (await town.client.get("/feed")).text
    assert (await press(town, page, "/feed/less", choice=choice, item="", back="")).status_code == 200
    assert await choices(town) == before


class Events:
    """The stream of whoever the client is."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self) -> dict:
        event: dict = {}
        async with asyncio.timeout(20):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if name in ("event", "id", "data"):
                    event[name] = value
                if not line and "event" in event:
                    return event
        raise AssertionError("the stream has ended")


async def test_a_new_match_is_told_on_the_owners_stream_alone_and_a_lost_one_is_made_up_for(
    town, subscriber: str, make_item, make_match
) -> None:
    streams, read_model = town.running.gateway.feed_streams, town.running.read_model
    looking = asyncio.create_task(streams.run())
    fresh = make_item("ny", title="Ny")
    other = make_item("andres", title="Andres")
    async with town.client.stream("GET", "/api/v1/feed/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = Events(answer.aiter_lines())
        began = await events.next()
        assert began["event"] == "position"
        await read_model.take_match(make_match(other, "somebody-else"))
        await read_model.take_match(make_match(fresh, subscriber))
        told = await events.next()
        while json.loads(told["data"])["item"] != fresh.id:
            told = await events.next()
        assert told["event"] == "entry"
    headers = {"Last-Event-ID": began["id"]}
    async with town.client.stream("GET", "/api/v1/feed/stream", headers=headers) as answer:
        again = await Events(answer.aiter_lines()).next()
        assert json.loads(again["data"])["item"] == fresh.id
    async with town.client.stream("GET", "/api/v1/feed/stream", headers={"Last-Event-ID": "17"}) as answer:
        assert (await Events(answer.aiter_lines()).next())["event"] == "reset"
    await eventually(lambda: not streams._clients, what="no stream is left open")
    looking.cancel()


async def test_nobody_gets_a_stream_without_signing_in(town) -> None:
    assert (await town.client.get("/api/v1/feed/stream")).status_code == 401
