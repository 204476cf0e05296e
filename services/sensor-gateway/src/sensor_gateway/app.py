"""Puts the service together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from kommunepuls_chassis.consumer import EventConsumer
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.http import operations_routes, serve_http
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.polling import SourcePoller
from kommunepuls_chassis.process import run_together
from kommunepuls_chassis.producer import Producer, open_producer
from kommunepuls_chassis.replays import replay_handler
from kommunepuls_chassis.rules import RuleBook, RuleFollower
from kommunepuls_chassis.store import DocumentStore, open_store
from kommunepuls_chassis.town import load_towns
from kommunepuls_chassis.web import Fetcher, open_fetcher
from starlette.applications import Starlette

from sensor_gateway.adapters.http import routes
from sensor_gateway.adapters.mqtt import MqttSubscriber
from sensor_gateway.adapters.polls import poll_arcgis, poll_avl, poll_sensorthings
from sensor_gateway.adapters.town_files import TownFiles
from sensor_gateway.leases import SessionLeases
from sensor_gateway.packet_log import SERVICE, PacketLog
from sensor_gateway.ploughs import PloughIntake
from sensor_gateway.sensors import SensorIntake
from sensor_gateway.service import SensorGateway, Work
from sensor_gateway.settings import Settings
from sensor_gateway.sources import ArcgisPloughs, AvlPloughs, LorawanMqtt, SensorThingsPoll


@dataclass(frozen=True, slots=True)
class Running:
    """The assembled service.

    Attributes:
        gateway: its sources.
        port: of the webhooks, health and metrics.
    """

    gateway: SensorGateway
    consumer: EventConsumer | None
    rules: RuleFollower | None
    port: int

    async def run(self) -> None:
        """Work until cancelled."""
        parts = [self.gateway.run]
        if self.consumer is not None:
            parts.append(self.consumer.run)
        if self.rules is not None:
            parts.append(self.rules.run)
        await run_together(*parts)


@asynccontextmanager
async def compose(
    settings: Settings,
    *,
    producer: Producer | None = None,
    store: DocumentStore | None = None,
    fetcher: Fetcher | None = None,
) -> AsyncIterator[Running]:
    """The service while inside.

    Args:
        settings: of the process.
        producer, store, fetcher: used instead of Kafka, the configured store and the network. With a
            producer of the caller's own, replays are not consumed.

    Raises:
        OperatorError: if a setting or town file is wrong, or the broker is away.
    """
    health = Health()
    files = load_towns(settings.town_paths())
    async with AsyncExitStack() as stack:
        if store is None:
            store = await stack.enter_async_context(open_store(settings.store_url_for(SERVICE)))
        kafka = producer is None
        if producer is None:
            producer = await stack.enter_async_context(open_producer(SERVICE, settings))
        if fetcher is None:
            fetcher = await stack.enter_async_context(open_fetcher())
        rules = RuleBook() if kafka else None
        journal = ItemJournal(store, producer, rules=rules)
        await journal.open()
        packets = PacketLog(store, producer, timedelta(days=settings.remember_days))
        await packets.open()
        leases = SessionLeases(store, settings.instance, settings.mqtt_lease_seconds)
        await leases.open()
        gateway = SensorGateway(
            files,
            TownFiles(),
            partial(_work, fetcher=fetcher, health=health, settings=settings, leases=leases),
            journal=journal,
            packets=packets,
            producer=producer,
            store=store,
            health=health,
            reload_seconds=settings.town_reload_seconds,
        )
        await gateway.open()
        stack.push_async_callback(gateway.close)
        app = Starlette(routes=[*operations_routes(health), *routes(gateway, settings)])
        port = await stack.enter_async_context(serve_http(app, settings.http_host, settings.http_port))
        get_logger().info("listening", host=settings.http_host, port=port)
        consumer = None
        if kafka:
            handlers = replay_handler(SERVICE, gateway.take_again, journal)
            consumer = EventConsumer(SERVICE, settings, producer, handlers, health=health)
        follower = RuleFollower(settings, rules, health) if rules else None
        yield Running(gateway, consumer, follower, port)


def _work(
    one: SensorIntake | PloughIntake,
    *,
    fetcher: Fetcher,
    health: Health,
    settings: Settings,
    leases: SessionLeases,
) -> Work | None:
    match one.config:
        case LorawanMqtt():
            return MqttSubscriber(one, health, leases, settings.mqtt_longest_backoff_seconds).run
        case ArcgisPloughs() as config:
            poll = partial(poll_arcgis, one, config, fetcher)
        case AvlPloughs() as config:
            poll = partial(poll_avl, one, config, fetcher)
        case SensorThingsPoll() as config:
            poll = partial(poll_sensorthings, one, config, fetcher)
        case _:
            return None
    return SourcePoller(one.intake, poll, health).run
