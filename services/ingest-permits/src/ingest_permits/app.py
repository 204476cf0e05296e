"""Putting the service together; the only place that constructs."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kommunepuls_chassis.consumer import EventConsumer
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.http import operations_app, serve_http
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.process import run_together
from kommunepuls_chassis.producer import Producer, open_producer
from kommunepuls_chassis.replays import replay_handler
from kommunepuls_chassis.rules import RuleBook, RuleFollower
from kommunepuls_chassis.store import DocumentStore
from kommunepuls_chassis.store.open import open_store
from kommunepuls_chassis.town import TownFile, load_towns
from kommunepuls_chassis.web import Fetcher, open_fetcher
from kommunepuls_events.base import utc_now

from ingest_permits.adapters.acos_api import AcosArchive
from ingest_permits.adapters.acos_poll import AcosPoll
from ingest_permits.adapters.journal_poll import JournalFilePoll
from ingest_permits.adapters.places import TownPlaces, load_geography
from ingest_permits.adapters.portal_poll import PortalFilePoll
from ingest_permits.adapters.socrata import SocrataPoll
from ingest_permits.case_intake import CaseIntake
from ingest_permits.service import SERVICE, OpenSource, PermitService, UpstreamPoll
from ingest_permits.settings import Settings
from ingest_permits.sources import (
    AcosSource,
    JournalFileSource,
    PermitSource,
    PortalFileSource,
    SocrataSource,
)


@dataclass(slots=True)
class SourceOpener:
    """Opens sources: their state, their adapter, and the places of their town (read once a change)."""

    journal: ItemJournal
    producer: Producer
    store: DocumentStore
    fetcher: Fetcher
    now: Callable[[], datetime] = utc_now
    _places: dict[str, tuple[str, TownPlaces]] = field(default_factory=dict, init=False)

    async def __call__(self, file: TownFile, config: PermitSource) -> OpenSource:
        """Open one source.

        Raises:
            OperatorError: if a file of the town's areas or registers is faulty.
        """
        stamp, places = await asyncio.to_thread(self._places_of, file)
        intake = SourceIntake(SERVICE, file.town, config, self.journal, self.producer, self.store)
        await intake.open()
        cases = CaseIntake(intake, self.journal, self.store, places.locate, now=self.now)
        await cases.open()
        return OpenSource(cases, self._upstream(file, config, cases, stamp))

    def _places_of(self, file: TownFile) -> tuple[str, TownPlaces]:
        stamp = _stamp(file)
        known = self._places.get(file.town.code)
        if known is None or known[0] != stamp:
            town = file.town
            known = (stamp, TownPlaces(load_geography(file), town.code, town.language))
            self._places[town.code] = known
        return known

    def _upstream(self, file: TownFile, config: PermitSource, cases: CaseIntake, places: str) -> UpstreamPoll:
        match config:
            case AcosSource():
                return AcosPoll(AcosArchive(self.fetcher, config), config, cases)
            case SocrataSource():
                return SocrataPoll(self.fetcher, config, cases)
            case PortalFileSource():
                return PortalFilePoll(self.fetcher, config, cases, file.folder, places)
            case JournalFileSource():
                return JournalFilePoll(self.fetcher, config, cases, file.folder, places)
        raise TypeError(f"{type(config).__name__} is no kind of permit source")


def _stamp(file: TownFile) -> str:
    """A mark that changes with the files that the town's places are read from."""
    parts: list[Any] = []
    for part in (*file.town.areas, *file.town.gazetteer, *file.town.addresses):
        path = file.folder / part.file
        found = path.stat() if path.exists() else None
        parts.append((part.model_dump_json(), found and (found.st_mtime_ns, found.st_size)))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Running:
    """The assembled service."""

    service: PermitService
    consumer: EventConsumer
    rules: RuleFollower | None
    port: int

    async def run(self) -> None:
        """Work until cancelled."""
        followed = [self.rules.run] if self.rules else []
        await run_together(*followed, self.service.run, self.consumer.run)


@asynccontextmanager
async def compose(
    settings: Settings,
    *,
    producer: Producer | None = None,
    store: DocumentStore | None = None,
    now: Callable[[], datetime] = utc_now,
) -> AsyncIterator[Running]:
    """The service with its store, producer and HTTP port open while inside.

    Raises:
        OperatorError: a faulty town file, no broker, a port that is taken.
    """
    towns = load_towns(settings.town_paths())
    health = Health()
    async with AsyncExitStack() as stack:
        store = store or await stack.enter_async_context(open_store(settings.store_url_for(SERVICE)))
        # With a producer of the caller's own there is no topic of rules to follow.
        rules = RuleBook() if producer is None else None
        producer = producer or await stack.enter_async_context(open_producer(SERVICE, settings))
        fetcher = await stack.enter_async_context(
            open_fetcher(timeout_seconds=settings.upstream_timeout_seconds)
        )
        journal = ItemJournal(store, producer, rules=rules, now=now)
        await journal.open()
        service = PermitService(
            towns,
            SourceOpener(journal, producer, store, fetcher, now),
            health,
            check_seconds=settings.town_check_seconds,
        )
        consumer = EventConsumer(
            SERVICE, settings, producer, replay_handler(SERVICE, service.take_again, journal), health=health
        )
        port = await stack.enter_async_context(
            serve_http(operations_app(health), settings.http_host, settings.http_port)
        )
        get_logger().info("http_listening", port=port)
        follower = RuleFollower(settings, rules, health) if rules else None
        yield Running(service, consumer, follower, port)
