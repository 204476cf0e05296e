import asyncio

import pytest
from gateway_api.domain import stream_position
from gateway_api.domain.pulse import PulseEvent, event_of_item, event_of_reading
from gateway_api.service.stream import POSITION, RESET, StreamHub, Told
from kommunepuls_events import Lifecycle, LifecycleState, Quality


def _event(name: str, town: str = "NO-9901") -> PulseEvent:
    return PulseEvent(town, "item", {"id": name})


def _hub(*, backlog: int = 10) -> StreamHub:
    hub = StreamHub(backlog=backlog)
    hub.begin("c", 0, 100)
    hub.begin("c", 1, 0)
    return hub


async def _take(hub: StreamHub, count: int, last: str | None = None) -> list[Told]:
    found = []
    async with asyncio.timeout(5):
        async for told in hub.follow("NO-9901", last):
            found.append(told)
            if len(found) == count:
                break
    return found


def test_a_position_is_read_back_and_nonsense_is_none() -> None:
    position = {("c", 0): 12, ("c", 11): 0, ("r", 3): 99}
    assert stream_position.read(stream_position.written(position)) == position
    for text in ("x", "c0", "c0.-1", "c0.1-", "../etc", "c0.1;drop"):
        assert stream_position.read(text) is None


async def test_a_new_client_is_told_where_it_stands() -> None:
    told = (await _take(_hub(), 1))[0]
    assert (told.event.name, told.id) == (POSITION, "c0.100-c1.0")


async def test_a_client_that_comes_back_to_another_process_misses_nothing() -> None:
    one, other = _hub(), _hub()
    for hub in (one, other):
        hub.tell("c", 0, 100, _event("a"))
        hub.tell("c", 1, 0, _event("b"))
    here = (await _take(one, 1))[0]
    assert here.event.name == POSITION
    for hub in (one, other):
        hub.tell("c", 0, 101, _event("c"))
        hub.tell("c", 1, 1, _event("d", "NO-0301"))
        hub.tell("c", 1, 2, _event("e"))
    told = await _take(other, 2, here.id)
    assert [one.event.data["id"] for one in told] == ["c", "e"]
    assert (await _take(one, 1, told[0].id))[0].event.data["id"] == "e"


async def test_who_was_away_too_long_reads_the_pulse_anew() -> None:
    hub = _hub(backlog=2)
    for offset in range(100, 105):
        hub.tell("c", 0, offset, _event(str(offset)))
    assert (await _take(hub, 1, "c0.101-c1.0"))[0].event.name == RESET
    assert (await _take(hub, 1, "nonsense"))[0].event.name == RESET
    assert (await _take(hub, 1, "c0.103-c1.0"))[0].event.data["id"] == "103"


async def test_a_client_that_does_not_read_is_let_go_and_the_others_go_on() -> None:
    hub = _hub(backlog=2000)
    slow = hub.follow("NO-9901", None)
    assert (await anext(slow)).event.name == POSITION
    reading = asyncio.create_task(anext(slow))
    await asyncio.sleep(0)
    for offset in range(100, 100 + 600):
        hub.tell("c", 0, offset, _event(str(offset)))
    await reading
    left = 1
    async with asyncio.timeout(5):
        async for _ in slow:
            left += 1
    assert left < 600


async def test_closing_ends_every_stream() -> None:
    hub = _hub()
    stream = hub.follow("NO-9901", None)
    await anext(stream)
    waiting = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    hub.close()
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(waiting, 5)


def test_exercises_silent_revisions_and_bad_readings_are_not_told(make_item, make_reading) -> None:
    assert event_of_item(make_item(exercise=True)) is None
    assert event_of_item(make_item(lifecycle=Lifecycle(news=False))) is None
    assert event_of_item(make_item(lifecycle=Lifecycle(state=LifecycleState.WITHDRAWN))).name == "withdrawn"
    assert event_of_reading(make_reading(99.0, quality=Quality.SUSPECT)) is None
    assert event_of_reading(make_reading(20.1)).data["value"] == 20.1
