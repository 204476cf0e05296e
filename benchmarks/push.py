"""How fast an alert reaches web push subscriptions, ledger included: `python benchmarks/push.py`.

Starts an embedded broker, a notifier with the processes that belong to it, and the push service of `push_stub.py`, all on
free ports, and ends them. Subscriptions are made up anew each time: there is nothing to seed. Their key pairs are some
thousand that come again, each with a secret of its own: to the sender each is another.
"""

import asyncio
import base64
import json
import os
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import http_ece
import pycurl
import pywebpush
import uvloop
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hpack import Encoder
from kommunepuls_chassis.producer import Producer, open_producer
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.store.conditions import any_of
from kommunepuls_chassis.store.open import open_store
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_devbroker.testing import running_broker
from kommunepuls_events import Channel
from notifier.adapters.key_stock import KeyStock
from notifier.adapters.push_encryption import encrypt, new_message_key
from notifier.adapters.push_wire import Answer, open_wire
from notifier.domain.contacts import PushSubscription
from notifier.keys import fresh_keys
from notifier.records.ledger import Ledger
from notifier.records.vault_keys import KeyRing
from notifier.testing import ALERT, item, match
from surroundings import TOWN, process, processor_seconds, settle
from table import Part, run_part

STUB = Path(__file__).with_name("push_stub.py")
PLAIN = b"x" * 400
KEY_PAIRS = 2000
EMERGENCY = 200


def public_of(key: EllipticCurvePrivateKey) -> bytes:
    """The 65 bytes a browser registers."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def rate(work: Callable[[], object], count: int) -> float:
    """Calls a second of processor time."""
    began = time.process_time()
    for _ in range(count):
        work()
    return count / max(time.process_time() - began, 1e-6)


def encryption(part: Part) -> None:
    """Encryption alone, beside http_ece and the library that most use."""
    key, auth, count = generate_private_key(SECP256R1()), os.urandom(16), 500 if part.quick else 3000
    public = public_of(key)
    stock = KeyStock(count * 3, oldest_seconds=3600)
    secrets = [os.urandom(16) for _ in range(count)]
    for secret in secrets:
        stock.offer(public, secret)
    ahead = rate(lambda: stock.work(3600), 1)
    waiting = iter(secrets)
    from_stock = rate(lambda: encrypt(PLAIN, stock.take(public, next(waiting))), count)
    fresh = rate(lambda: encrypt(PLAIN, new_message_key(public, auth)), count)
    ece = rate(
        lambda: http_ece.encrypt(
            PLAIN, private_key=generate_private_key(SECP256R1()), dh=public, auth_secret=auth
        ),
        count,
    )
    told = {"p256dh": _text(public), "auth": _text(auth)}
    pusher = pywebpush.WebPusher({"endpoint": "https://push.example/x", "keys": told})
    theirs = rate(lambda: pusher.encode(PLAIN), count // 2)
    part.row("encrypted with a fresh sender key, a core", value=f"{fresh:,.0f}/s",
             ratio=f"{fresh / ece:.1f} x http_ece, {fresh / theirs:.1f} x pywebpush")  # fmt: skip
    part.row("keys made ahead, a core", value=f"{ahead * count:,.0f}/s")
    part.row("encrypted with a key made ahead, a core", value=f"{from_stock:,.0f}/s",
             ratio=f"{from_stock / ece:.1f} x http_ece, {from_stock / theirs:.1f} x pywebpush")  # fmt: skip


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


def ceiling(part: Part, service: Stub) -> None:
    """What the push service takes from one who has all requests written before."""
    count, together = (20_000 if part.quick else 60_000), 100
    block = Encoder()
    block.header_table_size = 0
    headers = block.encode(
        [(":method", "POST"), (":scheme", "http"), (":authority", "push.example"), (":path", "/send/" + "x" * 40),
         ("ttl", "86400"), ("urgency", "high"), ("authorization", "vapid t=" + "x" * 250)]
    )  # fmt: skip
    body = bytes(86) + PLAIN
    requests = [
        _frame(1, 4, stream, headers) + _frame(0, 1, stream, body) for stream in range(1, count * 2, 2)
    ]
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0, 0, b"") + _frame(4, 1, 0, b""))
        time.sleep(0.2)
        connection.recv(65_536)
        began, processor = time.monotonic(), processor_seconds(service.pid)
        for start in range(0, count, together):
            connection.sendall(b"".join(requests[start : start + together]))
            left = together * 14
            while left > 0:
                left -= len(connection.recv(65_536))
        passed, used = time.monotonic() - began, processor_seconds(service.pid) - processor
    part.row("the stub takes at most, from one writer", value=f"{count / passed:,.0f}/s",
             ratio=f"{used / count * 1e6:.0f} us of a core each")  # fmt: skip


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def peer(part: Part, service: Stub) -> float:
    """The loop that most write: `webpush()` for each; messages a second."""
    count, private = (100 if part.quick else 500), _text(generate_private_key(SECP256R1()).private_numbers().private_value.to_bytes(32, "big"))  # fmt: skip
    told = {"p256dh": _text(public_of(generate_private_key(SECP256R1()))), "auth": _text(os.urandom(16))}
    began = time.monotonic()
    for number in range(count):
        pywebpush.webpush(
            {"endpoint": f"{service.url}/{number}", "keys": told}, PLAIN, vapid_private_key=private,
            vapid_claims={"sub": "mailto:drift@fjordvik.example"}, ttl=60,
        )  # fmt: skip
    reached = count / (time.monotonic() - began)
    part.row("the loop of pywebpush's webpush(), on the clock", value=f"{reached:,.0f}/s")
    return reached


async def wire(part: Part, service: Stub) -> None:
    """The HTTP/2 client alone."""
    count, done, loop = (10_000 if part.quick else 40_000), 0, asyncio.get_running_loop()
    over = loop.create_future()
    headers = ["TTL: 86400", "Urgency: high", "Authorization: vapid t=" + "x" * 250, "Accept:", "Expect:"]
    async with open_wire(allow_private=True, timeout_seconds=10, plain_http2=True) as client:
        asked = iter(range(count))

        def ask(_: object = None) -> None:
            number = next(asked, None)
            if number is not None:
                client.ask(f"{service.url}/send/{number:040}", headers, bytes(86) + PLAIN, answered)

        def answered(said: object) -> None:
            nonlocal done
            done += 1
            if not isinstance(said, Answer) or said.status != 201:
                over.set_exception(RuntimeError(f"{said}"))
            elif done == count:
                over.set_result(None)
            ask()

        began, processor = time.monotonic(), time.process_time()
        for _ in range(200):
            ask()
        await over
        passed, used = time.monotonic() - began, time.process_time() - processor
    part.row("asked over HTTP/2 by one process, body given", value=f"{count / passed:,.0f}/s",
             ratio=f"{used / count * 1e6:.0f} us of a core each")  # fmt: skip


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

    def said(self, event: str) -> list[dict]:
        """What the notifier and its children have logged."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [json.loads(line) for line in lines if f'"{event}"' in line]

    def family(self) -> list[int]:
        """The notifier's processes."""
        return [self.notifier.pid, *(one["pid"] for one in self.said("crowd_process_started"))]

    async def until_keys_are_made(self, seconds: float) -> float:
        """Wait until a key is made ahead for everybody; the processor time that it took."""
        until = time.monotonic() + seconds
        while sum({str(one["shards"]): one["count"] for one in self.said("keys_ahead")}.values()) < len(
            self.keys
        ):
            if time.monotonic() > until:
                raise SystemExit("keys were not made in time")
            await asyncio.sleep(0.2)
        return processor_seconds(*self.family())

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


async def end_to_end(part: Part, residents: int, *, keys_ahead: bool, peer_rate: float) -> None:
    """An alert to everybody."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = {} if keys_ahead else {"KP_PUSH_KEYS_AHEAD": "0"}
        async with stub(home) as service, town(residents, service, home, **settings) as place:
            everybody = list(place.keys)
            await place.alert("warm-up", everybody[: residents // 50])
            await place.until_taken(residents // 50, 120)
            await place.until_closed(60)
            if keys_ahead:
                await place.until_keys_are_made(300)
            await service.asked("/forget")
            used = [
                processor_seconds(*place.family()),
                processor_seconds(service.pid),
                processor_seconds(place.broker),
            ]
            began = await place.alert("flood", everybody, **ALERT)
            await place.until_taken(residents, 300)
            closed = await place.until_closed(60)
            used = [now - before for now, before in zip(
                (processor_seconds(*place.family()), processor_seconds(service.pid), processor_seconds(place.broker)),
                used, strict=True)]  # fmt: skip
            told = await service.asked("/count")
            accepted, read = told["last"] - began, place.read(told["sample"])
            name = f"{residents:,} web push, {'keys made ahead' if keys_ahead else 'no key made ahead'}"
            goal = f"{residents / 20_000:.2g} s" if keys_ahead else ""
            part.row(f"{name}: publish to last acceptance", goal, f"{accepted:.2f} s = {residents / accepted:,.0f}/s",
                     f"{residents / accepted / peer_rate:.0f} x webpush()",
                     met=accepted < residents / 20_000 if keys_ahead else None)  # fmt: skip
            part.row("  from the first acceptance to the last", value=f"{told['last'] - told['first']:.2f} s")
            part.row("  until the ledger is closed and deliveries.v1 told", value=f"{closed - began:.2f} s")
            part.row("  processor seconds: notifier, stub, broker", value=", ".join(f"{one:.1f}" for one in used),
                     ratio=f"{sum(used) / residents * 1e6:.0f} us a message in all")  # fmt: skip
            part.row("  endpoints reached; sent twice; sender keys used twice", f"{residents}; 0; 0",
                     f"{told['endpoints']}; {told['push'] - told['endpoints']}; {told['push'] - told['sender_keys']}",
                     met=told["endpoints"] == told["push"] == told["sender_keys"] == residents)  # fmt: skip
            part.row("  of a sample, decrypted by http_ece", f"{len(told['sample'])}", str(read),
                     met=read == len(told["sample"]) > 0)  # fmt: skip
            part.row("  VAPID tokens signed", "2: 1 a process", str(told["tokens"]), met=told["tokens"] == 2)


async def emergency(part: Part, residents: int) -> None:
    """An emergency while a newsletter drains."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        async with stub(home) as service, town(residents, service, home) as place:
            everybody = list(place.keys)
            await place.until_keys_are_made(300)
            await place.alert("newsletter", everybody)
            await place.until_taken(residents // 5, 120)
            began = await place.alert("flood", everybody[:EMERGENCY], **ALERT)
            await place.until_taken(residents + EMERGENCY, 300)
            await place.until_closed(60)
            told = await service.asked("/count")
            left = told["after_urgent"] / residents
            part.row(f"an emergency to {EMERGENCY} while a newsletter to {residents:,} drains: last acceptance",
                     value=f"{told['urgent_last'] - began:.2f} s",
                     ratio=f"{left:.0%} of the newsletter came after it")  # fmt: skip
            part.row("  of both, sent twice", "0", str(told["push"] - residents - told["urgent"]),
                     met=told["push"] == residents + EMERGENCY)  # fmt: skip


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


async def over_sockets(part: Part) -> None:
    """What needs a push service."""
    with tempfile.TemporaryDirectory() as folder:
        async with stub(Path(folder)) as service:
            await asyncio.to_thread(ceiling, part, service)
            await wire(part, service)
            peer_rate = await asyncio.to_thread(peer, part, service)
    await end_to_end(part, 10_000 if part.quick else 100_000, keys_ahead=True, peer_rate=peer_rate)
    if not part.quick:
        await end_to_end(part, 20_000, keys_ahead=False, peer_rate=peer_rate)
    await emergency(part, 5_000 if part.quick else 50_000)


def measure(part: Part) -> None:
    """All of it."""
    encryption(part)
    uvloop.run(over_sockets(part))


if __name__ == "__main__":
    run_part(__doc__, measure)
