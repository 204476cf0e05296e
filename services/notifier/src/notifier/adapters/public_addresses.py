"""Connecting to public addresses only: a push endpoint is chosen by whoever registers it.

The name is resolved here and the connection goes to the address that was checked, so that a name that
resolves differently a moment later (DNS rebinding) gains nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable

import httpcore
from kommunepuls_chassis.errors import PermanentError, TransientError

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PublicBackend(httpcore.AsyncNetworkBackend):
    """A network backend for httpcore that refuses addresses inside our own networks."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend) -> None:
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first public address of the host.

        Raises:
            PermanentError: reason `private-address` if it has none.
            TransientError: if its name cannot be resolved now.
        """
        addresses = await _resolved(host, port)
        public = [address for address in addresses if is_public(address)]
        if not public:
            raise PermanentError("the push endpoint is not at a public address", reason="private-address")
        return await self._inner.connect_tcp(public[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable | None = None
    ) -> httpcore.AsyncNetworkStream:
        """No push service is there."""
        raise PermanentError("the push endpoint is not at a public address", reason="private-address")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open Internet, also inside IPv6's wrappings of IPv4."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo and found.teredo[1])
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast


async def _resolved(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise TransientError("the push endpoint's name cannot be resolved", reason="unresolved") from None
    return [str(entry[4][0]) for entry in found]
