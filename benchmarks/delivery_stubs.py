"""A push service and a mail server that take everything, as a process: what `delivery.py` sends to.

Prints one line of JSON with the two ports, and serves until its standard input closes. `GET /count` on the
push port tells what was taken: how many, how many different endpoints or recipients, when the last one was, and
a sample of requests with their bodies in base64.
"""

import asyncio
import base64
import json
import sys
import time

import uvloop

_SAMPLE_EVERY = 97


class Taken:
    """What came."""

    def __init__(self) -> None:
        self.push = 0
        self.paths: set[bytes] = set()
        self.mails = 0
        self.recipients: set[bytes] = set()
        self.mail_bytes = 0
        self.last = 0.0
        self.sample: list[tuple[str, str]] = []
        self.urgent_after: int | None = None

    def told(self) -> bytes:
        """All of it as JSON; `last` is on the system's monotonic clock, which processes share."""
        return json.dumps(
            {
                "push": self.push,
                "endpoints": len(self.paths),
                "mails": self.mails,
                "recipients": len(self.recipients),
                "mail_bytes": self.mail_bytes,
                "last": self.last,
                "sample": self.sample,
                "urgent_after": self.urgent_after,
            }
        ).encode()


class PushService(asyncio.Protocol):
    """Just enough of HTTP/1.1: requests with Content-Length, answered 201 at once."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connected."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        held, answers = self._held + data, []
        while (end := held.find(b"\r\n\r\n")) >= 0:
            head = held[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(held) < end + 4 + length:
                break
            path = held[: held.index(b"\r\n")].split(b" ")[1]
            body, held = held[end + 4 : end + 4 + length], held[end + 4 + length :]
            if path == b"/count":
                told = self._taken.told()
                answers.append(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(told), told))
                continue
            self._take(path, head, body)
            answers.append(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        self._held = held
        self._transport.write(b"".join(answers))

    def _take(self, path: bytes, head: bytes, body: bytes) -> None:
        taken = self._taken
        if taken.push % _SAMPLE_EVERY == 0:
            taken.sample.append((path.decode(), base64.b64encode(body).decode()))
        if b"urgency: high" in head and taken.urgent_after is None:
            taken.urgent_after = taken.push
        taken.push += 1
        taken.paths.add(path)
        taken.last = time.monotonic()


class MailServer(asyncio.Protocol):
    """Just enough of SMTP; several commands in one packet are answered in order (RFC 2920)."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken
        self._held = b""
        self._in_mail = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = transport
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer each whole line, or the end of a mail."""
        held, answers = self._held + data, []
        while True:
            end = held.find(b"\r\n.\r\n" if self._in_mail else b"\r\n")
            if end < 0:
                break
            if self._in_mail:
                self._in_mail = False
                self._taken.mails += 1
                self._taken.mail_bytes += end
                self._taken.last = time.monotonic()
                held = held[end + 5 :]
                answers.append(b"250 2.0.0 taken\r\n")
                continue
            line, held = held[:end], held[end + 2 :]
            answers.append(self._answer(line))
        self._held = held
        if answers:
            self._transport.write(b"".join(answers))

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        if verb == b"DATA":
            self._in_mail = True
            return b"354 go on\r\n"
        if verb == b"RCPT":
            self._taken.recipients.add(line[8:].strip())
        return b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n"


async def serve() -> None:
    """Serve until standard input closes."""
    taken, loop = Taken(), asyncio.get_running_loop()
    push = await loop.create_server(lambda: PushService(taken), "127.0.0.1", 0)
    mail = await loop.create_server(lambda: MailServer(taken), "127.0.0.1", 0)
    ports = {"push": push.sockets[0].getsockname()[1], "mail": mail.sockets[0].getsockname()[1]}
    print(json.dumps(ports), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve())
