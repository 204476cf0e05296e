"""Connecting to public addresses only, where a stranger chooses the address: a push endpoint, a picture.

The check stands where a socket is made for an address that was resolved, or written in the address itself:
that very address is then connected to, so that a name that resolves differently a moment later (DNS rebinding)
gains nothing.
"""

import ipaddress
import socket

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PrivateAddress(OSError):
    """The address is inside a network of ours."""


def public_socket(address: tuple) -> socket.socket:
    """A socket for an entry of `getaddrinfo`, as the wire asks for it.

    Raises:
        PrivateAddress: if the address is not one of the open Internet.
    """
    family, kind, protocol, _, destination = address
    if family not in (socket.AF_INET, socket.AF_INET6) or not is_public(str(destination[0])):
        raise PrivateAddress("not a public address")
    return socket.socket(family, kind, protocol)


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
