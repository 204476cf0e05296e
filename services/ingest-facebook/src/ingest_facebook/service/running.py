"""The sources of all towns, started, changed and stopped as the town files say."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from kommunepuls_chassis.errors import OperatorError, RejectedInput
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.town import Town, TownFile, parse_sources

from ingest_facebook.domain.configuration import MODELS, GraphSourceConfig
from ingest_facebook.domain.places import Places
from ingest_facebook.service.source import PagePoller, PageSource

ReadPlaces = Callable[[TownFile], Places]
OpenSource = Callable[[Town, GraphSourceConfig, Places], Awaitable[PageSource]]


class NotReady(Exception):
    """The sources are not started yet; ask again."""


@dataclass(frozen=True)
class _Running:
    source: PageSource
    task: asyncio.Task


class Sources:
    """All sources that run."""

    def __init__(
        self,
        files: list[TownFile],
        *,
        read_places: ReadPlaces,
        open_source: OpenSource,
        health: Health,
        look_seconds: float,
    ) -> None:
        self._files = files
        self._read_places = read_places
        self._open_source = open_source
        self._health = health
        self._look_seconds = look_seconds
        self._running: dict[str, _Running] = {}
        self._started = asyncio.Event()
        self._changing = asyncio.Lock()
        self._log = get_logger()

    def __iter__(self) -> Iterator[PageSource]:
        return iter([running.source for running in self._running.values()])

    def get(self, source_id: str) -> PageSource | None:
        """A source by its id."""
        running = self._running.get(source_id)
        return running.source if running else None

    def of_page(self, page_id: str) -> list[PageSource]:
        """The sources that take the posts of a page."""
        return [source for source in self if source.page_id == page_id and source.takes_posts]

    async def settled(self, *, within: float = 3.0) -> None:
        """Return when all sources are started and none is being exchanged.

        Raises:
            NotReady: if that takes longer than so many seconds.
        """
        try:
            async with asyncio.timeout(within):
                await self._started.wait()
                async with self._changing:
                    return
        except TimeoutError:
            raise NotReady from None

    async def run(self) -> None:
        """Poll all sources and follow the town files until cancelled.

        Raises:
            OperatorError: if a town file is faulty at the start; later a faulty one is told of, and what
                ran goes on.
        """
        component = self._health.component("town files", stale_after=60.0)
        try:
            for file in self._files:
                await self._apply(file)
            self._started.set()
            component.beat(ready=True)
            while True:
                await asyncio.sleep(self._look_seconds)
                for file in self._files:
                    await self._look(file)
                component.beat(ready=True)
        finally:
            await self._stop(list(self._running))

    async def take_again(self, source_id: str, entry: str, raw: bytes) -> None:
        """Take a reject again that an operator sends back."""
        source = self.get(source_id)
        if source is None:
            raise RejectedInput("unknown-source", f"{source_id} does not run here")
        await source.take_again(entry, raw)

    async def _look(self, file: TownFile) -> None:
        try:
            if await asyncio.to_thread(file.reload_if_changed):
                await self._apply(file)
                self._log.info("town_file_read", municipality=file.town.code)
        except OperatorError as error:
            self._log.error("town_file_faulty", problem=str(error))

    async def _apply(self, file: TownFile) -> None:
        """Start the file's sources as it says now; nothing is stopped if it is faulty."""
        wanted = {file.town.source_id(config): config for config in parse_sources(file, MODELS)}
        places = await asyncio.to_thread(self._read_places, file) if wanted else None
        prefix = f"{file.town.code}/"
        # Area files may have changed with the town file, so all its sources start anew.
        async with self._changing:
            await self._stop([source_id for source_id in self._running if source_id.startswith(prefix)])
            for source_id, config in wanted.items():
                assert places is not None
                source = await self._open_source(file.town, config, places)
                task = asyncio.create_task(PagePoller(source, self._health).run(), name=source_id)
                task.add_done_callback(self._ended)
                self._running[source_id] = _Running(source, task)
                self._log.info("source_started", source=source_id, type=config.type)

    async def _stop(self, source_ids: list[str]) -> None:
        stopped = [self._running.pop(source_id) for source_id in source_ids]
        for running in stopped:
            running.task.cancel()
        await asyncio.gather(*(running.task for running in stopped), return_exceptions=True)

    def _ended(self, task: asyncio.Task) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its component no longer beats; the others go on.
            self._health.component(f"source {task.get_name()}", stale_after=0).down()
            self._log.error("source_ended", source=task.get_name(), error=f"{type(error).__name__}: {error}")
