"""Quiet hours, daily and weekly digests: held or digested, told so, and really delivered later."""

from datetime import UTC, datetime, timedelta

from kommunepuls_events import DeliveryV1
from notifier.testing import ALERT, NOON, Rig, item, match, profile

NIGHT = {"quiet_hours": {"begins": "10:00", "ends": "15:00"}}


async def test_what_comes_in_quiet_hours_is_held_and_sent_when_they_end(rig: Rig) -> None:
    await rig.resident(**NIGHT)
    await rig.matches(match(item()))
    assert await rig.until_told(1) == [("s-1", "held", "quiet-hours")]
    assert (await rig.sending()).due_at == datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
    assert rig.email.carried == []
    rig.clock.advance(hours=3)
    assert (await rig.until_told(2))[1] == ("s-1", "sent", None)


async def test_an_emergency_passes_quiet_hours_and_digests(rig: Rig) -> None:
    await rig.resident(cadence="weekly", **NIGHT)
    await rig.matches(match(item(**ALERT)))
    assert await rig.until_told(1) == [("s-1", "sent", None)]


async def test_a_daily_digest_holds_all_of_a_day_in_one_mail(rig: Rig) -> None:
    await rig.resident(cadence="daily")
    await rig.matches(match(item("1")), match(item("2", title="Vannet stenges")))
    assert await rig.until_told(2) == [("s-1", "digested", "daily-digest")] * 2
    rig.clock.time = datetime(2026, 11, 25, 6, 2, tzinfo=UTC)
    assert (await rig.until_told(4))[2:] == [("s-1", "sent", None)] * 2
    [(message, _)] = rig.email.carried
    assert message.title == "Breidablikk er brøytet – og én til"
    assert message.heading == "2 nyheter fra Fjordvik kommune"
    assert [story.title for story in message.stories] == ["Breidablikk er brøytet", "Vannet stenges"]
    assert {one.item for one in rig.producer.of(DeliveryV1)[2:]} == {"NO-9901/aktuelt/1", "NO-9901/aktuelt/2"}


async def test_a_digest_leaves_out_what_was_withdrawn_meanwhile(rig: Rig) -> None:
    await rig.resident(cadence="daily")
    await rig.matches(match(item("1")), match(item("2")))
    await rig.until_told(2)
    await rig.content(item("1", revision=2, lifecycle={"state": "withdrawn"}))
    rig.clock.advance(days=1)
    assert set((await rig.until_told(4))[2:]) == {("s-1", "suppressed", "withdrawn"), ("s-1", "sent", None)}
    assert len(rig.email.carried[0][0].stories) == 1


async def test_a_digest_of_nothing_is_not_sent(rig: Rig) -> None:
    await rig.resident(cadence="daily")
    await rig.matches(match(item(valid_until=NOON + timedelta(hours=1))))
    await rig.until_told(1)
    rig.clock.advance(days=1)
    assert (await rig.until_told(2))[1] == ("s-1", "suppressed", "expired")
    assert rig.email.carried == []


async def test_a_digest_that_fails_is_tried_again_and_tells_of_each_item_once(rig: Rig) -> None:
    await rig.resident(cadence="daily")
    await rig.matches(match(item("1")), match(item("2")))
    await rig.until_told(2)
    failures = [ZeroDivisionError(), ZeroDivisionError()]
    rig.email.failures[""] = lambda: failures.pop() if failures else None
    rig.clock.advance(days=1)
    assert (await rig.until_told(4, passing=20))[2:] == [("s-1", "sent", None)] * 2
    assert len(rig.email.carried) == 1


async def test_each_resident_gets_a_digest_of_their_own(rig: Rig) -> None:
    await rig.resident("s-1", cadence="daily")
    await rig.resident("s-2", cadence="daily", timezone="Pacific/Auckland")
    await rig.matches(match(item(), "s-1", "s-2"))
    await rig.until_told(2)
    rig.clock.time = datetime(2026, 11, 24, 18, 2, tzinfo=UTC)
    await rig.until_told(3)
    assert [endpoint.subscriber for _, endpoint in rig.email.carried] == ["s-2"]
    rig.clock.time = datetime(2026, 11, 25, 6, 2, tzinfo=UTC)
    await rig.until_told(4)
    assert [endpoint.subscriber for _, endpoint in rig.email.carried] == ["s-2", "s-1"]


async def test_who_mutes_a_topic_overnight_is_not_told_in_the_morning(rig: Rig) -> None:
    await rig.resident(**NIGHT)
    await rig.matches(match(item()))
    await rig.until_told(1)
    await rig.profiles(profile(revision=2, muted={"interests": ["winter-maintenance"]}))
    rig.clock.advance(hours=4)
    assert (await rig.until_told(2))[1] == ("s-1", "suppressed", "muted")
