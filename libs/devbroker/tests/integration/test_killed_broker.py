"""The broker dies by `kill -9` while producers write: what was acknowledged is there afterwards, once."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.errors import KafkaError
from kommunepuls_devbroker.testing import eventually, running_broker

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("policy", ["never", "interval", "always"])
@pytest.mark.parametrize("idempotent", [False, True])
async def test_nothing_acknowledged_is_lost(
    policy, idempotent, tmp_path, create_topic, producer_to, read_all
):
    acknowledged: set[bytes] = set()
    stopping = asyncio.Event()

    async def write(producer, number):
        count = 0
        while not stopping.is_set():
            value = b"%d-%d" % (number, count)
            count += 1
            try:
                await producer.send_and_wait("facts", value, partition=number % 2)
            except KafkaError:
                continue  # not acknowledged, so nothing was promised
            acknowledged.add(value)

    async with running_broker(tmp_path / "broker", "--fsync", policy) as broker:
        await create_topic(broker.address, "facts", 2)
        async with producer_to(
            broker.address, enable_idempotence=idempotent, request_timeout_ms=10_000
        ) as one:
            writers = [asyncio.create_task(write(one, number)) for number in range(8)]
            for _ in range(3):
                enough = len(acknowledged) + 100
                await eventually(lambda enough=enough: len(acknowledged) >= enough)
                await asyncio.to_thread(broker.restart)
            stopping.set()
            await asyncio.gather(*writers)
        values = [record.value for record in await read_all(broker.address, "facts")]
    assert acknowledged - set(values) == set()
    if idempotent:
        assert len(values) == len(set(values))
