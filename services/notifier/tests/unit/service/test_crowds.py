"""An item to many over web push: in waves, each once, and what is not simple by itself."""

from datetime import timedelta
from pathlib import Path

import pytest
from kommunepuls_chassis.errors import PermanentError, TransientError
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import Channel, ContactAction, DeliveryV1
from notifier.domain.contacts import push_subscription
from notifier.domain.sendings import State
from notifier.records.vault import Endpoint
from notifier.records.waves import MOST_IN_WAVE
from notifier.settings import Settings
from notifier.testing import ALERT, NOON, PUSH_KEYS, Rig, item, match, profile, received, running_rig

MANY = [f"s-{number}" for number in range(40)]


async def residents(rig: Rig, *subscribers: str, **fields: object) -> None:
    for one in subscribers:
        await rig.push_to(one, f"p-{one}")
    await rig.profiles(*(profile(one, channels=("push",), **fields) for one in subscribers))


def reached(rig: Rig) -> list[str]:
    return [endpoint.subscriber for _, endpoint in rig.push.carried]


async def waves(rig: Rig) -> list[dict]:
    return [one.document for one in await rig.notifier.ledger.waves._waves.find({})]


async def test_many_are_reached_once_each_and_told_of_one_by_one(rig: Rig) -> None:
    await residents(rig, *MANY)
    await rig.matches(match(item(), *MANY), match(item(), *MANY[:35]))
    await rig.until_told(len(MANY))
    assert sorted(reached(rig)) == sorted(MANY)
    told = rig.producer.of(DeliveryV1)
    assert {(one.subscriber, one.state, one.endpoint) for one in told} == {
        (one, "sent", f"p-{one}") for one in MANY
    }
    assert {message.stories[0].reasons[0] for message, _ in rig.push.carried} == {
        "du følger området Breidablikk"
    }
    assert await waves(rig), "it went in waves"
    await rig.matches(match(item(), *MANY))
    await residents(rig, "s-new")
    await rig.matches(match(item(), "s-new"))
    await rig.until_told(len(MANY) + 1)
    assert len(reached(rig)) == len(MANY) + 1, "who was reached is not reached again"


async def test_those_reached_by_themselves_before_are_left_out_of_a_wave(rig: Rig) -> None:
    await residents(rig, *MANY)
    await rig.matches(match(item(), *MANY[:3]))
    await rig.until_told(3)
    await rig.matches(match(item(), *MANY))
    await rig.until_told(len(MANY))
    assert sorted(reached(rig)) == sorted(MANY)


async def test_a_wave_is_closed_when_all_in_it_is_told(rig: Rig) -> None:
    await residents(rig, *MANY)
    await rig.matches(match(item(), *MANY))
    await rig.until_told(len(MANY))

    async def closed() -> bool:
        return all(one["queue"] is None and set(one["states"]) == {"t"} for one in await waves(rig))

    await eventually(closed, within=10)


async def test_who_is_not_simply_sent_to_leaves_the_wave_and_is_told_why(rig: Rig) -> None:
    await residents(rig, *MANY)
    await rig.profiles(
        profile("s-0", revision=2, channels=("push",), paused_until=NOON + timedelta(days=1)),
        profile("s-1", revision=2, channels=("push",), cadence="daily"),
        profile("s-2", revision=2, channels=("push",), messages_a_day=1),
    )
    await rig.matches(match(item(), *MANY))
    told = await rig.until_told(len(MANY))
    assert ("s-0", "suppressed", "paused") in told
    assert ("s-1", "digested", "daily-digest") in told
    assert ("s-2", "sent", None) in told
    assert len([one for one in told if one[1] == "sent"]) == len(MANY) - 2


async def test_an_emergency_passes_pause_and_cadence_in_a_wave(rig: Rig) -> None:
    await residents(rig, *MANY, paused_until=NOON + timedelta(days=1), cadence="weekly")
    await rig.matches(match(item(**ALERT), *MANY))
    assert {state for _, state, _ in await rig.until_told(len(MANY))} == {"sent"}
    assert all(message.urgency == "high" for message, _ in rig.push.carried)


async def test_of_matches_that_come_together_an_emergency_is_reserved_first(rig: Rig) -> None:
    await residents(rig, *MANY)
    reserved: list[str] = []
    reserve = rig.notifier.ledger.waves.reserve

    async def noted(recipients, *rest) -> int:
        reserved.append(recipients.item.title)
        return await reserve(recipients, *rest)

    rig.notifier.ledger.waves.reserve = noted
    together = [match(item("1"), *MANY), match(item("2", **ALERT), *MANY)]
    await rig.notifier.intake.take_matches([received(one) for one in together])
    assert reserved == ["Flom i Storelva", "Breidablikk er brøytet"]


async def test_an_exercise_reaches_nobody_in_a_wave(rig: Rig) -> None:
    await residents(rig, *MANY)
    await rig.matches(match(item(exercise=True, **ALERT), *MANY))
    assert {cause for _, _, cause in await rig.until_told(len(MANY))} == {"exercise"}
    assert reached(rig) == []


async def test_dead_and_failing_endpoints_leave_the_wave_and_hold_nobody_up(rig: Rig) -> None:
    await residents(rig, *MANY)
    rig.push.failures["p-s-0"] = lambda: PermanentError("gone", reason="endpoint-gone")
    rig.push.failures["p-s-1"] = lambda: TransientError("down", reason="http-502")
    await rig.matches(match(item(), *MANY))
    told = await rig.until_told(len(MANY) - 1)
    assert ("s-0", "failed", "endpoint-gone") in told
    assert await rig.notifier.vault.get("p-s-0") is None, "retired"
    rig.push.failures.clear()
    rig.clock.advance(minutes=2)
    assert ("s-1", "sent", None) in await rig.until_told(len(MANY))
    assert sorted(reached(rig)) == sorted(MANY[1:])
    assert [one.attempt for one in rig.producer.of(DeliveryV1) if one.subscriber == "s-1"] == [2]


async def test_of_two_devices_the_one_that_fails_is_tried_again_and_the_other_left_in_peace(rig: Rig) -> None:
    await residents(rig, *MANY)
    await rig.push_to("s-0", "p-phone")
    rig.push.failures["p-phone"] = lambda: TransientError("down", reason="http-502")
    await rig.matches(match(item(), *MANY))
    await rig.until_told(len(MANY))
    rig.push.failures.clear()
    rig.clock.advance(minutes=2)
    await eventually(lambda: len(rig.push.carried) == len(MANY) + 1, within=10)
    assert [endpoint.id for _, endpoint in rig.push.carried if endpoint.subscriber == "s-0"] == [
        "p-s-0",
        "p-phone",
    ]
    assert len(rig.told()) == len(MANY)


async def test_those_a_wave_has_reached_are_followed_up_in_one(rig: Rig) -> None:
    await residents(rig, *MANY)
    await rig.content(item())
    await rig.matches(match(item(), *MANY))
    await rig.until_told(len(MANY))
    await rig.content(item(revision=2, lifecycle={"state": "withdrawn", "news": True}))
    await rig.until_told(2 * len(MANY))
    assert sorted(reached(rig)) == sorted(MANY * 2)
    assert {message.title for message, _ in rig.push.carried[len(MANY) :]} == {
        "Trukket tilbake: Breidablikk er brøytet"
    }


async def test_who_is_matched_again_after_a_wave_hears_that_it_was_told_before(rig: Rig) -> None:
    await residents(rig, *MANY)
    await rig.matches(match(item(), *MANY))
    await rig.until_told(len(MANY))
    changed = item(revision=2, title="Breidablikk er strødd", lifecycle={"state": "updated", "news": True})
    await rig.matches(match(changed, *MANY))
    await rig.until_told(2 * len(MANY))
    assert {message.title for message, _ in rig.push.carried[len(MANY) :]} == {
        "Rettet: Breidablikk er strødd"
    }


async def test_an_erased_resident_is_in_no_wave_any_more(rig: Rig) -> None:
    await residents(rig, *MANY)
    await rig.matches(match(item(), *MANY))
    await rig.until_told(len(MANY))
    await rig.command(ContactAction.ERASE, subscriber="s-3")
    ledger = rig.notifier.ledger
    lists = [one.document["subscribers"] for one in await ledger.waves._lists.find({})]
    assert all("s-3" not in one for one in lists)
    assert await ledger._sendings.count({"subscriber": "s-3"}) == 0
    sent = [one.subscriber async for page in ledger.told_of("NO-9901/aktuelt/1", 2) for one in page]
    assert sorted(sent) == sorted(set(MANY) - {"s-3"})


async def test_a_message_in_a_wave_can_be_asked_for_by_its_key(rig: Rig) -> None:
    await residents(rig, *MANY)
    await rig.matches(match(item(), *MANY))
    await rig.until_told(len(MANY))
    [mark] = await rig.notifier.ledger._sendings.find({"subscriber": "s-7"})

    async def sent() -> bool:
        found = await rig.notifier.ledger.get(mark.key)
        return (found.subscriber, found.state) == ("s-7", State.SENT)

    await eventually(sent, within=10)


async def test_old_waves_are_forgotten(rig: Rig) -> None:
    await residents(rig, *MANY)
    await rig.matches(match(item(), *MANY))
    await rig.until_told(len(MANY))
    rig.clock.advance(days=91)
    await rig.notifier.housekeeper.clean_once()
    assert await waves(rig) == []
    assert await rig.notifier.ledger.waves._lists.count({}) == 0


async def test_of_many_that_come_together_the_first_thousand_are_sent_to_while_the_others_are_reserved(
    rig: Rig,
) -> None:
    crowd = [f"s-{number}" for number in range(2500)]
    await rig.notifier.vault.register_many([endpoint(one) for one in crowd], rig.clock())
    await rig.notifier.intake._knowledge.keep_profiles(profile(one, channels=("push",)) for one in crowd)
    reserved, reserve = [], rig.notifier.ledger.waves.reserve

    async def noted(recipients, *rest) -> int:
        reserved.append(len(recipients.reasons))
        return await reserve(recipients, *rest)

    rig.notifier.ledger.waves.reserve = noted
    await rig.matches(*(match(item(**ALERT), *crowd[start : start + 500]) for start in range(0, 2500, 500)))
    assert reserved == [1000, 1500]
    await eventually(lambda: len(reached(rig)) >= len(crowd), within=60)
    assert sorted(reached(rig)) == sorted(crowd)


async def test_more_than_one_wave_holds_are_all_reached(rig: Rig) -> None:
    crowd = [f"s-{number}" for number in range(MOST_IN_WAVE * 4 + 100)]
    now = rig.clock()
    await rig.notifier.vault.register_many(
        [endpoint(one) for one in crowd],
        now,
    )
    await rig.notifier.intake._knowledge.keep_profiles(profile(one, channels=("push",)) for one in crowd)
    for start in range(0, len(crowd), 700):
        await rig.matches(match(item(**ALERT), *crowd[start : start + 700]))
    await eventually(lambda: len(reached(rig)) >= len(crowd), within=60)
    assert sorted(reached(rig)) == sorted(crowd)


def endpoint(subscriber: str) -> Endpoint:
    contact = push_subscription({"endpoint": f"https://push.example/{subscriber}", **PUSH_KEYS})
    return Endpoint(f"p-{subscriber}", subscriber, Channel.PUSH, contact)


@pytest.mark.parametrize("died", ["before the marks", "after the marks"])
async def test_who_died_while_reserving_leaves_a_wave_that_is_sent_when_its_lease_ends(
    settings: Settings, tmp_path: Path, died: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_rig(settings, tmp_path) as first:
        await residents(first, *MANY)
        waves = first.notifier.ledger.waves
        broken = waves._sendings if died == "before the marks" else waves._waves
        name = "insert_many" if died == "before the marks" else "patch_many"

        async def dies(*_: object, **__: object) -> None:
            raise ConnectionError("killed")

        with monkeypatch.context() as patched:
            patched.setattr(broken, name, dies)
            with pytest.raises(ConnectionError):
                await first.matches(match(item(), *MANY))
        assert first.push.carried == []
    async with running_rig(settings, tmp_path) as second:
        # Kafka brings it again, since its offset was not committed.
        await second.matches(match(item(), *MANY))
        second.clock.advance(hours=1)
        await second.until_told(len(MANY), passing=1)
        assert sorted(reached(second)) == sorted(MANY)


async def test_a_sender_that_died_before_telling_a_wave_leaves_it_to_be_told_not_sent(
    settings: Settings, tmp_path: Path
) -> None:
    async with running_rig(settings, tmp_path) as first:
        await residents(first, *MANY)

        async def broken(*_: object) -> None:
            raise ConnectionError("no broker")

        first.producer.publish_many = broken
        await first.matches(match(item(), *MANY))
        await eventually(lambda: len(first.push.carried) == len(MANY), within=10)

        async def written() -> bool:
            return all("r" not in one["states"] for one in await waves(first))

        await eventually(written, within=10)
    async with running_rig(settings, tmp_path) as second:
        second.clock.advance(hours=1)
        await second.until_told(len(MANY))
        assert second.push.carried == [], "it was sent by the first"
        assert {one.subscriber for one in second.producer.of(DeliveryV1)} == set(MANY)


async def test_what_a_wave_had_not_sent_when_it_died_is_sent_by_the_next(
    settings: Settings, tmp_path: Path
) -> None:
    async with running_rig(settings, tmp_path) as first:
        await residents(first, *MANY)
        asked = []

        def silent(message, deliveries, *, first) -> None:
            for endpoint, done in deliveries:
                asked.append(endpoint.subscriber)
                if len(asked) <= 10:
                    done(None, lambda: None)  # the others get no answer

        first.push.begin = silent
        await first.matches(match(item(), *MANY))
        await eventually(lambda: len(asked) == len(MANY) and len(first.told()) == 10, within=10)
        for task in list(first.notifier.crowds.in_hand):
            task.cancel()
    async with running_rig(settings, tmp_path) as second:
        second.clock.advance(hours=1)
        await second.until_told(len(MANY) - 10)
        assert sorted(reached(second)) == sorted(asked[10:])
