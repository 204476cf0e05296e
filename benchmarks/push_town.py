"""A town that is told by web push: a broker, a notifier with its processes, residents with a subscription each, and the
push service of `push_stub.py`, all on free ports, and ended.

Subscriptions are made up anew each time: there is nothing to seed. Their key pairs are some thousand that come again,
each with a secret of its own: to the sender each is another.
"""

import asyncio
import base64
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import http_ece
import pycurl
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from kommunepuls_chassis.producer import Producer, open_producer
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.store.conditions import any_of
from kommunepuls_chassis.store.open import open_store
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_devbroker.testing import running_broker
from kommunepuls_events import Channel
from notifier.domain.contacts import PushSubscription
from notifier.keys import fresh_keys
from notifier.records.ledger import Ledger
from notifier.records.vault_keys import KeyRing
from notifier.testing import item, match
from surroundings import TOWN, process, processor_seconds, settle

STUB = Path(__file__).with_name("push_stub.py")
KEY_PAIRS = 2000


def public_of(key: EllipticCurvePrivateKey) -> bytes:
    """The 65 bytes a browser registers."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass(frozen=True)
class Stub:
    """The push service."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    async def asked(self, path: str) -> dict:
        """What it says of itself."""
        return json.loads(await asyncio.to_thread(_get, f"{self.url}{path}"))


def _get(url: str) -> bytes:
    parts: list[bytes] = []
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
    handle.setopt(pycurl.WRITEFUNCTION, parts.append)
    handle.perform()
    handle.close()
    return b"".join(parts)


@asynccontextmanager
async def stub(folder: Path) -> AsyncIterator[Stub]:
    """A push service of its own."""
    async with process(str(STUB), log=folder / "stub.log") as started:
        yield Stub(json.loads(await started.stdout.readline())["push"], started.pid)


@dataclass
class Town:
    """A notifier with its residents."""

    url: str
    producer: Producer
    service: Stub
    notifier: asyncio.subprocess.Process
    log: Path
    broker: int
    keys: dict[str, tuple[EllipticCurvePrivateKey, bytes]]
    _keys_told: int = 0

    def said(self, event: str) -> list[dict]:
        """What the notifier and its children have logged."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [json.loads(line) for line in lines if f'"{event}"' in line]

    def family(self) -> list[int]:
        """The notifier's processes."""
        return [self.notifier.pid, *(one["pid"] for one in self.said("crowd_process_started"))]

    async def until_keys_are_made(self, seconds: float) -> None:
        """Wait until a key is made ahead for everybody."""
        until = time.monotonic() + seconds
        while sum(
            {str(one["shards"]): one["count"] for one in self.said("keys_ahead")[self._keys_told :]}.values()
        ) < len(self.keys):
            if time.monotonic() > until:
                raise SystemExit("keys were not made in time")
            await asyncio.sleep(0.2)
        self._keys_told = len(self.said("keys_ahead"))

    def used(self) -> list[float]:
        """Processor seconds so far: of the notifier itself, its processes for crowds, the push service, the broker."""
        own, *crowds = self.family()
        groups = ([own], crowds, [self.service.pid], [self.broker])
        return [processor_seconds(*group) for group in groups]

    async def alert(self, native: str, everybody: list[str], **fields: object) -> float:
        """Publish the matches of an item; when that began, on the monotonic clock."""
        now = datetime.now(UTC)
        about = item(native, published_at=now, observed_at=now, **fields)
        chunks = [
            match(about, *everybody[start : start + 500]).model_copy(
                update={"id": f"{about.id}#1#0#{start}", "chunk": start // 500}
            )
            for start in range(0, len(everybody), 500)
        ]
        began = time.monotonic()
        await self.producer.publish(*chunks)
        return began

    async def until_closed(self, seconds: float) -> float:
        """When no wave and no message is open any more, on the monotonic clock."""
        queues = [f"{lane}-{shard}" for lane in ("first", "ordinary") for shard in range(4)]
        singles = [f"push-{lane}" for lane in ("first", "ordinary")]
        async with open_store(self.url) as store:
            ledger = await Ledger.open(store)
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                if not await ledger.waves._waves.count(
                    {"queue": any_of(queues)}
                ) and not await ledger._sendings.count({"queue": any_of(singles)}):
                    return time.monotonic()
                await asyncio.sleep(0.05)
        raise SystemExit("the ledger was not closed in time")

    async def until_taken(self, count: int, seconds: float) -> None:
        """Wait until the push service has so many; asked seldom, since it costs what is measured."""
        until = time.monotonic() + seconds
        while (await self.service.asked("/number"))["push"] < count:
            if time.monotonic() > until:
                raise SystemExit("not all were sent in time")
            await asyncio.sleep(0.05)

    def read(self, sample: list[list[str]]) -> int:
        """How many of a sample http_ece decrypts."""
        read = 0
        for path, body in sample:
            private, auth = self.keys[path[1:]]
            raw = http_ece.decrypt(base64.b64decode(body), private_key=private, auth_secret=auth)
            read += json.loads(raw)["title"] != ""
        return read


@asynccontextmanager
async def town(residents: int, service: Stub, home: Path, **settings: str) -> AsyncIterator[Town]:
    """A notifier, and residents with a push subscription each."""
    pairs = [generate_private_key(SECP256R1()) for _ in range(min(residents, KEY_PAIRS))]
    public = [public_of(pair) for pair in pairs]
    keys = {f"s-{number:07}": (pairs[number % len(pairs)], os.urandom(16)) for number in range(residents)}
    secrets = fresh_keys()
    url = f"sqlite:///{home / 'notifier.db'}"
    (home / "town.yaml").write_text(TOWN, encoding="utf-8")
    contacts = {
        who: PushSubscription(f"{service.url}/{who}", public[number % len(pairs)], keys[who][1])
        for number, who in enumerate(keys)
    }
    await settle(url, KeyRing(secrets["KP_VAULT_KEY"]), Channel.PUSH, contacts)
    async with running_broker(home / "broker") as broker:
        environment = secrets | {
            "KP_KAFKA_BOOTSTRAP": broker.address, "KP_STORE_URL": url, "KP_TOWN_FILES": str(home / "town.yaml"),
            "KP_PUBLIC_URL": "https://puls.example", "KP_MAIL_FROM": "puls@fjordvik.example",
            "KP_SMTP_HOST": "127.0.0.1", "KP_SMTP_SECURITY": "none",
            "KP_VAPID_SUBJECT": "mailto:drift@fjordvik.example", "KP_PUSH_ALLOW_PRIVATE": "true",
            "KP_PUSH_PLAIN_HTTP2": "true", **settings,
        }  # fmt: skip
        kafka = ServiceSettings(kafka_bootstrap=broker.address)
        await ensure_topics(kafka)
        async with (
            process("-m", "notifier", environment=environment, log=home / "notifier.log") as notifier,
            open_producer("bench", kafka) as producer,
        ):
            yield Town(url, producer, service, notifier, home / "notifier.log", broker.pid, keys)
