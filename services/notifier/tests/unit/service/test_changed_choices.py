"""What waits for a digest while the resident changes their mind, or the item changes: not missed, not told twice."""

import asyncio
from datetime import UTC, datetime, timedelta

from kommunepuls_chassis.errors import TransientError
from kommunepuls_events import ContactAction
from notifier.testing import NOON, Rig, item, match, profile

WEDNESDAY, THURSDAY, FRIDAY = (datetime(2026, 11, day, 6, 2, tzinfo=UTC) for day in (25, 26, 27))
ENDED = {"lifecycle": {"state": "updated", "news": True}, "valid_until": NOON - timedelta(minutes=1)}


def stories(rig: Rig) -> list[list[str]]:
    return [[story.title for story in message.stories] for message, _ in rig.email.carried]


async def waiting_resident(rig: Rig, **fields: object) -> None:
    await rig.resident(**fields)
    await rig.matches(match(item("1", title="Sak 1")))
    await rig.until_told(1)


async def test_from_daily_to_weekly_what_waits_comes_when_it_was_promised_and_the_rest_on_the_weekday(
    rig: Rig,
) -> None:
    await waiting_resident(rig, cadence="daily")
    await rig.profiles(profile(revision=2, cadence="weekly"))
    await rig.matches(match(item("2", title="Sak 2")))
    await rig.until_told(2)
    await rig.let_pass(WEDNESDAY)
    assert stories(rig) == [["Sak 1", "Sak 2"]]
    await rig.matches(match(item("3", title="Sak 3")))
    await rig.let_pass(FRIDAY + timedelta(days=8))
    assert stories(rig) == [["Sak 1", "Sak 2"], ["Sak 3"]]


async def test_from_weekly_to_daily_everything_comes_in_one_mail_the_next_morning(rig: Rig) -> None:
    await waiting_resident(rig, cadence="weekly")
    await rig.profiles(profile(revision=2, cadence="daily"))
    await rig.matches(match(item("2", title="Sak 2")))
    await rig.let_pass(FRIDAY)
    assert stories(rig) == [["Sak 1", "Sak 2"]]


async def test_from_weekly_to_immediately_what_waited_comes_the_next_morning_and_the_new_at_once(
    rig: Rig,
) -> None:
    await waiting_resident(rig, cadence="weekly")
    await rig.profiles(profile(revision=2))
    await rig.matches(match(item("2", title="Sak 2")))
    await rig.until_told(2)
    assert stories(rig) == [["Sak 2"]]
    await rig.let_pass(FRIDAY)
    assert stories(rig) == [["Sak 2"], ["Sak 1"]]


async def test_through_every_cadence_in_one_afternoon_each_item_is_told_once(rig: Rig) -> None:
    await waiting_resident(rig, cadence="daily")
    for revision, cadence in enumerate(("weekly", "immediately", "weekly", "daily"), start=2):
        await rig.profiles(profile(revision=revision, cadence=cadence))
        await rig.matches(match(item(str(revision), title=f"Sak {revision}")))
        await rig.until_told(revision)
    await rig.let_pass(FRIDAY + timedelta(days=8))
    assert stories(rig) == [["Sak 3"], ["Sak 1", "Sak 2", "Sak 4", "Sak 5"]]


async def test_who_switches_everything_off_gets_nothing_and_is_told_why(rig: Rig) -> None:
    await waiting_resident(rig, cadence="daily")
    await rig.profiles(profile(revision=2, cadence="daily", channels=[]))
    await rig.let_pass(WEDNESDAY)
    assert (stories(rig), rig.told()[1:]) == ([], [("s-1", "suppressed", "channel-off")])


async def test_who_moves_from_mail_to_push_gets_there_what_waited(rig: Rig) -> None:
    await waiting_resident(rig, cadence="weekly")
    await rig.push_to()
    await rig.profiles(profile(revision=2, cadence="weekly", channels=["push"]))
    await rig.let_pass(FRIDAY)
    assert stories(rig) == []
    assert [[one.title for one in message.stories] for message, _ in rig.push.carried] == [["Sak 1"]]


async def test_who_drops_one_of_two_channels_is_not_told_twice_on_the_other(rig: Rig) -> None:
    await rig.push_to()
    await rig.resident(channels=["email", "push"], quiet_hours={"begins": "10:00", "ends": "15:00"})
    await rig.matches(match(item("1", title="Sak 1")))
    await rig.until_told(2)
    await rig.profiles(profile(revision=2, channels=["push"]))
    await rig.let_pass(WEDNESDAY)
    assert (len(rig.email.carried), len(rig.push.carried)) == (0, 1)


async def test_a_digest_that_falls_into_a_pause_is_not_sent(rig: Rig) -> None:
    await waiting_resident(rig, cadence="daily")
    await rig.profiles(profile(revision=2, cadence="daily", paused_until=WEDNESDAY + timedelta(hours=1)))
    await rig.let_pass(WEDNESDAY)
    await rig.let_pass(THURSDAY)
    assert (stories(rig), rig.told()[1:]) == ([], [("s-1", "suppressed", "paused")])


async def test_who_is_erased_leaves_no_digest_behind(rig: Rig) -> None:
    await waiting_resident(rig, cadence="daily")
    await rig.command(ContactAction.ERASE)
    await rig.let_pass(WEDNESDAY)
    assert stories(rig) == []
    assert await rig.notifier.ledger._sendings.count({}) == 0


async def test_who_moves_to_another_time_zone_gets_the_digest_at_that_mornings_hour_once(rig: Rig) -> None:
    await waiting_resident(rig, cadence="daily")
    await rig.profiles(profile(revision=2, cadence="daily", timezone="Asia/Kolkata"))
    rig.clock.time = datetime(2026, 11, 25, 1, 29, tzinfo=UTC)
    await rig.settled()
    assert stories(rig) == []
    rig.clock.time = datetime(2026, 11, 25, 1, 32, tzinfo=UTC)  # 07:02 in Kolkata
    await rig.settled()
    assert stories(rig) == [["Sak 1"]]
    await rig.let_pass(THURSDAY)
    assert stories(rig) == [["Sak 1"]]


async def test_a_digest_due_in_quiet_hours_comes_when_they_end(rig: Rig) -> None:
    await waiting_resident(rig, cadence="daily", quiet_hours={"begins": "22:00", "ends": "09:30"})
    await rig.let_pass(WEDNESDAY + timedelta(hours=2))
    assert stories(rig) == []
    await rig.let_pass(WEDNESDAY + timedelta(hours=3))
    assert stories(rig) == [["Sak 1"]]


async def test_an_item_that_was_revised_while_it_waited_is_told_once_as_it_is_now(rig: Rig) -> None:
    await waiting_resident(rig, cadence="daily")
    for revision in (2, 3):
        newer = item("1", revision=revision, title=f"Sak 1.{revision}", lifecycle={"state": "updated"})
        await rig.matches(match(newer))
        await rig.content(newer)
    await rig.let_pass(THURSDAY)
    assert stories(rig) == [["Sak 1.3"]]
    assert rig.email.carried[0][0].stories[0].mark == ""


async def test_a_correction_that_is_no_news_is_in_the_digest_all_the_same(rig: Rig) -> None:
    await waiting_resident(rig, cadence="daily")
    await rig.content(
        item("1", title="Sak 1"),
        item("1", revision=2, title="Sak nr. 1", lifecycle={"state": "updated", "news": False}),
    )
    await rig.let_pass(THURSDAY)
    assert stories(rig) == [["Sak nr. 1"]]


async def test_a_condition_that_was_replaced_in_the_night_is_dropped(rig: Rig) -> None:
    """A new snowfall ends what a plough did: no news, but "is ploughed" is not true any more."""
    await rig.resident(quiet_hours={"begins": "10:00", "ends": "07:00"})
    ploughed = item("1", kind="condition")
    await rig.matches(match(ploughed))
    await rig.content(ploughed)
    await rig.until_told(1)
    over = {"lifecycle": {"state": "updated", "news": False}, "valid_until": NOON + timedelta(hours=9)}
    await rig.content(item("1", revision=2, kind="condition", **over))
    await rig.let_pass(WEDNESDAY)
    assert (stories(rig), rig.told()[1:]) == ([], [("s-1", "suppressed", "expired")])


async def test_that_it_is_over_is_told_to_those_alone_who_heard_of_it(rig: Rig) -> None:
    await rig.resident("s-1")
    await rig.resident("s-2", cadence="daily")
    closed, back = (
        item("1", title="Vannet er stengt"),
        item("1", revision=2, title="Vannet er tilbake", **ENDED),
    )
    await rig.matches(match(closed, "s-1", "s-2"))
    await rig.content(closed)
    await rig.until_told(2)
    await rig.content(back)
    await rig.matches(match(back, "s-1", "s-2"))
    await rig.notifier.follower.follow_up_once()
    await rig.let_pass(THURSDAY)
    assert [(endpoint.subscriber, message.title) for message, endpoint in rig.email.carried] == [
        ("s-1", "Vannet er stengt"),
        ("s-1", "Over: Vannet er tilbake"),
    ]
    assert {told for told in rig.told() if told[0] == "s-2"} == {
        ("s-2", "digested", "daily-digest"),
        ("s-2", "suppressed", "superseded"),
        ("s-2", "suppressed", "expired"),
    }


async def test_what_is_withdrawn_after_its_digest_is_told_in_the_next(rig: Rig) -> None:
    await waiting_resident(rig, cadence="daily")
    await rig.content(item("1", title="Sak 1"))
    await rig.let_pass(WEDNESDAY)
    await rig.content(item("1", revision=2, title="Sak 1", lifecycle={"state": "withdrawn"}))
    await rig.notifier.follower.follow_up_once()
    await rig.let_pass(THURSDAY)
    assert [[story.heading for story in message.stories] for message, _ in rig.email.carried] == [
        ["Sak 1"], ["Trukket tilbake: Sak 1"],
    ]  # fmt: skip


async def test_what_is_withdrawn_while_its_digest_is_on_the_way_is_followed_up(rig: Rig) -> None:
    await waiting_resident(rig, cadence="daily")
    withdrawn = item("1", revision=2, title="Sak 1", lifecycle={"state": "withdrawn"})
    tasks: list[asyncio.Task] = []
    carry = rig.email.carry

    async def carry_late(message, endpoint, *, first) -> None:
        if not tasks:
            tasks.append(asyncio.create_task(rig.content(withdrawn)))
            await tasks[0]
            # Nobody was sent it yet, as far as the ledger says.
            await rig.notifier.follower.follow_up_once()
        await carry(message, endpoint, first=first)

    rig.email.carry = carry_late
    await rig.let_pass(FRIDAY)
    assert [[story.heading for story in message.stories] for message, _ in rig.email.carried] == [
        ["Sak 1"], ["Trukket tilbake: Sak 1"],
    ]  # fmt: skip


async def test_what_was_put_into_a_digest_too_late_is_in_the_next(rig: Rig) -> None:
    await waiting_resident(rig, cadence="daily")
    sendings = rig.notifier.ledger._sendings
    [stored] = await sendings.find({"item": "NO-9901/aktuelt/1"})
    await rig.let_pass(WEDNESDAY)
    # As if its process had stood still until after the digest was sent, and wrote it down only now.
    await sendings.patch(stored.key, stored.document)
    await rig.let_pass(FRIDAY)
    assert stories(rig) == [["Sak 1"]] * 2


async def test_what_is_called_off_in_the_night_is_told_when_quiet_hours_end_once(rig: Rig) -> None:
    await rig.resident(quiet_hours={"begins": "13:00", "ends": "07:00"})
    concert = item("1", title="Konsert")
    await rig.matches(match(concert))
    await rig.content(concert)
    await rig.until_told(1)
    rig.clock.advance(hours=8)
    await rig.content(item("1", revision=2, title="Konsert", lifecycle={"state": "withdrawn"}))
    await rig.settled()
    assert [message.title for message, _ in rig.email.carried] == ["Konsert"]
    await rig.let_pass(THURSDAY, hours=1)
    assert [message.title for message, _ in rig.email.carried] == ["Konsert", "Trukket tilbake: Konsert"]


async def test_what_came_and_was_called_off_in_the_same_night_is_never_told(rig: Rig) -> None:
    await rig.resident(quiet_hours={"begins": "10:00", "ends": "07:00"})
    concert = item("1", title="Konsert")
    await rig.matches(match(concert))
    await rig.content(concert)
    await rig.until_told(1)
    await rig.content(item("1", revision=2, title="Konsert", lifecycle={"state": "withdrawn"}))
    await rig.let_pass(THURSDAY)
    assert (rig.email.carried, rig.told()[1:]) == ([], [("s-1", "suppressed", "withdrawn")])


async def test_a_digest_that_waits_for_its_provider_and_the_next_one_share_nothing(rig: Rig) -> None:
    await waiting_resident(rig, cadence="daily")
    down = [True]
    rig.email.failures[""] = lambda: TransientError("down", reason="unreachable") if down else None
    await rig.let_pass(WEDNESDAY, hours=1)
    await rig.matches(match(item("2", title="Sak 2")))
    await rig.let_pass(THURSDAY, hours=1)
    assert stories(rig) == []
    down.clear()
    await rig.let_pass(THURSDAY + timedelta(hours=5), hours=1)
    assert sorted(stories(rig)) == [["Sak 1"], ["Sak 2"]]
