"""The steps of an alert by web push, each by itself: encrypting, asking, and what the push service takes."""

import asyncio
import base64
import os
import socket
import time
from collections.abc import Callable

import http_ece
import pywebpush
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from hpack import Encoder
from notifier.adapters.key_stock import KeyStock
from notifier.adapters.push_encryption import encrypt, new_message_key
from notifier.adapters.push_wire import Answer, open_wire
from push_town import Stub, public_of
from surroundings import processor_seconds
from table import Part

PLAIN = b"x" * 400
AT_ONCE = 500


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
        for _ in range(AT_ONCE):
            ask()
        await over
        passed, used = time.monotonic() - began, time.process_time() - processor
    part.row("asked over HTTP/2 by one process, body given", value=f"{count / passed:,.0f}/s",
             ratio=f"{used / count * 1e6:.0f} us of a core each")  # fmt: skip


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
