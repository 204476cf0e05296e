"""Just enough of MQTT 3.1.1 to make sessions, fill and empty them without taking processor time that counts."""

import socket
import struct
import time
from collections.abc import Iterable

from sensor_gateway.testing import PASSWORD, USER

_MOST_SECONDS = 120.0


def publish(port: int, messages: Iterable[tuple[str, bytes]], count: int) -> None:
    """Publish so many at QoS 1, many at a time. Blocks until all are acknowledged."""
    with _connected(port, "feed", clean=True) as line:
        acknowledged, packets = 0, []
        for sent, (topic, message) in enumerate(messages, start=1):
            head = struct.pack(">H", len(topic)) + topic.encode() + struct.pack(">H", sent % 65_535 + 1)
            packets.append(_packet(0x32, head + message))
            if len(packets) == 100 or sent == count:
                line.sendall(b"".join(packets))
                packets = []
                # A PUBACK has four octets.
                while sent - acknowledged > (0 if sent == count else 1000):
                    acknowledged += len(line.recv(65_536)) / 4


def make_session(port: int, client_id: str, filter_: str) -> None:
    """Subscribe at QoS 1 for a client that is to come, and leave: the broker keeps what comes for it."""
    with _connected(port, client_id, clean=False) as line:
        line.sendall(
            _packet(0x82, b"\x00\x01" + struct.pack(">H", len(filter_)) + filter_.encode() + b"\x01")
        )
        if line.recv(5)[4:] != b"\x01":
            raise SystemExit("Mosquitto does not let us subscribe")
        line.sendall(_packet(0xE0, b""))


def drain(port: int, client_id: str, count: int) -> float:
    """Take and acknowledge so many messages, and nothing else; returns seconds. Blocks."""
    with _connected(port, client_id, clean=False) as line:
        line.settimeout(_MOST_SECONDS)
        held, taken, began = b"", 0, time.monotonic()
        while taken < count:
            held += line.recv(262_144)
            at, acknowledged = 0, []
            while (whole := _whole_packet(held, at)) is not None:
                start, end = whole
                if held[at] & 0xF0 == 0x30:
                    (topic,) = struct.unpack_from(">H", held, start)
                    acknowledged.append(b"\x40\x02" + held[start + 2 + topic : start + 4 + topic])
                at = end
            held, taken = held[at:], taken + len(acknowledged)
            line.sendall(b"".join(acknowledged))
        return time.monotonic() - began


def _whole_packet(held: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the packet at that place begins and ends; None if it has not come whole."""
    length, shift, start = 0, 0, at + 1
    while start < len(held):
        length |= (held[start] & 127) << shift
        shift, start = shift + 7, start + 1
        if held[start - 1] < 128:
            return (start, start + length) if start + length <= len(held) else None
    return None


def _connected(port: int, client_id: str, *, clean: bool) -> socket.socket:
    """A connection in MQTT 3.1.1 (section 3.1)."""
    line = socket.create_connection(("127.0.0.1", port))
    texts = [struct.pack(">H", len(one)) + one.encode() for one in ("MQTT", client_id, USER, PASSWORD)]
    flags = 0xC2 if clean else 0xC0
    line.sendall(_packet(0x10, texts[0] + bytes([4, flags, 0, 60]) + b"".join(texts[1:])))
    if line.recv(4)[3]:
        raise SystemExit("Mosquitto does not take our login")
    return line


def _packet(kind: int, body: bytes) -> bytes:
    length, left = bytearray(), len(body)
    while left or not length:
        left, low = divmod(left, 128)
        length.append(low | 128 if left else low)
    return bytes([kind]) + bytes(length) + body
