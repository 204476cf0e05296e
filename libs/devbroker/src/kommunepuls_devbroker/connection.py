"""One client connection: frames in, one request at a time, answers out in the same order.

Apache Kafka too works on one request of a connection at a time, so a held request (a fetch that
waits for records, a join that waits for its round) holds those behind it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections import deque
from typing import cast

from kommunepuls_devbroker.broker import Broker, Client
from kommunepuls_devbroker.requests.handlers import HANDLERS
from kommunepuls_devbroker.wire import (
    API_VERSIONS_KEY,
    IncomingRequest,
    UnreadableRequestError,
    frame_response,
    frame_version_answer,
    read_request,
)

logger = logging.getLogger(__name__)
_LENGTH = struct.Struct(">i")
_FRAMES_AHEAD = 8


class Connection(asyncio.Protocol):
    """Ends its work at once when the client goes: a held join must not keep a dead member alive."""

    def __init__(self, broker: Broker, connections: set[Connection]) -> None:
        self._broker = broker
        self._connections = connections
        self._received = bytearray()
        self._frames: deque[bytes] = deque()
        self._frame_arrived = asyncio.Event()
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._transport: asyncio.Transport
        self._serving: asyncio.Task[None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio's classes, so this cannot be asserted.
        self._transport = cast(asyncio.Transport, transport)
        connected_socket = transport.get_extra_info("socket")
        connected_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections.add(self)
        self._serving = asyncio.get_running_loop().create_task(self._serve())

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._may_write.set()
        self._serving.cancel()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._received)
            if not 0 < length <= self._broker.settings.maximum_request_bytes:
                logger.warning("connection closed: a request of %d bytes", length)
                self._transport.abort()
                return
            end = _LENGTH.size + length
            if len(self._received) < end:
                break
            self._frames.append(bytes(self._received[_LENGTH.size : end]))
            del self._received[:end]
        if self._frames:
            self._frame_arrived.set()
        if len(self._frames) > _FRAMES_AHEAD:
            self._transport.pause_reading()

    async def _serve(self) -> None:
        try:
            while True:
                request = read_request(await self._next_frame())
                answer = await self._answer(request)
                if answer is not None:
                    await self._may_write.wait()
                    self._transport.write(answer)
        except asyncio.CancelledError:
            self._transport.abort()
            raise
        except UnreadableRequestError as problem:
            logger.warning("connection closed: %s", problem)
        except Exception:
            # The client sees a lost connection and asks again; the other clients notice nothing.
            logger.exception("connection closed: a request could not be answered")
        self._transport.abort()

    async def _next_frame(self) -> bytes:
        while not self._frames:
            self._frame_arrived.clear()
            await self._frame_arrived.wait()
        frame = self._frames.popleft()
        if not self._frames and not self._transport.is_closing():
            self._transport.resume_reading()
        return frame

    async def _answer(self, request: IncomingRequest) -> bytes | None:
        if request.api_key == API_VERSIONS_KEY:
            return frame_version_answer(request)
        response = await HANDLERS[request.api_key](
            self._broker, request.body, self._client(request.client_id)
        )
        return None if response is None else frame_response(request, response)

    def _client(self, client_id: str) -> Client:
        peer = self._transport.get_extra_info("peername") or ("",)
        reached = self._transport.get_extra_info("sockname")
        return Client(client_id, f"/{peer[0]}", reached[0], reached[1])

    async def close(self) -> None:
        self._transport.abort()
        self._serving.cancel()
        await asyncio.wait((self._serving,))
