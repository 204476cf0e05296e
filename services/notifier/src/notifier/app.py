"""Putting the notifier together."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

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
from notifier.adapters.dkim import DkimSealer
from notifier.adapters.dkim_keys import DkimKey, read_key_file, read_keys
from notifier.adapters.dkim_signers import open_signers
from notifier.adapters.gates import Gates
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
from notifier.service.bouncing import BounceDesk
from notifier.service.budgeting import Budget
from notifier.service.clock import Clock
from notifier.service.desk import Desk
from notifier.service.digests import DigestDelivery
from notifier.service.dispatching import Capacity, Dispatcher
from notifier.service.following_up import Follower
from notifier.service.housekeeping import Housekeeper
from notifier.service.intake import Intake
from notifier.service.items import ItemDelivery
from notifier.service.letters import LetterDelivery
from notifier.service.reporting import Reporter
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
            service does not consume: the test calls the handlers.

    Raises:
        OperatorError: for a wrong setting, key or town file.
    """
    clock, health = Clock(now), Health()
    catalogue = PoCatalogue()
    # Wrong keys are told of before anything is connected.
    keys = KeyRing(settings.vault_key.get_secret_value())
    signer = VapidSigner(settings.vapid_private_key.get_secret_value(), settings.vapid_subject)
    dkim_keys = _dkim_keys(settings)
    public_key_of(settings.contact_private_key.get_secret_value())
    sign({"purpose": UNSUBSCRIBE}, settings.link_key.get_secret_value())
    towns = TownLabels(load_towns(settings.town_paths()))
    await towns.load()
    async with AsyncExitStack() as stack:
        if store is None:
            store = await stack.enter_async_context(open_store(settings.store_url_for(SERVICE)))
        consuming = producer is None
        if producer is None:
            producer = await stack.enter_async_context(open_producer(SERVICE, settings))
        if carriers is None:
            carriers = await _open_carriers(stack, settings, signer, dkim_keys, catalogue, clock)
        ledger, knowledge = await Ledger.open(store), await Knowledge.open(store)
        attention = await Attention.open(store)
        vault = await Vault.open(store, keys)
        if renewed := await vault.renew_encryption():
            get_logger().info("vault_renewed", endpoints=renewed)
        wakes, reporter = Wakes(), Reporter(producer)
        lease = timedelta(seconds=settings.lease_seconds)
        digest_times = DigestTimes(settings.digest_time, settings.digest_weekday)
        budget = Budget(ledger, attention, clock, lease)
        desk = Desk(
            ledger, vault, knowledge, carriers, catalogue, lambda: towns.current, reporter, wakes, clock, budget,
            public_url=settings.public_url,
            link_key=settings.link_key,
            digest_times=digest_times,
            carry_seconds=settings.lease_seconds * 0.75,
        )  # fmt: skip
        intake = Intake(
            ledger, vault, knowledge, attention, wakes, clock,
            contact_key=settings.contact_private_key,
            digest_times=digest_times,
            follow_up_delay_seconds=settings.follow_up_delay_seconds,
        )  # fmt: skip
        letters = LetterDelivery(
            desk, contact_key=settings.contact_private_key, sender=lambda: _sender(towns)
        )
        dispatcher = Dispatcher(
            desk, ItemDelivery(desk), DigestDelivery(desk), letters, health,
            capacity={queue: _capacity(queue, settings) for queue in QUEUES},
            lease=lease,
        )  # fmt: skip
        follower = Follower(ledger, knowledge, wakes, clock, health)
        bounces = BounceDesk(ledger, vault, reporter, clock)
        housekeeper = Housekeeper(ledger, attention, knowledge, clock, timedelta(days=settings.keep_days))
        parts = [dispatcher.run, follower.run, housekeeper.run, towns.run]
        if settings.bounce_folder is not None:
            parts.append(BounceFolder(settings.bounce_folder, bounces, health).run)
        if consuming:
            parts.append(EventConsumer(SERVICE, settings, producer, intake.handlers(), health=health).run)
        port = await stack.enter_async_context(
            serve_http(operations_app(health), settings.http_host, settings.http_port)
        )
        get_logger().info("listening", port=port)
        yield Notifier(port, intake, dispatcher, follower, bounces, housekeeper, ledger, vault, tuple(parts))


async def _open_carriers(
    stack: AsyncExitStack,
    settings: Settings,
    signer: VapidSigner,
    keys: Sequence[DkimKey],
    catalogue: Catalogue,
    clock: Clock,
) -> dict[Channel, Carrier]:
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
    wire = await stack.enter_async_context(
        open_wire(
            allow_private=settings.push_allow_private,
            timeout_seconds=settings.push_timeout_seconds,
            plain_http2=settings.push_plain_http2,
        )
    )
    push = PushCarrier(
        wire, signer, catalogue, Gates(settings.push_at_once_per_service, waiting_seconds=2.0), clock,
        allow_private=settings.push_allow_private,
    )  # fmt: skip
    return {Channel.EMAIL: mail, Channel.PUSH: push}


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
