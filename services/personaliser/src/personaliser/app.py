"""The personaliser put together."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import faust
from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.http import operations_app, serve_http
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.process import run_together
from kommunepuls_chassis.producer import EventProducer, open_producer
from kommunepuls_events.topics import OFFERS, PROFILES, SENSOR_READINGS

from personaliser.adapters.faust_app import running_app, until_ended
from personaliser.adapters.offsets import Offsets, open_offsets
from personaliser.adapters.profile_log import ProfileLog
from personaliser.adapters.reading_history import ReadingHistory
from personaliser.adapters.town_areas import TownAreas
from personaliser.matching import Matcher
from personaliser.records import SERVICE, DeadLetters
from personaliser.routing import Router
from personaliser.settings import PersonaliserSettings
from personaliser.shards import Shards

# A match asks for the interpreter's lock some ten times, and while a merge is written in its thread each would wait
# for as long as this. Python's own 5 ms made the median item wait 6 ms.
SWITCH_SECONDS = 0.0005


@dataclass(frozen=True)
class Personaliser:
    """The running service."""

    settings: PersonaliserSettings
    shards: Shards
    areas: TownAreas
    health: Health
    port: int
    faust: faust.App

    async def run(self) -> None:
        """Work until cancelled; raises what ended a part of it."""
        towns = self.health.component("town files")
        await run_together(
            self.shards.run,
            lambda: until_ended(self.faust),
            lambda: self.areas.watch(self.settings.towns_reload_seconds, self.shards.relocate, towns),
        )


async def check_partitions(offsets: Offsets) -> int:
    """How many partitions profiles and offers have.

    Raises:
        OperatorError: if they differ: a subscriber's partition would not be that of the offers.
    """
    profiles, offers = await offsets.partition_count(PROFILES), await offsets.partition_count(OFFERS)
    if profiles != offers:
        raise OperatorError(
            f"{PROFILES.name} has {profiles} partitions and {OFFERS.name} has {offers}: "
            "they must have the same number"
        )
    return profiles


@asynccontextmanager
async def compose(
    settings: PersonaliserSettings, *, producer: EventProducer | None = None
) -> AsyncIterator[Personaliser]:
    """Connect and start everything; on leaving, streams end first and the producer last.

    Raises:
        OperatorError: for wrong town files, missing or unequal topics, or no broker.
    """
    if producer is None:
        async with open_producer(SERVICE, settings) as opened, compose(settings, producer=opened) as service:
            yield service
        return
    sys.setswitchinterval(SWITCH_SECONDS)
    areas = TownAreas(settings.town_paths())
    health = Health()
    async with (
        open_offsets(settings) as offsets,
        serve_http(operations_app(health), settings.http_host, settings.http_port) as port,
    ):
        get_logger().info("http_listening", port=port)
        partitions = await check_partitions(offsets)
        history = ReadingHistory(settings, offsets, partitions=await offsets.partition_count(SENSOR_READINGS))
        log = ProfileLog(settings, offsets, history, DeadLetters(producer))
        shards = Shards(log.follow, areas.geography, health.component("partitions"))
        router = Router(producer, areas.geography, partitions=partitions)
        matcher = Matcher(producer, shards, offsets.profile_ends, areas.geography)
        try:
            async with running_app(settings, router=router, matcher=matcher, hold=shards.hold) as app:
                yield Personaliser(settings, shards, areas, health, port, app)
        finally:
            await shards.close()
