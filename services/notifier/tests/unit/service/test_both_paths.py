"""Telling many the same and telling one at a time decide alike: what a resident gets depends on their choices alone."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from kommunepuls_events import DeliveryV1
from notifier.settings import Settings
from notifier.testing import ALERT, Rig, item, match, profile, running_rig

NEXT_MORNING = datetime(2026, 11, 25, 6, 2, tzinfo=UTC)
CHOICES = (
    {},
    {"messages_a_day": 1},
    {"messages_a_day": 2, "channels": ["email", "push"]},
    {"messages_a_day": 4},
    {"cadence": "daily"},
    {"quiet_hours": {"begins": "10:00", "ends": "07:00"}},
    {"muted": {"interests": ["winter-maintenance"]}},
    {"paused_until": NEXT_MORNING},
    {"channels": []},
    {"cadence": "weekly", "timezone": "Asia/Kolkata"},
)
EVERYBODY = [f"s-{number}" for number in range(50)]


async def lived(rig: Rig, *, together: bool) -> tuple[Counter, Counter]:
    """What was told of each resident, and what each was sent, over a day of three items and an emergency."""
    for number, subscriber in enumerate(EVERYBODY):
        choices = {"channels": ["push"], **CHOICES[number % len(CHOICES)]}
        await rig.push_to(subscriber, endpoint=f"p-{subscriber}")
        if "email" in choices["channels"]:
            await rig.mail_to(subscriber)
        await rig.profiles(profile(subscriber, **choices))
    news = [item(str(number), title=f"Sak {number}") for number in range(3)]
    for told in (*news, item("e", **ALERT)):
        await rig.content(told)
        for recipients in [EVERYBODY] if together else [[one] for one in EVERYBODY]:
            await rig.matches(match(told, *recipients))
        await rig.let_pass(rig.clock.time)
        rig.clock.advance(minutes=3)
        await rig.settled()
    await rig.content(item("0", revision=2, title="Sak 0", lifecycle={"state": "withdrawn"}))
    await rig.let_pass(NEXT_MORNING, hours=1)
    told = Counter(
        (one.subscriber, one.item, one.revision, one.channel, str(one.state), one.cause)
        for one in set(rig.producer.of(DeliveryV1))
    )
    sent = Counter(
        (endpoint.subscriber, endpoint.channel, tuple(sorted(story.heading for story in message.stories)))
        for carrier in (rig.email, rig.push)
        for message, endpoint in carrier.carried
    )
    return told, sent


async def test_many_at_once_and_one_by_one_get_the_same(settings: Settings, tmp_path: Path) -> None:
    outcomes = []
    for name in ("together", "one-by-one"):
        (tmp_path / name).mkdir()
        async with running_rig(settings, tmp_path / name) as rig:
            outcomes.append(await lived(rig, together=name == "together"))
            waves = await rig.notifier.ledger.waves._waves.count({})
            assert (waves > 0) == (name == "together"), "each rig goes its own way"
    (told_together, sent_together), (told_alone, sent_alone) = outcomes
    assert sent_together == sent_alone
    assert set(told_together) == set(told_alone)
    causes = {cause for *_, cause in told_alone if cause}
    assert causes >= {"attention-budget", "daily-digest", "weekly-digest", "quiet-hours", "muted", "paused"}
    assert max(sent_alone.values()) == 1
