"""What many ask for is done together, and each gets his own answer."""

import asyncio
from collections.abc import Sequence

import pytest
from notifier.service.batches import Batches


async def test_what_comes_while_a_batch_is_at_work_is_the_next_batch() -> None:
    sizes: list[int] = []
    release = asyncio.Event()

    async def work(given: Sequence[int]) -> list[int]:
        sizes.append(len(given))
        await release.wait()
        return [one * 2 for one in given]

    double = Batches(work, most=6)
    first = asyncio.create_task(double(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(double(number)) for number in range(2, 11)]
    await asyncio.sleep(0)
    release.set()
    assert await asyncio.gather(first, *others) == [number * 2 for number in range(1, 11)]
    assert sizes == [1, 6, 3]


async def test_who_lingers_is_joined_by_those_who_come_a_moment_later() -> None:
    sizes: list[int] = []

    async def work(given: Sequence[int]) -> Sequence[int]:
        sizes.append(len(given))
        return given

    same = Batches(work, linger_seconds=0.05)
    first = asyncio.create_task(same(1))
    await asyncio.sleep(0.001)
    assert await asyncio.gather(first, same(2), same(3)) == [1, 2, 3]
    assert sizes == [3]


async def test_an_error_comes_to_whom_it_belongs() -> None:
    async def work(given: Sequence[int]) -> Sequence[int]:
        if 3 in given:
            raise ValueError("three")
        return given

    careful = Batches(work, linger_seconds=0.01)
    outcomes = await asyncio.gather(*(careful(number) for number in range(5)), return_exceptions=True)
    assert isinstance(outcomes.pop(3), ValueError)
    assert outcomes == [0, 1, 2, 4]


async def test_who_is_cancelled_leaves_it_to_be_done() -> None:
    done: list[int] = []
    release = asyncio.Event()

    async def work(given: Sequence[int]) -> Sequence[int]:
        await release.wait()
        done.extend(given)
        return given

    keep = Batches(work)
    asked = asyncio.create_task(keep(1))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    release.set()
    assert await keep(2) == 2
    assert done == [1, 2]
