"""Returned mails: believed when they name a mail of ours."""

from kommunepuls_events import DeliveryV1
from notifier.domain.bounces import SOFT_BOUNCES_THAT_COUNT, Bounce, Effect
from notifier.domain.identity import message_id
from notifier.testing import Rig, item, match


async def sent_id(rig: Rig) -> str:
    await rig.resident()
    await rig.matches(match(item()))
    await rig.until_told(1)
    return message_id(rig.email.carried[0][0].key, "fjordvik.example")


async def in_use(rig: Rig) -> bool:
    return await rig.notifier.vault.get("m-s-1") is not None


async def test_a_hard_bounce_of_our_mail_retires_the_address_and_tells_of_the_failure(rig: Rig) -> None:
    original = await sent_id(rig)
    await rig.notifier.bounces.take([Bounce(Effect.HARD, "no-such-address", "s-1@post.example", original)])
    assert not await in_use(rig)
    assert rig.told()[-1] == ("s-1", "failed", "hard-bounce")
    assert rig.producer.of(DeliveryV1)[-1].endpoint == "m-s-1"


async def test_a_bounce_from_where_the_mailbox_forwards_to_retires_the_address_it_was_sent_to(
    rig: Rig,
) -> None:
    original = await sent_id(rig)
    await rig.notifier.bounces.take([Bounce(Effect.HARD, "no-such-address", "else@where.example", original)])
    assert not await in_use(rig)


async def test_a_made_up_bounce_with_an_address_alone_does_not_retire_it(rig: Rig) -> None:
    await sent_id(rig)
    forged = Bounce(Effect.HARD, "no-such-address", "S-1@POST.example", "<kp.made-up@fjordvik.example>")
    await rig.notifier.bounces.take([forged])
    assert await in_use(rig)


async def test_soft_bounces_retire_an_address_when_they_are_many(rig: Rig) -> None:
    original = await sent_id(rig)
    soft = Bounce(Effect.SOFT, "mailbox-full", "s-1@post.example", original)
    for _ in range(SOFT_BOUNCES_THAT_COUNT - 1):
        await rig.notifier.bounces.take([soft])
        rig.clock.advance(days=1)
    assert await in_use(rig)
    await rig.notifier.bounces.take([soft])
    assert not await in_use(rig)


async def test_soft_bounces_long_ago_do_not_count(rig: Rig) -> None:
    original = await sent_id(rig)
    for _ in range(3 * SOFT_BOUNCES_THAT_COUNT):
        await rig.notifier.bounces.take([Bounce(Effect.SOFT, "later", "s-1@post.example", original)])
        rig.clock.advance(days=5)
    assert await in_use(rig)


async def test_a_complaint_stops_the_mail(rig: Rig) -> None:
    original = await sent_id(rig)
    await rig.notifier.bounces.take([Bounce(Effect.COMPLAINT, "abuse", "", original)])
    assert not await in_use(rig)
    await rig.matches(match(item("2")))
    assert (await rig.until_told(2))[1] == ("s-1", "suppressed", "no-endpoint")


async def test_an_auto_reply_changes_nothing(rig: Rig) -> None:
    original = await sent_id(rig)
    await rig.notifier.bounces.take([Bounce(Effect.NONE, "auto-reply", "s-1@post.example", original)])
    assert await in_use(rig)
    assert len(rig.told()) == 1
