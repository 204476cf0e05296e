"""The service as its own process against the embedded broker: killed, started again, reconfigured, replayed."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from kommunepuls_chassis.producer import open_producer
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.testing import eventually
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_devbroker.testing import embedded_broker
from kommunepuls_events import ContentItemV1, Event
from kommunepuls_events.dead_letters import DeadLetter
from kommunepuls_events.topics import CONTENT, REJECTS, REPLAYS
from starlette.responses import JSONResponse, Response

pytestmark = pytest.mark.integration
SERVICE = "ingest-permits"
TODAY = datetime.now(UTC)


def day(days_ago: int) -> str:
    return f"{TODAY - timedelta(days=days_ago):%d.%m.%Y}"


class Rig:
    """A broker, a town file, the service's process and what it published."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.settings = ServiceSettings(kafka_bootstrap=address, kafka_session_seconds=6)
        self.process: asyncio.subprocess.Process | None = None
        self.log = folder / "service.log"
        self.starts = 0

    def write_town(self, *sources: str) -> None:
        """Replace the town file in one step."""
        new = self.folder / "town.new"
        new.write_text(
            "code: NO-9999\nname: Fjordvik kommune\nsources:\n" + "".join(sources), encoding="utf-8"
        )
        new.replace(self.folder / "town.yaml")

    async def start(self) -> None:
        """Start the service and wait until it says so."""
        self.starts += 1
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "ingest_permits",
                stderr=log,
                env={
                    **os.environ,
                    "KP_KAFKA_BOOTSTRAP": self.settings.kafka_bootstrap,
                    "KP_KAFKA_SESSION_SECONDS": "6",
                    "KP_TOWN_FILES": str(self.folder / "town.yaml"),
                    "KP_STORE_URL": f"sqlite:///{self.folder / 'permits.db'}",
                    "KP_TOWN_CHECK_SECONDS": "0.2",
                },
            )
        await eventually(
            lambda: self.log.read_text().count("service_started") >= self.starts, what=self.said()
        )

    def said(self) -> str:
        """The end of the log."""
        return self.log.read_text()[-1500:] if self.log.exists() else ""

    async def end(self, how: signal.Signals) -> int:
        """End the process; returns its code."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(how)
        return await asyncio.wait_for(self.process.wait(), 20)

    async def records(self, topic: str) -> list[Any]:
        """Everything on a topic."""
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=self.settings.kafka_bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            ends = await consumer.end_offsets(consumer.assignment())
            found: list[Any] = []
            while len(found) < sum(ends.values()):
                for part in (await consumer.getmany(timeout_ms=500)).values():
                    found += part
            return found
        finally:
            await consumer.stop()

    async def events(self) -> list[Event]:
        """The items published, in order."""
        return [Event.decode(record.value, record.headers) for record in await self.records(CONTENT.name)]

    async def items(self) -> list[ContentItemV1]:
        """Each revision once, as a consumer sees it that drops repeated ids."""
        return [
            event.data
            for event in {(event.source, event.id): event for event in await self.events()}.values()
        ]


@asynccontextmanager
async def rig_in(folder: Path) -> AsyncIterator[Rig]:
    async with embedded_broker(folder / "broker") as address:
        rig = Rig(folder, address)
        await ensure_topics(rig.settings)
        try:
            yield rig
        finally:
            if rig.process is not None and rig.process.returncode is None:
                await rig.end(signal.SIGTERM)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig_in(tmp_path) as made:
        yield made


async def test_killed_in_the_middle_of_a_sweep_nothing_is_lost_and_nothing_announced_twice(
    rig: Rig, acos: Any
) -> None:
    for number in range(1, 13):
        acos.add(number, 100 + number, f"44/7 Ferdigattest - naust nr. {number}", day(13 - number))
    rig.write_town(acos.source(poll_seconds=1))
    reached, opened = asyncio.Event(), asyncio.Event()

    async def held_back() -> Response:
        reached.set()
        await opened.wait()
        return JSONResponse({}, 503)

    for page in ("2", "4", "6"):
        acos.page_answers[page] = held_back
        await rig.start()
        await asyncio.wait_for(reached.wait(), 20)
        await rig.end(signal.SIGKILL)
        opened.set()
        reached, opened = asyncio.Event(), asyncio.Event()
    await rig.start()
    await eventually(lambda: _through(rig, 12), what=rig.said())
    acos.add(20, 101, "44/7 Søknad om endring av gitt tillatelse - naust nr. 1", day(0))
    await eventually(lambda: _through(rig, 13), what=rig.said())
    items = await rig.items()
    assert {item.native_id for item in items} == {str(100 + number) for number in range(1, 13)}
    announced = Counter((item.native_id, item.stage) for item in items if item.announced)
    assert set(announced.values()) == {1}
    assert len(announced) == 13
    revisions = Counter((item.id, item.revision) for item in items)
    assert set(revisions.values()) == {1}


async def _through(rig: Rig, count: int) -> bool:
    return len(await rig.items()) >= count


async def test_killed_at_any_moment_between_polls_nothing_is_lost_and_nothing_announced_twice(
    rig: Rig, acos: Any
) -> None:
    rig.write_town(acos.source(poll_seconds=1, page_size=10))
    for number in range(1, 6):
        acos.add(number, 200, f"12/34 Rammetillatelse - hus nr. {number}", day(6 - number))
        acos.add(10 + number, 300 + number, "12/34 Ferdigattest - naust", day(6 - number))
        asked = len(acos.requests)
        await rig.start()
        await eventually(lambda asked=asked: len(acos.requests) > asked, every=0.002, what=rig.said())
        await rig.end(signal.SIGKILL)
    await rig.start()
    await eventually(lambda: _newest(rig, "200", "hus nr. 5"), what=rig.said())
    items = await rig.items()
    assert {item.native_id for item in items} == {"200", "301", "302", "303", "304", "305"}
    told = Counter((item.native_id, item.title) for item in items if item.announced)
    assert set(told.values()) == {1}
    revisions = [item.revision for item in items if item.native_id == "200"]
    assert revisions == list(range(1, len(revisions) + 1))


async def _newest(rig: Rig, native: str, words: str) -> bool:
    items = await rig.items()
    told = {item.native_id for item in items}
    return any(item.native_id == native and words in item.title for item in items) and len(told) == 6


async def test_a_town_file_changes_while_everything_runs(rig: Rig, acos: Any) -> None:
    acos.add(1, 100, "44/7 Ferdigattest - naust", day(1))
    rig.write_town(acos.source(poll_seconds=1))
    await rig.start()
    await eventually(lambda: _through(rig, 1), what=rig.said())
    (rig.folder / "town.yaml").write_text("code: NO-9999\nname: [", encoding="utf-8")
    await eventually(lambda: "town_file_faulty" in rig.log.read_text())
    acos.add(2, 200, "44/7 Ferdigattest - naust", day(1))
    await eventually(lambda: _through(rig, 2), what=rig.said())
    (rig.folder / "permits.csv").write_text(f"n,t,d\nB-1,Garasje,{TODAY:%Y-%m-%d}\n", encoding="utf-8")
    rig.write_town(
        acos.source(poll_seconds=1),
        "  - {id: portal, type: permit-file, url: permits.csv,"
        " mapping: {id: '{n}', title: '{t}', date: [d], stage: received}}\n",
    )
    await eventually(lambda: _through(rig, 3), what=rig.said())
    assert "NO-9999/portal" in {item.source for item in await rig.items()}
    assert await rig.end(signal.SIGTERM) == 0


async def test_a_reject_comes_back_through_the_replay_topic_and_is_taken(rig: Rig, acos: Any) -> None:
    item = acos.add(1, 100, "44/7 Ferdigattest - naust", "99.99.2026")
    item["properties"]["dato"] = "31.02.2026"
    bad = acos.documents.pop()
    bad_page = JSONResponse({"content": {"searchItems": {"items": [bad], "pageCount": 1}}})
    acos.instead = [bad_page]
    rig.write_town(acos.source(poll_seconds=60))
    await rig.start()
    (record,) = await eventually(lambda: rig.records(REJECTS.name), what=rig.said())
    letter = DeadLetter.from_headers(record.headers)
    assert (letter.reason, letter.entry, letter.source) == ("unreadable-date", "acos-item", "NO-9999/arkiv")
    mended = record.value.replace(b"31.02.2026", day(1).encode())
    async with open_producer("test", rig.settings) as producer:
        await producer.publish_raw(REPLAYS.name, "NO-9999/arkiv", mended, letter.headers())
        await eventually(lambda: _through(rig, 1), what=rig.said())


async def test_health_metrics_and_no_name_in_the_log(rig: Rig, acos: Any) -> None:
    acos.add(1, 100, "44/7 Ferdigattest - naust - Kirkevegen 5 - Ola Nordmann", day(1))
    acos.add(2, 200, "44/7 Ferdigattest - Ola Nordmann", "00.00.0000")
    acos.documents[0]["properties"]["dato"] = day(1)
    acos.documents[0]["identifier"] = None
    rig.write_town(acos.source(poll_seconds=1))
    await rig.start()
    await eventually(lambda: _through(rig, 1), what=rig.said())
    port = next(line for line in rig.log.read_text().splitlines() if "http_listening" in line)
    address = f"http://127.0.0.1:{int(port.partition('port')[2].strip(chr(34) + ': ').partition(',')[0].rstrip('}'))}"
    async with httpx.AsyncClient() as client:
        await eventually(lambda: _answers(client, f"{address}/health/ready"))
        metrics = (await client.get(f"{address}/metrics")).text
    assert 'kp_source_items_total{outcome="published",source="NO-9999/arkiv"} 1.0' in metrics
    assert 'kp_source_rejects_total{reason="missing-id",source="NO-9999/arkiv"} 1.0' in metrics
    assert "Nordmann" not in rig.log.read_text()


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    return (await client.get(url)).status_code == 200
