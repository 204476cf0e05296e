"""For tests: a notifier with its edges replaced: carriers that remember, a store in a file, a clock that is set."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kommunepuls_chassis.consumer import Received
from kommunepuls_chassis.sealing import public_key_of, seal
from kommunepuls_chassis.store.conditions import any_of, below
from kommunepuls_chassis.store.open import open_store
from kommunepuls_chassis.testing import RecordingProducer, eventually
from kommunepuls_events import (
    Channel,
    ContactAction,
    ContactCommandV1,
    ContentItemV1,
    DeliveryV1,
    Event,
    Match,
    MatchV2,
    Reason,
    RecipientGroup,
    SubscriberProfileV1,
    event_for,
)
from kommunepuls_events.base import Message as Contract
from kommunepuls_events.vocabulary import ReasonType

from notifier.adapters.catalogue import PoCatalogue
from notifier.adapters.dkim import DkimSealer
from notifier.adapters.dkim_keys import DkimKey
from notifier.adapters.dkim_signers import DkimSigners
from notifier.adapters.gates import Gates
from notifier.adapters.mail_composer import MailComposer
from notifier.adapters.mail_press import MailPress
from notifier.adapters.smtp import MailCarrier
from notifier.adapters.smtp_dial import SmtpAddress
from notifier.app import Notifier, compose
from notifier.domain.composing import Reader, compose_item, compose_story, compose_test
from notifier.domain.contacts import MailAddress
from notifier.domain.labels import Labels
from notifier.domain.messages import Message
from notifier.domain.sendings import Kind, Lane, Sending, about
from notifier.ports import Carried
from notifier.records.vault import Endpoint
from notifier.service.clock import Clock
from notifier.service.wakes import QUEUES
from notifier.settings import Settings

_INSTANT = timedelta(milliseconds=1)  # what the stores keep of a time
NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)  # 12:00 in Oslo, a Tuesday
PUSH_KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}


@dataclass
class SetClock:
    """A clock that is set by hand."""

    time: datetime = NOON

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **parts: float) -> None:
        """Let time pass."""
        self.time += timedelta(**parts)


@dataclass
class RememberingCarrier:
    """Keeps what it was given; fails as it is told to, by endpoint id ("" for all)."""

    carried: list[tuple[Message, Endpoint]] = field(default_factory=list)
    failures: dict[str, Callable[[], BaseException | None]] = field(default_factory=dict)

    async def carry(self, message: Message, endpoint: Endpoint, *, first: bool) -> None:
        """Take it, or fail."""
        failure = self.failures.get(endpoint.id) or self.failures.get("")
        if failure is not None and (error := failure()) is not None:
            raise error
        self.carried.append((message, endpoint))

    def begin(self, message: Message, deliveries: Iterable[tuple[Endpoint, Carried]], *, first: bool) -> None:
        """Take it, or fail, at once."""
        for endpoint, done in deliveries:
            failure = self.failures.get(endpoint.id) or self.failures.get("")
            error = failure() if failure is not None else None
            if error is None:
                self.carried.append((message, endpoint))
            done(error, lambda: None)

    def waiting(self, answered_within: float, *, first: bool) -> int:
        """Nothing ever waits."""
        return 0


def item(native: str = "1", revision: int = 1, **fields: object) -> ContentItemV1:
    """A made-up item."""
    return ContentItemV1.model_validate(
        {
            "id": f"NO-9901/aktuelt/{native}",
            "revision": revision,
            "municipality": "NO-9901",
            "source": "NO-9901/aktuelt",
            "native_id": native,
            "organiser": {"id": "NO-9901/kommune", "name": "Fjordvik kommune"},
            "kind": "notice",
            "interests": ["winter-maintenance"],
            "areas": ["NO-9901/breidablikk"],
            "title": "Breidablikk er brøytet",
            "summary": "Alle veier i Breidablikk er brøytet og strødd.",
            "published_at": NOON,
            "observed_at": NOON,
            **fields,
        }
    )


ALERT = {"kind": "alert", "severity": "extreme", "title": "Flom i Storelva"}
AREA = Reason(type=ReasonType.AREA, area="NO-9901/breidablikk")
INTEREST = Reason(type=ReasonType.INTEREST, interest="winter-maintenance")


def profile(subscriber: str = "s-1", revision: int = 1, **fields: object) -> SubscriberProfileV1:
    """A made-up profile."""
    return SubscriberProfileV1.model_validate(
        {
            "subscriber": subscriber,
            "revision": revision,
            "municipality": "NO-9901",
            "areas": ["NO-9901/breidablikk"],
            "interests": ["winter-maintenance"],
            "channels": ["email"],
            "changed_at": NOON - timedelta(hours=1),
            **fields,
        }
    )


def match(about: ContentItemV1, *subscribers: str, reasons: tuple[Reason, ...] = (AREA, INTEREST)) -> MatchV2:
    """A chunk of recipients."""
    return MatchV2(
        id=f"{about.id}#{about.revision}#0#0",
        item=about,
        shard=0,
        chunk=0,
        reasons=reasons,
        groups=(RecipientGroup(because=range(len(reasons)), subscribers=subscribers or ("s-1",)),),
        matched_at=NOON,
    )


def item_message(
    subscriber: str = "s-1", token: str = "abc", reasons: tuple[Reason, ...] = (AREA,), **fields: object
) -> Message:
    """A made-up item as one resident is to read it in a mail; `token`: of the address that unsubscribes."""
    given, words = item(**fields), PoCatalogue().words("nb")
    reader = Reader(
        profile(subscriber),
        words,
        Labels(),
        "https://puls.example",
        f"https://puls.example/unsubscribe/{token}",
    )
    sending = about(given, subscriber, Channel.EMAIL, reasons, NOON, None)
    return compose_item(sending, given, compose_story(given, reasons, False, reader), reader, NOON)


def mail_message(number: int = 0) -> Message:
    """A made-up mail to try an address; those of one number have one Message-ID."""
    sending = Sending(f"{number:040x}", Kind.TEST, "s-1", Channel.EMAIL, Lane.FIRST, NOON, NOON)
    return compose_test(sending, "Fjordvik kommune", PoCatalogue().words("nb"), "https://puls.example")


def mail_endpoint(address: str = "kari@post.example") -> Endpoint:
    """Where it goes."""
    return Endpoint("m-1", "s-1", Channel.EMAIL, MailAddress(address))


def mail_carrier(
    port: int,
    at_once: int = 4,
    *,
    connections: int | None = None,
    timeout: float = 2.0,
    keys: Sequence[DkimKey] = (),
    signers: DkimSigners | None = None,
    **address: object,
) -> MailCarrier:
    """A carrier to a mail server on this machine; `address`: other fields of its :class:`SmtpAddress`."""
    where = {"host": "127.0.0.1", "username": None, "password": None, "security": "none", **address}
    return MailCarrier(
        MailPress(MailComposer(PoCatalogue(), "puls@fjordvik.example"), DkimSealer(keys) if keys else None),
        SmtpAddress(port=port, timeout_seconds=timeout, **where),
        "puls@fjordvik.example",
        Gates(at_once),
        Clock(),
        connections=connections or at_once,
        signers=signers,
    )


def received(data: Contract) -> Received:
    """A message as a handler gets it."""
    event: Event = event_for(data, producer="test")
    return Received("topic", 0, 0, event.subject, event, None)


@dataclass
class Rig:
    """The notifier and its replaced edges."""

    notifier: Notifier
    producer: RecordingProducer
    clock: SetClock
    email: RememberingCarrier
    push: RememberingCarrier
    contact_key: str

    async def matches(self, *given: Match) -> None:
        """Let it take matches."""
        await self.notifier.intake.take_matches([received(one) for one in given])

    async def content(self, *given: ContentItemV1) -> None:
        """Let it take items."""
        await self.notifier.intake.take_content([received(one) for one in given])

    async def profiles(self, *given: SubscriberProfileV1) -> None:
        """Let it take profiles."""
        await self.notifier.intake.take_profiles([received(one) for one in given])

    async def command(self, action: ContactAction, content: dict | None = None, **fields: object) -> None:
        """Let it take a contact command."""
        subscriber = str(fields.pop("subscriber", "s-1"))
        sealed = seal(content, public_key_of(self.contact_key), subscriber=subscriber) if content else None
        command = ContactCommandV1(
            id=str(fields.pop("id", f"{action}-{subscriber}-{fields}")),
            subscriber=subscriber,
            action=action,
            sealed=sealed,
            at=NOON,
            **fields,
        )
        await self.notifier.intake.take_commands([received(command)])

    async def mail_to(self, subscriber: str = "s-1", address: str | None = None, endpoint: str = "") -> None:
        """Register an e-mail address."""
        await self.command(
            ContactAction.REGISTER,
            {"address": address or f"{subscriber}@post.example"},
            subscriber=subscriber,
            channel=Channel.EMAIL,
            endpoint=endpoint or f"m-{subscriber}",
        )

    async def push_to(self, subscriber: str = "s-1", endpoint: str = "p-1", url: str = "") -> None:
        """Register a push subscription."""
        await self.command(
            ContactAction.REGISTER,
            {"endpoint": url or f"https://push.example/{endpoint}", **PUSH_KEYS},
            subscriber=subscriber,
            channel=Channel.PUSH,
            endpoint=endpoint,
        )

    async def resident(self, subscriber: str = "s-1", **fields: object) -> None:
        """A resident with an e-mail address."""
        await self.mail_to(subscriber)
        await self.profiles(profile(subscriber, **fields))

    def told(self) -> list[tuple[str, str, str | None]]:
        """Subscriber, state and cause of each delivery that was told."""
        return [(one.subscriber, str(one.state), one.cause) for one in self.producer.of(DeliveryV1)]

    async def until_told(self, count: int, *, passing: float = 0.0) -> list[tuple[str, str, str | None]]:
        """What was told, once it is so many; `passing` seconds go by on the set clock with each look."""

        def enough() -> bool:
            self.clock.advance(seconds=passing)
            return len(self.told()) >= count

        await eventually(enough, within=10, what=f"{count} deliveries")
        return self.told()

    async def settled(self) -> None:
        """Wait until everything that is due at the set time is done."""
        lease = self.notifier.dispatcher._lease.total_seconds()

        async def nothing_in_hand() -> bool:
            for queue in QUEUES:
                self.notifier.intake._wakes.event(queue).set()
            for wake in self.notifier.intake._wakes.waves.values():
                wake.set()
            now, sendings = self.clock.time, self.notifier.ledger._sendings
            waves, crowds = self.notifier.ledger.waves._waves, self.notifier.crowds
            in_hand = any_of(now + timedelta(seconds=seconds) for seconds in (lease, lease * 0.75))
            return not (
                await sendings.count({"queue": any_of(QUEUES), "due_at": below(now + _INSTANT)})
                or await sendings.count({"queue": any_of(QUEUES), "due_at": in_hand})
                or await waves.count({"due_at": below(now + _INSTANT)})
                or (crowds is not None and crowds.in_hand)
            )

        await self.notifier.follower.follow_up_once()
        await eventually(nothing_in_hand, within=10, what="nothing is due")

    async def let_pass(self, until: datetime, *, hours: float = 6) -> None:
        """Move the clock there in steps of so many hours; at each, and before, what is due is done."""
        await self.settled()
        while self.clock.time < until:
            self.clock.time = min(until, self.clock.time + timedelta(hours=hours))
            await self.settled()

    async def sending(self) -> Sending:
        """The only sending there is."""
        [stored] = await self.notifier.ledger._sendings.find({})
        return await self.notifier.ledger.get(stored.key)

    async def settle_after_attempt(self, attempt: int) -> None:
        """Wait until the only sending has been tried so often."""

        async def tried() -> bool:
            return (await self.sending()).attempt >= attempt

        await eventually(tried, within=10, what=f"attempt {attempt}")


@asynccontextmanager
async def running_rig(settings: Settings, folder: Path, clock: SetClock | None = None) -> AsyncIterator[Rig]:
    """A running notifier with its store in a folder; a second one finds what the first left."""
    producer, clock = RecordingProducer(), clock or SetClock()
    email, push = RememberingCarrier(), RememberingCarrier()
    async with (
        open_store(f"sqlite:///{folder / 'notifier.db'}") as store,
        compose(
            settings,
            now=clock,
            producer=producer,
            store=store,
            carriers={Channel.EMAIL: email, Channel.PUSH: push},
        ) as notifier,
    ):
        work = asyncio.create_task(notifier.run())
        try:
            yield Rig(notifier, producer, clock, email, push, settings.contact_private_key.get_secret_value())
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
