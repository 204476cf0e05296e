"""One slow provider holds no other up."""

import asyncio

import pytest
from kommunepuls_chassis.errors import ThrottledError, TransientError
from notifier.adapters.gates import Gates
from notifier.ports import Overloaded


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def ask(
    gates: Gates, provider: str = "a", error: Exception | None = None, *, first: bool = False
) -> None:
    async with gates.through(provider, first=first):
        if error is not None:
            raise error


async def test_so_many_at_once_and_the_next_is_turned_away_not_made_to_wait() -> None:
    gates, release = Gates(2), asyncio.Event()

    async def slow() -> None:
        async with gates.through("slow", first=False):
            await release.wait()

    tasks = [asyncio.create_task(slow()) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await ask(gates, "slow")
    await ask(gates, "other")
    await ask(gates, "slow", first=True)
    release.set()
    await asyncio.gather(*tasks)
    await ask(gates, "slow")


async def test_a_provider_that_asks_for_patience_gets_it() -> None:
    clock = Time()
    gates = Gates(4, clock=clock)
    with pytest.raises(ThrottledError):
        await ask(gates, error=ThrottledError("slow down", delay_seconds=30))
    with pytest.raises(Overloaded):
        await ask(gates)
    await ask(gates, "b")
    clock.now = 31
    await ask(gates)


async def test_a_provider_that_does_not_answer_is_left_alone_longer_and_longer() -> None:
    clock = Time()
    gates = Gates(4, clock=clock)
    for _ in range(3):
        with pytest.raises(TransientError):
            await ask(gates, error=TransientError("down"))
    waits = []
    for _ in range(4):
        began = clock.now
        while True:
            try:
                await ask(gates, error=TransientError("down"))
            except Overloaded:
                clock.now += 0.5
            except TransientError:
                break
        waits.append(clock.now - began)
    assert waits == sorted(waits)
    assert waits[-1] > 4
    clock.now += 600
    await ask(gates)
    await ask(gates)


async def test_many_providers_are_forgotten_in_time() -> None:
    gates = Gates(1)
    for number in range(3000):
        await ask(gates, f"provider {number}")
    assert len(gates._states) <= 1000
