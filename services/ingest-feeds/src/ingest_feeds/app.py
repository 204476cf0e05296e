"""Puts the service together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from kommunepuls_chassis.consumer import EventConsumer
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.http import operations_app, serve_http
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.process import run_together
from kommunepuls_chassis.producer import open_producer
from kommunepuls_chassis.replays import replay_handler
from kommunepuls_chassis.rules import RuleBook, RuleFollower
from kommunepuls_chassis.sources import Adapter, SourceRunner
from kommunepuls_chassis.store import DocumentStore, open_store
from kommunepuls_chassis.town import TownFile, load_towns
from kommunepuls_chassis.web import Fetcher, open_fetcher

from ingest_feeds.adapters.calendars import CalendarAdapter
from ingest_feeds.adapters.rss import RssAdapter
from ingest_feeds.adapters.warnings import WarningAdapter
from ingest_feeds.domain.sources import SOURCE_TYPES, CalendarSource, FeedSource, RssSource
from ingest_feeds.settings import Settings

NAME = "ingest-feeds"


@dataclass(frozen=True, slots=True)
class IngestFeeds:
    """The assembled service."""

    runner: SourceRunner
    replays: EventConsumer
    rules: RuleFollower
    port: int

    async def run(self) -> None:
        """Work until cancelled."""
        await run_together(self.rules.run, self.runner.run, self.replays.run)


def make_adapter(
    intake: SourceIntake, source: FeedSource, journal: ItemJournal, fetcher: Fetcher, store: DocumentStore
) -> Adapter:
    """The adapter of a source, by its type."""
    if isinstance(source, RssSource):
        return RssAdapter(intake, source, journal, fetcher)
    if isinstance(source, CalendarSource):
        return CalendarAdapter(intake, source, journal, fetcher)
    return WarningAdapter(intake, source, journal, fetcher, store)


@asynccontextmanager
async def compose(settings: Settings) -> AsyncIterator[IngestFeeds]:
    """The service with its connections, open until the context ends.

    Raises:
        OperatorError: for a wrong setting or town file, or if Kafka or the store does not answer.
    """
    files = load_towns(settings.town_paths())
    health = Health()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings.store_url_for(NAME)))
        producer = await stack.enter_async_context(open_producer(NAME, settings))
        fetcher = await stack.enter_async_context(
            open_fetcher(timeout_seconds=settings.upstream_timeout_seconds)
        )
        rules = RuleBook()
        journal = ItemJournal(store, producer, rules=rules)
        await journal.open()

        def make(intake: SourceIntake, source: FeedSource, _file: TownFile) -> Adapter:
            return make_adapter(intake, source, journal, fetcher, store)

        runner = SourceRunner(
            NAME, files, SOURCE_TYPES, make, journal=journal, producer=producer, store=store, health=health
        )
        runner.check()
        replays = EventConsumer(
            NAME, settings, producer, replay_handler(NAME, runner.take_again, journal), health=health
        )
        port = await stack.enter_async_context(
            serve_http(operations_app(health), settings.http_host, settings.http_port)
        )
        yield IngestFeeds(runner, replays, RuleFollower(settings, rules, health), port)
