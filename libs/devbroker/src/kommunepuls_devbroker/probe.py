"""Asks a broker which versions of which requests it speaks; works with any Kafka broker and needs no client."""

from __future__ import annotations

import socket
import struct

from aiokafka.protocol.admin import ApiVersionRequest_v0, ApiVersionResponse_v0

_CORRELATION_ID = 1


def spoken_versions(address: str, timeout: float = 5.0) -> dict[int, tuple[int, int]]:
    """By API key: the lowest and the highest version spoken. Blocks; raises OSError when nobody answers."""
    host, _, port = address.rpartition(":")
    header = struct.pack(
        ">hhih", ApiVersionRequest_v0.API_KEY, ApiVersionRequest_v0.API_VERSION, _CORRELATION_ID, -1
    )
    with socket.create_connection((host, int(port)), timeout=timeout) as connection:
        connection.sendall(struct.pack(">i", len(header)) + header)
        (length,) = struct.unpack(">i", _read_exactly(connection, 4))
        answer = ApiVersionResponse_v0.decode(_read_exactly(connection, length)[4:])
    return {key: (lowest, highest) for key, lowest, highest in answer.api_versions}


def _read_exactly(connection: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        part = connection.recv(count - len(received))
        if not part:
            raise ConnectionError("the broker closed the connection")
        received += part
    return received
