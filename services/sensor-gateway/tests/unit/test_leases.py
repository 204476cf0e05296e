"""Processes divide the sessions of a shared subscription, and take up what a dead one leaves."""

from datetime import UTC, datetime, timedelta

import pytest
from kommunepuls_chassis.store import DocumentStore
from sensor_gateway.leases import SessionLeases

SOURCE, SESSIONS = "NO-3907/lora", 4


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 30, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def process(store: DocumentStore, name: str, clock: Clock) -> SessionLeases:
    leases = SessionLeases(store, name, 10, clock)
    await leases.open()
    return leases


async def tended(*processes: SessionLeases) -> list[frozenset[int]]:
    """What each holds after each has tended its leases often enough to agree with the others."""
    held = []
    for _ in range(3):
        held = []
        for one in processes:
            share = await one.tend(SOURCE, SESSIONS)
            await one.give_up(SOURCE, share.surplus)
            held.append(share.held)
    return held


async def test_one_process_holds_all_and_a_second_gets_half(store, clock) -> None:
    one, two = await process(store, "one", clock), await process(store, "two", clock)
    assert await tended(one) == [frozenset({0, 1, 2, 3})]
    first, second = await tended(one, two)
    assert len(first) == len(second) == 2
    assert first | second == {0, 1, 2, 3}
    # Nothing wanders once it is divided.
    assert await tended(one, two) == [first, second]


async def test_what_a_dead_process_held_is_taken_up_when_its_leases_end(store, clock) -> None:
    one, two = await process(store, "one", clock), await process(store, "two", clock)
    await tended(one, two)
    clock.advance(9)
    [held] = await tended(one)
    assert len(held) == 2, "the other may be alive still"
    clock.advance(2)
    assert await tended(one) == [frozenset({0, 1, 2, 3})]


async def test_a_dead_process_is_forgotten_in_the_end(store, clock) -> None:
    one, two = await process(store, "one", clock), await process(store, "two", clock)
    await tended(one, two)
    clock.advance(111)
    await tended(one)
    processes = await store.collection("mqtt_processes")
    assert [stored.key for stored in await processes.find({"source": SOURCE})] == [f"{SOURCE}#one"]


async def test_who_leaves_in_order_is_not_waited_for(store, clock) -> None:
    one, two = await process(store, "one", clock), await process(store, "two", clock)
    _, held = await tended(one, two)
    await two.leave(SOURCE, held)
    assert await tended(one) == [frozenset({0, 1, 2, 3})]


async def test_no_session_is_held_twice_and_more_processes_than_sessions_do_no_harm(store, clock) -> None:
    processes = [await process(store, f"p{number}", clock) for number in range(6)]
    for _ in range(4):
        clock.advance(3)
        held = await tended(*processes)
        assert sum(len(one) for one in held) == SESSIONS
        assert frozenset().union(*held) == {0, 1, 2, 3}


async def test_who_was_away_longer_than_its_lease_gives_up_what_others_hold_now(store, clock) -> None:
    one, two = await process(store, "one", clock), await process(store, "two", clock)
    first, second = await tended(one, two)
    clock.advance(11)
    await two.tend(SOURCE, SESSIONS)
    share = await one.tend(SOURCE, SESSIONS)
    assert not share.held & (await two.tend(SOURCE, SESSIONS)).held
    assert first
    assert second
