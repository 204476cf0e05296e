"""Workers share a topic; one dies by `kill -9` in the middle of its work: nothing is lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from kommunepuls_devbroker.testing import eventually, running_broker

pytestmark = pytest.mark.integration
WORKERS = Path(__file__).parent / "workers"
PARTITIONS = 6
FIRST, SECOND = 6_000, 1_500


@contextmanager
def worker(script, address, name, log):
    arguments = [address, "source", "target", "copiers", name]
    process = subprocess.Popen([sys.executable, str(WORKERS / script), *arguments], stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def send(producer_to, address, numbers):
    async with producer_to(address, linger_ms=5) as producer:
        for number in numbers:
            await producer.send("source", b"%d" % number, partition=number % PARTITIONS)
        await producer.flush()


async def copied_by(read_all, address):
    """Which worker has copied which numbers."""
    copies: dict[str, set[int]] = {}
    for record in await read_all(address, "target"):
        copies.setdefault(record.key.decode(), set()).add(int(record.value))
    return copies


def all_numbers(copies):
    return set().union(*copies.values())


@pytest.mark.parametrize("script", ["plain_worker.py", "faust_worker.py"])
async def test_nothing_is_lost_when_a_worker_is_killed(script, tmp_path, create_topic, producer_to, read_all):
    async with running_broker(tmp_path / "broker") as broker:
        address = broker.address
        await create_topic(address, "source", PARTITIONS)
        await create_topic(address, "target")
        with ExitStack() as stack, (tmp_path / "workers.log").open("wb") as log:
            workers = {
                name: stack.enter_context(worker(script, address, name, log)) for name in ("a", "b", "c")
            }
            sent = 0

            async def all_three_work():
                nonlocal sent
                await send(producer_to, address, range(sent, sent + 60))
                sent += 60
                return len(await copied_by(read_all, address)) == 3

            await eventually(all_three_work)
            busy = asyncio.create_task(send(producer_to, address, range(sent, sent + FIRST)))

            async def they_are_in_the_middle_of_it():
                return max(all_numbers(await copied_by(read_all, address))) >= sent

            await eventually(they_are_in_the_middle_of_it)
            workers["b"].kill()
            await busy
            sent += FIRST
            await send(producer_to, address, range(sent, sent + SECOND))
            sent += SECOND

            async def everything_is_copied():
                return all_numbers(await copied_by(read_all, address)) == set(range(sent))

            await eventually(everything_is_copied)
            assert workers["b"].poll() is not None
            assert workers["a"].poll() is None
            assert workers["c"].poll() is None


async def test_nothing_is_lost_when_the_broker_is_killed_under_its_workers(
    tmp_path, create_topic, producer_to, read_all
):
    async with running_broker(tmp_path / "broker") as broker:
        address = broker.address
        await create_topic(address, "source", PARTITIONS)
        await create_topic(address, "target")
        with ExitStack() as stack, (tmp_path / "workers.log").open("wb") as log:
            for name in ("a", "b"):
                stack.enter_context(worker("plain_worker.py", address, name, log))
            await send(producer_to, address, range(FIRST))

            async def some_are_copied():
                return bool(await copied_by(read_all, address))

            await eventually(some_are_copied)
            await asyncio.to_thread(broker.restart)
            await send(producer_to, address, range(FIRST, FIRST + SECOND))

            async def everything_is_copied():
                return all_numbers(await copied_by(read_all, address)) == set(range(FIRST + SECOND))

            await eventually(everything_is_copied)
