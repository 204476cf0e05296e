"""How fast an alert reaches push services, ledger included: `python benchmarks/delivery.py`.

Starts an embedded broker, a notifier and the stubs of `delivery_stubs.py` as processes on free ports, and ends
them. Subscriptions are made up anew each time: there is nothing to seed.
"""

import asyncio
import base64
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import http_ece
import httpx
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from kommunepuls_chassis.producer import Producer, open_producer
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.store.open import open_store
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_devbroker.testing import running_broker
from kommunepuls_events import Channel
from notifier.adapters.push_encryption import encrypt
from notifier.domain.contacts import Contact, PushSubscription
from notifier.keys import fresh_keys
from notifier.records.knowledge import Knowledge
from notifier.records.ledger import Ledger
from notifier.records.vault import Endpoint, Vault
from notifier.records.vault_keys import KeyRing
from notifier.testing import item, match, profile
from table import Part, Row, run_part

QUICK = "--quick" in sys.argv
PUSH = 3_000 if QUICK else 20_000
MAILS = 2_000 if QUICK else 10_000
PEERS = 200 if QUICK else 1_000
MOST_SECONDS = 45 if QUICK else 180
AUTH = b"0123456789abcdef"
TOWN = "code: NO-9901\nname: Fjordvik kommune\n"


@asynccontextmanager
async def process(
    *arguments: str, environment: dict[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that is ended."""
    with tempfile.TemporaryFile() as log:
        started = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, env={**os.environ, **(environment or {})},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
        )  # fmt: skip
        try:
            yield started
        finally:
            if started.returncode is None:
                started.terminate()
                try:
                    await asyncio.wait_for(started.wait(), 20)
                except TimeoutError:
                    started.kill()
                    await started.wait()


@asynccontextmanager
async def stubs() -> AsyncIterator[dict[str, int]]:
    """The stubs; yields their ports."""
    async with process(str(Path(__file__).with_name("delivery_stubs.py"))) as started:
        yield json.loads(await started.stdout.readline())


async def taken(ports: dict[str, int]) -> dict:
    """What the stubs have taken so far."""
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{ports['push']}/count", timeout=30)).json()


def public_of(key: EllipticCurvePrivateKey) -> bytes:
    """The 65 bytes a browser registers."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


async def settle(url: str, keys: KeyRing, channel: Channel, contacts: dict[str, Contact]) -> None:
    """Put residents with one endpoint each into a notifier's store."""
    now = datetime.now(UTC)
    async with open_store(url) as store:
        vault, knowledge = await Vault.open(store, keys), await Knowledge.open(store)
        everybody = list(contacts.items())
        for start in range(0, len(everybody), 500):
            part = everybody[start : start + 500]
            await asyncio.gather(
                *(vault.register(Endpoint(f"e-{who}", who, channel, contact), now) for who, contact in part),
                *(knowledge.keep_profile(profile(who, channels=(channel,))) for who, _ in part),
            )


async def ledger_closed(url: str, expected: int) -> float:
    """When all is written down as sent and told; the monotonic clock."""
    async with open_store(url) as store:
        ledger = await Ledger.open(store)
        until = time.monotonic() + MOST_SECONDS
        while time.monotonic() < until:
            if await ledger._sendings.count({"queue": None}) >= expected:
                return time.monotonic()
            await asyncio.sleep(0.1)
    raise SystemExit("the ledger was not closed in time")


@dataclass(frozen=True)
class Delivered:
    """What came of one alert.

    Attributes:
        told: what the stubs have taken.
        accepted, closed: seconds from publishing to the last acceptance, and until the ledger says so.
        processor: seconds of processor time that the notifier used for it, all its threads together.
    """

    told: dict
    accepted: float
    closed: float
    processor: float


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def warmed_up(producer: Producer, ports: dict[str, int], subscriber: str) -> None:
    """Wait until the notifier has its partitions and has sent one message."""
    before, until = await taken(ports), time.monotonic() + MOST_SECONDS
    now = datetime.now(UTC)
    await producer.publish(match(item("warm-up", published_at=now, observed_at=now), subscriber))
    while (now_taken := await taken(ports))["push"] + now_taken["mails"] == before["push"] + before["mails"]:
        if time.monotonic() > until:
            raise SystemExit("the notifier did not start in time")
        await asyncio.sleep(0.1)


async def deliver(ports: dict[str, int], channel: Channel, contacts: dict[str, Contact]) -> Delivered:
    """Publish one alert to everybody."""
    with tempfile.TemporaryDirectory() as folder:
        home, vault_keys = Path(folder), fresh_keys()
        (home / "town.yaml").write_text(TOWN, encoding="utf-8")
        url = f"sqlite:///{home / 'notifier.db'}"
        await settle(url, KeyRing(vault_keys["KP_VAULT_KEY"]), channel, contacts)
        async with running_broker(home / "broker") as broker:
            environment = vault_keys | {
                "KP_KAFKA_BOOTSTRAP": broker.address, "KP_STORE_URL": url, "KP_TOWN_FILES": str(home / "town.yaml"),
                "KP_PUBLIC_URL": "https://puls.example", "KP_MAIL_FROM": "puls@fjordvik.example",
                "KP_SMTP_HOST": "127.0.0.1", "KP_SMTP_PORT": str(ports["mail"]), "KP_SMTP_SECURITY": "none",
                "KP_VAPID_SUBJECT": "mailto:drift@fjordvik.example", "KP_PUSH_ALLOW_PRIVATE": "true",
            }  # fmt: skip
            settings = ServiceSettings(kafka_bootstrap=broker.address)
            await ensure_topics(settings)
            async with (
                process("-m", "notifier", environment=environment) as notifier,
                open_producer("bench", settings) as producer,
            ):
                await warmed_up(producer, ports, next(iter(contacts)))
                now, everybody = datetime.now(UTC), list(contacts)
                alert = item(published_at=now, observed_at=now)
                chunks = [
                    match(alert, *everybody[start : start + 500]).model_copy(
                        update={"id": f"{alert.id}#1#0#{start}", "chunk": start // 500}
                    )
                    for start in range(0, len(everybody), 500)
                ]
                began, processor = time.monotonic(), processor_seconds(notifier.pid)
                await producer.publish(*chunks)
                closed = await ledger_closed(url, len(everybody) + 1)
                told = await taken(ports)
                return Delivered(
                    told, told["last"] - began, closed - began, processor_seconds(notifier.pid) - processor
                )


async def push_rows(ports: dict[str, int]) -> list[Row]:
    """An alert to web push, end to end."""
    keys = {f"s-{number}": generate_private_key(SECP256R1()) for number in range(PUSH)}
    contacts = {
        who: PushSubscription(f"http://127.0.0.1:{ports['push']}/{who}", public_of(key), AUTH)
        for who, key in keys.items()
    }
    delivered = await deliver(ports, Channel.PUSH, contacts)
    told, accepted, closed = delivered.told, delivered.accepted, delivered.closed
    twice = told["push"] - 1 - told["endpoints"]  # one was asked before, to warm up
    read = sum(
        json.loads(
            http_ece.decrypt(base64.b64decode(body), private_key=keys[path[1:]], auth_secret=AUTH)
        )["title"] != ""
        for path, body in told["sample"]
    )  # fmt: skip
    return [
        Row(f"{PUSH:,} web push, publish to last acceptance", "100,000 in 5 s = 20,000/s",
            f"{accepted:.1f} s = {PUSH / accepted:,.0f}/s", f"{PUSH / accepted / 20_000:.2f} of the goal"),
        Row("the same, until the ledger is closed and deliveries.v1 told", "", f"{closed:.1f} s = {PUSH / closed:,.0f}/s"),
        Row("the same, a second of the notifier's processor time", "", f"{PUSH / delivered.processor:,.0f}"),
        Row("endpoints reached, sent twice", f"{PUSH}, 0", f"{told['endpoints']}, {twice}"),
        Row("of a sample, decrypted by http_ece", "all", f"{read} of {len(told['sample'])}"),
    ]  # fmt: skip


def push_messages() -> list[Row]:
    """Encryption alone, beside http_ece, which pywebpush encrypts with."""
    key = generate_private_key(SECP256R1())
    public, plain = public_of(key), b"x" * 400
    ours = rate(lambda: encrypt(plain, public, AUTH))
    theirs = rate(
        lambda: http_ece.encrypt(
            plain, private_key=generate_private_key(SECP256R1()), dh=public, auth_secret=AUTH
        )
    )
    return [
        Row(
            "encrypted with a fresh sender key, a core",
            "",
            f"{ours:,.0f}/s",
            f"{ours / theirs:.1f} x http_ece",
        )
    ]


def rate(work, count: int = PEERS) -> float:
    """Calls a second of processor time."""
    began = time.process_time()
    for _ in range(count):
        work()
    return count / max(time.process_time() - began, 1e-6)


async def _measure(part: Part) -> None:
    part.rows += push_messages()
    async with stubs() as ports:
        part.rows += await push_rows(ports)


def measure(part: Part) -> None:
    """All rows of this part."""
    asyncio.run(_measure(part))


if __name__ == "__main__":
    run_part(__doc__, measure)
