"""Running the sources of town files: started, stopped and changed as the files change, without a restart."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.polling import SourcePoller
from kommunepuls_chassis.producer import Producer
from kommunepuls_chassis.store import DocumentStore
from kommunepuls_chassis.town import SourceConfig, TownFile, parse_sources

WATCH_SECONDS = 5.0


class Adapter(Protocol):
    """One source at work."""

    async def poll(self) -> dict | None:
        """Ask the upstream once; the new position, or None to keep the old (see :mod:`.polling`)."""

    async def take_again(self, entry: str, raw: bytes) -> None:
        """Take a reject again that an operator replays."""


MakeAdapter = Callable[[SourceIntake, SourceConfig, TownFile], Adapter]


@dataclass(slots=True)
class _Running:
    config: SourceConfig
    town: object
    adapter: Adapter
    task: asyncio.Task


class SourceRunner:
    """All sources of the given types, of all towns.

    Args:
        service: name of the service.
        files: the town files.
        models: source types that this service serves, each with the model of its settings.
        make: builds the adapter of a source.
    """

    def __init__(
        self,
        service: str,
        files: Sequence[TownFile],
        models: dict[str, type[SourceConfig]],
        make: MakeAdapter,
        *,
        journal: ItemJournal,
        producer: Producer,
        store: DocumentStore,
        health: Health,
        watch_seconds: float = WATCH_SECONDS,
    ) -> None:
        self._service = service
        self._files = files
        self._models = models
        self._make = make
        self._journal = journal
        self._producer = producer
        self._store = store
        self._health = health
        self._watch_seconds = watch_seconds
        self._running: dict[str, _Running] = {}
        self._faults: dict[TownFile, str] = {}
        self._log = get_logger()

    def check(self) -> None:
        """Validate all sources once.

        Raises:
            OperatorError: naming file, line and field of the first fault.
        """
        for file in self._files:
            parse_sources(file, self._models)

    async def run(self) -> None:
        """Run all sources until cancelled, looking at the files every few seconds."""
        component = self._health.component("sources")
        try:
            while True:
                for file in self._files:
                    await self._apply(file)
                component.beat(ready=True)
                await asyncio.sleep(self._watch_seconds)
        finally:
            component.down()
            await self._stop(list(self._running))

    async def take_again(self, source: str, entry: str, raw: bytes) -> None:
        """Hand a replayed reject to its source; one of a source that is gone is logged and dropped."""
        running = self._running.get(source)
        if running is None:
            self._log.warning("replay_without_source", source=source)
            return
        await running.adapter.take_again(entry, raw)

    async def _apply(self, file: TownFile) -> None:
        try:
            file.reload_if_changed()
            wanted = {file.town.source_id(config): config for config in parse_sources(file, self._models)}
        except OperatorError as fault:
            if self._faults.get(file) != str(fault):
                self._faults[file] = str(fault)
                self._log.error("town_file_faulty", fault=str(fault))
            return
        self._faults.pop(file, None)
        common = file.town.model_copy(update={"sources": ()})
        mine = [name for name in self._running if name.startswith(f"{file.town.code}/")]
        changed = [
            name
            for name in mine
            if wanted.get(name) != self._running[name].config
            or self._running[name].town != common
            or self._failed(name)
        ]
        await self._stop(changed)
        for name, config in wanted.items():
            if name not in self._running:
                await self._start(name, config, file, common)

    def _failed(self, name: str) -> bool:
        task = self._running[name].task
        if not task.done():
            return False
        # Polling catches what upstreams do; what is left is Kafka or the store being away.
        self._log.error("source_failed", source=name, error=repr(task.exception()))
        return True

    async def _start(self, name: str, config: SourceConfig, file: TownFile, common: object) -> None:
        intake = SourceIntake(self._service, file.town, config, self._journal, self._producer, self._store)
        await intake.open()
        adapter = self._make(intake, config, file)
        task = asyncio.create_task(SourcePoller(intake, adapter.poll, self._health).run())
        self._running[name] = _Running(config, common, adapter, task)
        self._log.info("source_started", source=name, type=config.type)

    async def _stop(self, names: list[str]) -> None:
        stopped = [self._running.pop(name) for name in names]
        for running in stopped:
            running.task.cancel()
        await asyncio.gather(*(running.task for running in stopped), return_exceptions=True)
        for name in names:
            self._health.forget(f"source {name}")
            self._log.info("source_stopped", source=name)
