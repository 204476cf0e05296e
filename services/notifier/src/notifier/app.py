"""Putting the notifier together."""

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kommunepuls_chassis.consumer import EventConsumer
from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.http import operations_app, serve_http
from kommunepuls_chassis.links import UNSUBSCRIBE, sign
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.process import run_together
from kommunepuls_chassis.producer import Producer, open_producer
from kommunepuls_chassis.sealing import public_key_of
from kommunepuls_chassis.store.open import open_store
from kommunepuls_chassis.store.port import DocumentStore
from kommunepuls_chassis.town import load_towns
from kommunepuls_events import Channel
from kommunepuls_events.base import utc_now

from notifier.adapters.bounce_folder import BounceFolder
from notifier.adapters.catalogue import PoCatalogue
from notifier.adapters.crowd_processes import CrowdProcesses
from notifier.adapters.dkim import DkimSealer
from notifier.adapters.dkim_keys import DkimKey, read_key_file, read_keys
from notifier.adapters.dkim_signers import open_signers
from notifier.adapters.gates import Gates
from notifier.adapters.key_stock import KeyStock
from notifier.adapters.mail_composer import MailComposer
from notifier.adapters.mail_press import MailPress
from notifier.adapters.push import PushCarrier
from notifier.adapters.push_wire import open_wire
from notifier.adapters.smtp import MailCarrier
from notifier.adapters.smtp_dial import SmtpAddress
from notifier.adapters.towns import TownLabels
from notifier.adapters.vapid import VapidSigner
from notifier.domain.decisions import DigestTimes
from notifier.ports import Carrier, Catalogue
from notifier.records.attention import Attention
from notifier.records.knowledge import Knowledge
from notifier.records.ledger import Ledger
from notifier.records.vault import Vault
from notifier.records.vault_keys import KeyRing
from notifier.records.waves import SHARDS
from notifier.service.bouncing import BounceDesk
from notifier.service.budgeting import Budget
from notifier.service.clock import Clock
from notifier.service.crowd_reports import CrowdReporter
from notifier.service.crowds import CrowdDelivery
from notifier.service.desk import Desk
from notifier.service.digests import DigestDelivery
from notifier.service.dispatching import Capacity, Dispatcher
from notifier.service.following_up import Follower
from notifier.service.housekeeping import Housekeeper
from notifier.service.intake import Intake
from notifier.service.items import ItemDelivery
from notifier.service.letters import LetterDelivery
from notifier.service.reporting import Reporter
from notifier.service.scribe import Scribe
from notifier.service.stocking import Stocking
from notifier.service.wakes import QUEUES, Wakes
from notifier.settings import Settings

SERVICE = "notifier"


@dataclass(frozen=True, slots=True)
class Notifier:
    """The assembled service.

    Attributes:
        port: of health and metrics.
        intake, dispatcher, follower, bounces, housekeeper: its parts, for tests that drive them one by one.
        run: works until cancelled.
    """

    port: int
    intake: Intake
    dispatcher: Dispatcher
    follower: Follower
    bounces: BounceDesk
    housekeeper: Housekeeper
    ledger: Ledger
    vault: Vault
    parts: tuple[Callable, ...]
    crowds: CrowdDelivery | None = None
    """Where this process itself tells many the same."""

    async def run(self) -> None:
        """Work until cancelled."""
        await run_together(*self.parts)


@dataclass(frozen=True, slots=True)
class Crowd:
    """A process of its own that tells many the same.

    Attributes:
        run: works until cancelled.
    """

    wakes: Wakes
    reporter: CrowdReporter
    parts: tuple[Callable, ...]

    async def run(self) -> None:
        """Work until cancelled."""
        await run_together(*self.parts)


@asynccontextmanager
async def compose(
    settings: Settings,
    *,
    now: Callable[[], datetime] = utc_now,
    producer: Producer | None = None,
    store: DocumentStore | None = None,
    carriers: dict[Channel, Carrier] | None = None,
) -> AsyncIterator[Notifier]:
    """The notifier, ready to run; on leaving, connections are closed in order.

    Args:
        now, producer, store, carriers: what tests put in place of the real ones. With a producer given, the
            service does not consume: the test calls the handlers. Then, too, all is done in this process.

    Raises:
        OperatorError: for a wrong setting, key or town file.
    """
    clock, health, wakes = Clock(now), Health(), Wakes()
    keys, signer, towns = await _told_of_before_connecting(settings)
    dkim_keys, catalogue = _dkim_keys(settings), PoCatalogue()
    async with AsyncExitStack() as stack:
        alone = settings.push_processes == 0 or producer is not None
        consuming = producer is None
        store = store or await stack.enter_async_context(open_store(settings.store_url_for(SERVICE)))
        producer = producer or await stack.enter_async_context(open_producer(SERVICE, settings))
        if carriers is None:
            push = await _open_push(stack, settings, signer, catalogue, clock)
            carriers = {
                Channel.EMAIL: await _open_mail(stack, settings, dkim_keys, catalogue, clock),
                Channel.PUSH: push,
            }
        desk = await _desk(settings, store, producer, keys, carriers, catalogue, towns, wakes, clock)
        ledger, vault, knowledge = desk.ledger, desk.vault, desk.knowledge
        attention = await Attention.open(store)
        if renewed := await vault.renew_encryption():
            get_logger().info("vault_renewed", endpoints=renewed)
        lease = timedelta(seconds=settings.lease_seconds)
        intake = Intake(
            ledger, vault, knowledge, attention, wakes, clock,
            contact_key=settings.contact_private_key,
            digest_times=desk.digest_times,
            follow_up_delay_seconds=settings.follow_up_delay_seconds,
            lease=lease,
        )  # fmt: skip
        letters = LetterDelivery(
            desk, contact_key=settings.contact_private_key, sender=lambda: _sender(towns)
        )
        dispatcher = Dispatcher(
            desk, ItemDelivery(desk), DigestDelivery(desk), letters, health,
            capacity={queue: _capacity(queue, settings) for queue in QUEUES},
            lease=lease,
        )  # fmt: skip
        follower = Follower(ledger, knowledge, wakes, clock, health, lease)
        bounces = BounceDesk(ledger, vault, desk.reporter, clock)
        housekeeper = Housekeeper(ledger, attention, knowledge, clock, timedelta(days=settings.keep_days))
        parts, crowds = [dispatcher.run, follower.run, housekeeper.run, towns.run], None
        if alone:
            reporter = CrowdReporter(SERVICE, producer, clock, counts_here=True)
            scribe = Scribe(ledger.waves, reporter)
            crowds = CrowdDelivery(desk, carriers[Channel.PUSH], scribe, health, range(SHARDS), lease)
            parts.append(crowds.run)
        else:
            parts.append(CrowdProcesses(settings.push_processes, settings.instance, wakes, health).run)
        if settings.bounce_folder is not None:
            parts.append(BounceFolder(settings.bounce_folder, bounces, health).run)
        if consuming:
            parts.append(EventConsumer(SERVICE, settings, producer, intake.handlers(), health=health).run)
        port = await stack.enter_async_context(
            serve_http(operations_app(health), settings.http_host, settings.http_port)
        )
        get_logger().info("listening", port=port)
        yield Notifier(
            port, intake, dispatcher, follower, bounces, housekeeper, ledger, vault, tuple(parts), crowds
        )


@asynccontextmanager
async def compose_crowd(
    settings: Settings, *, shards: Sequence[int], talk: Callable[[Crowd], Coroutine[Any, Any, None]]
) -> AsyncIterator[Crowd]:
    """A process that tells many the same.

    Args:
        shards: the parts of the subscribers that it serves.
        talk: what it does beside that.
    """
    clock, health, wakes = Clock(), Health(), Wakes()
    keys, signer, towns = await _told_of_before_connecting(settings)
    catalogue = PoCatalogue()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings.store_url_for(SERVICE)))
        producer = await stack.enter_async_context(open_producer(SERVICE, settings))
        most_keys = settings.push_keys_ahead * len(shards) // SHARDS
        stock = KeyStock(most_keys, oldest_seconds=settings.push_keys_hours * 3600)
        push = await _open_push(
            stack, settings, signer, catalogue, clock, stock=stock,
            gates=Gates(settings.push_crowd_at_once, waiting_seconds=min(settings.lease_seconds / 4, 10.0)),
        )  # fmt: skip
        desk = await _desk(
            settings, store, producer, keys, {Channel.PUSH: push}, catalogue, towns, wakes, clock,
            most_in_memory=most_keys,
        )  # fmt: skip
        reporter = CrowdReporter(SERVICE, producer, clock, counts_here=False)
        scribe = Scribe(desk.ledger.waves, reporter)
        lease = timedelta(seconds=settings.lease_seconds)
        crowds = CrowdDelivery(desk, push, scribe, health, shards, lease)
        stocking = Stocking(
            desk.vault, desk.knowledge, stock, producer, clock, shards, lambda: bool(crowds.in_hand)
        )
        parts: list[Callable] = [crowds.run, towns.run]
        if most_keys:
            parts.append(stocking.run)
        crowd = Crowd(wakes, reporter, (*parts, lambda: talk(crowd)))
        yield crowd


async def _told_of_before_connecting(settings: Settings) -> tuple[KeyRing, VapidSigner, TownLabels]:
    """Keys and towns: wrong ones are told of before anything is connected."""
    keys = KeyRing(settings.vault_key.get_secret_value())
    signer = VapidSigner(settings.vapid_private_key.get_secret_value(), settings.vapid_subject)
    public_key_of(settings.contact_private_key.get_secret_value())
    sign({"purpose": UNSUBSCRIBE}, settings.link_key.get_secret_value())
    towns = TownLabels(load_towns(settings.town_paths()))
    await towns.load()
    return keys, signer, towns


async def _desk(
    settings: Settings,
    store: DocumentStore,
    producer: Producer,
    keys: KeyRing,
    carriers: dict[Channel, Carrier],
    catalogue: Catalogue,
    towns: TownLabels,
    wakes: Wakes,
    clock: Clock,
    *,
    most_in_memory: int = 0,
) -> Desk:
    ledger, attention = await Ledger.open(store), await Attention.open(store)
    return Desk(
        ledger,
        await Vault.open(store, keys, most_in_memory=most_in_memory),
        await Knowledge.open(store),
        carriers,
        catalogue,
        lambda: towns.current,
        Reporter(producer),
        wakes,
        clock,
        Budget(ledger, attention, clock, timedelta(seconds=settings.lease_seconds)),
        public_url=settings.public_url,
        link_key=settings.link_key,
        digest_times=DigestTimes(settings.digest_time, settings.digest_weekday),
        carry_seconds=settings.lease_seconds * 0.75,
    )


async def _open_mail(
    stack: AsyncExitStack, settings: Settings, keys: Sequence[DkimKey], catalogue: Catalogue, clock: Clock
) -> MailCarrier:
    address = SmtpAddress(
        host=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        security=settings.smtp_security,
        timeout_seconds=settings.smtp_timeout_seconds,
    )
    signers = None
    if keys:
        signers = await stack.enter_async_context(open_signers(keys, settings.dkim_processes))
    press = MailPress(MailComposer(catalogue, settings.mail_from), DkimSealer(keys) if keys else None)
    mail = MailCarrier(
        press, address, settings.mail_from, Gates(settings.smtp_at_once, waiting_seconds=2.0), clock,
        connections=settings.smtp_connections,
        signers=signers,
    )  # fmt: skip
    stack.push_async_callback(mail.close)
    return mail


async def _open_push(
    stack: AsyncExitStack,
    settings: Settings,
    signer: VapidSigner,
    catalogue: Catalogue,
    clock: Clock,
    *,
    stock: KeyStock | None = None,
    gates: Gates | None = None,
) -> PushCarrier:
    wire = await stack.enter_async_context(
        open_wire(
            allow_private=settings.push_allow_private,
            timeout_seconds=settings.push_timeout_seconds,
            plain_http2=settings.push_plain_http2,
        )
    )
    gates = gates or Gates(settings.push_at_once_per_service, waiting_seconds=2.0)
    return PushCarrier(
        wire, signer, catalogue, gates, clock, allow_private=settings.push_allow_private, stock=stock
    )


def _dkim_keys(settings: Settings) -> Sequence[DkimKey]:
    """The keys that sign our mail; none where the mail server signs it."""
    secret, file = settings.dkim_private_key, settings.dkim_private_key_file
    if secret is not None and file is not None:
        raise OperatorError("KP_DKIM_PRIVATE_KEY and KP_DKIM_PRIVATE_KEY_FILE are both set: one is enough")
    if not settings.dkim_domain:
        if secret is not None or file is not None or settings.dkim_selector:
            raise OperatorError("KP_DKIM_DOMAIN: is missing; the other KP_DKIM settings need it")
        return ()
    texts = read_key_file(file) if file is not None else secret.get_secret_value() if secret else ""
    return read_keys(settings.dkim_domain, settings.dkim_selector, texts, settings.mail_from)


def _capacity(queue: str, settings: Settings) -> Capacity:
    if queue.startswith(Channel.EMAIL):
        return Capacity(settings.smtp_at_once * 8, settings.smtp_at_once)
    return Capacity(settings.push_at_once, settings.push_at_once)


def _sender(towns: TownLabels) -> str:
    """Who signs what belongs to no municipality of its own: the town if there is one alone."""
    names = list(towns.current.municipalities.values())
    return names[0] if len(names) == 1 else "Kommunepuls"
