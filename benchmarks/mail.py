"""Mails composed, signed and handed over by SMTP, and an alert by mail end to end: `python benchmarks/mail.py`.

The mail server is `mail_sink.py`, a process of its own that pipelines (RFC 2920) and takes everything. 'A core' is
per second of processor time of the notifier's side: of the process that hands over and of those that sign for it,
not of the sink. Every mail has an address of its own to unsubscribe, in its header and both bodies; what the sink
took is counted by Message-ID, recipient and that address, and a sample is verified by dkimpy.

Peers of the same run: EmailMessage for each mail, signed by dkimpy where mails are signed, handed over by aiosmtplib
on as many kept connections.
"""

import asyncio
import base64
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import aiosmtplib
import dkim
import uvloop
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from kommunepuls_chassis.producer import open_producer
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_devbroker.testing import running_broker
from kommunepuls_events import Channel
from notifier.adapters.catalogue import PoCatalogue
from notifier.adapters.dkim import DkimSealer
from notifier.adapters.dkim_keys import DkimKey, new_ed25519_key, new_rsa_key
from notifier.adapters.dkim_signers import open_signers
from notifier.adapters.gates import Gates
from notifier.adapters.mail_composer import MailComposer
from notifier.adapters.mail_press import MailPress
from notifier.adapters.smtp import MailCarrier
from notifier.adapters.smtp_dial import SmtpAddress
from notifier.domain.contacts import MailAddress
from notifier.domain.messages import Message
from notifier.keys import fresh_keys
from notifier.records.vault import Endpoint
from notifier.records.vault_keys import KeyRing
from notifier.service.clock import Clock
from notifier.testing import item, item_message, match
from surroundings import TOWN, ledger_closed, process, processor_seconds, settle
from table import Part, run_part

SENDER = "puls@fjordvik.example"
AT_ONCE, CONNECTIONS = 64, 8
TOKEN = "as-long-as-a-signed-one-which-is-about-a-hundred-characters-and-names-the-resident-it-belongs-to."
RSA = new_rsa_key("fjordvik.example", "puls")
ED25519 = new_ed25519_key("fjordvik.example", "puls-ed25519")
MOST_SECONDS = 120.0


@dataclass(frozen=True)
class Sizes:
    """How many mails of each kind."""

    unsigned: int
    signed: int
    whole: int
    plain_peer: int
    signed_peer: int


FULL, QUICK = Sizes(60_000, 10_000, 10_000, 1_500, 300), Sizes(10_000, 1_500, 1_000, 200, 40)


@asynccontextmanager
async def sink() -> AsyncIterator[int]:
    """A mail server; yields its port."""
    async with process(str(Path(__file__).with_name("mail_sink.py"))) as started:
        yield int(await started.stdout.readline())


async def taken(port: int) -> dict:
    """What it took so far."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 26)
    await reader.readline()
    writer.write(b"TOLD\r\n")
    told = json.loads(await reader.readline())
    writer.close()
    return told


def letters(count: int) -> list[Message]:
    """One item for so many residents, each with a Message-ID and an address to unsubscribe of their own."""
    first = item_message(token=TOKEN)
    return [
        replace(first, key=f"{number:040x}", unsubscribe_url=f"{first.unsubscribe_url}{number}")
        for number in range(count)
    ]


def endpoint(number: int) -> Endpoint:
    """One resident's address."""
    return Endpoint("m", "s", Channel.EMAIL, MailAddress(f"resident-{number}@post.example"))


@dataclass(frozen=True)
class Cost:
    """What handing mails over took: seconds on the clock, and of processor time."""

    mails: int
    clock: float
    processor: float

    @property
    def a_core(self) -> float:
        """Mails for a second of processor time."""
        return self.mails / self.processor

    def __str__(self) -> str:
        return f"{self.a_core:,.0f}/s ({self.mails / self.clock:,.0f}/s on the clock)"


async def timed(messages: Sequence[Message], send: Callable[[int, Message], Awaitable[None]]) -> Cost:
    """Hand the messages over, so many at a time."""
    waiting = iter(enumerate(messages))

    async def work() -> None:
        for number, message in waiting:
            await send(number, message)

    processes = [os.getpid(), *_children()]
    clock, processor = time.monotonic(), sum(map(processor_seconds, processes))
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    used = sum(map(processor_seconds, processes)) - processor
    return Cost(len(messages), time.monotonic() - clock, used)


def _children() -> list[int]:
    """The processes of ours that sign; the mail server is one of ours too, and is not counted."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    return [pid for pid in map(int, children) if b"dkim_worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def handed_over(port: int, count: int, keys: Sequence[DkimKey]) -> Cost:
    """By the notifier's own carrier."""
    async with open_signers(keys, processes=1) as signers:
        composer = MailComposer(PoCatalogue(), SENDER)
        carrier = MailCarrier(
            MailPress(composer, DkimSealer(keys) if keys else None),
            SmtpAddress("127.0.0.1", port, None, None, "none", 20.0),
            SENDER,
            Gates(AT_ONCE, waiting_seconds=5.0),
            Clock(),
            connections=CONNECTIONS,
            signers=signers,
        )

        async def send(number: int, message: Message) -> None:
            await carrier.carry(message, endpoint(number), first=False)

        # Connections are open and the signing process is up before anything is measured.
        await asyncio.gather(*(send(number, one) for number, one in enumerate(letters(CONNECTIONS))))
        cost = await timed(letters(count), send)
        await carrier.close()
    return cost


async def handed_over_as_usual(port: int, count: int, key: DkimKey | None) -> Cost:
    """EmailMessage for each, dkimpy, aiosmtplib."""
    composer = MailComposer(PoCatalogue(), SENDER)
    free: asyncio.Queue[aiosmtplib.SMTP] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False)
        await client.connect()
        free.put_nowait(client)
    pem = (
        key.private_key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        if key
        else b""
    )

    async def send(number: int, message: Message) -> None:
        address = endpoint(number).contact.address
        raw = composer.compose(message, address, datetime.now(UTC)).as_bytes()
        if key:
            raw = (
                dkim.sign(
                    raw,
                    key.selector.encode(),
                    key.domain.encode(),
                    pem,
                    canonicalize=(b"relaxed", b"relaxed"),
                )
                + raw
            )
        client = await free.get()
        await client.sendmail(SENDER, [address], raw)
        free.put_nowait(client)

    cost = await timed(letters(count), send)
    while not free.empty():
        await free.get_nowait().quit()
    return cost


def signed_alone(count: int) -> float:
    """RSA-2048 signatures for a second of processor time, and nothing else: no mail can be signed in less."""
    padding, hashed = PKCS1v15(), Prehashed(SHA256())
    began = time.process_time()
    for number in range(count):
        RSA.private_key.sign(number.to_bytes(32, "big"), padding, hashed)
    return count / (time.process_time() - began)


def verified(sample: Sequence[str], keys: Sequence[DkimKey]) -> int:
    """How many of the mails have signatures that dkimpy takes, one of each key."""
    records = {f"{key.selector}._domainkey.{key.domain}.".encode(): key.record.encode() for key in keys}
    return sum(
        all(
            dkim.DKIM(base64.b64decode(mail)).verify(which, dnsfunc=lambda name, timeout=5: records.get(name))
            for which in range(len(keys))
        )
        for mail in sample
    )  # fmt: skip


async def unsigned_rows(part: Part, sizes: Sizes) -> None:
    """Without DKIM."""
    async with sink() as port:
        peer = await handed_over_as_usual(port, sizes.plain_peer, None)
    async with sink() as port:
        cost = await handed_over(port, sizes.unsigned, ())
        told = await taken(port)
    part.row(
        "mails composed and handed over by SMTP, a core", "10,000/s", str(cost),
        f"{cost.a_core / peer.a_core:.0f} x EmailMessage + aiosmtplib", met=cost.a_core >= 10_000,
    )  # fmt: skip
    each = min(told["recipients"], told["ids"], told["unsubscribe"])
    again = told["mails"] - sizes.unsigned - CONNECTIONS  # so many were sent before, to warm up
    part.row(
        "  different recipients, Message-IDs, unsubscribe links; twice", f"{sizes.unsigned:,}; 0",
        f"{each:,}; {again}", met=each == sizes.unsigned and again == 0,
    )  # fmt: skip


async def signed_rows(part: Part, sizes: Sizes) -> None:
    """With DKIM."""
    alone = signed_alone(sizes.signed // 4)
    async with sink() as port:
        peer = await handed_over_as_usual(port, sizes.signed_peer, RSA)
    async with sink() as port:
        cost = await handed_over(port, sizes.signed, (RSA,))
        one = await taken(port)
    part.row(
        "mails signed with DKIM RSA-2048 and handed over, a core", "1,000/s", str(cost),
        f"{cost.a_core / peer.a_core:.0f} x EmailMessage + dkimpy", met=cost.a_core >= 1_000,
    )  # fmt: skip
    part.row(
        "  RSA-2048 signatures alone, a core: the wall", "", f"{alone:,.0f}/s",
        f"{cost.a_core / alone:.2f} of it reached",
    )  # fmt: skip
    async with sink() as port:
        both = await handed_over(port, sizes.signed // 2, (RSA, ED25519))
        two = await taken(port)
    part.row("  with a second signature in Ed25519 (RFC 8463)", "", str(both))
    good = verified(one["sample"], (RSA,)) + verified(two["sample"], (RSA, ED25519))
    asked = len(one["sample"]) + len(two["sample"])
    part.row("  of a sample, verified by dkimpy", "all", f"{good} of {asked}", met=good == asked)


async def whole_rows(part: Part, sizes: Sizes) -> None:
    """From publishing an item's matches to the last acceptance, and until the ledger is closed."""
    count = sizes.whole
    contacts = {f"s-{number}": endpoint(number).contact for number in range(count)}
    with tempfile.TemporaryDirectory() as folder:
        home, keys = Path(folder), fresh_keys()
        (home / "town.yaml").write_text(TOWN, encoding="utf-8")
        url = f"sqlite:///{home / 'notifier.db'}"
        await settle(url, KeyRing(keys["KP_VAULT_KEY"]), Channel.EMAIL, contacts)
        async with sink() as port, running_broker(home / "broker") as broker:
            environment = keys | {
                "KP_KAFKA_BOOTSTRAP": broker.address, "KP_STORE_URL": url, "KP_TOWN_FILES": str(home / "town.yaml"),
                "KP_PUBLIC_URL": "https://puls.example", "KP_MAIL_FROM": SENDER, "KP_SMTP_HOST": "127.0.0.1", "KP_PUSH_PROCESSES": "0",
                "KP_SMTP_PORT": str(port), "KP_SMTP_SECURITY": "none", "KP_VAPID_SUBJECT": f"mailto:{SENDER}",
            }  # fmt: skip
            settings = ServiceSettings(kafka_bootstrap=broker.address)
            await ensure_topics(settings)
            async with (
                process("-m", "notifier", environment=environment) as notifier,
                open_producer("bench", settings) as producer,
            ):
                now, everybody = datetime.now(UTC), list(contacts)
                await producer.publish(
                    match(item("warm-up", published_at=now, observed_at=now), everybody[0])
                )
                await _until_taken(port, 1)
                alert = item(published_at=now, observed_at=now)
                chunks = [
                    match(alert, *everybody[start : start + 500]).model_copy(
                        update={"id": f"{alert.id}#1#0#{start}", "chunk": start // 500}
                    )
                    for start in range(0, count, 500)
                ]
                began, processor = time.monotonic(), processor_seconds(notifier.pid)
                await producer.publish(*chunks)
                closed = await ledger_closed(url, count + 1) - began
                processor = processor_seconds(notifier.pid) - processor
                told = await taken(port)
    accepted = told["last"] - began
    part.row(
        f"{count:,} mails through the notifier, publish to last acceptance", "",
        f"{accepted:.1f} s = {count / accepted:,.0f}/s", f"{count / processor:,.0f}/s a core",
    )  # fmt: skip
    again = told["mails"] - count - 1
    part.row(
        "  ledger closed and deliveries.v1 told; recipients, twice", f"{count:,}, 0",
        f"{closed:.1f} s; {told['recipients']:,}, {again}", met=told["recipients"] == count and again == 0,
    )  # fmt: skip


async def _until_taken(port: int, mails: int) -> None:
    until = time.monotonic() + MOST_SECONDS
    while (await taken(port))["mails"] < mails:
        if time.monotonic() > until:
            raise SystemExit("the notifier did not start in time")
        await asyncio.sleep(0.1)


async def _measure(part: Part) -> None:
    sizes = QUICK if part.quick else FULL
    await unsigned_rows(part, sizes)
    await signed_rows(part, sizes)
    await whole_rows(part, sizes)


def measure(part: Part) -> None:
    """All rows of this part."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_measure(part))


if __name__ == "__main__":
    run_part(__doc__, measure)
