"""The service: every permit source of every town, polled; sources come and go as the town files change."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from kommunepuls_chassis.errors import OperatorError, RejectedInput
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.polling import SourcePoller
from kommunepuls_chassis.town import Town, TownFile, parse_sources

from ingest_permits.case_intake import CaseIntake
from ingest_permits.sources import SOURCE_TYPES, PermitSource

SERVICE = "ingest-permits"


class UpstreamPoll(Protocol):
    """What an adapter offers: asking its upstream once, and taking one reject again."""

    async def poll(self) -> dict:
        """Ask once; returns the new position."""

    async def take_again(self, entry: str, raw: bytes) -> None:
        """Take what an operator sent back. Raises RejectedInput if it still cannot be taken."""


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A source with what it is polled and taken in by."""

    cases: CaseIntake
    upstream: UpstreamPoll


OpenSourceOf = Callable[[TownFile, PermitSource], Awaitable[OpenSource]]


@dataclass(slots=True)
class _Running:
    config: PermitSource
    town: Town
    source: OpenSource
    task: asyncio.Task[None]


class PermitService:
    """Runs the sources of all towns until cancelled."""

    def __init__(
        self, towns: list[TownFile], open_source: OpenSourceOf, health: Health, *, check_seconds: float
    ) -> None:
        self._towns = towns
        self._open_source = open_source
        self._health = health
        self._loop_health = health.component("town files", stale_after=max(60.0, check_seconds * 6))
        self._check_seconds = check_seconds
        self._running: dict[str, _Running] = {}
        self._log = get_logger()

    async def run(self) -> None:
        """Start all sources, then watch the town files.

        Raises:
            OperatorError: if a town file is faulty at the start; later faults are logged and the old stays.
        """
        try:
            for town in self._towns:
                await self._apply(town)
            while True:
                self._loop_health.beat(ready=True)
                await asyncio.sleep(self._check_seconds)
                for town in self._towns:
                    await self._reload(town)
                await self._end_if_failed()
        finally:
            await self._stop(list(self._running))

    async def take_again(self, source: str, entry: str, raw: bytes) -> None:
        """Take a reject that an operator sent back; it is rejected anew if it still cannot be taken."""
        running = self._running.get(source)
        if running is None:
            self._log.warning("replay_without_source", source=source, entry=entry)
            return
        try:
            await running.source.upstream.take_again(entry, raw)
        except RejectedInput as rejected:
            await running.source.cases.reject(entry, raw, rejected, again=True)

    @property
    def sources(self) -> dict[str, CaseIntake]:
        """The cases of each running source."""
        return {source: running.source.cases for source, running in self._running.items()}

    async def _reload(self, town: TownFile) -> None:
        try:
            # Reads and parses a file: not on the event loop.
            if not await asyncio.to_thread(town.reload_if_changed):
                return
            await self._apply(town)
            self._log.info("town_reloaded", municipality=town.town.code)
        except OperatorError as error:
            self._log.error("town_file_faulty", error=str(error))

    async def _apply(self, file: TownFile) -> None:
        """Start what is new or changed, stop what is gone or changed, leave the rest alone."""
        wanted = {file.town.source_id(config): config for config in parse_sources(file, SOURCE_TYPES)}
        town = file.town.model_copy(update={"sources": ()})
        kept = {
            source
            for source, running in self._running.items()
            if running.town == town and wanted.get(source) == running.config
        }
        # All are opened before any is stopped: a fault leaves everything as it was.
        opened = {
            source: await self._open_source(file, config)
            for source, config in wanted.items()
            if source not in kept
        }
        mine = [source for source in self._running if source.startswith(f"{town.code}/")]
        await self._stop([source for source in mine if source not in kept])
        for source, one in opened.items():
            poller = SourcePoller(one.cases.intake, one.upstream.poll, self._health)
            task = asyncio.create_task(poller.run(), name=f"poll {source}")
            self._running[source] = _Running(wanted[source], town, one, task)

    async def _stop(self, sources: list[str]) -> None:
        tasks = [self._running.pop(source).task for source in sources]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _end_if_failed(self) -> None:
        for running in self._running.values():
            if running.task.done():
                await running.task
