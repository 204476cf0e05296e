"""Puts a broker together and serves it."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from kommunepuls_devbroker.broker import Broker
from kommunepuls_devbroker.connection import Connection
from kommunepuls_devbroker.errors import BrokerStartError
from kommunepuls_devbroker.groups.coordinator import GroupCoordinator
from kommunepuls_devbroker.groups.journal import GroupJournal
from kommunepuls_devbroker.housekeeping import running_housekeeping
from kommunepuls_devbroker.settings import BrokerSettings
from kommunepuls_devbroker.storage.catalog import Catalog

logger = logging.getLogger(__name__)
WARNING = (
    "This is the development broker: one node, no replicas, no access control. Never use it in production."
)


@asynccontextmanager
async def serving_broker(settings: BrokerSettings) -> AsyncIterator[str]:
    """Serves until the context ends; yields the address, `host:port`. Raises BrokerStartError."""
    with _locked(settings.data_directory):
        catalog = Catalog(settings.data_directory)
        journal = GroupJournal(settings.data_directory / "groups.journal")
        coordinator = GroupCoordinator(settings, journal)
        broker = Broker(settings, catalog, coordinator)
        connections: set[Connection] = set()
        try:
            async with running_housekeeping(broker), _listening(broker, connections) as address:
                logger.warning(WARNING)
                yield address
        finally:
            coordinator.close()
            catalog.close()


@asynccontextmanager
async def _listening(broker: Broker, connections: set[Connection]) -> AsyncIterator[str]:
    host, port = broker.settings.host, broker.settings.port
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(lambda: Connection(broker, connections), host, port)
    except OSError as problem:
        taken = problem.errno == errno.EADDRINUSE
        reason = "the port is taken" if taken else problem.strerror or str(problem)
        raise BrokerStartError(f"cannot listen on {host}:{port}: {reason}") from problem
    try:
        yield f"{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*(connection.close() for connection in list(connections)))


@contextmanager
def _locked(data_directory: Path) -> Iterator[None]:
    """Two brokers on one data directory would overwrite each other's records."""
    try:
        data_directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(data_directory / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as problem:
        raise BrokerStartError(f"cannot use {data_directory}: {problem.strerror}") from problem
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        os.close(lock)
        raise BrokerStartError(f"another broker is using {data_directory}") from problem
    try:
        yield
    finally:
        os.close(lock)
