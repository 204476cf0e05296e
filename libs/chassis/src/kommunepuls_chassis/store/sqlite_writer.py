"""One thread writes: what many coroutines ask for meanwhile shares a transaction (group commit)."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from kommunepuls_chassis.store.errors import StoreClosed, StoreError, StoreUnavailable
from kommunepuls_chassis.store.sqlite_schema import Catalogue

Result = TypeVar("Result")
Operation = Callable[[sqlite3.Connection, Catalogue], Result]
Outcome = tuple[object, BaseException | None]

# Long enough to share the cost of a commit; short enough to let other processes have their turn.
MOST_PER_TRANSACTION = 500


def translated(error: sqlite3.Error) -> StoreError:
    """SQLite's error as one of the port's."""
    if isinstance(error, sqlite3.OperationalError):
        return StoreUnavailable(f"SQLite: {error}")
    return StoreError(f"SQLite: {error}")


class Writer:
    """Runs operations in the order they are submitted, each atomic and durable when its await returns.

    An operation may raise a StoreError only before its first write; the others in its transaction stand.
    After any other error the transaction is rolled back and its operations run again, each in one of its own.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._catalogue = Catalogue()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._waiting: list[tuple[Operation, asyncio.Future]] = []
        self._draining: asyncio.Task | None = None
        self._closed = False

    async def run(self, operation: Operation[Result]) -> Result:
        """Run it in a transaction and return what it returns. Raises StoreError."""
        if self._closed:
            raise StoreClosed("the store is closed")
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((operation, answer))
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return await answer

    async def close(self) -> None:
        """Finish what was submitted, then let the connection go."""
        self._closed = True
        if self._draining is not None:
            await self._draining
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch = self._waiting[:MOST_PER_TRANSACTION]
                del self._waiting[:MOST_PER_TRANSACTION]
                operations = [operation for operation, _ in batch]
                outcomes = await loop.run_in_executor(self._thread, partial(self._commit, operations))
                for (_, answer), (result, error) in zip(batch, outcomes, strict=True):
                    if answer.done():
                        continue
                    if error is None:
                        answer.set_result(result)
                    else:
                        answer.set_exception(error)
        finally:
            self._draining = None

    def _commit(self, operations: list[Operation]) -> list[Outcome]:
        try:
            return self._transaction(operations)
        except Exception as error:
            if len(operations) > 1:
                return [self._commit([operation])[0] for operation in operations]
            return [(None, translated(error) if isinstance(error, sqlite3.Error) else error)]

    def _transaction(self, operations: list[Operation]) -> list[Outcome]:
        connection, catalogue = self._connection, self._catalogue
        outcomes: list[Outcome] = []
        connection.execute("BEGIN IMMEDIATE")
        try:
            catalogue.refresh(connection)
            for operation in operations:
                try:
                    outcomes.append((operation(connection, catalogue), None))
                except StoreError as error:
                    outcomes.append((None, error))
            connection.execute("COMMIT")
        except BaseException:
            catalogue.forget()
            # SQLite has rolled back by itself after some errors (disk full).
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return outcomes
