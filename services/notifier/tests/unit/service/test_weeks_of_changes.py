"""Weeks of random choices and items on a clock that is moved: nothing missed, nothing twice, nothing at a wrong time.

What must come out is said by rules that know nothing of how the notifier works: they read what was carried.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from kommunepuls_chassis.store.conditions import any_of, below
from kommunepuls_events import Channel
from notifier.domain.messages import Message
from notifier.domain.sendings import Kind
from notifier.service.wakes import QUEUES
from notifier.testing import ALERT, Rig, item, match, profile

SPRING, AUTUMN, NEW_YEAR, ORDINARY = (
    datetime(2026, 3, 26, tzinfo=UTC),
    datetime(2026, 10, 22, tzinfo=UTC),
    datetime(2026, 12, 28, tzinfo=UTC),
    datetime(2026, 11, 24, 11, tzinfo=UTC),
)
ZONES = ("Europe/Oslo", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe")
CADENCES = ("immediately", "immediately", "daily", "weekly")
CHANNELS = (("email",), ("push",), ("email", "push"))
QUIET = {"begins": "23:00", "ends": "07:00"}


@dataclass
class Carried:
    """What was carried: when, over which channel, and the message."""

    at: datetime
    channel: Channel
    message: Message
    quiet: bool


@dataclass
class Life:
    """One resident of one example: choices now, and what they were told."""

    subscriber: str
    choices: dict
    revision: int = 1
    revisions: dict[str, int] = field(default_factory=dict)
    withdrawn: dict[str, datetime] = field(default_factory=dict)
    carried: list[Carried] = field(default_factory=list)

    def told(self) -> list[tuple[Channel, str, int, datetime]]:
        """Each item and revision that was told, with channel and time."""
        return [
            (one.channel, story.item.rpartition("/")[2], story.revision, one.at)
            for one in self.carried
            for story in one.message.stories
        ]


class Town:
    """A notifier in which examples live one after the other, each with residents and items of its own."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.lives: dict[str, Life] = {}
        for channel, carrier in ((Channel.EMAIL, rig.email), (Channel.PUSH, rig.push)):
            carrier.carry = self._recording(channel)

    def _recording(self, channel: Channel):
        async def carry(message, endpoint, *, first) -> None:
            life = self.lives[endpoint.subscriber]
            quiet = life.choices.get("quiet_hours") is not None
            life.carried.append(Carried(self.rig.clock.time, channel, message, quiet))

        return carry

    async def born(self, **choices: object) -> Life:
        life = Life(f"s-{len(self.lives)}", choices)
        self.lives[life.subscriber] = life
        await self.rig.mail_to(life.subscriber)
        await self.rig.push_to(life.subscriber, endpoint=f"p-{life.subscriber}")
        await self.choose(life)
        return life

    async def choose(self, life: Life, **changes: object) -> None:
        life.choices |= changes
        changed_at = self.rig.clock.time - timedelta(hours=1)
        await self.rig.profiles(
            profile(life.subscriber, revision=life.revision, changed_at=changed_at, **life.choices)
        )
        life.revision += 1

    async def publish(self, life: Life, native: str, **fields: object) -> None:
        native = f"{life.subscriber}-{native}"
        revision = life.revisions[native] = life.revisions.get(native, 0) + 1
        state = "published" if revision == 1 else "updated"
        told = item(native, revision=revision, lifecycle={"state": state}, **{"title": native, **fields})
        await self.rig.content(told)
        await self.rig.matches(match(told, life.subscriber))

    async def withdraw(self, life: Life, native: str) -> None:
        native = f"{life.subscriber}-{native}"
        if native not in life.revisions or native in life.withdrawn:
            return
        revision = life.revisions[native] = life.revisions[native] + 1
        life.withdrawn[native] = self.rig.clock.time
        await self.rig.content(
            item(native, revision=revision, title=native, lifecycle={"state": "withdrawn"})
        )

    async def live_until(self, moment: datetime) -> None:
        """Move the clock from one thing that is due to the next."""
        while True:
            await self.rig.settled()
            sendings = self.rig.notifier.ledger._sendings
            upcoming = {"queue": any_of(QUEUES), "due_at": below(moment)}
            found = await sendings.find(upcoming, order_by="due_at", limit=1)
            ahead = found[0].document["due_at"] if found else moment
            self.rig.clock.time = min(max(ahead, self.rig.clock.time), moment)
            if ahead >= moment:
                return


events = st.lists(
    st.tuples(
        st.sampled_from((0, 0, 1, 2, 5, 9, 20, 30)),  # hours until then
        st.one_of(
            *(
                st.tuples(st.just("publish"), st.sampled_from(names))
                for names in ("abc", "def", "ghi", "jkl")
            ),
            st.tuples(st.just("emergency"), st.sampled_from("xy")),
            st.tuples(st.just("withdraw"), st.sampled_from("abcd")),
            st.tuples(st.just("cadence"), st.sampled_from(CADENCES)),
            st.tuples(st.just("channels"), st.sampled_from(CHANNELS)),
            st.tuples(st.just("quiet_hours"), st.sampled_from((None, QUIET))),
        ),
    ),
    min_size=6,
    max_size=16,
)


async def lived(town: Town, life: Life, plan: list) -> None:
    """Play the plan, then let ten days pass."""
    for hours, (what, which) in plan:
        await town.live_until(town.rig.clock.time + timedelta(hours=hours, minutes=1))
        match what:
            case "publish":
                if f"{life.subscriber}-{which}" not in life.withdrawn:
                    await town.publish(life, which)
            case "emergency":
                await town.publish(life, which, **ALERT)
            case "withdraw":
                await town.withdraw(life, which)
            case choice:
                await town.choose(life, **{choice: which})
        await town.rig.settled()
    await town.live_until(town.rig.clock.time + timedelta(days=10))


def check(life: Life, zone: ZoneInfo, limit: int | None) -> None:
    told = life.told()
    twice = [one for one, count in Counter(one[:3] for one in told).items() if count > 1]
    assert twice == [], "nothing is told twice"
    newest = {native: revision for native, revision in life.revisions.items() if native not in life.withdrawn}
    heard = {(native, revision) for _, native, revision, _ in told}
    assert newest.items() - heard == set(), "nothing is missed"
    for native, moment in life.withdrawn.items():
        last = life.revisions[native]
        before = [one for one in told if one[1] == native and one[2] < last]
        assert all(at <= moment for *_, at in before), "what is withdrawn is told no more"
        assert ((native, last) in heard) == bool(before), "and taken back where it was told"
    for one in life.carried:
        emergency = any(story.emergency for story in one.message.stories)
        clock = one.at.astimezone(zone)
        if one.quiet and not emergency:
            assert time(7) <= clock.time() < time(23), "quiet hours are quiet"
        if one.message.kind is Kind.DIGEST:
            assert clock.time() >= time(7), "no digest before its hour"
    digests = Counter(
        (one.channel, one.at.astimezone(zone).date())
        for one in life.carried
        if one.message.kind is Kind.DIGEST
    )
    assert set(digests.values()) <= {1}, "one digest a day on a channel"
    if limit is not None:
        at_once = defaultdict(set)
        for one in life.carried:
            story = one.message.stories[0]
            if one.message.kind is Kind.ITEM and not story.emergency:
                at_once[one.at.astimezone(zone).date()].add((story.item, story.revision))
        assert all(len(subjects) <= limit for subjects in at_once.values()), "the limit holds"


@pytest.fixture
def town(rig: Rig) -> Town:
    return Town(rig)


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    start=st.sampled_from((SPRING, AUTUMN, NEW_YEAR, ORDINARY)),
    zone=st.sampled_from(ZONES),
    cadence=st.sampled_from(CADENCES),
    channels=st.sampled_from(CHANNELS),
    limit=st.sampled_from((None, 1, 1, 2)),
    plan=events,
)
async def test_no_plan_of_choices_and_items_loses_or_doubles_a_message(
    town: Town, start: datetime, zone: str, cadence: str, channels: tuple, limit: int | None, plan: list
) -> None:
    town.rig.clock.time = start
    life = await town.born(timezone=zone, cadence=cadence, channels=channels, messages_a_day=limit)
    await lived(town, life, plan)
    check(life, ZoneInfo(zone), limit)
