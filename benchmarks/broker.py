"""100,000 matches into the broker: chunks of 500 recipients with their reasons, published and acknowledged.

An embedded broker as a process of its own, and the services' own producer. Beside it: the same as a record for
each recipient (a part of them, scaled), and the subscribers without the reasons.
"""

import gc
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import uvloop
from kommunepuls_chassis.producer import EventProducer, open_producer
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_devbroker.testing import running_broker
from kommunepuls_events import ContentItemV1, Event, MatchV1, Reason, ReasonType, Recipient, event_for
from kommunepuls_events.base import utc_now
from personaliser.domain.matches import chunked
from personaliser.records import SERVICE
from table import Part, run_part
from workload import Country, wide_items

MATCHES = 100_000
GOAL_MILLISECONDS = 25


@dataclass(frozen=True, slots=True)
class Encoded(Event):
    """An event whose JSON is made already."""

    encoded: bytes = b""

    def value(self) -> bytes:
        return self.encoded


def measure(part: Part) -> None:
    """All rows of this part."""
    uvloop.run(_measure(part, runs=6 if part.quick else 21, peers=2_000 if part.quick else 10_000))


async def _measure(part: Part, runs: int, peers: int) -> None:
    began = time.perf_counter()
    events = _events(wide_items(Country(), 1, part.seed)[0])
    making = (time.perf_counter() - began) / MATCHES * 1e6
    with tempfile.TemporaryDirectory() as folder:
        async with running_broker(Path(folder) / "broker") as broker:
            settings = ServiceSettings(kafka_bootstrap=broker.address)
            await ensure_topics(settings)
            async with open_producer(SERVICE, settings) as producer:
                told = await _times(producer, events, runs)
                singles = [_alone(event, one) for event in events for one in event.data.recipients][:peers]
                each = (await _times(producer, singles, 3))[-1] / len(singles)
                short = [replace(event, encoded=_ids_alone(event.data)) for event in events]
                bare = await _times(producer, short, runs)
    half, worst = float(np.median(told)), max(told)
    part.row(
        f"{MATCHES:,} matches, reasons included, into the broker: {len(events)} chunks, {_megabytes(events):.1f} MB",
        f"< {GOAL_MILLISECONDS} ms", f"{half:.0f} ms (longest {worst:.0f})",
        f"{each * MATCHES / half:.0f} x a record for each", met=half < GOAL_MILLISECONDS,
    )  # fmt: skip
    half = float(np.median(bare))
    part.row(
        f"  the subscribers alone, without the reasons: {_megabytes(short):.1f} MB",
        value=f"{half:.0f} ms (longest {max(bare):.0f})",
    )
    part.row("  making the models and their JSON, a match", value=f"{making:.1f} us")


async def _times(producer: EventProducer, events: Sequence[Event], runs: int) -> list[float]:
    """Milliseconds until all are acknowledged, run by run without the first."""
    found = []
    for _ in range(runs):
        gc.collect()
        began = time.perf_counter()
        await producer.publish_events(events)
        found.append((time.perf_counter() - began) * 1_000)
    return found[1:]


def _events(item: ContentItemV1) -> list[Encoded]:
    """What the personaliser publishes of an item that concerns so many."""
    recipients = (
        Recipient(
            subscriber=f"s-{number:024x}",
            reasons=(
                Reason(type=ReasonType.AREA, area=item.areas[number % len(item.areas)]),
                Reason(type=ReasonType.INTEREST, interest=item.interests[number % len(item.interests)]),
            ),
        )
        for number in range(MATCHES)
    )
    events = [event_for(match, producer=SERVICE) for match in chunked(item, 0, recipients, utc_now())]
    return [_encoded(event, event.value()) for event in events]


def _encoded(event: Event, value: bytes) -> Encoded:
    return Encoded(event.id, event.source, event.subject, event.data, event.time, encoded=value)


def _alone(event: Event, recipient: Recipient) -> Encoded:
    match = event.data.model_copy(update={"recipients": (recipient,)})
    return _encoded(event, match.to_json())


def _ids_alone(match: MatchV1) -> bytes:
    """Item and subscribers without the reasons: what a chunk would cost if it did not say why."""
    item, names = match.item.to_json().decode(), ",".join(f'"{one.subscriber}"' for one in match.recipients)
    return f'{{"id":"{match.id}","item":{item},"recipients":[{names}]}}'.encode()


def _megabytes(events: Sequence[Event]) -> float:
    return sum(len(event.value()) for event in events) / 1e6


if __name__ == "__main__":
    run_part(__doc__, measure)
