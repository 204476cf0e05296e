"""Items that change or are withdrawn after residents were told of them."""

from dataclasses import replace

from kommunepuls_events import Channel, DeliveryV1
from notifier.domain.identity import item_key
from notifier.domain.messages import Message
from notifier.testing import ALERT, AREA, Rig, item, match, received

UPDATED = {"lifecycle": {"state": "updated"}}
WITHDRAWN = {"lifecycle": {"state": "withdrawn"}}


async def told_first(rig: Rig, **fields: object) -> None:
    await rig.resident()
    await rig.content(item(**fields))
    await rig.matches(match(item(**fields)))
    await rig.until_told(1)


def headings(rig: Rig) -> list[str]:
    return [message.title for message, _ in rig.email.carried]


async def test_a_withdrawn_item_is_followed_up_with_those_who_were_told(rig: Rig) -> None:
    await rig.resident("s-2")
    await told_first(rig)
    await rig.content(item(revision=2, **WITHDRAWN))
    assert (await rig.until_told(2))[1] == ("s-1", "sent", None)
    assert headings(rig) == ["Breidablikk er brøytet", "Trukket tilbake: Breidablikk er brøytet"]
    assert rig.email.carried[1][0].stories[0].reasons == ("vi har fortalt deg om dette før",)


async def test_a_follow_up_goes_on_with_the_trace_of_the_change(rig: Rig) -> None:
    await told_first(rig)
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    withdrawn = received(item(revision=2, **WITHDRAWN))
    traced = replace(withdrawn, event=replace(withdrawn.event, traceparent=trace))
    await rig.notifier.intake.take_content([traced])
    await rig.until_told(2)
    sending = await rig.notifier.ledger.get(item_key("s-1", item().id, 2, Channel.EMAIL))
    assert sending.trace == trace


async def test_a_withdrawal_seen_twice_is_told_once(rig: Rig) -> None:
    await told_first(rig)
    await rig.content(item(revision=2, **WITHDRAWN), item(revision=2, **WITHDRAWN))
    await rig.until_told(2)
    await rig.content(item(revision=2, **WITHDRAWN))
    await rig.resident("s-2")
    await rig.matches(match(item("2"), "s-2"))
    await rig.until_told(3)
    assert len(headings(rig)) == 3


async def test_who_matches_a_changed_item_again_gets_one_message_that_says_it_is_corrected(rig: Rig) -> None:
    await told_first(rig)
    changed = item(revision=2, title="Breidablikk brøytes i natt", **UPDATED)
    await rig.matches(match(changed, reasons=(AREA,)))
    await rig.until_told(2)
    await rig.content(changed)
    await rig.matches(match(item("other")))
    await rig.until_told(3)
    assert headings(rig)[1] == "Rettet: Breidablikk brøytes i natt"
    message: Message = rig.email.carried[1][0]
    assert message.stories[0].reasons == ("du følger området Breidablikk", "vi har fortalt deg om dette før")
    assert len(headings(rig)) == 3, "no second message about the change"


async def test_who_no_longer_matches_a_changed_item_hears_of_the_change(rig: Rig) -> None:
    await told_first(rig)
    await rig.content(item(revision=2, title="Gjelder bare Lia", **UPDATED))
    await rig.until_told(2)
    assert headings(rig)[1] == "Rettet: Gjelder bare Lia"


async def test_who_hears_of_a_changed_item_for_the_first_time_reads_no_correction(rig: Rig) -> None:
    await rig.resident()
    await rig.matches(match(item(revision=2, **UPDATED)))
    await rig.until_told(1)
    assert headings(rig) == ["Breidablikk er brøytet"]


async def test_a_change_that_is_no_news_is_told_to_nobody(rig: Rig) -> None:
    await told_first(rig)
    await rig.content(item(revision=2, lifecycle={"state": "updated", "news": False}))
    await rig.matches(match(item("other")))
    await rig.until_told(2)
    assert headings(rig) == ["Breidablikk er brøytet"] * 2
    assert [one.item for one in rig.producer.of(DeliveryV1)] == ["NO-9901/aktuelt/1", "NO-9901/aktuelt/other"]


async def test_a_match_of_an_older_revision_is_superseded(rig: Rig) -> None:
    await rig.resident()
    await rig.content(item(), item(revision=2, **UPDATED))
    await rig.matches(match(item()))
    assert await rig.until_told(1) == [("s-1", "suppressed", "superseded")]


async def test_a_match_of_a_withdrawn_item_is_not_sent(rig: Rig) -> None:
    await rig.resident()
    await rig.content(item(), item(revision=2, **WITHDRAWN))
    await rig.matches(match(item()))
    assert await rig.until_told(1) == [("s-1", "suppressed", "withdrawn")]


async def test_an_item_withdrawn_while_it_is_being_sent_is_followed_up(rig: Rig) -> None:
    await rig.resident()
    await rig.content(item())

    class Slow:
        async def carry(self, message: Message, endpoint: object, *, first: bool) -> None:
            await original(message, endpoint, first=first)
            if message.stories[0].revision == 1:
                await rig.content(item(revision=2, **WITHDRAWN))
                await rig.notifier.follower.follow_up_once()

    original = rig.email.carry
    rig.email.carry = Slow().carry  # type: ignore[method-assign]
    await rig.matches(match(item()))
    await rig.until_told(2)
    assert headings(rig)[1] == "Trukket tilbake: Breidablikk er brøytet"


async def test_a_cancelled_warning_reaches_those_who_were_warned_at_once_even_at_night(rig: Rig) -> None:
    await rig.resident(quiet_hours={"begins": "10:00", "ends": "15:00"})
    await rig.matches(match(item(**ALERT)))
    await rig.until_told(1)
    await rig.content(item(revision=2, **ALERT, **WITHDRAWN))
    assert (await rig.until_told(2))[1] == ("s-1", "sent", None)


async def test_a_sensor_that_passes_a_threshold_again_is_no_correction(rig: Rig) -> None:
    await rig.resident()
    await rig.matches(match(item("threshold", revision=1_000)))
    await rig.until_told(1)
    await rig.matches(match(item("threshold", revision=2_000)))
    await rig.until_told(2)
    assert headings(rig) == ["Breidablikk er brøytet"] * 2
