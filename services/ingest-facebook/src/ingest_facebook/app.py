"""The composition root: everything is made here, and nowhere else."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from kommunepuls_chassis.consumer import EventConsumer
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.http import serve_http
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.process import run_together
from kommunepuls_chassis.producer import Producer, open_producer
from kommunepuls_chassis.replays import replay_handler
from kommunepuls_chassis.rules import RuleBook, RuleFollower
from kommunepuls_chassis.store import Collection, DocumentStore, Index, open_store
from kommunepuls_chassis.town import Town, load_towns
from kommunepuls_chassis.web import open_fetcher
from kommunepuls_events.base import utc_now

from ingest_facebook.adapters.graph import GraphClients
from ingest_facebook.adapters.rules_file import shipped_rules
from ingest_facebook.adapters.town_places import read_places
from ingest_facebook.adapters.webhooks import webhook_app
from ingest_facebook.domain.configuration import FacebookPageConfig, GraphSourceConfig
from ingest_facebook.domain.page import page_of
from ingest_facebook.domain.places import Places
from ingest_facebook.domain.rules import Rule
from ingest_facebook.service.notices import Notices
from ingest_facebook.service.rejects import Rejects
from ingest_facebook.service.running import Sources
from ingest_facebook.service.source import PageSource
from ingest_facebook.service.takers import EventTaker, PostTaker
from ingest_facebook.service.tracks import EventTrack, PostTrack
from ingest_facebook.settings import Settings

SERVICE = "ingest-facebook"


@dataclass(frozen=True)
class Workshop:
    """What sources are made from."""

    store: DocumentStore
    producer: Producer
    journal: ItemJournal
    rejected: Collection
    rules: tuple[Rule, ...]
    clients: GraphClients
    now: Callable[[], datetime]

    async def open_source(self, town: Town, config: GraphSourceConfig, places: Places) -> PageSource:
        """A source, with what it remembers from before."""
        intake = await SourceIntake(SERVICE, town, config, self.journal, self.producer, self.store).open()
        page = page_of(town, config, self.rules, places)
        graph = self.clients.client_of(config)
        rejects = Rejects(intake, self.rejected)
        posts = PostTaker(intake, self.journal, page, self.now)
        events = EventTaker(intake, self.journal, page, self.now)
        is_page = isinstance(config, FacebookPageConfig)
        return PageSource(
            intake,
            graph,
            rejects,
            posts=PostTrack(graph, posts, rejects) if is_page else None,
            events=EventTrack(graph, events, rejects, self.now) if not is_page or config.events else None,
            takers=(posts, events),
        )


@dataclass(frozen=True)
class IngestFacebook:
    """The assembled service."""

    port: int
    sources: Sources
    notices: Notices
    health: Health
    consumer: EventConsumer
    rules: RuleFollower | None

    async def run(self) -> None:
        """Poll, take webhooks and replays until cancelled."""
        followed = [self.rules.run] if self.rules else []
        await run_together(
            *followed, self.sources.run, lambda: self.notices.work(self.health), self.consumer.run
        )


@asynccontextmanager
async def compose(
    settings: Settings,
    *,
    producer: Producer | None = None,
    store: DocumentStore | None = None,
    environment: Mapping[str, str] = os.environ,
    now: Callable[[], datetime] = utc_now,
) -> AsyncIterator[IngestFacebook]:
    """The service while inside, its HTTP port open.

    Args:
        settings: of the service.
        producer, store: to use instead of those that the settings name.
        environment: where page tokens are.
        now: the clock.

    Raises:
        OperatorError: naming what is missing or wrong.
    """
    health = Health()
    files = load_towns(settings.town_paths())
    secret = settings.facebook_app_secret
    async with AsyncExitStack() as stack:
        store = store or await stack.enter_async_context(open_store(settings.store_url_for(SERVICE)))
        # With a producer of the caller's own there is no topic of rules to follow.
        rules = RuleBook() if producer is None else None
        producer = producer or await stack.enter_async_context(open_producer(SERVICE, settings))
        fetcher = await stack.enter_async_context(open_fetcher())
        journal = ItemJournal(store, producer, rules=rules, now=now)
        await journal.open()
        workshop = Workshop(
            store,
            producer,
            journal,
            await store.collection("rejected", indexes=[Index("source")]),
            shipped_rules(),
            GraphClients(
                fetcher,
                app_secret=secret.get_secret_value() if secret else None,
                now=now,
                environment=environment,
            ),
            now,
        )
        sources = Sources(
            files,
            read_places=read_places,
            open_source=workshop.open_source,
            health=health,
            look_seconds=settings.facebook_look_seconds,
        )
        notices = await Notices.open(store, sources, now)
        consumer = EventConsumer(
            SERVICE, settings, producer, replay_handler(SERVICE, sources.take_again, journal), health=health
        )
        app = webhook_app(
            notices.note,
            health,
            app_secret=secret,
            verify_token=settings.facebook_verify_token,
            largest_bytes=settings.facebook_webhook_largest_bytes,
        )
        port = await stack.enter_async_context(serve_http(app, settings.http_host, settings.http_port))
        get_logger().info("http_listening", host=settings.http_host, port=port)
        follower = RuleFollower(settings, rules, health) if rules else None
        yield IngestFacebook(port, sources, notices, health, consumer, follower)
