"""Profiles from the compacted topic into the index, as a worker does it that is given every partition.

An embedded broker as a process of its own, its topic filled with residents; then the personaliser's own
``ProfileLog`` and ``Shards`` in this process, timed from the assignment until the last partition can be matched.
"""

import asyncio
import resource
import tempfile
import time
from pathlib import Path

from kommunepuls_chassis.health import Health
from kommunepuls_chassis.producer import open_producer
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_devbroker.testing import eventually, running_broker
from kommunepuls_events.topics import PROFILES, SENSOR_READINGS
from personaliser.adapters.offsets import open_offsets
from personaliser.adapters.profile_log import ProfileLog
from personaliser.adapters.reading_history import ReadingHistory
from personaliser.records import SERVICE, DeadLetters
from personaliser.settings import PersonaliserSettings
from personaliser.shards import Shards
from profile_topic import fill
from table import Part, run_part
from workload import Country

GOAL_SECONDS = 60


def measure(part: Part) -> None:
    """All rows of this part."""
    asyncio.run(_measure(part, part.options["profiles"] or (30_000 if part.quick else 1_000_000)))


async def _measure(part: Part, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with running_broker(Path(folder) / "broker") as broker:
            await ensure_topics(ServiceSettings(kafka_bootstrap=broker.address))
            began = time.perf_counter()
            await asyncio.to_thread(fill, broker.address, count, part.seed)
            part.row(
                f"{count:,} profiles published (made, encoded, acknowledged)",
                value=f"{time.perf_counter() - began:.1f} s",
            )
            clock, processor = await _load(PersonaliserSettings(kafka_bootstrap=broker.address), count)
    whole = count >= 1_000_000
    part.row(
        f"{count:,} profiles from the compacted topic into the index",
        f"< {GOAL_SECONDS} s" if whole else "",
        f"{clock:.1f} s = {count / clock:,.0f}/s",
        met=clock < GOAL_SECONDS if whole else None,
    )
    part.row("  of processor time, and the most memory held", value=f"{processor:.1f} s, {_most_memory()} MB")


async def _load(settings: PersonaliserSettings, count: int) -> tuple[float, float]:
    """Seconds by the clock and of processor time until every partition is ready."""
    geography = Country().geography()
    async with open_offsets(settings) as offsets, open_producer(SERVICE, settings) as producer:
        history = ReadingHistory(settings, offsets, partitions=SENSOR_READINGS.partitions)
        log = ProfileLog(settings, offsets, history, DeadLetters(producer))
        shards = Shards(log.follow, lambda: geography, Health().component("partitions"))
        try:
            began, processor = time.perf_counter(), time.process_time()
            shards.hold(range(PROFILES.partitions))
            await eventually(lambda: shards.ready, seconds=600)
            taken = time.perf_counter() - began, time.process_time() - processor
            held = sum(len(shards.held(one).index) for one in range(PROFILES.partitions))
            assert held == count, f"{held} profiles were loaded instead of {count}"
            return taken
        finally:
            await shards.close()


def _most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    run_part(__doc__, measure, profiles="how many to load")
