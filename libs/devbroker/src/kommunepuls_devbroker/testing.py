"""What tests use: a broker of their own, as a process or inside the test's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from kommunepuls_devbroker.app import serving_broker
from kommunepuls_devbroker.process import BrokerProcess, broker_process
from kommunepuls_devbroker.settings import BrokerSettings

__all__ = ["BrokerProcess", "broker_process", "embedded_broker", "eventually", "running_broker"]


@asynccontextmanager
async def running_broker(data_directory: Path, *options: str) -> AsyncIterator[BrokerProcess]:
    """A broker process on a free port; `options` are those of `python -m kommunepuls_devbroker`.

    Its `kill()` and `restart()` block, so call them with `asyncio.to_thread` where clients must go on.
    """
    process = await asyncio.to_thread(BrokerProcess, data_directory, *options)
    try:
        yield process
    finally:
        await asyncio.to_thread(process.close)


@asynccontextmanager
async def embedded_broker(data_directory: Path, **settings: Any) -> AsyncIterator[str]:
    """A broker in this event loop on a free port; yields its address. `settings` are BrokerSettings' fields."""
    async with serving_broker(BrokerSettings(data_directory, **{"port": 0, **settings})) as address:
        yield address


async def eventually(
    condition: Callable[[], Awaitable[bool]] | Callable[[], bool], seconds: float = 30.0
) -> None:
    """Asks until the condition holds. Raises TimeoutError when it does not within `seconds`."""
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if await answer if isinstance(answer, Awaitable) else answer:
                return
            await asyncio.sleep(0.05)
