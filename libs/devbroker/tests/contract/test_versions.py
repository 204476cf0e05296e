"""Which version of each request aiokafka agrees on with the broker: the same with both brokers."""

import importlib

from aiokafka.protocol.admin import DescribeGroupsRequest_v2, DescribeGroupsRequest_v3
from aiokafka.protocol.api import Request
from kommunepuls_devbroker.probe import spoken_versions
from kommunepuls_devbroker.wire import SPOKEN

MODULES = (
    "admin",
    "commit",
    "coordination",
    "fetch",
    "group",
    "metadata",
    "offset",
    "produce",
    "transaction",
)


def versions_of_the_client():
    """By API key: the versions that the installed aiokafka can send."""
    known = {}
    for name in MODULES:
        module = importlib.import_module(f"aiokafka.protocol.{name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Request) and value is not Request:
                known[value.API_KEY] = {request.API_VERSION for request in value._CLASSES}
    return known


async def test_the_client_agrees_on_the_pinned_versions(broker):
    spoken = spoken_versions(broker.address)
    agreed = {
        key: max(version for version in versions if spoken[key][0] <= version <= spoken[key][1])
        for key, versions in versions_of_the_client().items()
        if key in SPOKEN
    }
    pinned = {key: request.API_VERSION for key, request in SPOKEN.items()}
    if not broker.is_embedded:
        # The one exception; docs/broker-differences.md tells why.
        assert pinned[DescribeGroupsRequest_v2.API_KEY] == DescribeGroupsRequest_v2.API_VERSION
        pinned[DescribeGroupsRequest_v2.API_KEY] = DescribeGroupsRequest_v3.API_VERSION
    assert agreed == pinned
