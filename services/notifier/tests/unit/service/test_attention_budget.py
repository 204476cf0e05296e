"""The attention budget: at most so many messages a day at once, over all producers; the rest comes in the digest."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from kommunepuls_chassis.errors import TransientError
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import DeliveryV1
from notifier.domain.sendings import State
from notifier.settings import Settings
from notifier.testing import ALERT, NOON, Rig, item, match, running_rig

NEXT_MORNING = datetime(2026, 11, 25, 6, 2, tzinfo=UTC)
MODERATE = {"kind": "alert", "severity": "moderate"}


def numbered(count: int, **fields: object) -> list:
    return [match(item(str(number), title=f"Sak {number}", **fields)) for number in range(1, count + 1)]


def titles(rig: Rig) -> list[str]:
    return [message.title for message, _ in rig.email.carried]


async def test_what_goes_beyond_the_limit_comes_together_the_next_morning(rig: Rig) -> None:
    await rig.resident(messages_a_day=2)
    await rig.matches(*numbered(5))
    told = await rig.until_told(5, passing=1)
    assert Counter(told) == {("s-1", "sent", None): 2, ("s-1", "digested", "attention-budget"): 3}
    assert sorted(titles(rig)) == ["Sak 1", "Sak 2"]
    rig.clock.time = NEXT_MORNING
    assert (await rig.until_told(8))[5:] == [("s-1", "sent", None)] * 3
    digest, _ = rig.email.carried[2]
    assert [story.title for story in digest.stories] == ["Sak 3", "Sak 4", "Sak 5"]


async def test_of_what_comes_together_the_most_severe_is_sent_at_once(rig: Rig) -> None:
    await rig.resident(messages_a_day=2)
    await rig.matches(*numbered(4), match(item("w", title="Glatt", **MODERATE)))
    await rig.until_told(5, passing=1)
    assert sorted(titles(rig)) == ["Glatt", "Sak 1"]


async def test_one_item_over_two_channels_is_one_message(rig: Rig) -> None:
    await rig.resident(messages_a_day=1, channels=["email", "push"])
    await rig.push_to()
    await rig.matches(*numbered(2))
    told = await rig.until_told(4, passing=1)
    assert Counter(told) == {("s-1", "sent", None): 2, ("s-1", "digested", "attention-budget"): 2}
    assert titles(rig) == [message.title for message, _ in rig.push.carried]
    assert titles(rig) in (["Sak 1"], ["Sak 2"])


async def test_emergencies_pass_the_limit_and_do_not_count(rig: Rig) -> None:
    await rig.resident(messages_a_day=1)
    await rig.matches(*(match(item(f"e{number}", **ALERT)) for number in range(3)))
    assert await rig.until_told(3) == [("s-1", "sent", None)] * 3
    await rig.matches(*numbered(1))
    assert (await rig.until_told(4))[3] == ("s-1", "sent", None)


async def test_the_day_is_the_one_on_the_residents_clock(rig: Rig) -> None:
    await rig.resident(messages_a_day=1, timezone="America/St_Johns")
    await rig.matches(match(item("1")))
    await rig.until_told(1)
    rig.clock.time = datetime(2026, 11, 25, 3, 20, tzinfo=UTC)  # 23:50 of the same day there
    await rig.matches(match(item("2")))
    assert (await rig.until_told(2))[1][1:] == ("digested", "attention-budget")
    rig.clock.advance(minutes=20)
    await rig.matches(match(item("3")))
    assert (await rig.until_told(3))[2][1:] == ("sent", None)


async def test_what_quiet_hours_held_counts_on_the_day_on_which_it_is_sent(rig: Rig) -> None:
    await rig.resident(messages_a_day=1, quiet_hours={"begins": "10:00", "ends": "07:00"})
    await rig.matches(*numbered(3))
    await rig.until_told(3)
    rig.clock.time = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
    told = (await rig.until_told(6, passing=1))[3:]
    assert Counter(told) == {("s-1", "sent", None): 1, ("s-1", "digested", "attention-budget"): 2}


async def test_a_message_that_is_tried_again_takes_no_second_place(rig: Rig) -> None:
    await rig.resident(messages_a_day=2)
    failures = [TransientError("busy", reason="unreachable")] * 2
    rig.email.failures[""] = lambda: failures.pop() if failures else None
    await rig.matches(match(item("1")))
    await rig.until_told(1, passing=5)
    await rig.matches(match(item("2")))
    assert await rig.until_told(2) == [("s-1", "sent", None)] * 2


async def test_a_place_that_was_taken_before_a_crash_is_still_the_messages_own(
    settings: Settings, tmp_path: Path
) -> None:
    died = asyncio.Event()

    def crash() -> BaseException:
        died.set()
        return asyncio.CancelledError()

    async with running_rig(settings, tmp_path) as rig:
        await rig.resident(messages_a_day=1)
        rig.email.failures[""] = crash
        await rig.matches(match(item("1")))
        clock = rig.clock
        await asyncio.wait_for(died.wait(), 10)
    clock.advance(minutes=2)
    async with running_rig(settings, tmp_path, clock) as rig:
        assert await rig.until_told(1) == [("s-1", "sent", None)]
        await rig.matches(match(item("2")))
        assert (await rig.until_told(2))[1] == ("s-1", "digested", "attention-budget")


async def test_processes_that_share_a_store_do_not_go_beyond_the_limit_together(
    settings: Settings, tmp_path: Path
) -> None:
    async with running_rig(settings, tmp_path) as one, running_rig(settings, tmp_path, one.clock) as other:
        for number in range(6):
            await one.resident(f"s-{number}", messages_a_day=3, channels=["email", "push"])
            await one.push_to(f"s-{number}", endpoint=f"p-{number}")
        everybody = [f"s-{number}" for number in range(6)]
        await asyncio.gather(
            *(
                rig.matches(match(item(f"{name}{number}"), *everybody))
                for name, rig in (("a", one), ("b", other))
                for number in range(5)
            )
        )

        def all_decided() -> bool:
            one.clock.advance(seconds=0.2)
            told = [delivery for rig in (one, other) for delivery in rig.producer.of(DeliveryV1)]
            return len({(each.subscriber, each.item, each.channel) for each in told}) == 6 * 10 * 2

        await eventually(all_decided, within=30, what="a decision on each message")
        sent = {
            (endpoint.subscriber, message.stories[0].item)
            for rig in (one, other)
            for carrier in (rig.email, rig.push)
            for message, endpoint in carrier.carried
        }
        assert Counter(subscriber for subscriber, _ in sent) == dict.fromkeys(everybody, 3)
        assert {state for _, state, _ in (*one.told(), *other.told())} == {State.SENT, State.DIGESTED}


async def test_who_takes_the_limit_away_hears_of_everything_at_once_again(rig: Rig) -> None:
    await rig.resident(messages_a_day=1)
    await rig.matches(*numbered(2))
    await rig.until_told(2, passing=1)
    await rig.resident(revision=2)
    await rig.matches(match(item("9", title="Sak 9", published_at=NOON)))
    assert (await rig.until_told(3))[2] == ("s-1", "sent", None)


async def test_that_something_is_withdrawn_goes_before_other_news_and_keeps_to_the_limit(rig: Rig) -> None:
    await rig.resident(messages_a_day=2)
    await rig.matches(*numbered(1))
    await rig.content(item("1", title="Sak 1"))
    await rig.until_told(1, passing=1)
    await rig.content(item("1", revision=2, title="Sak 1", lifecycle={"state": "withdrawn"}))
    await rig.notifier.follower.follow_up_once()
    await rig.matches(match(item("2", title="Sak 2")), match(item("3", title="Sak 3")))
    await rig.until_told(4, passing=1)
    assert titles(rig) == ["Sak 1", "Trukket tilbake: Sak 1"]
    rig.clock.time = NEXT_MORNING
    await rig.until_told(6)
    assert sorted(story.title for story in rig.email.carried[2][0].stories) == ["Sak 2", "Sak 3"]
