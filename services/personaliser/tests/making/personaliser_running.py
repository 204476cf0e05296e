"""Runs the personaliser against a broker, in the test's loop or as processes, and reads what it says."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from kommunepuls_chassis.producer import EventProducer, open_producer
from kommunepuls_chassis.testing import eventually
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_events import Event, MatchV2, Reason
from kommunepuls_events.topics import MATCHES
from kommunepuls_matching.testing import AREAS, TOWN
from personaliser.app import Personaliser, compose
from personaliser.settings import PersonaliserSettings


def write_town(folder: Path) -> Path:
    (folder / "areas.geojson").write_text(json.dumps(AREAS), encoding="utf-8")
    town = folder / "town.yaml"
    town.write_text(f"code: {TOWN}\nname: Fjordvik\nareas:\n  - file: areas.geojson\n", encoding="utf-8")
    return town


def environment(bootstrap: str, folder: Path) -> dict[str, str]:
    return {
        "KP_KAFKA_BOOTSTRAP": bootstrap,
        "KP_TOWN_FILES": str(write_town(folder)),
        "KP_KAFKA_SESSION_SECONDS": "6",
        "KP_TOWNS_RELOAD_SECONDS": "0.2",
    }


def settings_of(variables: dict[str, str], **fields: Any) -> PersonaliserSettings:
    given = {name.removeprefix("KP_").lower(): value for name, value in variables.items()}
    return PersonaliserSettings.model_validate(given | fields)


@asynccontextmanager
async def in_this_loop(settings: PersonaliserSettings) -> AsyncIterator[Personaliser]:
    """The service, ready."""
    async with compose(settings) as service:
        task = asyncio.create_task(service.run())
        try:
            await eventually(lambda: service.health.ready or task.done(), within=40, what="ready")
            yield service
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class Worker:
    """The service as a process of its own."""

    def __init__(self, variables: dict[str, str]) -> None:
        self._variables = variables
        self.log = ""

    async def start(self) -> "Worker":
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "personaliser",
            env=os.environ | self._variables, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())
        return self

    async def _read(self) -> None:
        async for line in self._process.stderr:
            self.log += line.decode()

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = [line for line in self.log.splitlines() if line.startswith("{")]
        return [entry for line in lines if (entry := json.loads(line))["event"] == name]

    def holds(self) -> set[int]:
        """The partitions the process is ready to match against."""
        held: set[int] = set()
        for line in self.log.splitlines():
            entry = json.loads(line) if line.startswith("{") else {"event": ""}
            if entry["event"] == "partition_ready":
                held.add(entry["partition"])
            elif entry["event"] == "partition_dropped":
                held.discard(entry["partition"])
        return held

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal (0 sends none) and wait for the process to end."""
        if number and self._process.returncode is None:
            self._process.send_signal(number)
        code = await asyncio.wait_for(self._process.wait(), 30)
        await self._reader
        return code


@asynccontextmanager
async def worker(variables: dict[str, str]) -> AsyncIterator[Worker]:
    process = await Worker(variables).start()
    try:
        yield process
    finally:
        await process.end(signal.SIGKILL)


class Told:
    """Everything on matches.v2 so far."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self.matches: list[MatchV2] = []
        self.events: list[Event] = []

    async def read(self) -> None:
        for records in (await self._consumer.getmany(timeout_ms=50)).values():
            for record in records:
                self.events.append(Event.decode(record.value, record.headers))
                self.matches.append(self.events[-1].data)

    def reasons(self, item: str) -> dict[str, tuple[Reason, ...]]:
        """Who was matched to an item and why."""
        return {
            subscriber: reasons
            for match in self.matches
            if match.item.id == item
            for subscriber, reasons in match.each()
        }

    async def of(self, item: str, *, within: float = 20) -> dict[str, tuple[Reason, ...]]:
        """The same, once there is somebody."""

        async def probe() -> dict[str, tuple[Reason, ...]]:
            await self.read()
            return self.reasons(item)

        return await eventually(probe, within=within, what=f"a match of {item}")


@asynccontextmanager
async def told(bootstrap: str, topic: str = MATCHES.name) -> AsyncIterator[Told]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        yield Told(consumer)
    finally:
        await consumer.stop()


@asynccontextmanager
async def everything_else(variables: dict[str, str]) -> AsyncIterator[tuple[EventProducer, Told]]:
    """Topics, a producer that plays gateway and ingest, and a reader of the matches."""
    settings = settings_of(variables)
    await ensure_topics(settings)
    async with (
        open_producer("test", settings) as producer,
        told(settings.kafka_bootstrap) as matches,
    ):
        yield producer, matches
