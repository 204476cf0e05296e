"""The ports of the stack: a row from a base, or free ones for tests."""

import random
import socket
from dataclasses import dataclass

from kommunepuls_chassis.errors import OperatorError

NAMES = (
    "gateway-api",
    "outbox",
    "upstream",
    "smtp",
    "mqtt",
    "kafka",
    "ingest-facebook",
    "ingest-permits",
    "ingest-feeds",
    "sensor-gateway",
    "personaliser",
    "notifier",
)
"""In the order of their port numbers; the first is the residents' page."""
_NOT_GIVEN_OUT = 15_000, 32_000


@dataclass(frozen=True, slots=True)
class Ports:
    """A port for each name."""

    numbers: dict[str, int]

    def __getitem__(self, name: str) -> int:
        return self.numbers[name]

    def url(self, name: str) -> str:
        """The HTTP address of a name on this machine."""
        return f"http://127.0.0.1:{self.numbers[name]}"


def ports_from(base: int) -> Ports:
    """Ports in a row.

    Raises:
        OperatorError: naming the first that is taken.
    """
    if not 1024 <= base <= 65535 - len(NAMES):
        raise OperatorError(f"--port {base}: give a number from 1024 to {65535 - len(NAMES)}")
    numbers = {name: base + index for index, name in enumerate(NAMES)}
    for name, number in numbers.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                raise OperatorError(
                    f"port {number} (for {name}) is taken; choose another row: make run ARGS='--port {base + 1000}'"
                ) from None
    return Ports(numbers)


def free_ports() -> Ports:
    """Ports that nobody uses now."""
    return Ports(dict(zip(NAMES, _free(len(NAMES)), strict=True)))


def free_port() -> int:
    """One more port that nobody uses now."""
    return _free(1)[0]


def _free(count: int) -> list[int]:
    """Below those that the system gives to outgoing connections, which would take the port of a process that
    is being started again."""
    found: list[socket.socket] = []
    try:
        while len(found) < count:
            probe = socket.socket()
            try:
                probe.bind(("127.0.0.1", random.randint(*_NOT_GIVEN_OUT)))
            except OSError:
                probe.close()
            else:
                found.append(probe)
        return [probe.getsockname()[1] for probe in found]
    finally:
        for probe in found:
            probe.close()
