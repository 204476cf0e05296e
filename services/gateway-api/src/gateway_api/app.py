"""Puts the gateway together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from kommunepuls_chassis.consumer import EventConsumer
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.http import serve_http
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.process import run_together
from kommunepuls_chassis.producer import Producer, open_producer
from kommunepuls_chassis.store import DocumentStore, open_store
from kommunepuls_chassis.town import TownFile, load_towns

from gateway_api.adapters.http.application import application
from gateway_api.adapters.kafka.read_model import consumers
from gateway_api.adapters.kafka.tail import PulseTail
from gateway_api.adapters.picture_source import open_web_pictures
from gateway_api.domain.pictures import MOST_BYTES
from gateway_api.service.audit import Audit
from gateway_api.service.clubs import Clubs
from gateway_api.service.collections import open_collections
from gateway_api.service.content_rules import ContentRules, RuleVersions
from gateway_api.service.delivery_counts import DeliveryCounts
from gateway_api.service.drafts import Drafts
from gateway_api.service.feed_stream import FeedStreams
from gateway_api.service.feeds import Feeds
from gateway_api.service.gateway import Gateway
from gateway_api.service.housekeeping import Housekeeping
from gateway_api.service.migration import Migration
from gateway_api.service.operators import Letters
from gateway_api.service.outbox import OutboxPublisher
from gateway_api.service.picture_fetching import PictureFetcher
from gateway_api.service.pictures import PictureStore
from gateway_api.service.previews import Previews
from gateway_api.service.queries import Queries
from gateway_api.service.reach import ReachIndexes
from gateway_api.service.read_model import ReadModel
from gateway_api.service.reads import ReadMarks
from gateway_api.service.recent_items import RecentItems
from gateway_api.service.residents import Residents
from gateway_api.service.rule_trial import RuleTrials
from gateway_api.service.sign_in import SignIn
from gateway_api.service.staff import StaffAccounts
from gateway_api.service.staff_sign_in import StaffSignIn
from gateway_api.service.stream import StreamHub
from gateway_api.service.towns import Towns
from gateway_api.settings import Settings

NAME = "gateway-api"


@dataclass(frozen=True, slots=True)
class Running:
    """The gateway, serving on ``port``; ``run`` does what goes on in the background."""

    port: int
    gateway: Gateway
    read_model: ReadModel
    outbox: OutboxPublisher
    housekeeping: Housekeeping
    pictures: PictureFetcher
    consumers: list[EventConsumer]
    tail: PulseTail

    async def run(self) -> None:
        """Work until cancelled; then open streams are ended first, so that the port can close."""
        try:
            await run_together(
                self.outbox.run,
                self.gateway.letters.run,
                self.gateway.towns.watch,
                self.gateway.clubs.run,
                self.housekeeping.run,
                self.pictures.run,
                self.gateway.feed_streams.run,
                self.tail.run,
                *(consumer.run for consumer in self.consumers),
            )
        finally:
            self.gateway.hub.close()
            self.gateway.feed_streams.close()


@asynccontextmanager
async def compose(
    settings: Settings,
    *,
    store: DocumentStore | None = None,
    producer: Producer | None = None,
    towns: list[TownFile] | None = None,
) -> AsyncIterator[Running]:
    """The gateway with its store, producer and port, until the context ends.

    Raises:
        OperatorError: if a setting, a town file, the broker, the store or the port is not right.
    """
    health = Health()
    async with AsyncExitStack() as stack:
        if store is None:
            store = await stack.enter_async_context(open_store(settings.store_url_for(NAME)))
        if producer is None:
            producer = await stack.enter_async_context(open_producer(NAME, settings))
        collections = await open_collections(store)
        served = await Towns.load(towns or load_towns(settings.town_paths()), health)
        recent = RecentItems(collections)
        versions = RuleVersions(collections, served)
        outbox = OutboxPublisher(collections, producer, health, rules=versions.message)
        sign_in = SignIn(settings, collections, outbox.wake)
        audit = Audit(collections)
        clubs = Clubs(collections, served, audit, health)
        await clubs.refresh()
        reach = ReachIndexes(collections, settings.pepper.get_secret_value())
        stack.push_async_callback(reach.close)
        staff_sign_in = StaffSignIn(settings, collections, audit, outbox.wake)
        pictures = PictureStore(collections, public_url=settings.public_url, keep_days=settings.picture_days)
        source = await stack.enter_async_context(
            open_web_pictures(
                allow_private=settings.pictures_allow_private,
                timeout_seconds=settings.picture_timeout_seconds,
                most_bytes=MOST_BYTES,
            )
        )
        queries = Queries(collections, pulse_hours=settings.pulse_hours)
        gateway = Gateway(
            settings=settings,
            collections=collections,
            towns=served,
            sign_in=sign_in,
            residents=Residents(settings, collections, outbox.wake),
            queries=queries,
            feeds=Feeds(queries),
            feed_streams=FeedStreams(collections, health),
            reads=ReadMarks(collections),
            pictures=pictures,
            recent=recent,
            previews=Previews(recent),
            letters=Letters(collections, producer, health),
            migration=Migration(settings, collections, sign_in, outbox.wake),
            hub=StreamHub(backlog=settings.stream_backlog),
            clubs=clubs,
            drafts=Drafts(collections, served, clubs, versions, audit, settings.public_url, outbox.wake),
            reach=reach,
            audit=audit,
            staff_sign_in=staff_sign_in,
            staff=StaffAccounts(settings, collections, staff_sign_in, audit),
            rules=ContentRules(collections, versions, audit, outbox.wake),
            trials=RuleTrials(collections, recent, reach),
            delivery_counts=DeliveryCounts(collections),
        )
        read_model = ReadModel(collections, served, pictures)
        running = {
            "gateway": gateway,
            "read_model": read_model,
            "outbox": outbox,
            "housekeeping": Housekeeping(
                collections,
                pictures,
                health,
                keep_days=settings.keep_days,
                audit_days=settings.audit_days,
            ),
            "pictures": PictureFetcher(collections, pictures, source, health),
            "consumers": consumers(NAME, settings, producer, health, read_model, gateway.delivery_counts),
            "tail": PulseTail(settings, gateway.hub, health, backlog=settings.stream_backlog),
        }
        port = await stack.enter_async_context(
            serve_http(application(gateway, health), settings.http_host, settings.http_port)
        )
        get_logger().info("http_listening", host=settings.http_host, port=port)
        yield Running(port=port, **running)
