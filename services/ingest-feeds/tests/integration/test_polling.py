"""Polling real HTTP answers through the embedded broker: news, edits, cancellations, failures."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from ingest_feeds.app import compose
from ingest_feeds.settings import Settings
from kommunepuls_chassis.http import serve_http
from kommunepuls_chassis.producer import open_producer
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.testing import eventually
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_devbroker.testing import embedded_broker
from kommunepuls_events import (
    ContentItemV1,
    ContentRule,
    ContentRulesV1,
    Event,
    LifecycleState,
    RuleCondition,
    RuleEffect,
    Severity,
    SourceStatusV1,
)
from kommunepuls_events.dead_letters import DeadLetter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

pytestmark = pytest.mark.integration
TODAY = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
YEAR = datetime.now(UTC).year + 1


def news(*entries: tuple[str, str]) -> bytes:
    items = "".join(
        f"<item><guid>{key}</guid><title>{title}</title><pubDate>{TODAY}</pubDate></item>"
        for key, title in entries
    )
    return f'<rss version="2.0"><channel><title>n</title>{items}</channel></rss>'.encode()


def calendar(*events: tuple[str, str]) -> bytes:
    inner = "".join(
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nSUMMARY:{title}\r\nDTSTART:{YEAR}0201T180000Z\r\nEND:VEVENT\r\n"
        for uid, title in events
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{inner}END:VCALENDAR\r\n".encode()


def warning(kind: str, identifier: str, references: str = "", *, title: str = "Kraftig vind") -> bytes:
    sent = datetime.now(UTC).isoformat(timespec="seconds")
    info = (
        ""
        if kind == "Cancel"
        else f"<info><event>Vind</event><severity>Severe</severity><headline>{title}</headline></info>"
    )
    return (
        f"<alert><identifier>{identifier}</identifier><sender>met</sender><sent>{sent}</sent><status>Actual</status>"
        f"<msgType>{kind}</msgType><scope>Public</scope><references>{references}</references>{info}</alert>"
    ).encode()


@dataclass
class Upstream:
    """What the fake upstream answers, by path."""

    answers: dict[str, bytes] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        async def answer(request: Request) -> Response:
            name = request.path_params["name"]
            self.asked.append(name)
            body = self.answers.get(name, b"")
            etag = f'"{hash(body)}"'
            if request.headers.get("if-none-match") == etag:
                return Response(status_code=304)
            return Response(body, self.status.get(name, 200), headers={"etag": etag})

        return Starlette(routes=[Route("/{name}", answer)])


@dataclass
class Town:
    upstream: Upstream
    settings: Settings
    items: list[ContentItemV1] = field(default_factory=list)
    rejects: list[DeadLetter] = field(default_factory=list)
    states: list[SourceStatusV1] = field(default_factory=list)

    async def read(self) -> None:
        consumer = AIOKafkaConsumer(
            "content.v1", "rejects.v1", "source-status.v1",
            bootstrap_servers=self.settings.kafka_bootstrap, auto_offset_reset="earliest",
        )  # fmt: skip
        await consumer.start()
        try:
            async for record in consumer:
                if record.topic == "rejects.v1":
                    self.rejects.append(DeadLetter.from_headers(record.headers))
                else:
                    kept = self.items if record.topic == "content.v1" else self.states
                    kept.append(Event.decode(record.value, record.headers).data)
        finally:
            await consumer.stop()

    def revisions(self, native_id: str) -> list[tuple[int, LifecycleState, str]]:
        return [
            (item.revision, item.lifecycle.state, item.title)
            for item in self.items
            if item.native_id == native_id
        ]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    upstream = Upstream({"news": news(), "calendar": calendar(), "warnings": news()})
    async with (
        embedded_broker(tmp_path / "broker") as address,
        serve_http(upstream.app(), "127.0.0.1", 0) as port,
    ):
        file = tmp_path / "town.yaml"
        lines = [f"  - {{id: {kind}, type: {kind}, url: 'http://127.0.0.1:{port}/{name}', poll_seconds: 1}}"
                 for kind, name in (("rss", "news"), ("ical", "calendar"), ("cap", "warnings"))]  # fmt: skip
        file.write_text("\n".join(["code: NO-9901", "name: Fjordvik", "sources:", *lines]))
        settings = Settings(
            kafka_bootstrap=address, data_dir=tmp_path / "data", town_files=str(file), kafka_session_seconds=6
        )
        await ensure_topics(ServiceSettings(kafka_bootstrap=address))
        town = Town(upstream, settings)
        reading = asyncio.create_task(town.read())
        yield town
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


@pytest.fixture
async def running(town: Town) -> AsyncIterator[Town]:
    async with compose(town.settings) as service:
        task = asyncio.create_task(service.run())
        yield town
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_new_entry_is_published_once_and_an_edit_is_a_revision(running: Town) -> None:
    running.upstream.answers["news"] = news(("a", "Brua stenges"))
    await eventually(lambda: running.revisions("a"))
    running.upstream.answers["news"] = news(("a", "Brua stenges fredag"), ("b", "Ny sti"))
    await eventually(lambda: running.revisions("b") and len(running.revisions("a")) == 2)
    assert running.revisions("a") == [
        (1, LifecycleState.PUBLISHED, "Brua stenges"),
        (2, LifecycleState.UPDATED, "Brua stenges fredag"),
    ]


async def test_an_event_that_leaves_the_calendar_is_withdrawn(running: Town) -> None:
    running.upstream.answers["calendar"] = calendar(("1", "Konsert"), ("2", "Marked"))
    await eventually(lambda: running.revisions("1") and running.revisions("2"))
    running.upstream.answers["calendar"] = calendar(("2", "Marked"))
    await eventually(lambda: len(running.revisions("1")) == 2)
    assert running.revisions("1")[-1] == (2, LifecycleState.WITHDRAWN, "Konsert")
    assert len(running.revisions("2")) == 1


async def test_a_calendar_that_breaks_off_withdraws_nothing(running: Town) -> None:
    running.upstream.answers["calendar"] = calendar(("1", "Konsert"))
    await eventually(lambda: running.revisions("1"))
    running.upstream.answers["calendar"] = calendar(("1", "Konsert"))[:60]
    await eventually(lambda: any(one.reason == "not-a-calendar" for one in running.rejects))
    assert len(running.revisions("1")) == 1


async def test_a_warning_is_updated_and_cancelled_as_one_item(running: Town) -> None:
    def listed(*names: str) -> bytes:
        items = "".join(
            f"<item><guid>{name}</guid><title>{name}</title><link>{name}</link></item>" for name in names
        )
        return f'<rss version="2.0"><channel><title>w</title>{items}</channel></rss>'.encode()

    running.upstream.answers |= {"one": warning("Alert", "w-1"), "warnings": listed("one")}
    await eventually(lambda: running.revisions("w-1"))
    running.upstream.answers |= {
        "two": warning("Update", "w-2", "met,w-1,x", title="Storm"),
        "warnings": listed("two", "one"),
    }
    await eventually(lambda: len(running.revisions("w-1")) == 2)
    running.upstream.answers |= {"three": warning("Cancel", "w-3", "met,w-2,x"), "warnings": listed("three")}
    await eventually(lambda: len(running.revisions("w-1")) == 3)
    assert [(state, title) for _, state, title in running.revisions("w-1")] == [
        (LifecycleState.PUBLISHED, "Kraftig vind"),
        (LifecycleState.UPDATED, "Storm"),
        (LifecycleState.WITHDRAWN, "Storm"),
    ]
    assert running.upstream.asked.count("one") == 1, "an alert that was read is not asked for again"


async def test_an_upstream_that_fails_is_told_in_words_and_the_others_go_on(running: Town) -> None:
    running.upstream.status["warnings"] = 403
    running.upstream.answers["news"] = news(("a", "Brua stenges"))
    await eventually(lambda: running.revisions("a"))
    state = await eventually(
        lambda: next((one for one in running.states if one.source.endswith("/cap") and one.error), None)
    )
    assert "403" in state.error


async def test_one_bad_entry_is_rejected_with_the_bytes_that_came_and_the_rest_is_taken(
    running: Town,
) -> None:
    running.upstream.answers["news"] = news(("", "Uten id"), ("a", "Med id"))
    await eventually(lambda: running.revisions("a"))
    reject = await eventually(lambda: running.rejects and running.rejects[0])
    assert (reject.reason, reject.source, reject.service) == ("no-id", "NO-9901/rss", "ingest-feeds")


async def test_a_rule_counts_for_the_next_item_while_everything_runs(running: Town) -> None:
    running.upstream.answers["news"] = news(("a", "Brua stenges"))
    await eventually(lambda: running.revisions("a"))
    async with open_producer("gateway-api", running.settings) as editor:

        async def put(revision: int, *rules: ContentRule) -> None:
            await editor.publish(
                ContentRulesV1(
                    municipality="NO-9901", revision=revision, rules=rules, changed_at=datetime.now(UTC)
                )
            )

        bridge = ContentRule(
            id="bru",
            name="Brua",
            when=RuleCondition(words=("bru*",)),
            then=RuleEffect(set_interests=("roads-and-traffic",), severity=Severity.MODERATE),
        )
        raffle = ContentRule(
            id="lodd", name="Lodd", when=RuleCondition(words=("lodd*",)), then=RuleEffect(drop=True)
        )
        await put(1, bridge, raffle)

        async def by_rule() -> bool:
            # Entries come until the rule, which is on its way, is there.
            key = f"b{len(running.items)}"
            running.upstream.answers["news"] = news(("a", "Brua stenges"), (key, "Bruene sjekkes"))
            await eventually(lambda: running.revisions(key))
            return running.items[-1].interests == ("roads-and-traffic",)

        await eventually(by_rule)
        assert running.items[-1].severity is Severity.MODERATE
        assert running.items[-1].changed_by.rules == ("bru",)
        assert running.revisions("a") == [(1, LifecycleState.PUBLISHED, "Brua stenges")]

        running.upstream.answers["news"] = news(("l", "Kjøp lodd til julemessa"), ("c", "Nytt bibliotek"))
        await eventually(lambda: running.revisions("c"))
        dropped = await eventually(lambda: running.rejects and running.rejects[0])
        assert (dropped.reason, dropped.detail, dropped.entry) == ("dropped-by-rule", "lodd: Lodd", "dropped")
        await eventually(lambda: any(one.dropped == 1 for one in running.states))
        assert running.revisions("l") == []

        await put(2)
        # The upstream shows it still, in another answer: without the rule it comes.
        running.upstream.answers["news"] = news(("l", "Kjøp lodd til julemessa"), ("d", "Ny sti"))

        async def let_in() -> bool:
            more = (f"d{len(running.items)}", "Ny sti")
            running.upstream.answers["news"] = news(("l", "Kjøp lodd til julemessa"), more)
            await eventually(lambda: running.revisions(more[0]))
            return bool(running.revisions("l"))

        await eventually(let_in)
        assert len(running.rejects) == 1


async def test_after_a_restart_nothing_is_published_again(town: Town) -> None:
    town.upstream.answers["news"] = news(("a", "Brua stenges"))
    for round_number in (1, 2):
        async with compose(town.settings) as service:
            task = asyncio.create_task(service.run())
            asked = len(town.upstream.asked)
            await eventually(lambda: town.upstream.asked[asked:].count("news") >= 2)  # noqa: B023 - read at once
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if round_number == 1:
            town.upstream.answers["news"] = news(("a", "Brua stenges"), ("b", "Ny sti"))
    await eventually(lambda: town.revisions("b"))
    assert len(town.revisions("a")) == 1
