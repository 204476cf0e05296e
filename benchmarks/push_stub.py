"""A push service that takes everything, as a process of its own: HTTP/2 (RFC 9113) without TLS, and for peers that know
nothing else just enough of HTTP/1.1.

Prints one line of JSON with its port and serves until its standard input closes. `GET /count` tells what was taken,
`GET /forget` begins anew. Frames, settings, flow control and pings are served in full; what headers mean is worked out
by the `hpack` library when it is asked for: the table of headers is declared empty, so that each block stands for itself
and can be kept as it came (those from before that is known, in their order). What it spends on a request is what is left of a processor to those who are measured.
"""

import asyncio
import base64
import json
import sys
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

import uvloop
from hpack import Decoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 8, 9
END_STREAM, END_HEADERS, PADDED, PRIORITY = 1, 4, 8, 32
_ACK = 1
_WINDOW = 1 << 30
_SAMPLE_EVERY = 97
_CREATED = b"\x08\x03201"
"""`:status: 201`, a literal that is not put into a table (RFC 7541 section 6.2.2)."""


class Early:
    """A block of headers from before the other side had heard that the table is empty: it follows from those before it."""

    __slots__ = ("among", "place")

    def __init__(self, among: list[bytes], place: int) -> None:
        self.among = among
        self.place = place


Block = bytes | Early


def headers_of(blocks: Iterable[Block]) -> dict[Block, dict[str, str]]:
    """What blocks of headers mean."""
    decoder, early, found = Decoder(), {}, {}
    for block in set(blocks):
        if not isinstance(block, Early):
            found[block] = dict(decoder.decode(block))
            continue
        if id(block.among) not in early:
            own = Decoder()
            early[id(block.among)] = [dict(own.decode(one)) for one in block.among]
        found[block] = early[id(block.among)][block.place]
    return found


class Taken:
    """What came: blocks of headers, a time each, and a sample of bodies."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.times: list[float] = []
        self.sample: list[tuple[Block, bytes]] = []
        self.senders: list[bytes] = []
        self.simple = 0
        """Requests over HTTP/1.1."""

    def told(self) -> bytes:
        """All of it as JSON; times are on the system's monotonic clock, which processes share."""
        asked = headers_of(self.blocks)
        urgent = [
            when
            for block, when in zip(self.blocks, self.times, strict=True)
            if asked[block].get("urgency") == "high"
        ]
        paths = [asked[block][":path"] for block in self.blocks]
        return json.dumps(
            {
                "push": len(paths),
                "endpoints": len(set(paths)),
                "last": self.times[-1] if self.times else 0.0,
                "first": self.times[0] if self.times else 0.0,
                "urgent_last": urgent[-1] if urgent else 0.0,
                "urgent": len(urgent),
                "after_urgent": sum(when > urgent[-1] for when in self.times) if urgent else 0,
                "sender_keys": len(set(self.senders)),
                "simple": self.simple,
                "tokens": len({one.get("authorization") for one in asked.values()}),
                "sample": [
                    (asked[block][":path"], base64.b64encode(body).decode()) for block, body in self.sample
                ],
            }
        ).encode()


class PushService(asyncio.Protocol):
    """One connection."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken
        self._held = b""
        self._greeted = False
        self._open: dict[int, list[bytes]] = {}
        """Streams under way: the block of headers, then what came of the body."""
        self._unacknowledged = 0
        self._early: list[bytes] | None = []
        """Blocks in their order until the other side has heard that the table of headers is empty."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for what is spoken."""
        self._transport = transport

    def _greet(self) -> None:
        """Say what we take: no table of headers, many streams, a wide window."""
        # Identifiers as in RFC 9113 section 6.5.2: HEADER_TABLE_SIZE, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE.
        settings = b"".join(
            name.to_bytes(2, "big") + value.to_bytes(4, "big")
            for name, value in ((1, 0), (3, 128), (4, _WINDOW))
        )
        self._transport.write(
            _frame(SETTINGS, 0, 0, settings) + _frame(WINDOW_UPDATE, 0, 0, _WINDOW.to_bytes(4, "big"))
        )

    def data_received(self, data: bytes) -> None:
        """Answer each whole frame."""
        held = self._held + data if self._held else data
        place, end, answers = 0, len(held), []
        if not self._greeted:
            if end < len(PREFACE) and PREFACE.startswith(held):
                self._held = held
                return
            if not held.startswith(PREFACE):
                self._simple(held)
                return
            self._greeted, place = True, len(PREFACE)
            self._greet()
        while end - place >= 9:
            stop = place + 9 + int.from_bytes(held[place : place + 3], "big")
            if stop > end:
                break
            kind, flags = held[place + 3], held[place + 4]
            stream = int.from_bytes(held[place + 5 : place + 9], "big")
            payload, place = held[place + 9 : stop], stop
            if kind == DATA:
                self._body(stream, flags, payload, answers)
            elif kind in (HEADERS, CONTINUATION):
                self._headers(stream, kind, flags, payload, answers)
            elif kind == SETTINGS:
                if flags & _ACK:
                    self._early = None
                else:
                    answers.append(_frame(SETTINGS, _ACK, 0))
            elif kind == PING and not flags & _ACK:
                answers.append(_frame(PING, _ACK, 0, payload))
            elif kind == RST_STREAM:
                self._open.pop(stream, None)
        self._held = held[place:]
        if self._unacknowledged > _WINDOW >> 2:
            answers.append(_frame(WINDOW_UPDATE, 0, 0, self._unacknowledged.to_bytes(4, "big")))
            self._unacknowledged = 0
        if answers:
            self._transport.write(b"".join(answers))

    def _headers(self, stream: int, kind: int, flags: int, payload: bytes, answers: list[bytes]) -> None:
        if kind == HEADERS:
            if flags & PADDED:
                payload = payload[1 : len(payload) - payload[0]]
            if flags & PRIORITY:
                payload = payload[5:]
            self._open[stream] = [payload]
        else:
            self._open[stream][0] += payload
        if self._early is not None and flags & END_HEADERS:
            self._early.append(self._open[stream][0])
            self._open[stream][0] = Early(self._early, len(self._early) - 1)
        if flags & END_STREAM:
            self._answer_get(stream, answers)

    def _body(self, stream: int, flags: int, payload: bytes, answers: list[bytes]) -> None:
        self._unacknowledged += len(payload)
        if (request := self._open.get(stream)) is None:
            return
        if flags & PADDED:
            payload = payload[1 : len(payload) - payload[0]]
        request.append(payload)
        if flags & END_STREAM:
            del self._open[stream]
            taken = self._taken
            if len(taken.blocks) % _SAMPLE_EVERY == 0:
                taken.sample.append((request[0], b"".join(request[1:])))
            taken.blocks.append(request[0])
            # Behind salt, record size and its own length (RFC 8188 section 2.1).
            taken.senders.append(request[1][21:86])
            taken.times.append(time.monotonic())
            answers.append(b"\0\0\5\1\5" + stream.to_bytes(4, "big") + _CREATED)

    def _simple(self, held: bytes) -> None:
        """Answer each whole request of HTTP/1.1 with Content-Length."""
        while (end := held.find(b"\r\n\r\n")) >= 0:
            length = int(held[:end].lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(held) < end + 4 + length:
                break
            held = held[end + 4 + length :]
            self._taken.simple += 1
            self._transport.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        self._held = held

    def _answer_get(self, stream: int, answers: list[bytes]) -> None:
        block = self._open.pop(stream)[0]
        path = urlsplit(headers_of([block])[block][":path"]).path
        told = b"{}"
        if path == "/count":
            told = self._taken.told()
        elif path == "/number":
            told = json.dumps({"push": len(self._taken.blocks)}).encode()
        else:
            self._taken.__init__()
        answers.append(_frame(HEADERS, END_HEADERS, stream, b"\x88"))
        for start in range(0, len(told), 16_000):
            part = told[start : start + 16_000]
            answers.append(_frame(DATA, END_STREAM * (start + 16_000 >= len(told)), stream, part))


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


async def serve() -> None:
    """Serve until standard input closes."""
    taken, loop = Taken(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: PushService(taken), "127.0.0.1", 0)
    print(json.dumps({"push": server.sockets[0].getsockname()[1]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve())
