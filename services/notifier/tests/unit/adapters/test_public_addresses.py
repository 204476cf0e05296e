"""A push endpoint is chosen by a stranger: it must not lead into our own networks."""

import asyncio
import socket

import pytest
from kommunepuls_chassis.errors import PermanentError, TransientError
from kommunepuls_events import Channel
from notifier.adapters.catalogue import PoCatalogue
from notifier.adapters.gates import Gates
from notifier.adapters.push import PushCarrier, open_push_pool
from notifier.adapters.vapid import VapidSigner, new_private_key
from notifier.domain.composing import compose_test
from notifier.domain.contacts import push_subscription
from notifier.domain.messages import Message
from notifier.domain.sendings import Kind, Lane, Sending
from notifier.records.vault import Endpoint
from notifier.service.clock import Clock
from notifier.testing import NOON, PUSH_KEYS

CATALOGUE = PoCatalogue()


def push_to(url: str) -> tuple[Message, Endpoint]:
    sending = Sending("a" * 40, Kind.TEST, "s-1", Channel.PUSH, Lane.FIRST, NOON, NOON)
    message = compose_test(sending, "Fjordvik", CATALOGUE.words("nb"), "https://puls.example")
    contact = push_subscription({"endpoint": url, **PUSH_KEYS})
    return message, Endpoint("p-1", "s-1", Channel.PUSH, contact)


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """Addresses that a socket was connected to; none is in tests."""
    found: list[tuple] = []

    async def sock_connect(self: object, sock: socket.socket, address: tuple) -> None:
        found.append(address[0])
        raise ConnectionRefusedError("not in tests")

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", sock_connect)
    return found


async def carry(url: str) -> None:
    signer = VapidSigner(new_private_key(), "mailto:drift@fjordvik.example")
    async with open_push_pool(allow_private=False) as pool:
        carrier = PushCarrier(
            pool, signer, CATALOGUE, Gates(2), Clock(), allow_private=False, timeout_seconds=3.0
        )
        await carrier.carry(*push_to(url), first=True)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "0x7f.1", "169.254.169.254", "[::ffff:10.0.0.1]"]
)
async def test_no_connection_is_made_to_a_name_that_leads_inside(host: str, connected: list) -> None:
    with pytest.raises((PermanentError, TransientError)) as raised:
        await carry(f"https://{host}/x")
    assert connected == []
    if host != "0x7f.1":  # which some resolvers read and some do not
        assert raised.value.reason == "private-address"


async def test_the_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch, connected: list
) -> None:
    async def resolved(self: object, host: str, port: int = 0, family: int = 0) -> list[dict]:
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET,
                "proto": 0,
                "flags": 0,
            }
            for address in ("10.0.0.1", "1.1.1.1")
        ]

    monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", resolved)
    with pytest.raises(TransientError):
        await carry("https://push.example/x")
    assert set(connected) == {"1.1.1.1"}, "not the name, which may resolve differently a moment later"
