"""The sources of all towns at work, as their files say now."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.producer import Producer
from kommunepuls_chassis.store import DocumentStore
from kommunepuls_chassis.town import SourceConfig, Town, TownFile, parse_sources
from kommunepuls_events.base import utc_now

from sensor_gateway.coverage import TownCoverage
from sensor_gateway.domain.measurements import Device
from sensor_gateway.domain.places import Places
from sensor_gateway.domain.ploughs.roads import RoadNetwork
from sensor_gateway.packet_log import SERVICE, PacketLog
from sensor_gateway.ploughs import PloughIntake
from sensor_gateway.sensors import SensorIntake
from sensor_gateway.sources import MODELS, PloughSource, Pushed

STATUS_SECONDS = 60.0
"""How often a pushed source's state is written down and published."""


@dataclass(frozen=True, slots=True)
class TownKnowledge:
    """What was read from the files beside a town file, and how they looked then."""

    places: Places
    roads: RoadNetwork | None
    devices: dict[str, dict[str, Device]]
    stamp: tuple


class TownReader(Protocol):
    """Reads the files beside a town file; blocking."""

    def stamp(self, file: TownFile) -> tuple:
        """Changes when one of the files does."""

    def read(self, file: TownFile, configs: Sequence[SourceConfig]) -> TownKnowledge:
        """Read them.

        Raises:
            OperatorError: naming the file and what is wrong.
        """


Work = Callable[[], Coroutine[Any, Any, None]]
MakeWork = Callable[[SensorIntake | PloughIntake], Work | None]
"""The loop that fetches a source's data; None for a source that is pushed."""


@dataclass
class _RunningTown:
    town: Town
    stamp: tuple
    intakes: dict[str, SensorIntake | PloughIntake]
    coverage: TownCoverage | None
    tasks: list[asyncio.Task] = field(default_factory=list)


class SensorGateway:
    """All sources of this service, started, stopped and changed as the town files change."""

    def __init__(
        self,
        files: Sequence[TownFile],
        reader: TownReader,
        make_work: MakeWork,
        *,
        journal: ItemJournal,
        packets: PacketLog,
        producer: Producer,
        store: DocumentStore,
        health: Health,
        reload_seconds: float = 5.0,
    ) -> None:
        self._files = files
        self._reader = reader
        self._make_work = make_work
        self._journal = journal
        self._packets = packets
        self._producer = producer
        self._store = store
        self._health = health
        self._reload_seconds = reload_seconds
        self._towns: dict[Path, _RunningTown] = {}
        self._faults: dict[Path, str] = {}
        self._log = get_logger()

    async def open(self) -> None:
        """Start all towns.

        Raises:
            OperatorError: for the first fault in a town's files.
        """
        for file in self._files:
            await self._start(file)

    def pushed(self, municipality: str, source: str) -> SensorIntake | PloughIntake | None:
        """The source that takes pushes under this address."""
        found = self._intake(f"{municipality}/{source}")
        return found if found is not None and isinstance(found.config, Pushed) else None

    def coverage(self, municipality: str) -> TownCoverage | None:
        """The town's plough coverage."""
        return next((one.coverage for one in self._towns.values() if one.town.code == municipality), None)

    async def take_again(self, source: str, entry: str, raw: bytes) -> None:
        """Take a reject that an operator sends back; what still cannot be taken is rejected anew."""
        intake = self._intake(source)
        if intake is None:
            self._log.warning("replay_without_source", source=source)
        elif isinstance(intake, PloughIntake):
            await intake.take_again(entry, raw)
        else:
            await intake.take(raw)

    async def run(self) -> None:
        """Watch the files until cancelled."""
        component = self._health.component("sources")
        forgotten_at = utc_now()
        try:
            while True:
                for file in self._files:
                    await self._follow(file)
                component.beat(ready=True)
                if utc_now() - forgotten_at > timedelta(hours=1):
                    await self._packets.forget()
                    forgotten_at = utc_now()
                await asyncio.sleep(self._reload_seconds)
        finally:
            component.down()

    async def close(self) -> None:
        """Stop all sources."""
        for running in self._towns.values():
            await self._stop(running)
        self._towns.clear()

    def _intake(self, source: str) -> SensorIntake | PloughIntake | None:
        return next((one.intakes[source] for one in self._towns.values() if source in one.intakes), None)

    async def _follow(self, file: TownFile) -> None:
        try:
            changed = file.reload_if_changed()
            running = self._towns.get(file.path)
            for task in running.tasks if running else ():
                if task.done() and not task.cancelled():
                    self._log.error("source_failed", error=repr(task.exception()))
                    changed = True
            stamp = await asyncio.to_thread(self._reader.stamp, file)
            if changed or running is None or stamp != running.stamp:
                await self._start(file)
            self._faults.pop(file.path, None)
        except OperatorError as fault:
            # What ran goes on as it was; the fault is told once.
            if self._faults.get(file.path) != str(fault):
                self._faults[file.path] = str(fault)
                self._log.error("town_file_faulty", fault=str(fault))

    async def _start(self, file: TownFile) -> None:
        configs = parse_sources(file, MODELS)
        known = await asyncio.to_thread(self._reader.read, file, configs)
        before = self._towns.get(file.path)
        if before:
            await self._stop(before)
        intakes: dict[str, SourceIntake] = {}
        for config in configs:
            intake = SourceIntake(SERVICE, file.town, config, self._journal, self._producer, self._store)
            intakes[intake.id] = await intake.open()
        coverage = await self._coverage(file.town, intakes, known)
        running = _RunningTown(file.town, known.stamp, {}, coverage)
        for name, intake in intakes.items():
            config = intake.config
            if isinstance(config, PloughSource):
                running.intakes[name] = PloughIntake(intake, config, coverage)
            else:
                devices = known.devices.get(config.id, {})
                running.intakes[name] = SensorIntake(intake, config, devices, known.places, self._packets)
        self._towns[file.path] = running
        for one in running.intakes.values():
            work = self._make_work(one) or (lambda one=one: _report(one.intake))
            running.tasks.append(asyncio.create_task(work()))
        self._log.info("town_started", municipality=file.town.code, sources=len(configs))

    async def _coverage(
        self, town: Town, intakes: dict[str, SourceIntake], known: TownKnowledge
    ) -> TownCoverage | None:
        ploughs = [one for one in intakes.values() if isinstance(one.config, PloughSource)]
        if not ploughs:
            return None
        coverage = TownCoverage(town.code, known.roads, known.places, ploughs[0], self._store)
        return await coverage.open([one.config.snowfall_started_at for one in ploughs], utc_now())

    async def _stop(self, running: _RunningTown) -> None:
        for task in running.tasks:
            task.cancel()
        await asyncio.gather(*running.tasks, return_exceptions=True)
        for name in running.intakes:
            for kind in ("source", "mqtt"):
                self._health.forget(f"{kind} {name}")


async def _report(intake: SourceIntake) -> None:
    """Keep a pushed source's state known to operators."""
    log = get_logger().bind(source=intake.id)
    while True:
        error = None
        if isinstance(intake.config, Pushed) and not os.environ.get(intake.config.secret_env):
            error = f"{intake.config.secret_env} is not set in the environment: nobody can push"
        try:
            await intake.save(error=error, attempted=False)
        except Exception as failed:
            # Kafka or the store is away; a state is told again in a minute.
            log.warning("status_not_published", error=f"{type(failed).__name__}: {failed}")
        await asyncio.sleep(STATUS_SECONDS)
