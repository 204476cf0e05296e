"""One stack for all tests of a module, on the embedded broker or on Apache Kafka."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent / "making"))

from journey_world import World, journey_world
from kommunepuls_devbroker.apache_kafka import NoKafkaError, kafka_under_test

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is a journey, and lives in one event loop with the stack."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def kafka() -> Iterator[str | None]:
    """The address of Apache Kafka if KP_TEST_KAFKA asks for it; None stands for the embedded broker."""
    asked = os.environ.get("KP_TEST_KAFKA", "embedded")
    if asked == "embedded":
        yield None
        return
    assert asked == "apache", f"KP_TEST_KAFKA is embedded or apache, not {asked!r}"
    try:
        with kafka_under_test() as broker:
            yield broker.bootstrap
    except NoKafkaError as none:
        pytest.fail(str(none))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory, kafka: str | None) -> AsyncIterator[World]:
    """All services at work."""
    async with journey_world(tmp_path_factory.mktemp("journeys"), kafka=kafka) as made:
        yield made
