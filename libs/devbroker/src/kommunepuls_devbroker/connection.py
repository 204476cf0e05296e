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
_SMALL = 65_536


class Connection(asyncio.BufferedProtocol):
    """Ends its work at once when the client goes: a held join must not keep a dead member alive.

    A large frame is received into a buffer of its own and worked on there: with a megabyte of records each copy costs
    about as much as their checksum.
    """

    def __init__(self, broker: Broker, connections: set[Connection]) -> None:
        self._broker = broker
        self._connections = connections
        self._buffer = bytearray(_SMALL)
        self._filled = 0
        self._end = _SMALL
        self._spare: bytearray | None = None
        self._frames: deque[bytes | memoryview] = deque()
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

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self._buffer)[self._filled : self._end]

    def buffer_updated(self, nbytes: int) -> None:
        self._filled += nbytes
        begin = 0
        while (have := self._filled - begin) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, begin)
            if not 0 < length <= self._broker.settings.maximum_request_bytes:
                logger.warning("connection closed: a request of %d bytes", length)
                self._transport.abort()
                return
            size = _LENGTH.size + length
            if have < size:
                if size > _SMALL and self._end == _SMALL:
                    self._go_on_in(self._large(size), begin, size)
                    begin = 0
                break
            frame = memoryview(self._buffer)[begin + _LENGTH.size : begin + size]
            if size > _SMALL:  # it is all there is in its buffer
                self._frames.append(frame)
                self._go_on_in(bytearray(_SMALL), begin + size, _SMALL)
                begin = 0
            else:
                self._frames.append(bytes(frame))
                begin += size
        if begin:
            left = self._buffer[begin : self._filled]
            self._buffer[: len(left)] = left
            self._filled = len(left)
        if self._frames:
            self._frame_arrived.set()
        if len(self._frames) > _FRAMES_AHEAD:
            self._transport.pause_reading()

    def _go_on_in(self, buffer: bytearray, begin: int, end: int) -> None:
        """Receive into another buffer, up to `end`; what there is from `begin` on moves there."""
        left = memoryview(self._buffer)[begin : self._filled]
        buffer[: len(left)] = left
        self._buffer, self._filled, self._end = buffer, len(left), end

    def _large(self, size: int) -> bytearray:
        spare, self._spare = self._spare, None
        return spare if spare is not None and len(spare) >= size else bytearray(size)

    async def _serve(self) -> None:
        try:
            while True:
                frame = await self._next_frame()
                request = read_request(frame)
                answer = await self._answer(request)
                if isinstance(frame, memoryview):
                    self._spare = frame.obj  # memory that is there already is the quickest to write to
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

    async def _next_frame(self) -> bytes | memoryview:
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
