"""The gateway as its own process against the embedded broker, killed and started again."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from gateway_api.settings import Settings
from gateway_process import Stage
from kommunepuls_chassis.producer import open_producer
from kommunepuls_chassis.testing import eventually
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_devbroker.testing import embedded_broker
from kommunepuls_events import (
    Channel,
    ContentItemV1,
    DeliveryState,
    DeliveryV1,
    Event,
    MatchV1,
    Reason,
    ReasonType,
    Recipient,
)
from kommunepuls_events.base import utc_now
from kommunepuls_events.dead_letters import DeadLetter

pytestmark = pytest.mark.integration

OPERATOR = {"Authorization": "Bearer operator-token-0001"}


@pytest.fixture
async def stage(settings: Settings, contact_keys, tmp_path: Path) -> AsyncIterator[Stage]:
    """A broker with its topics."""
    async with embedded_broker(tmp_path / "broker") as address:
        held = settings.model_copy(update={"kafka_bootstrap": address})
        await ensure_topics(held)
        async with open_producer("test", held) as producer:
            yield Stage(held, producer, contact_keys[0])


async def _signed_in(stage: Stage, client: httpx.AsyncClient) -> str:
    assert (
        await client.post("/api/v1/sign-in-links", json={"address": "kari@example.no"})
    ).status_code == 202
    answer = await client.post("/api/v1/sessions", json={"token": await stage.link()})
    assert answer.status_code == 201, answer.text
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    return answer.json()["subscriber"]


async def _write_and_publish(client: httpx.AsyncClient, title: str) -> str:
    """As an operator, who needs nobody's approval; returns the item's id."""
    begun = await client.post("/staff/writing", data={"organiser": "NO-9901/fotball", "kind": "event"})
    address = begun.headers["location"]
    at = (utc_now() + timedelta(days=5)).strftime("%Y-%m-%dT%H:%M")
    form = {
        "kind": "event",
        "title": title,
        "text": "Alle kan komme.",
        "interests": "football",
        "starts_at": at,
    }
    await client.post(address, data=form)
    answer = await client.post(f"{address}/publish", data={"edition": "2", "tell": "yes"})
    assert answer.headers["location"] == "/staff/writing?said=published", answer.text[:300]
    return f"NO-9901/organisers/{address.rpartition('/')[2]}"


async def _entered(client: httpx.AsyncClient) -> None:
    """Sign an operator in."""
    assert (await client.post("/staff/token", data={"token": "operator-token-0001"})).status_code == 303
    token = re.search(r'name="csrf_token" value="([^"]+)"', (await client.get("/staff/writing")).text)
    assert token
    client.headers["X-CSRF-Token"] = token[1]


async def test_kill_9_loses_no_change_of_a_resident_and_no_event_of_an_organiser(stage: Stage) -> None:
    accepted, events = 0, []
    cookies, csrf, subscriber = httpx.Cookies(), "", ""
    for life in range(3):
        async with stage.gateway() as gateway, gateway.client() as client, gateway.client() as desk:
            await _entered(desk)
            if life == 0:
                subscriber = await _signed_in(stage, client)
                cookies, csrf = client.cookies, client.headers["X-CSRF-Token"]
            client.cookies, client.headers["X-CSRF-Token"] = cookies, csrf
            for number in range(12):
                interests = ["music", "culture"][: 1 + number % 2]
                label = {"places": [{"id": "p", "label": f"{life}-{number}", "longitude": 10.05,
                                     "latitude": 59.07, "radius_metres": 100}]}  # fmt: skip
                answer = await client.put("/api/v1/profile", json={"interests": interests} | label)
                assert answer.status_code == 200
                accepted = answer.json()["revision"]
                if number % 6 == 5:
                    events.append(await _write_and_publish(desk, f"Kamp {life}-{number}"))
            await gateway.kill()
            log = "".join(gateway.log)
            assert "kari@" not in log
            assert csrf not in log
    async with stage.gateway() as gateway, gateway.client() as client:

        async def published() -> list[int]:
            revisions = [
                json.loads(record.value)["revision"]
                for record in await stage.records("profiles.v1")
                if record.key.decode() == subscriber
            ]
            return revisions if revisions[-1] == accepted else []

        # What a killed publisher held is free when its lease ends.
        revisions = await eventually(published, within=60, what="the last revision")
        # Every revision is there, the first of each in order; repeats are what was sent twice by a death.
        assert list(dict.fromkeys(revisions)) == list(range(1, accepted + 1))

        async def items() -> list[ContentItemV1]:
            records = await stage.records("content.v1")
            found = [Event.decode(record.value, record.headers).data for record in records]
            return found if {item.id for item in found} >= set(events) else []

        found = await eventually(items, within=30, what="every event that was accepted")
        # What a death sent twice is the very same revision, and the page shows it once.
        assert len({item.to_json() for item in found}) == len(events) == 6

        async def shown() -> bool:
            answer = await client.get("/embed/events.json?organiser=NO-9901/fotball")
            return sorted(one["id"] for one in answer.json()["events"]) == sorted(events)

        await eventually(shown, within=30, what="each of them once on the page")


async def test_every_process_streams_every_event_and_a_stream_goes_on_at_another(stage, make_item) -> None:
    async with stage.gateway("one") as one, stage.gateway("two") as two:
        async with one.client() as first, two.client() as second:
            heard = [asyncio.create_task(_hear(client, 3)) for client in (first, second)]
            await eventually(lambda: all(_begun.get(id(client)) for client in (first, second)))
            await stage.producer.publish(make_item("1"), make_item("2"))
            events = await asyncio.gather(*heard)
        for told in events:
            assert told[0]["event"] == "position"
            assert {one["data"]["id"] for one in told[1:]} == {
                "NO-9901/facebook/1", "NO-9901/facebook/2",
            }  # fmt: skip
        await one.kill()
        await stage.producer.publish(make_item("3"), make_item("4", exercise=True), make_item("5"))
        async with two.client() as client:
            rest = await _hear(client, 2, last=events[0][-1]["id"])
        assert {told["data"]["id"] for told in rest} == {"NO-9901/facebook/3", "NO-9901/facebook/5"}


_begun: dict[int, bool] = {}


async def _hear(client: httpx.AsyncClient, count: int, *, last: str | None = None) -> list[dict]:
    headers = {"Last-Event-ID": last} if last else {}
    found, event = [], {}
    async with asyncio.timeout(30), client.stream("GET", "/api/v1/pulse/stream", headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        async for line in stream.aiter_lines():
            name, _, value = line.partition(": ")
            if line.startswith(":"):
                continue
            if line:
                event[name] = json.loads(value) if name == "data" else value
                continue
            if event:
                found.append(event)
                _begun[id(client)] = True
            event = {}
            if len(found) == count:
                return found
    return found


async def test_what_waits_on_the_topic_of_earlier_matches_comes_into_the_feed_too(
    stage, make_item, make_match
) -> None:
    async with stage.gateway() as gateway, gateway.client() as client:
        subscriber = await _signed_in(stage, client)
        waiting, both, newer = (make_item(native) for native in ("waiting", "both", "newer"))
        because = (Reason(type=ReasonType.INTEREST, interest="water-and-sewage"),)
        earlier = [
            MatchV1(
                id=f"{item.id}#1#0#0", item=item, shard=0, chunk=0, matched_at=utc_now(),
                recipients=(Recipient(subscriber=subscriber, reasons=because),),
            )
            for item in (waiting, both)
        ]  # fmt: skip
        await stage.producer.publish(*earlier, make_match(both, subscriber), make_match(newer, subscriber))

        async def shown() -> bool:
            entries = (await client.get("/api/v1/feed")).json()["entries"]
            found = [entry["item"]["id"] for entry in entries if entry["reasons"]]
            assert len(found) == len(set(found))
            return set(found) == {waiting.id, both.id, newer.id}

        await eventually(shown, what="one entry for each item")


async def test_topics_fill_the_read_model_and_bad_records_end_with_operators(
    stage, make_item, make_match, make_reading
) -> None:
    async with stage.gateway() as gateway, gateway.client() as client:
        subscriber = await _signed_in(stage, client)
        item = make_item()
        broken = [("ce_id", b"x"), ("ce_source", b"s"), ("ce_type", b"kommunepuls.content-item.v1"),
                  ("ce_time", b"2026-11-20T12:00:00+00:00"), ("ce_subject", b"x")]  # fmt: skip
        await stage.producer.publish_raw("content.v1", item.id, b'{"half": ', broken)
        await stage.producer.publish(item, make_reading(20.1), make_match(item, subscriber))
        reject = DeadLetter("no-title", "no title", "ingest-feeds", source="NO-9901/rss", entry="item")
        await stage.producer.publish_raw("rejects.v1", "NO-9901/rss", b"\x00" * 2_000_000, reject.headers())

        async def shown() -> bool:
            feed = (await client.get("/api/v1/feed")).json()["entries"]
            sensors = (await client.get("/api/v1/sensors")).json()
            return bool(feed and sensors and feed[0]["reasons"])

        await eventually(shown, what="feed and sensors")

        async def letters(kept: str) -> list:
            answer = await client.get(f"/api/v1/operator/{kept}", headers=OPERATOR)
            return answer.json()["records"]

        (dead,) = await eventually(lambda: letters("dead-letters"), what="a dead letter")
        assert (dead["topic"], dead["reason"]) == ("content.v1", "invalid-json")
        (kept,) = await eventually(lambda: letters("rejects"), what="a reject")
        assert kept["size"] == 2_000_000
        await client.post(f"/api/v1/operator/dead-letters/{dead['id']}/replay", headers=OPERATOR)
        await client.post(f"/api/v1/operator/rejects/{kept['id']}/replay", headers=OPERATOR)
        (sent,) = await stage.records("replays.v1")
        assert sent.value == b"\x00" * 2_000_000
        again = [record for record in await stage.records("content.v1") if record.value == b'{"half": ']
        assert [(record.key.decode(), list(record.headers)) for record in again] == [(item.id, broken)] * 2
        # Still impossible, it comes back as a dead letter of its own.
        await eventually(lambda: _count(letters("dead-letters"), 2), what="the second dead letter")


async def _count(letters, wanted: int) -> bool:
    return len(await letters) == wanted


async def test_a_faulty_setting_is_one_line(stage: Stage) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway_api", env={"PATH": os.environ["PATH"]}, stderr=asyncio.subprocess.PIPE
    )
    _, error = await process.communicate()
    assert process.returncode == 2
    assert error.decode().count("\n") == 1
    assert "KP_PUBLIC_URL" in error.decode()


async def test_it_stops_at_once_although_a_stream_is_open(stage: Stage) -> None:
    async with (
        stage.gateway() as gateway,
        gateway.client() as client,
        client.stream("GET", "/api/v1/pulse/stream") as live,
    ):
        await anext(live.aiter_lines())
        gateway.process.terminate()
        await asyncio.wait_for(gateway.process.wait(), 10)
    assert gateway.process.returncode == 0
    assert any("service_stopped" in line for line in gateway.log)


async def test_deliveries_on_the_topic_are_counted_and_a_rule_that_is_turned_on_stands_on_its_topic(
    stage,
) -> None:
    now = utc_now()
    told = [
        DeliveryV1(subscriber=f"s-{number}", item="NO-9901/facebook/1", revision=1, channel=Channel.EMAIL,
                   state=DeliveryState.SENT, at=now)
        for number in range(7)
    ]  # fmt: skip
    await stage.producer.publish(*told)
    async with stage.gateway() as gateway, gateway.client() as client:
        await _entered(client)
        form = {"revision": "0", "action": "save-on", "name": "Lodd", "words": "lodd*", "effect": "drop"}
        assert (await client.post("/staff/rules/new", data=form)).status_code == 303

        async def counted() -> bool:
            page = await client.get("/staff/console/deliveries?period=day")
            return "<dd>7</dd>" in page.text

        async def published() -> list:
            return await stage.records("content-rules.v1")

        await eventually(counted, what="seven deliveries")
        (record,) = await eventually(published, what="the rule")
        rules = Event.decode(record.value, record.headers).data
        assert (record.key, [one.name for one in rules.rules]) == (b"NO-9901", ["Lodd"])
