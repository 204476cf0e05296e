"""A message about one item, from the match to what became of it."""

from datetime import timedelta
from pathlib import Path

from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import ContactAction, DeliveryV1
from notifier.settings import Settings
from notifier.testing import ALERT, NOON, Rig, item, match, profile, running_rig


async def test_a_match_reaches_the_resident_with_its_reasons(rig: Rig) -> None:
    await rig.resident()
    await rig.matches(match(item()))
    assert await rig.until_told(1) == [("s-1", "sent", None)]
    [(message, endpoint)] = rig.email.carried
    assert endpoint.contact.address == "s-1@post.example"
    assert message.title == "Breidablikk er brøytet"
    assert message.stories[0].reasons == (
        "du følger området Breidablikk",
        "du følger temaet Brøyting og strøing",
    )


async def test_the_same_match_again_reaches_nobody_twice(rig: Rig) -> None:
    await rig.resident()
    await rig.matches(match(item()), match(item()))
    await rig.until_told(1)
    await rig.matches(match(item()))
    await rig.resident("s-2")
    await rig.matches(match(item(), "s-1", "s-2"))
    await rig.until_told(2)
    assert [endpoint.subscriber for _, endpoint in rig.email.carried] == ["s-1", "s-2"]


async def test_an_exercise_is_never_sent(rig: Rig) -> None:
    await rig.resident()
    await rig.matches(match(item(exercise=True, **ALERT)))
    assert await rig.until_told(1) == [("s-1", "suppressed", "exercise")]
    assert rig.email.carried == []


async def test_a_paused_resident_hears_of_emergencies_alone(rig: Rig) -> None:
    await rig.resident(paused_until=NOON + timedelta(days=1))
    await rig.matches(match(item()))
    assert await rig.until_told(1) == [("s-1", "suppressed", "paused")]
    await rig.matches(match(item("2", **ALERT)))
    assert (await rig.until_told(2))[1] == ("s-1", "sent", None)


async def test_a_profile_that_comes_after_its_match_is_waited_for(rig: Rig) -> None:
    await rig.mail_to()
    await rig.matches(match(item()))
    await rig.profiles(profile())
    assert set(await rig.until_told(2, passing=1)) == {
        ("s-1", "sent", None),
        ("s-1", "suppressed", "channel-off"),
    }


async def test_a_resident_of_whom_nothing_is_known_is_given_up(rig: Rig) -> None:
    await rig.matches(match(item()))
    assert set(await rig.until_told(2, passing=30)) == {("s-1", "suppressed", "no-profile")}


async def test_a_channel_without_endpoint_is_suppressed_at_once(rig: Rig) -> None:
    await rig.resident(channels=("email", "push"))
    await rig.matches(match(item()))
    assert sorted(await rig.until_told(2)) == [("s-1", "sent", None), ("s-1", "suppressed", "no-endpoint")]


async def test_a_new_residents_second_endpoint_is_waited_for_and_not_for_ever(rig: Rig) -> None:
    await rig.resident(channels=("email", "push"), changed_at=rig.clock())
    await rig.resident("s-2", channels=("email", "push"), changed_at=rig.clock())
    await rig.matches(match(item(), "s-1", "s-2"))
    await rig.until_told(2)
    await rig.push_to()
    told = await rig.until_told(4, passing=2)
    assert sorted(told) == [
        ("s-1", "sent", None),
        ("s-1", "sent", None),
        ("s-2", "sent", None),
        ("s-2", "suppressed", "no-endpoint"),
    ]


async def test_one_dead_endpoint_does_not_keep_a_message_from_the_other(rig: Rig) -> None:
    await rig.push_to(endpoint="p-dead")
    await rig.push_to(endpoint="p-alive")
    await rig.profiles(profile(channels=("push",)))
    rig.push.failures["p-dead"] = lambda: PermanentError("gone", reason="endpoint-gone")
    await rig.matches(match(item()))
    assert await rig.until_told(1) == [("s-1", "sent", None)]
    assert [endpoint.id for _, endpoint in rig.push.carried] == ["p-alive"]
    assert await rig.notifier.vault.get("p-dead") is None, "retired"
    await rig.matches(match(item("2")))
    await rig.until_told(2)
    assert [endpoint.id for _, endpoint in rig.push.carried] == ["p-alive", "p-alive"]


async def test_a_failing_endpoint_is_tried_again_and_the_reached_one_is_left_in_peace(rig: Rig) -> None:
    await rig.push_to(endpoint="p-slow")
    await rig.push_to(endpoint="p-fine")
    await rig.profiles(profile(channels=("push",)))
    rig.push.failures["p-slow"] = lambda: TransientError("down", reason="http-502")
    await rig.matches(match(item()))
    await rig.until_told(1)
    rig.push.failures.clear()
    rig.clock.advance(minutes=2)
    await eventually(lambda: len(rig.push.carried) == 2, within=10)
    assert [endpoint.id for _, endpoint in rig.push.carried] == ["p-fine", "p-slow"]
    assert rig.told() == [("s-1", "sent", None)]


async def test_a_failure_that_passes_is_tried_later_with_the_same_key(rig: Rig) -> None:
    await rig.resident()
    keys = []
    rig.email.failures[""] = lambda: TransientError("down", reason="unreachable")
    await rig.matches(match(item()))
    await rig.settle_after_attempt(1)
    assert rig.told() == []
    rig.email.failures.clear()
    rig.clock.advance(seconds=20)
    assert await rig.until_told(1) == [("s-1", "sent", None)]
    keys = {message.key for message, _ in rig.email.carried}
    assert len(keys) == 1
    assert rig.producer.of(DeliveryV1)[0].attempt == 2


async def test_what_a_provider_asks_for_is_waited(rig: Rig) -> None:
    await rig.resident()
    rig.email.failures[""] = lambda: ThrottledError("slow down", delay_seconds=600)
    await rig.matches(match(item()))
    await rig.settle_after_attempt(1)
    rig.email.failures.clear()
    assert (await rig.sending()).due_at == NOON + timedelta(seconds=600)


async def test_a_failure_without_end_ends_in_a_named_state(rig: Rig) -> None:
    await rig.resident()
    rig.email.failures[""] = lambda: TransientError("down", reason="unreachable")
    await rig.matches(match(item()))
    attempts = 0
    while not rig.told():
        attempts += 1
        await rig.settle_after_attempt(attempts)
        rig.clock.advance(hours=1)
        assert attempts < 60
    assert rig.told() == [("s-1", "failed", "unreachable")]
    assert rig.producer.of(DeliveryV1)[0].permanence == "transient"


async def test_a_refused_message_fails_for_good_and_the_address_is_kept(rig: Rig) -> None:
    await rig.resident()
    rig.email.failures[""] = lambda: PermanentError("policy", reason="refused")
    await rig.matches(match(item()))
    assert await rig.until_told(1) == [("s-1", "failed", "refused")]
    assert await rig.notifier.vault.get("m-s-1") is not None


async def test_an_error_of_ours_blocks_nobody_and_is_tried_again(rig: Rig) -> None:
    await rig.resident("s-1")
    await rig.resident("s-2")
    rig.email.failures["m-s-1"] = lambda: ZeroDivisionError()
    await rig.matches(match(item(), "s-1", "s-2"))
    assert await rig.until_told(1) == [("s-2", "sent", None)]
    rig.email.failures.clear()
    rig.clock.advance(seconds=20)
    assert ("s-1", "sent", None) in await rig.until_told(2)


async def test_who_was_erased_gets_nothing_and_is_not_spoken_of(rig: Rig) -> None:
    await rig.resident("s-1")
    await rig.resident("s-2")
    await rig.command(ContactAction.ERASE, subscriber="s-1")
    await rig.matches(match(item(), "s-1", "s-2"))
    assert await rig.until_told(1) == [("s-2", "sent", None)]
    assert await rig.notifier.vault.active(["s-1"]) == {}


async def test_a_sender_that_died_before_telling_leaves_it_to_be_told_not_sent(
    settings: Settings, tmp_path: Path
) -> None:
    async with running_rig(settings, tmp_path) as first:
        await first.resident()

        async def broken(*_: object) -> None:
            raise ConnectionError("no broker")

        first.producer.publish = broken  # the process dies between the mail and the event
        await first.matches(match(item()))
        await eventually(lambda: first.email.carried, within=10)
        await first.settle_after_attempt(1)
    async with running_rig(settings, tmp_path) as second:
        second.clock.advance(hours=1)
        assert await second.until_told(1) == [("s-1", "sent", None)]
        assert second.email.carried == [], "it was sent by the first"
