"""Shared by the tests of this service: made-up towns, clocks, and the intake on a store of its own."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ingest_permits.app import SourceOpener
from ingest_permits.service import OpenSource
from ingest_permits.sources import SOURCE_TYPES
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.store.open import open_store
from kommunepuls_chassis.testing import RecordingProducer
from kommunepuls_chassis.town import TownFile, parse_sources
from kommunepuls_chassis.web import open_fetcher
from kommunepuls_events import ContentItemV1

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)

AREAS = """{"type": "FeatureCollection", "features": [{"type": "Feature",
 "properties": {"id": "NO-9999", "name": "Fjordvik", "kind": "municipality"},
 "geometry": {"type": "Polygon", "coordinates": [[[5.9, 58.9], [6.3, 58.9], [6.3, 59.2], [5.9, 59.2], [5.9, 58.9]]]}},
 {"type": "Feature",
 "properties": {"id": "NO-9999/nordbygda", "name": "Nordbygda", "kind": "district", "parent": "NO-9999"},
 "geometry": {"type": "Polygon", "coordinates": [[[6.0, 59.0], [6.2, 59.0], [6.2, 59.1], [6.0, 59.1], [6.0, 59.0]]]}}]}"""

ADDRESSES = """street,number,letter,lon,lat,gnr,bnr
Kirkevegen,5,,6.05,59.05,12,34
Kirkevegen,7,,6.0505,59.0502,12,35
Sjøvegen,2,,6.25,58.95,44,7
"""


class Town:
    """A made-up town on disk, and its sources opened on one store with a clock that tests set."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder = folder
        self.now = NOW
        self.producer = RecordingProducer()
        self._stack = stack
        self._opener: SourceOpener | None = None
        (folder / "areas.geojson").write_text(AREAS, encoding="utf-8")
        (folder / "addresses.csv").write_text(ADDRESSES, encoding="utf-8")

    async def source(self, yaml: str) -> OpenSource:
        """Open the one source that the YAML describes."""
        path = self.folder / "town.yaml"
        path.write_text(
            "code: NO-9999\nname: Fjordvik kommune\nareas: [{file: areas.geojson}]\n"
            f"addresses: [{{file: addresses.csv}}]\nsources:\n{yaml}",
            encoding="utf-8",
        )
        file = TownFile(path)
        if self._opener is None:
            store = await self._stack.enter_async_context(open_store(f"sqlite:///{self.folder / 'store.db'}"))
            fetcher = await self._stack.enter_async_context(open_fetcher(timeout_seconds=10))
            journal = ItemJournal(store, self.producer, now=lambda: self.now)
            await journal.open()
            self._opener = SourceOpener(journal, self.producer, store, fetcher, lambda: self.now)
        (config,) = parse_sources(file, SOURCE_TYPES)
        return await self._opener(file, config)

    @property
    def items(self) -> list[ContentItemV1]:
        """Every revision that was published, in order."""
        return self.producer.of(ContentItemV1)

    @property
    def reasons(self) -> list[str]:
        """The reasons of the rejects, in order."""
        return [letter.reason for letter in self.producer.rejects]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """A made-up town."""
    async with AsyncExitStack() as stack:
        yield Town(tmp_path, stack)


@pytest.fixture
def poll() -> Callable[[OpenSource], Awaitable[dict]]:
    """Polls a source once and keeps its position, as the poller does."""

    async def once(source: OpenSource) -> dict:
        position = await source.upstream.poll()
        await source.cases.intake.save(position=position)
        return position

    return once


@pytest.fixture
def shared_data() -> Path:
    """The folder with real upstream files; tests that need it are skipped without."""
    default = Path(__file__).resolve().parents[4] / "shared" / "data"
    folder = Path(os.environ.get("KP_SHARED_DATA", default))
    if not (folder / "permits").is_dir():
        pytest.skip("the real permit files are not beside this repository (KP_SHARED_DATA)")
    return folder
