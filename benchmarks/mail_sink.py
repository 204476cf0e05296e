"""A mail server that takes everything, as a process: what `mail.py` sends to.

Prints its port, and serves until its standard input closes. A connection that says ``TOLD`` in place of a mail gets
one line of JSON: how many mails and octets it took, how many different recipients, Message-IDs and addresses to
unsubscribe there were, when the last one was taken, and a sample of whole mails in base64.
"""

import asyncio
import base64
import json
import re
import sys
import time

import uvloop

_SAMPLE_EVERY = 97
_MESSAGE_ID = re.compile(rb"^Message-ID: *(\S+)", re.MULTILINE)
_UNSUBSCRIBE = re.compile(rb"^List-Unsubscribe: *(\S+)", re.MULTILINE)


class Taken:
    """What came."""

    def __init__(self) -> None:
        self.mails = 0
        self.octets = 0
        self.last = 0.0
        self.recipients: set[bytes] = set()
        self.ids: set[bytes] = set()
        self.unsubscribe: set[bytes] = set()
        self.sample: list[bytes] = []

    def take(self, mail: bytes) -> None:
        """One mail, dots doubled as on the line."""
        if self.mails % _SAMPLE_EVERY == 0:
            self.sample.append(mail.replace(b"\n..", b"\n."))
        self.mails += 1
        self.octets += len(mail)
        self.last = time.monotonic()
        head = mail[: mail.find(b"\r\n\r\n") + 2]
        for found, kept in ((_MESSAGE_ID, self.ids), (_UNSUBSCRIBE, self.unsubscribe)):
            if one := found.search(head):
                kept.add(one[1])

    def told(self) -> bytes:
        """All of it as JSON; `last` is on the system's monotonic clock, which processes share."""
        told = {
            "mails": self.mails, "octets": self.octets, "last": self.last, "recipients": len(self.recipients),
            "ids": len(self.ids), "unsubscribe": len(self.unsubscribe),
            "sample": [base64.b64encode(one).decode() for one in self.sample],
        }  # fmt: skip
        return json.dumps(told).encode() + b"\r\n"


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
        held, answers, start = self._held + data, [], 0
        while (end := held.find(b"\r\n.\r\n" if self._in_mail else b"\r\n", start)) >= 0:
            if self._in_mail:
                self._in_mail = False
                self._taken.take(held[start : end + 2])
                answers.append(b"250 2.0.0 taken\r\n")
                start = end + 5
            else:
                answers.append(self._answer(held[start:end]))
                start = end + 2
        self._held = held[start:]
        if answers:
            self._transport.write(b"".join(answers))

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250-SIZE 35882577\r\n250 8BITMIME\r\n"
        if verb == b"DATA":
            self._in_mail = True
            return b"354 go on\r\n"
        if verb == b"TOLD":
            return self._taken.told()
        if verb == b"RCPT":
            self._taken.recipients.add(line[8:].strip())
        return b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n"


async def serve() -> None:
    """Serve until standard input closes."""
    taken, loop = Taken(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: MailServer(taken), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve())
