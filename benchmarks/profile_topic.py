"""Fills ``profiles.v1`` with residents, as a process: ``python profile_topic.py ADDRESS FIRST COUNT SEED``.

Records are those the gateway would publish (key, envelope, JSON), but put into batches by hand: a hundred
thousand a second instead of ten, and how fast they are written is not what is measured.
"""

import asyncio
import subprocess
import sys
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2
from kommunepuls_chassis.kafka import client_options
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_events import event_for
from kommunepuls_events.topics import PROFILES
from workload import Country, residents

_BLOCK = 10_000
_PROCESSES = 2


def fill(address: str, count: int, seed: int) -> None:
    """Publish that many residents (a multiple of 10,000) with two processes; returns when all is acknowledged."""
    blocks = -(-count // _BLOCK)
    each = -(-blocks // _PROCESSES) * _BLOCK
    running = []
    for first in range(0, count, each):
        command = [sys.executable, Path(__file__), address, first, min(each, count - first), seed]
        running.append(subprocess.Popen([str(one) for one in command]))
    if any(process.wait() for process in running):
        raise RuntimeError("the profiles could not be published")


async def _publish(address: str, first: int, count: int, seed: int) -> None:
    options = client_options(ServiceSettings(kafka_bootstrap=address))
    producer = AIOKafkaProducer(**options, acks="all", max_batch_size=262_144, linger_ms=5)
    await producer.start()
    batches = {partition: producer.create_batch() for partition in range(PROFILES.partitions)}
    waiting = []

    async def send(partition: int) -> None:
        waiting.append(await producer.send_batch(batches[partition], PROFILES.name, partition=partition))
        batches[partition] = producer.create_batch()

    try:
        for profile in residents(Country(), count, seed, first):
            event, key = event_for(profile, producer="gateway-api"), profile.subscriber.encode()
            partition = (murmur2(key) & 0x7FFFFFFF) % PROFILES.partitions
            record = {"key": key, "value": event.value(), "headers": event.headers(), "timestamp": None}
            if batches[partition].append(**record) is None:
                await send(partition)
                batches[partition].append(**record)
        for partition in batches:
            await send(partition)
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()


if __name__ == "__main__":
    asyncio.run(_publish(sys.argv[1], *map(int, sys.argv[2:])))
