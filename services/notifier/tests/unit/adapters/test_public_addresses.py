"""A push endpoint is chosen by a stranger: it must not lead into our own networks."""

import httpcore
import pytest
from kommunepuls_chassis.errors import PermanentError, TransientError
from notifier.adapters.public_addresses import PublicBackend, is_public


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111"])
def test_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1",
    ],
)  # fmt: skip
def test_our_own_networks_are_not(address: str) -> None:
    assert not is_public(address)


class Recording(httpcore.AsyncNetworkBackend):
    def __init__(self) -> None:
        self.connected: list[str] = []

    async def connect_tcp(self, host: str, *_: object, **__: object) -> httpcore.AsyncNetworkStream:
        self.connected.append(host)
        raise httpcore.ConnectError("not in tests")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "0x7f.1", "169.254.169.254"])
async def test_no_connection_is_made_to_a_name_that_leads_inside(host: str) -> None:
    inner = Recording()
    with pytest.raises((PermanentError, TransientError)):
        await PublicBackend(inner).connect_tcp(host, 443)
    assert inner.connected == []


async def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = Recording()

    async def resolved(host: str, port: int) -> list[str]:
        return ["10.0.0.1", "1.1.1.1"]

    monkeypatch.setattr("notifier.adapters.public_addresses._resolved", resolved)
    with pytest.raises(httpcore.ConnectError):
        await PublicBackend(inner).connect_tcp("push.example", 443)
    assert inner.connected == ["1.1.1.1"], "not the name, which may resolve differently a moment later"
