"""Shared by the tests of this service."""

import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.store import DocumentStore, open_store
from kommunepuls_chassis.testing import RecordingProducer
from kommunepuls_chassis.town import SourceConfig, Town
from kommunepuls_geography import AreaTree
from sensor_gateway.coverage import TownCoverage
from sensor_gateway.domain.places import Places
from sensor_gateway.domain.ploughs.roads import RoadNetwork
from sensor_gateway.packet_log import SERVICE, PacketLog
from sensor_gateway.ploughs import PloughIntake
from sensor_gateway.sensors import SensorIntake
from sensor_gateway.sources import MODELS

NOW = datetime(2026, 1, 30, 12, 0, tzinfo=UTC)
CODE = "NO-3907"


@pytest.fixture
def real_files() -> Path:
    """The folder with recorded upstream messages; tests that need it are skipped without."""
    default = Path(__file__).parents[4] / "shared" / "data"
    folder = Path(os.environ.get("KP_SHARED_DATA", default)) / "sensors"
    if not folder.is_dir():
        pytest.skip("the recorded upstream messages are not on this machine (KP_SHARED_DATA)")
    return folder


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DocumentStore]:
    """A store of its own."""
    async with open_store(f"sqlite:///{tmp_path}/store.db") as opened:
        yield opened


class Bench:
    """A source's intake with a recorder behind it; ``restart`` forgets all but the store."""

    def __init__(self, store: DocumentStore, now: Callable[[], datetime] | None = None) -> None:
        self.store = store
        self.producer = RecordingProducer()
        self.moment = NOW
        self.places = Places(AreaTree([]))

    def now(self) -> datetime:
        """The time that counts."""
        return self.moment

    async def intake(self, **fields: object) -> SourceIntake:
        """A source's intake."""
        config: SourceConfig = MODELS[str(fields["type"])].model_validate(
            {"id": "source", "announce_within_hours": 100_000, **fields}
        )
        journal = ItemJournal(self.store, self.producer, now=self.now)
        await journal.open()
        town = Town(code=CODE, name="Fjordvik")
        return await SourceIntake(SERVICE, town, config, journal, self.producer, self.store).open()

    async def sensors(self, **fields: object) -> SensorIntake:
        """A source of readings."""
        intake = await self.intake(**fields)
        packets = PacketLog(self.store, self.producer, timedelta(days=1), self.now)
        await packets.open()
        listed = getattr(intake.config, "devices", None) or getattr(intake.config, "datastreams", ())
        devices = {one.id: one.device() for one in listed}
        return SensorIntake(intake, intake.config, devices, self.places, packets, self.now)

    async def ploughs(
        self, roads: RoadNetwork | None, snowfall: datetime | None = None, **fields: object
    ) -> PloughIntake:
        """A source of plough positions."""
        intake = await self.intake(**fields)
        coverage = TownCoverage(CODE, roads, self.places, intake, self.store)
        await coverage.open([snowfall], self.now())
        self.coverage = coverage
        return PloughIntake(intake, intake.config, coverage, self.now)


@pytest.fixture
def bench(store: DocumentStore) -> Bench:
    """A bench on an empty store."""
    return Bench(store)
