"""An upgrade: what waits on the topic of the earlier matches is told, once, whatever the later say too."""

import pytest
from kommunepuls_events import Channel, Match, MatchV1, Recipient
from kommunepuls_events.topics import MATCHES, MATCHES_V1
from notifier.testing import AREA, INTEREST, NOON, Rig, item, match, profile, received

REASONS = (AREA, INTEREST)
MANY = [f"s-{number}" for number in range(40)]


def earlier(*subscribers: str) -> MatchV1:
    return MatchV1(
        id="NO-9901/aktuelt/1#1#0#0",
        item=item(),
        shard=0,
        chunk=0,
        recipients=tuple(Recipient(subscriber=one, reasons=REASONS) for one in subscribers),
        matched_at=NOON,
    )


async def take(rig: Rig, *matches: Match) -> None:
    """Let each come on its topic, one after the other."""
    handlers = rig.notifier.intake.handlers()
    for one in matches:
        topic = MATCHES_V1 if isinstance(one, MatchV1) else MATCHES
        assert isinstance(one, topic.contract)
        await handlers[topic]([received(one)])


@pytest.mark.parametrize("later_first", [False, True])
async def test_whom_both_versions_name_is_told_once_by_mail(rig: Rig, later_first: bool) -> None:
    for subscriber in ("s-1", "s-2", "s-3"):
        await rig.resident(subscriber)
    both = [earlier("s-1", "s-2"), match(item(), "s-2", "s-3", reasons=REASONS)]
    await take(rig, *(reversed(both) if later_first else both))
    await rig.until_told(3)
    await rig.settled()
    assert sorted(rig.told()) == [(f"s-{number}", "sent", None) for number in (1, 2, 3)]


@pytest.mark.parametrize("later_first", [False, True])
async def test_whom_both_versions_name_is_told_once_by_push(rig: Rig, later_first: bool) -> None:
    for subscriber in MANY:
        await rig.push_to(subscriber, endpoint=f"p-{subscriber}")
        await rig.profiles(profile(subscriber, channels=[Channel.PUSH]))
    both = [earlier(*MANY[:35]), match(item(), *MANY[3:], reasons=REASONS)]
    await take(rig, *(reversed(both) if later_first else both))
    await rig.until_told(len(MANY))
    await rig.settled()
    assert sorted(rig.told()) == sorted((subscriber, "sent", None) for subscriber in MANY)


async def test_both_versions_give_the_same_reasons(rig: Rig) -> None:
    for subscriber in ("s-1", "s-2"):
        await rig.resident(subscriber)
    await take(rig, earlier("s-1"), match(item(), "s-2", reasons=REASONS))
    await rig.until_told(2)
    first, second = (message.stories[0].reasons for message, _ in rig.email.carried)
    assert first == second
    assert len(first) == 2
