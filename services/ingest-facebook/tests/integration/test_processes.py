"""The service as a process of its own, with the embedded broker; killed between a webhook's answer and its fetch."""

import asyncio
import hashlib
import hmac
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from kommunepuls_chassis.producer import open_producer
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import Event
from kommunepuls_events.dead_letters import DeadLetter
from kommunepuls_events.topics import CONTENT, REJECTS, REPLAYS
from starlette.requests import Request
from starlette.responses import Response

pytestmark = pytest.mark.integration


class Process:
    """One run of ``python -m ingest_facebook``."""

    def __init__(self, running: asyncio.subprocess.Process) -> None:
        self._running = running
        self.port = 0
        self.lines: list[str] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for line in self._running.stderr:
            self.lines.append(line.decode().rstrip())
            entry = json.loads(line) if line.startswith(b"{") else {}
            if entry.get("event") == "http_listening":
                self.port = entry["port"]

    async def send(self, post: str, verb: str = "add") -> int:
        """Tell it of a post; returns the HTTP status, 0 if it does not answer."""
        value = {"item": "status", "verb": verb, "post_id": post, "from": {"id": "100"}}
        body = json.dumps(
            {"object": "page", "entry": [{"id": "100", "changes": [{"field": "feed", "value": value}]}]}
        ).encode()
        signature = "sha256=" + hmac.new(b"the-app-secret", body, hashlib.sha256).hexdigest()
        async with httpx.AsyncClient() as client:
            try:
                answer = await client.post(
                    f"http://127.0.0.1:{self.port}/webhooks/facebook",
                    content=body,
                    headers={"X-Hub-Signature-256": signature},
                )
            except httpx.HTTPError:
                return 0
        return answer.status_code

    async def kill(self) -> None:
        """``kill -9``."""
        if self._running.returncode is None:
            self._running.kill()
        await self._running.wait()
        await self._reading


@pytest.fixture
def start(tmp_path: Path, graph, broker: str):
    """Starts the service on its store; it is killed at the end."""
    town_file = tmp_path / "town.yaml"
    town_file.write_text(
        f"""\
code: NO-9901
name: Fjordvik
sources:
  - id: facebook-kommune
    type: facebook-page
    page: "100"
    base_url: http://127.0.0.1:{graph.port}/graph
    poll_seconds: 3600
""",
        encoding="utf-8",
    )

    @asynccontextmanager
    async def run() -> AsyncIterator[Process]:
        environment = os.environ | {
            "KP_KAFKA_BOOTSTRAP": broker, "KP_STORE_URL": f"sqlite:///{tmp_path}/store.db", "KP_TOWN_FILES": str(town_file),
            "KP_TOKEN_FACEBOOK": graph.token, "KP_FACEBOOK_APP_SECRET": "the-app-secret",
        }  # fmt: skip
        process = Process(
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ingest_facebook", env=environment, stderr=asyncio.subprocess.PIPE
            )
        )
        try:
            await eventually(lambda: process.port, within=40, what="the service listens")
            yield process
        finally:
            await process.kill()

    return run


async def records(broker: str, topic: str) -> list:
    """All records of a topic."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=broker, auto_offset_reset="earliest")
    await consumer.start()
    try:
        parts = consumer.assignment()
        ends = await consumer.end_offsets(parts)
        found = []
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found += batch
        return found
    finally:
        await consumer.stop()


async def revisions(broker: str, native: str) -> list[tuple[str, str]]:
    """Event id and state of each revision of a post on the topic, in order."""
    events = [Event.decode(record.value, record.headers) for record in await records(broker, CONTENT.name)]
    return [
        (event.id, event.data.lifecycle.state.value) for event in events if event.data.native_id == native
    ]


async def test_a_post_acknowledged_and_not_fetched_before_a_kill_is_published_once(
    graph, broker, start
) -> None:
    def hold(request: Request) -> Response | None:
        # The fetch begins and fails, so that the note is still there when the process dies.
        if request.url.path.endswith("/100_2"):
            return graph.error(2, status=500)
        return None

    graph.post(1, "Melding nummer 1 fra kommunen.")
    async with start() as process:
        await eventually(lambda: graph.fetched("/posts") == 1, within=30)
        await eventually(lambda: _published(broker, "100_1"), within=30)
        graph.post(2, "Melding nummer 2 fra kommunen.")
        graph.instead = hold
        assert await process.send("100_2") == 200
        await process.kill()
    assert await revisions(broker, "100_2") == []

    # The list no longer shows it, so that the note alone can bring it.
    graph.instead = lambda request: (
        graph.error(2, status=500) if request.url.path.endswith("/posts") else None
    )
    async with start() as process:
        await eventually(lambda: _published(broker, "100_2"), within=60)
        assert await process.send("100_2", "edited") == 200
        await process.kill()
    graph.instead = lambda request: None
    polls, fetches = graph.fetched("/posts"), graph.fetched("/100_2")
    async with start() as process:
        await eventually(lambda: graph.fetched("/posts") > polls, within=60)
        assert await process.send("100_2", "edit") == 200
        await eventually(lambda: graph.fetched("/100_2") > fetches, within=60)
        graph.post(3, "Melding nummer 3 fra kommunen.")
        assert await process.send("100_3") == 200
        await eventually(lambda: _published(broker, "100_3"), within=60)

    assert await revisions(broker, "100_2") == [("NO-9901/facebook-kommune/100_2#1", "published")]
    assert await revisions(broker, "100_1") == [("NO-9901/facebook-kommune/100_1#1", "published")]


async def _published(broker: str, native: str) -> bool:
    return bool(await revisions(broker, native))


async def test_a_reject_that_an_operator_sends_back_is_taken_again(graph, broker, start) -> None:
    graph.post(1, "")
    async with start():
        await eventually(lambda: _any(broker, REJECTS.name), within=30)
        (reject,) = await records(broker, REJECTS.name)
        assert DeadLetter.from_headers(reject.headers).reason == "no-text"
        mended = json.loads(reject.value) | {"message": "Nå med tekst fra kommunen."}
        async with open_producer("test", ServiceSettings(kafka_bootstrap=broker)) as producer:
            await producer.publish_raw(
                REPLAYS.name, "NO-9901/facebook-kommune", json.dumps(mended).encode(), reject.headers
            )
        await eventually(lambda: _published(broker, "100_1"), within=30)


async def _any(broker: str, topic: str) -> bool:
    return bool(await records(broker, topic))
