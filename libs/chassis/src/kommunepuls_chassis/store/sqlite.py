"""The embedded store: one SQLite file in WAL mode, a thread that writes and a few that read.

Several processes may use the same file on one machine (not on a network disk). A write that was awaited
survives `kill -9`; with `synchronous="full"` it survives a power cut too.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeVar

from kommunepuls_chassis.store.errors import (
    StoreClosed,
    StoreConfigurationError,
)
from kommunepuls_chassis.store.fields import check_collection_name
from kommunepuls_chassis.store.port import Index
from kommunepuls_chassis.store.sqlite_collection import SqliteCollection
from kommunepuls_chassis.store.sqlite_files import BUSY_SECONDS, is_busy, use_write_ahead_log
from kommunepuls_chassis.store.sqlite_writer import Operation, Writer, translated

Result = TypeVar("Result")

READERS = 3
CACHE_KIBIBYTES = 32_768
CHECKPOINT_PAGES = 8_000
"""32 MiB. Keys are hashes, so that many inserts touch every page of an index: each is then written once, not every time."""


class SqliteStore:
    """DocumentStore in one file. Open with `SqliteStore.open`, close with `close`."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], writing: sqlite3.Connection) -> None:
        self._connect = connect
        self._writer = Writer(writing)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._reader = threading.local()
        self._reading: list[sqlite3.Connection] = []
        self._collections: dict[str, SqliteCollection] = {}
        self._closed = False

    @classmethod
    async def open(cls, path: Path, *, synchronous: Literal["normal", "full"] = "normal") -> "SqliteStore":
        """Open or create the file, with its folder. Raises StoreConfigurationError if it cannot
        be, StoreUnavailable if another process keeps it locked."""

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(
                path,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=512,
            )
            use_write_ahead_log(connection)
            connection.execute(f"PRAGMA synchronous = {synchronous.upper()}")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            return connection

        def first() -> sqlite3.Connection:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = connect()
            # An empty transaction shows at once whether the file can be written.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
            return connection

        try:
            writing = await asyncio.to_thread(first)
        except (OSError, sqlite3.Error) as error:
            if is_busy(error):
                raise translated(error) from error
            reason = getattr(error, "strerror", None) or error
            raise StoreConfigurationError(f"the store's file {path} cannot be opened: {reason}") from error
        return cls(connect, writing)

    async def collection(self, name: str, *, indexes: Sequence[Index] = ()) -> SqliteCollection:
        """See DocumentStore."""
        check_collection_name(name)
        collection = self._collections.setdefault(name, SqliteCollection(self, name))
        collection.fields.declare(indexes)
        await self.write(lambda connection, catalogue: catalogue.ensure(connection, name, indexes))
        return collection

    async def write(self, operation: Operation[Result]) -> Result:
        """Run an operation in a transaction of the writing thread."""
        return await self._writer.run(operation)

    async def read(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run a query in a reading thread; it sees every write that has returned."""
        if self._closed:
            raise StoreClosed("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._query, query)

    async def close(self) -> None:
        """Finish the writes that were submitted and close the file."""
        self._closed = True
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._reading:
            connection.close()
        # Last of all, so that SQLite can fold the write-ahead log into the file.
        await self._writer.close()

    def _query(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            connection = getattr(self._reader, "connection", None)
            if connection is None:
                connection = self._reader.connection = self._connect()
                self._reading.append(connection)
                connection.execute("PRAGMA query_only = ON")
            return query(connection)
        except sqlite3.Error as error:
            raise translated(error) from error
