"""What happens beside the requests: old records go, compacted topics are cleaned, data reaches the disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from kommunepuls_devbroker.broker import Broker, now_ms
from kommunepuls_devbroker.settings import FsyncPolicy
from kommunepuls_devbroker.storage.compaction import compact
from kommunepuls_devbroker.storage.retention import drop_old_segments

logger = logging.getLogger(__name__)


@asynccontextmanager
async def running_housekeeping(broker: Broker) -> AsyncIterator[None]:
    """Runs the periodic work as long as the context lasts; at its end everything is on the disk."""
    tasks = [_every(broker.settings.housekeeping_interval, clean, broker)]
    if broker.settings.fsync is FsyncPolicy.INTERVAL:
        tasks.append(_every(broker.settings.fsync_interval, flush, broker))
    running = [asyncio.create_task(task) for task in tasks]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        if broker.settings.fsync is not FsyncPolicy.NEVER:
            await flush(broker)


async def _every(seconds: float, work: Callable[[Broker], Awaitable[None]], broker: Broker) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work(broker)
        except Exception:
            logger.exception("housekeeping failed; it is tried again in %g s", seconds)


async def flush(broker: Broker) -> None:
    """Forces what was written since the last time to the disk."""
    for log in broker.catalog.logs():
        if log.unsynced:
            await log.sync()
    await broker.coordinator.journal.sync()


async def clean(broker: Broker) -> None:
    """Retention and compaction of every partition, once."""
    for log in broker.catalog.logs():
        async with log.maintenance:
            if log.closed:
                continue
            now = now_ms()
            drop_old_segments(log, now)
            if log.config.is_compacted:
                await compact(log, now)
