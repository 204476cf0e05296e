"""100,000 matches into the broker: a real answer of each shard, in chunks, published and acknowledged.

A million residents in six shards, as profiles.v1 has partitions, are matched with one notice for seven municipalities that
concerns about that many; a personaliser that holds all shards publishes what came of it, through the services' own producer to an embedded broker in a process of its own.
Beside it: the same as a record for each recipient (a part of them, scaled), and the subscribers without the reasons.
"""

import asyncio
import gc
import hashlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import uvloop
from kommunepuls_chassis.producer import EventProducer, open_producer
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_devbroker.testing import running_broker
from kommunepuls_events import Event, MatchV2, SubscriberProfileV1, event_for
from kommunepuls_events.base import utc_now
from kommunepuls_events.topics import PROFILES
from kommunepuls_geography import Geography
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.index import ProfileIndex
from kommunepuls_matching.sharing import Group
from personaliser.domain.matches import chunked
from personaliser.records import SERVICE
from table import Part, run_part
from timing import timed
from workload import Country, residents, wide_items

GOAL_MILLISECONDS = 25
MATCHES = 100_000
RESIDENTS = 170_000
"""Of a shard."""


@dataclass(frozen=True, slots=True)
class Encoded(Event):
    """An event whose JSON is made already."""

    encoded: bytes = b""

    def value(self) -> bytes:
        return self.encoded


def measure(part: Part) -> None:
    """All rows of this part."""
    uvloop.run(_measure(part, runs=6 if part.quick else 41, peers=2_000 if part.quick else 10_000))


async def _measure(part: Part, runs: int, peers: int) -> None:
    shards, microseconds = _shards(part)
    everything = [event for shard in shards for event in shard]
    count = sum(1 for event in everything for _ in event.data.each())
    groups = sum(len(event.data.groups) for event in everything)
    with tempfile.TemporaryDirectory() as folder:
        async with running_broker(Path(folder) / "broker") as broker:
            settings = ServiceSettings(kafka_bootstrap=broker.address)
            await ensure_topics(settings)
            async with open_producer(SERVICE, settings) as producer:
                told, processor = await _times(producer, shards, runs)
                singles = [one for event in everything for one in _each_alone(event)][:peers]
                each = (await _times(producer, [singles], 3))[0][-1] / len(singles)
                short = [[_encoded(event, _ids_alone(event.data)) for event in shard] for shard in shards]
                bare, _ = await _times(producer, short, runs)
    half, worst = float(np.median(told)), max(told)
    part.row(
        f"{count:,} matches, reasons included, into the broker: {len(everything)} chunks of {len(shards)} shards",
        f"< {GOAL_MILLISECONDS} ms", f"{half:.0f} ms (longest {worst:.0f})",
        f"{each * count / half:.0f} x a record for each", met=half < GOAL_MILLISECONDS,
    )  # fmt: skip
    part.row("  processor time of the publishing process", value=f"{np.median(processor):.0f} ms")
    part.row(
        f"  {_megabytes(shards):.2f} MB in {groups:,} groups; the subscribers alone, {_megabytes(short):.2f} MB",
        value=f"{np.median(bare):.0f} ms (longest {max(bare):.0f})",
    )
    part.row(
        "  from the item to JSON (match, reasons, chunks), a match",
        value=f"{microseconds / count:.2f} us",
    )


async def _times(
    producer: EventProducer, shards: Sequence[Sequence[Event]], runs: int
) -> tuple[list[float], list[float]]:
    """Milliseconds until all are acknowledged, and those of processor time, run by run without the first."""
    clock, processor = [], []
    for _ in range(runs):
        gc.collect()
        began, busy = time.perf_counter(), time.process_time()
        await asyncio.gather(*(producer.publish_events(shard) for shard in shards))
        clock.append((time.perf_counter() - began) * 1_000)
        processor.append((time.process_time() - busy) * 1_000)
    return clock[1:], processor[1:]


def _shards(part: Part) -> tuple[list[list[Encoded]], float]:
    """What each shard publishes of a notice, and the microseconds that working it out took, once all is warm.

    In the small form one shard is matched, and the others are it once more with other subscribers.
    """
    country = Country()
    geography = country.geography()
    concern, answers, seconds = None, [], 0.0
    for shard in range(1 if part.quick else PROFILES.partitions):
        index = _index(_residents(country, part.seed, shard), geography)
        concern = concern or _for_so_many(country, geography, part.seed, index)

        seconds += min(timed(partial(_worked_out, concern, shard, index))[0] for _ in range(5))
        answers.append(index.match(concern).groups())
    seconds *= PROFILES.partitions / len(answers)
    while len(answers) < PROFILES.partitions:
        answers.append([_renamed(group, len(answers)) for group in answers[0]])
    return [_published(concern, shard, groups) for shard, groups in enumerate(answers)], seconds * 1e6


def _worked_out(concern: Concern, shard: int, index: ProfileIndex) -> list[Encoded]:
    return _published(concern, shard, index.match(concern).groups())


def _for_so_many(country: Country, geography: Geography, seed: int, index: ProfileIndex) -> Concern:
    """Of some notices the one that concerns the fewest, but no fewer than are wanted of a shard."""
    found = {}
    for item in wide_items(country, 20, seed):
        concern = Concern.of(item, geography)
        found[len(index.match(concern))] = concern
    return found[min(count for count in found if count * PROFILES.partitions >= MATCHES)]


def _index(some: Iterator[SubscriberProfileV1], geography: Geography) -> ProfileIndex:
    index = ProfileIndex(geography)
    loading = index.begin_loading()
    for profile in some:
        loading.put(profile)
    loading.work()
    index.load(loading)
    return index


def _residents(country: Country, seed: int, shard: int) -> Iterator[SubscriberProfileV1]:
    for profile in residents(country, RESIDENTS, seed, shard * RESIDENTS):
        yield profile.model_copy(update={"subscriber": _subscriber(profile.subscriber)})


def _subscriber(number: str) -> str:
    """An id as the gateway gives them: 96 random bits, which no checksum or socket can make light of."""
    return f"s-{hashlib.blake2b(number.encode(), digest_size=12).hexdigest()}"


def _renamed(group: Group, shard: int) -> Group:
    names = sorted(_subscriber(f"{shard} {subscriber}") for subscriber in group.subscribers)
    return Group(group.reasons, names, group.distances)


def _published(concern: Concern, shard: int, groups: Sequence[Group]) -> list[Encoded]:
    events = (event_for(match, producer=SERVICE) for match in chunked(concern.item, shard, groups, utc_now()))
    return [_encoded(event, event.value()) for event in events]


def _encoded(event: Event, value: bytes) -> Encoded:
    return Encoded(event.id, event.source, event.subject, event.data, event.time, encoded=value)


def _each_alone(event: Event) -> Iterator[Encoded]:
    match = event.data
    for subscriber, reasons in match.each():
        group = Group(reasons, [subscriber])
        (alone,) = chunked(match.item, match.shard, [group], match.matched_at)
        yield _encoded(event, alone.to_json())


def _ids_alone(match: MatchV2) -> bytes:
    """Item and subscribers without the reasons: what a chunk would cost if it did not say why."""
    item, names = match.item.to_json().decode(), ",".join(f'"{subscriber}"' for subscriber, _ in match.each())
    return f'{{"id":"{match.id}","item":{item},"recipients":[{names}]}}'.encode()


def _megabytes(shards: Sequence[Sequence[Event]]) -> float:
    return sum(len(event.value()) for shard in shards for event in shard) / 1e6


if __name__ == "__main__":
    run_part(__doc__, measure)
