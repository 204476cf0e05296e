"""Digests and quiet hours where the clock jumps, the year ends, or the notifier was not there."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from notifier.domain.sendings import Kind
from notifier.settings import Settings
from notifier.testing import Rig, SetClock, item, match, running_rig

NIGHT = {"begins": "23:00", "ends": "07:00"}


def local(zone: str, text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


class Diary:
    """When mails were carried."""

    def __init__(self, rig: Rig) -> None:
        self.entries: list[tuple[datetime, list[str]]] = []
        self._rig = rig
        carry = rig.email.carry

        async def noted(message, endpoint, *, first) -> None:
            self.entries.append((rig.clock.time, [story.title for story in message.stories]))
            await carry(message, endpoint, first=first)

        rig.email.carry = noted

    async def hourly(self, begins: datetime, until: datetime, subscriber: str = "s-1") -> None:
        """An item at twenty past every hour; the clock stands still every ten minutes."""
        moment = begins
        while moment <= until:
            self._rig.clock.time = moment
            if moment.minute == 20:
                title = f"{moment:%d.%H}"
                await self._rig.matches(match(item(f"{subscriber}-{title}", title=title), subscriber))
            await self._rig.settled()
            moment += timedelta(minutes=10)

    def at(self, zone: str) -> list[str]:
        return [f"{moment.astimezone(ZoneInfo(zone)):%d. %H:%M}" for moment, _ in self.entries]

    def told(self) -> list[str]:
        return [title for _, titles in self.entries for title in titles]


@pytest.fixture
async def at_half_past_two(settings: Settings, tmp_path: Path, monkeypatch) -> Rig:
    """A notifier whose digests are due at an hour that is skipped in spring and comes twice in autumn."""
    monkeypatch.setenv("KP_DIGEST_TIME", "02:30")
    async with running_rig(Settings(), tmp_path) as rig:
        yield rig


@pytest.mark.parametrize(
    ("day", "digests"),
    [
        (date(2026, 3, 28), ["28. 02:40", "29. 03:10", "30. 02:40"]),
        (date(2026, 10, 24), ["24. 02:40", "25. 02:40", "26. 02:40"]),
    ],
)
async def test_a_digest_hour_that_is_skipped_or_comes_twice_brings_one_digest_with_all(
    at_half_past_two: Rig, day: date, digests: list[str]
) -> None:
    rig, diary = at_half_past_two, Diary(at_half_past_two)
    begins = local("Europe/Oslo", f"{day}T00:00")
    rig.clock.time = begins
    await rig.resident(cadence="daily", changed_at=begins - timedelta(days=1))
    await diary.hourly(begins, begins + timedelta(hours=52))
    assert diary.at("Europe/Oslo") == digests
    told = diary.told()
    assert len(told) == len(set(told))
    assert set(told) == {f"{begins + timedelta(hours=hour):%d.%H}" for hour in range(len(told))}


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Oslo", date(2026, 3, 28)),
        ("Europe/Oslo", date(2026, 10, 24)),
        ("America/St_Johns", date(2026, 3, 7)),
        ("America/St_Johns", date(2026, 10, 31)),
        ("Asia/Kolkata", date(2026, 10, 24)),
    ],
)
async def test_a_night_is_quiet_from_eleven_to_seven_on_the_residents_clock_whatever_it_does(
    rig: Rig, zone: str, day: date
) -> None:
    diary, begins = Diary(rig), local(zone, f"{day}T21:00")
    rig.clock.time = begins
    await rig.resident(quiet_hours=NIGHT, timezone=zone, changed_at=begins - timedelta(days=1))
    await diary.hourly(begins, local(zone, f"{day + timedelta(days=1)}T09:00"))
    clocks = [moment.astimezone(ZoneInfo(zone)).time() for moment, _ in diary.entries]
    assert all(time(7) <= clock < time(23) for clock in clocks)
    nights = [clock for clock in clocks if clock == time(7)]
    hours = (local(zone, f"{day + timedelta(days=1)}T07:00") - local(zone, f"{day}T23:00")) / timedelta(
        hours=1
    )
    assert len(nights) == hours, "what came in each hour of the night comes when it ends"


async def test_a_weekly_digest_goes_over_the_end_of_the_year(rig: Rig) -> None:
    diary, begins = Diary(rig), local("Europe/Oslo", "2026-12-31T12:00")
    rig.clock.time = begins
    await rig.resident(cadence="weekly", changed_at=begins - timedelta(days=1))
    for native in ("1", "2"):
        await rig.matches(match(item(native, title=native)))
        await rig.let_pass(rig.clock.time + timedelta(days=7), hours=2)
    assert diary.at("Europe/Oslo") == ["01. 08:00", "08. 08:00"]
    assert diary.told() == ["1", "2"]


async def test_a_notifier_that_was_down_over_the_hour_sends_the_digest_late_and_once(
    settings: Settings, tmp_path: Path
) -> None:
    clock = SetClock()
    async with running_rig(settings, tmp_path, clock) as rig:
        await rig.resident(cadence="daily")
        await rig.matches(match(item("1")), match(item("2")))
        await rig.until_told(2)
    clock.advance(days=2, hours=3)
    async with running_rig(settings, tmp_path, clock) as one, running_rig(settings, tmp_path, clock) as other:
        await one.settled()
        await other.settled()
        await one.let_pass(clock.time + timedelta(days=2))
        carried = [message for rig in (one, other) for message, _ in rig.email.carried]
    assert [(message.kind, len(message.stories)) for message in carried] == [(Kind.DIGEST, 2)]
