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


async def test_messages_that_fail_together_close_the_gate_no_longer_than_one_that_fails_alone() -> None:
    clock, lost = Time(), asyncio.Event()
    gates = Gates(16, clock=clock)

    async def under_way() -> None:
        async with gates.through("a", first=False):
            await lost.wait()
            raise TransientError("the connection was lost")

    tasks = [asyncio.create_task(under_way()) for _ in range(16)]
    await asyncio.sleep(0)
    clock.now = 1.0
    lost.set()
    assert {type(one) for one in await asyncio.gather(*tasks, return_exceptions=True)} == {TransientError}
    await ask(gates)


async def test_many_providers_are_forgotten_in_time() -> None:
    gates = Gates(1)
    for number in range(3000):
        await ask(gates, f"provider {number}")
    assert len(gates._gates) <= 1000


async def test_where_waiting_is_allowed_everybody_gets_through_in_turn_and_the_urgent_before_all() -> None:
    gates, order = Gates(1, waiting_seconds=5.0), []

    async def one(name: str, *, first: bool = False) -> None:
        async with gates.through("a", first=first):
            order.append(name)
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(one(f"newsletter {number}")) for number in range(6)]
    await asyncio.sleep(0)
    tasks += [asyncio.create_task(one(f"flood {number}", first=True)) for number in range(2)]
    await asyncio.gather(*tasks)
    assert sorted(order) == sorted([*(f"newsletter {n}" for n in range(6)), "flood 0", "flood 1"])
    assert order.index("flood 0") <= 1
    assert order.index("flood 1") <= 2
    assert gates.gate("a").under_way == 0


async def test_a_slow_provider_lets_few_wait() -> None:
    gates, release = Gates(2, waiting_seconds=1.0), asyncio.Event()
    gates.gate("slow").seconds = 1.0

    async def slow() -> None:
        async with gates.through("slow", first=False):
            await release.wait()

    tasks = [asyncio.create_task(slow()) for _ in range(10)]
    await asyncio.sleep(0.01)
    assert sum(task.done() for task in tasks) == 6, "two are under way, two more are likely to be taken soon"
    await ask(gates, "other")
    release.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(one, Overloaded) for one in outcomes) == 6
    assert gates.gate("slow").under_way == 0


async def test_those_who_wait_are_sent_away_when_the_provider_breaks_down() -> None:
    gates = Gates(1, waiting_seconds=5.0)
    outcomes = await asyncio.gather(
        *(ask(gates, error=TransientError("down")) for _ in range(9)), return_exceptions=True
    )
    assert [type(one) for one in outcomes] == [TransientError] * 3 + [Overloaded] * 6
    assert outcomes[-1].delay_seconds >= 1


async def test_who_is_cancelled_while_waiting_takes_no_place_with_him() -> None:
    gates, release = Gates(1, waiting_seconds=5.0), asyncio.Event()

    async def slow() -> None:
        async with gates.through("a", first=False):
            await release.wait()

    tasks = [asyncio.create_task(slow()) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    release.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert gates.gate("a").under_way == 0
    await ask(gates)


async def test_who_waits_is_counted_by_urgency_at_providers_that_answer() -> None:
    clock, release = Time(), asyncio.Event()
    gates = Gates(1, waiting_seconds=5.0, clock=clock)
    await ask(gates, "quick")

    async def stay(provider: str, *, first: bool) -> None:
        async with gates.through(provider, first=first):
            await release.wait()

    asked = [("quick", False), ("quick", False), ("silent", False), ("silent", False)]
    asked += [("quick", True), ("quick", True), ("quick", True)]
    tasks = [asyncio.create_task(stay(provider, first=first)) for provider, first in asked]
    await asyncio.sleep(0)
    assert (gates.queued(1.0, first=False), gates.queued(1.0, first=True)) == (1, 2)
    clock.now = 2.0
    assert (gates.queued(1.0, first=False), gates.queued(1.0, first=True)) == (0, 0)
    release.set()
    await asyncio.gather(*tasks)
