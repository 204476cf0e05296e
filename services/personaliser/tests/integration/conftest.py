"""A broker for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from kommunepuls_devbroker.testing import running_broker
from personaliser_running import environment


@pytest.fixture
async def variables(tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """The environment of a personaliser with a broker and a town of its own."""
    async with running_broker(tmp_path / "broker") as broker:
        yield environment(broker.address, tmp_path)
