"""The broker's parts, put together: what request handlers and housekeeping work on."""

from __future__ import annotations

import time
from dataclasses import dataclass

from kommunepuls_devbroker.groups.coordinator import GroupCoordinator
from kommunepuls_devbroker.settings import BrokerSettings, FsyncPolicy
from kommunepuls_devbroker.storage.catalog import Catalog
from kommunepuls_devbroker.storage.partition_log import PartitionLog

NODE_ID = 0


@dataclass(frozen=True)
class Client:
    """Who sent a request, and under which address it reached us (which is the one we advertise)."""

    client_id: str
    host: str
    reached_host: str
    reached_port: int


@dataclass(frozen=True)
class Broker:
    settings: BrokerSettings
    catalog: Catalog
    coordinator: GroupCoordinator

    async def make_durable(self, logs: list[PartitionLog]) -> None:
        """Holds the acknowledgement until the disk has the records, where the policy asks for that."""
        if self.settings.fsync is FsyncPolicy.ALWAYS:
            for log in logs:
                await log.sync()

    async def make_commit_durable(self) -> None:
        if self.settings.fsync is FsyncPolicy.ALWAYS:
            await self.coordinator.journal.sync()


def now_ms() -> int:
    return time.time_ns() // 1_000_000
