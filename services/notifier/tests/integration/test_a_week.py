"""A week in the life of three residents: topics in, mails out, on a clock that is moved; each mail is read."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from kommunepuls_chassis.producer import EventProducer, open_producer
from kommunepuls_chassis.sealing import seal
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import Channel, ContactAction, ContactCommandV1
from notifier.app import Notifier, compose
from notifier.settings import Settings
from notifier.testing import ALERT, SetClock, item, match, profile

pytestmark = pytest.mark.integration
NIGHT = {"begins": "22:00", "ends": "07:00"}
RESIDENTS = {
    "kari": {"cadence": "daily", "quiet_hours": {"begins": "23:00", "ends": "07:00"}},
    "ola": {"cadence": "immediately", "messages_a_day": 2, "quiet_hours": NIGHT},
    "priya": {"cadence": "weekly", "timezone": "Asia/Kolkata", "language": "en"},
}
"""Digests on Fridays; in the night to Sunday 25 October the clock goes back in Oslo, and nowhere in India."""


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


@dataclass
class Week:
    """The notifier at work, and what is published to it."""

    notifier: Notifier
    publish: EventProducer
    clock: SetClock
    decided: int = 0

    async def move_in(self, public_key: str) -> None:
        for name, choices in RESIDENTS.items():
            sealed = seal({"address": f"{name}@post.example"}, public_key, subscriber=name)
            await self.publish.publish(
                ContactCommandV1(
                    id=name, subscriber=name, action=ContactAction.REGISTER, channel=Channel.EMAIL,
                    endpoint=f"m-{name}", sealed=sealed, at=self.clock.time,
                ),
                profile(name, changed_at=at(1, 0), **choices),
            )  # fmt: skip

        async def known() -> bool:
            intake = self.notifier.intake
            profiles = await intake._knowledge.profiles(RESIDENTS)
            return len(profiles) == len(await intake._vault.active(RESIDENTS)) == len(RESIDENTS)

        await eventually(known, within=40, what="three residents")

    async def tell(self, native: str, *, matched: bool = True, **fields: object) -> None:
        """Publish an item, matched with everybody unless it is withdrawn."""
        times = {"published_at": self.clock.time, "observed_at": self.clock.time}
        told = item(native.replace(" ", "-"), **{"title": native, **times, **fields})
        await self.publish.publish(told, *([match(told, *RESIDENTS)] if matched else []))

    async def until(self, moment: datetime, ended: int) -> None:
        """Move the clock; wait until so many messages about items came to their end in all."""
        self.clock.time = moment
        sendings = self.notifier.ledger._sendings

        async def enough() -> bool:
            found = await sendings.find({})
            kinds = [one.document for one in found if one.document["kind"] == "item"]
            return sum(one["state"] in ("sent", "suppressed") for one in kinds) >= ended

        await eventually(enough, within=40, what=f"{ended} messages that came to their end by {moment}")

    async def waiting(self, count: int, cause: str, *, passing: float = 0.0) -> None:
        """Wait until so many messages wait with that cause; so many seconds go by with each look."""
        sendings = self.notifier.ledger._sendings

        async def enough() -> bool:
            self.clock.advance(seconds=passing)
            found = [one.document for one in await sendings.find({})]
            return sum(one["cause"] == cause and one["due_at"] is not None for one in found) >= count

        await eventually(enough, within=40, what=f"{count} messages that wait for {cause}")


@pytest.fixture
async def week(broker, environment, monkeypatch, mail_sink) -> AsyncIterator[Week]:
    environment |= {"KP_KAFKA_BOOTSTRAP": broker, "KP_SMTP_PORT": str(mail_sink.port)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    clock = SetClock(at(19, 10))
    kafka = ServiceSettings(kafka_bootstrap=broker)
    async with open_producer("test", kafka) as publish, compose(Settings(), now=clock) as notifier:
        work = asyncio.create_task(notifier.run())
        week = Week(notifier, publish, clock)
        await week.move_in(environment["KP_CONTACT_PUBLIC_KEY"])
        yield week
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_a_week_of_three_residents(week: Week, mail_sink) -> None:
    # Monday noon: three things at once. Ola has room for two of them.
    await week.tell("Byggesak i Storgata 1", severity="minor")
    await week.tell("Kino på torsdag")
    await week.tell("Dugnad på lørdag")
    await week.until(week.clock.time, ended=2)
    # It may have looked while the others had yet to take their places, and looks again a second later.
    await week.waiting(1, "attention-budget", passing=0.2)
    await week.waiting(3, "daily-digest")
    await week.waiting(3, "weekly-digest")
    # Tuesday morning: Kari's digest of three, and what Ola had no room for.
    await week.until(at(20, 5, 2), ended=6)
    # Late on Tuesday: closed for the night, which is over in the morning.
    week.clock.time = at(20, 21, 30)
    await week.tell("Storgata stengt i natt", valid_until=at(21, 3))
    await week.waiting(1, "quiet-hours")
    await week.waiting(1, "daily-digest")
    await week.waiting(4, "weekly-digest")
    # At three in the night an emergency wakes everybody.
    week.clock.time = at(21, 1)
    await week.tell("Flom", **(ALERT | {"title": "Flom i Storelva"}))
    await week.until(week.clock.time, ended=9)
    await week.until(at(21, 5, 2), ended=11)
    # On Thursday the cinema is called off: who was told of it hears so, Priya need never know.
    week.clock.time = at(22, 12)
    called_off = {"revision": 2, "lifecycle": {"state": "withdrawn"}}
    await week.tell("Kino på torsdag", matched=False, **called_off)
    await week.until(week.clock.time, ended=12)
    await week.waiting(1, "daily-digest")
    # Friday at seven in India, which is half past one in the night in Oslo.
    await week.until(at(23, 1, 32), ended=16)
    await week.until(at(23, 5, 2), ended=17)
    # In the night in which the clock goes back: held until seven o'clock winter time.
    week.clock.time = at(25, 3)
    await week.tell("Breidablikk er brøytet")
    await week.waiting(1, "quiet-hours")
    await week.waiting(1, "daily-digest")
    held = await week.notifier.ledger._sendings.find(
        {"item": "NO-9901/aktuelt/Breidablikk-er-brøytet", "state": "held"}
    )
    assert [one.document["due_at"] for one in held] == [at(25, 6)]
    await week.until(at(25, 6, 2), ended=19)

    def read(name: str) -> list[tuple[str, str]]:
        return [
            (str(mail["Subject"]), mail.get_body(("plain",)).get_content().replace("\r\n", "\n"))
            for recipient, mail in mail_sink.mails
            if recipient == f"{name}@post.example"
        ]

    kari, ola, priya = read("kari"), read("ola"), read("priya")
    assert [subject for subject, _ in kari] == [
        "Byggesak i Storgata 1 – og 2 til",
        "Flom i Storelva",
        "Trukket tilbake: Kino på torsdag",
        "Breidablikk er brøytet",
    ]
    assert "3 nyheter fra Fjordvik kommune\ntirsdag 20. oktober" in kari[0][1]
    assert "Det vi fortalte deg tidligere, gjelder ikke lenger." in kari[2][1]
    assert "Du har valgt en oppsummering om dagen." in kari[3][1]
    monday = {"Byggesak i Storgata 1", "Kino på torsdag", "Dugnad på lørdag"}
    assert {subject for subject, _ in ola[:3]} == monday, (
        "two at once, in what order they came, and the third"
    )
    assert "Mandag 19. oktober var grensen din på 2 meldinger om dagen nådd." in ola[2][1]
    assert [subject for subject, _ in ola[3:]] == [
        "Flom i Storelva",
        "Trukket tilbake: Kino på torsdag",
        "Breidablikk er brøytet",
    ]
    assert [subject for subject, _ in priya] == ["Flom i Storelva", "Byggesak i Storgata 1 – and 1 more"]
    assert "Friday 23 October" in priya[1][1]
    assert "Kino" not in priya[1][1]
    assert "You have chosen a digest once a week." in priya[1][1]
    everything = "\n".join(text for one in (kari, ola, priya) for _, text in one)
    assert "stengt i natt" not in everything, "what was over in the morning was told to nobody"
    assert all("https://puls.example/unsubscribe/" in text for one in (kari, ola, priya) for _, text in one)
