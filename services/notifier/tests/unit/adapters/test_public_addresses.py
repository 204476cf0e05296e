"""A push endpoint is chosen by a stranger: it must not lead into our own networks."""

import socket

import pycurl
import pytest
from kommunepuls_chassis.errors import PermanentError, TransientError
from kommunepuls_chassis.public_addresses import PrivateAddress, public_socket
from kommunepuls_events import Channel
from notifier.adapters.catalogue import PoCatalogue
from notifier.adapters.gates import Gates
from notifier.adapters.push import PushCarrier
from notifier.adapters.push_wire import Wire, open_wire
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
def sockets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that a socket was made for; none is connected in tests."""
    found: list[str] = []

    def made(address: tuple) -> socket.socket:
        public_socket(address).close()
        found.append(address[-1][0])
        raise PrivateAddress("not in tests")

    monkeypatch.setattr("notifier.adapters.push_wire.public_socket", made)
    return found


async def carry(url: str) -> None:
    signer = VapidSigner(new_private_key(), "mailto:drift@fjordvik.example")
    async with open_wire(allow_private=False, timeout_seconds=3.0) as wire:
        carrier = PushCarrier(wire, signer, CATALOGUE, Gates(2), Clock(), allow_private=False)
        await carrier.carry(*push_to(url), first=True)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "0x7f.1", "169.254.169.254", "[::ffff:10.0.0.1]"]
)
async def test_no_socket_is_made_for_a_name_that_leads_inside(host: str, sockets: list[str]) -> None:
    with pytest.raises(PermanentError) as raised:
        await carry(f"https://{host}/x")
    assert sockets == []
    assert raised.value.reason == "private-address"


async def test_the_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch, sockets: list[str]
) -> None:
    made = Wire._new_handle

    def resolved(self: Wire) -> pycurl.Curl:
        handle = made(self)
        handle.setopt(pycurl.RESOLVE, ["push.example:443:10.0.0.1,1.1.1.1"])
        return handle

    monkeypatch.setattr(Wire, "_new_handle", resolved)
    with pytest.raises((PermanentError, TransientError)):
        await carry("https://push.example/x")
    assert set(sockets) == {"1.1.1.1"}, "not the name, which may resolve differently a moment later"


async def test_a_proxy_of_the_surroundings_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, sockets: list[str]
) -> None:
    for name in ("https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://9.9.9.9:3128")
    with pytest.raises(PermanentError) as raised:
        await carry("https://127.0.0.1/x")
    assert raised.value.reason == "private-address"
    assert sockets == []
