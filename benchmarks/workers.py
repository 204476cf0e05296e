"""Two workers share the partitions: how much sooner the same items are matched than by one.

Everything real: an embedded broker, personaliser processes, profiles and items on their topics. The time is that from
the publishing of the items to the last chunk on ``matches.v2``, by the time stamps of its records.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from kommunepuls_chassis.producer import EventProducer, open_producer
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_devbroker.testing import eventually, running_broker
from kommunepuls_events import ContentItemV1, Event, item_id
from kommunepuls_events.topics import CONTENT, MATCHES, OFFERS
from personaliser.adapters.offsets import Offsets, open_offsets
from personaliser.settings import PersonaliserSettings
from profile_topic import fill
from surroundings import processor_seconds
from table import Part, run_part
from workload import Country, items

ABOUT_TWICE = 1.7
WAIT_SECONDS = 240


def measure(part: Part) -> None:
    """All rows of this part."""
    profiles, count = (20_000, 150) if part.quick else (300_000, 2_000)
    uvloop.run(_measure(part, part.options["profiles"] or profiles, count))


async def _measure(part: Part, profiles: int, count: int) -> None:
    country = Country()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "areas.geojson").write_text(json.dumps(country.areas()), encoding="utf-8")
        town = home / "town.yaml"
        town.write_text("code: NO-1000\nname: Made up\nareas:\n  - file: areas.geojson\n", encoding="utf-8")
        async with running_broker(home / "broker") as broker:
            settings = PersonaliserSettings(kafka_bootstrap=broker.address)
            await ensure_topics(settings)
            await asyncio.to_thread(fill, broker.address, profiles, part.seed)
            environment = {"KP_KAFKA_BOOTSTRAP": broker.address, "KP_TOWN_FILES": str(town)}
            offered = items(country, count, part.seed + 1)
            rounds, logs, workers = [], [], []
            async with open_offsets(settings) as offsets, open_producer("bench", settings) as producer:
                with ExitStack() as stack:
                    for number in (1, 2):
                        logs.append(home / f"worker-{number}.log")
                        workers.append(stack.enter_context(_worker(logs[-1], environment)))
                        await eventually(lambda: _share(logs), seconds=WAIT_SECONDS)
                        named = [_named(item, f"{number}-{item.native_id}") for item in offered]
                        busy = _Busy([*workers, broker.pid, os.getpid()])
                        rounds.append(await _matched(named, producer, offsets, settings, busy))
    (alone, recipients, busy_alone), (together, same, busy_together) = rounds
    assert recipients == same, f"two workers found {same} recipients, one found {recipients}"
    figure = f"{count} items against {profiles:,} profiles"
    part.row(f"{figure}: one worker", value=f"{alone:.2f} s", ratio=f"{recipients:,} matches")
    part.row("  processor seconds: worker; broker, this process", value=busy_alone)
    part.row(
        f"{figure}: two workers share the partitions", "about 2 x", f"{together:.2f} s",
        f"{alone / together:.2f} x one worker", met=alone / together >= ABOUT_TWICE,
    )  # fmt: skip
    part.row("  processor seconds: workers; broker, this process", value=busy_together)


class _Busy:
    """Processor time of processes since then: of workers, and last of the broker and of this process."""

    def __init__(self, processes: Sequence[int]) -> None:
        self._processes = processes
        self._before = [processor_seconds(one) for one in processes]

    def told(self) -> str:
        """In seconds, in the order given."""
        spent = [
            processor_seconds(one) - before for one, before in zip(self._processes, self._before, strict=True)
        ]
        *workers, broker, ours = (f"{one:.1f}" for one in spent)
        return f"{' + '.join(workers)}; {broker}, {ours}"


@contextmanager
def _worker(log: Path, environment: dict[str, str]) -> Iterator[int]:
    """A personaliser process; yields its id. Its log is one JSON object a line."""
    with log.open("wb") as written:
        command = [sys.executable, "-m", "personaliser"]
        process = subprocess.Popen(command, env=os.environ | environment, stderr=written)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)


def _share(logs: Sequence[Path]) -> bool:
    """Whether the workers are ready for every partition together, each for its share."""
    held = [_held(log) for log in logs]
    return sum(map(len, held)) == OFFERS.partitions == len(logs) * min(map(len, held))


def _held(log: Path) -> set[int]:
    held: set[int] = set()
    for line in log.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line) if line.startswith("{") else {"event": ""}
        if entry["event"] == "partition_ready":
            held.add(entry["partition"])
        elif entry["event"] == "partition_dropped":
            held.discard(entry["partition"])
    return held


def _named(item: ContentItemV1, native: str) -> ContentItemV1:
    return item.model_copy(update={"native_id": native, "id": item_id(item.source, native)})


async def _matched(
    some: Sequence[ContentItemV1],
    producer: EventProducer,
    offsets: Offsets,
    settings: PersonaliserSettings,
    busy: "_Busy",
) -> tuple[float, int, str]:
    """Seconds from publishing items to their last match, the number of their recipients, and who was busy meanwhile."""
    before = await offsets.ends(MATCHES, range(MATCHES.partitions))
    began = time.time()
    await producer.publish(*some)

    async def all_done() -> bool:
        # Rarely asked: workers and broker need the processors, and the records say themselves when they came.
        await asyncio.sleep(0.5)
        for topic in (CONTENT, OFFERS):
            everything = range(topic.partitions)
            done = await offsets.committed(topic, everything)
            ends = await offsets.ends(topic, everything)
            if any((done[one] or 0) < ends[one] for one in everything):
                return False
        return True

    await eventually(all_done, seconds=WAIT_SECONDS)
    told = busy.told()
    after = await offsets.ends(MATCHES, range(MATCHES.partitions))
    last, recipients = 0, 0
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        for number in range(MATCHES.partitions):
            partition = TopicPartition(MATCHES.name, number)
            consumer.assign([partition])
            consumer.seek(partition, before[number])
            while await consumer.position(partition) < after[number]:
                for record in (await consumer.getmany(partition, timeout_ms=500)).get(partition, ()):
                    last = max(last, record.timestamp)
                    recipients += len(list(Event.decode(record.value, record.headers).data.each()))
    finally:
        await consumer.stop()
    return last / 1_000 - began, recipients, told


if __name__ == "__main__":
    run_part(__doc__, measure, profiles="how many residents")
