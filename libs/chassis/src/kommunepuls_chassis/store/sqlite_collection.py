"""Documents of one collection in the embedded store: statements and what they need, table by table."""

import asyncio
import itertools
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from kommunepuls_chassis.store.conditions import Where
from kommunepuls_chassis.store.documents import Document, Value, check_key, is_key
from kommunepuls_chassis.store.errors import DocumentError, VersionConflict
from kommunepuls_chassis.store.fields import Fields
from kommunepuls_chassis.store.port import Stored
from kommunepuls_chassis.store.sqlite_patches import Patch, patch_of
from kommunepuls_chassis.store.sqlite_queries import (
    after_clause,
    column,
    order_clause,
    quoted,
    where_clause,
)
from kommunepuls_chassis.store.sqlite_schema import Catalogue
from kommunepuls_chassis.store.sqlite_values import (
    decode_document,
    encode_document,
    read_values,
    values_of_rows,
)
from kommunepuls_chassis.store.sqlite_writer import Operation

Result = TypeVar("Result")

MOST_PER_STATEMENT = 500
MOST_INSERTED_TOGETHER = 2500


class Transactions(Protocol):
    """Where operations and queries run: the store."""

    async def write(self, operation: Operation[Result]) -> Result:
        """Run an operation in a transaction of the writing thread."""

    async def read(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run a query in a reading thread."""


class SqliteCollection:
    """Collection over SQLite; see the port for what each method does."""

    def __init__(self, store: Transactions, name: str) -> None:
        self.name = name
        self.fields = Fields(name)
        self._store = store
        self._table = quoted(name)

    async def insert(self, key: str, document: Document) -> bool:
        text = self._checked(key, document)
        return await self._store.write(
            lambda connection, catalogue: self._insert(connection, catalogue, key, document, text)
        )

    async def put(self, key: str, document: Document, *, expected_version: int | None = None) -> int:
        text = self._checked(key, document)

        def operation(connection: sqlite3.Connection, catalogue: Catalogue) -> int:
            if expected_version is None:
                return self._put(connection, catalogue, key, document, text)
            if expected_version == 0:
                if self._insert(connection, catalogue, key, document, text):
                    return 1
            else:
                layout = catalogue.layout(connection, self.name)
                row = [*layout.row(document, text), key, expected_version]
                if connection.execute(layout.update_version, row).rowcount:
                    layout.write_arrays(connection, key, document, new=False)
                    return expected_version + 1
            raise VersionConflict(self.name, key, expected_version)

        return await self._store.write(operation)

    async def put_many(self, items: Iterable[tuple[str, Document]]) -> None:
        await self._write_many(items, self._put)

    async def insert_many(self, items: Iterable[tuple[str, Document]]) -> list[bool]:
        new: list[bool] = []
        remaining = iter(items)
        while part := list(itertools.islice(remaining, MOST_INSERTED_TOGETHER)):
            prepared = await asyncio.to_thread(self._prepared, part)
            new += await self._store.write(
                lambda connection, catalogue, prepared=prepared: self._insert_all(
                    connection, catalogue, prepared
                )
            )
        return new

    async def patch(self, key: str, changes: Document, *, where: Where | None = None) -> bool:
        clause, parameters = self._where(where or {})
        patch = self._patch_of(key, changes)
        return await self._store.write(
            lambda connection, catalogue: self._patch(connection, catalogue, patch, clause, parameters)
        )

    async def patch_many(self, items: Iterable[tuple[str, Document]]) -> list[bool]:
        found: list[bool] = []
        remaining = iter(items)
        while part := list(itertools.islice(remaining, MOST_PER_STATEMENT)):
            patches = self._patches_of(part)
            found += await self._store.write(
                lambda connection, catalogue, patches=patches: [
                    self._patch(connection, catalogue, patch, "1", []) for patch in patches
                ]
            )
        return found

    async def get(self, key: str) -> Stored | None:
        if not is_key(key):
            return None
        statement = f"SELECT key, version, document FROM {self._table} WHERE key = ?"
        found = await self._store.read(lambda connection: _stored(connection.execute(statement, (key,))))
        return found[0] if found else None

    async def get_many(self, keys: Iterable[str]) -> dict[str, Stored]:
        wanted = [key for key in dict.fromkeys(keys) if is_key(key)]

        def query(connection: sqlite3.Connection) -> dict[str, Stored]:
            found: dict[str, Stored] = {}
            for start in range(0, len(wanted), MOST_PER_STATEMENT):
                part = wanted[start : start + MOST_PER_STATEMENT]
                marks = ",".join("?" * len(part))
                statement = f"SELECT key, version, document FROM {self._table} WHERE key IN ({marks})"
                found.update((stored.key, stored) for stored in _stored(connection.execute(statement, part)))
            return found

        return await self._store.read(query)

    async def values(self, where: Where, *fields: str) -> dict[str, tuple[Value, ...]]:
        statement = self._select_values(fields)
        clause, parameters = self._where(where)
        return read_values(
            await self._store.read(
                lambda connection: connection.execute(f"{statement} WHERE {clause}", parameters).fetchone()[0]
            )
        )

    async def values_of(self, keys: Iterable[str], *fields: str) -> dict[str, tuple[Value, ...]]:
        statement = self._select_values(fields)
        wanted = [key for key in dict.fromkeys(keys) if is_key(key)]

        def query(connection: sqlite3.Connection) -> list[str]:
            texts = []
            for start in range(0, len(wanted), MOST_PER_STATEMENT):
                part = wanted[start : start + MOST_PER_STATEMENT]
                marks = ",".join("?" * len(part))
                texts += connection.execute(f"{statement} WHERE key IN ({marks})", part).fetchone()
            return texts

        found: dict[str, tuple[Value, ...]] = {}
        for text in await self._store.read(query):
            found |= read_values(text)
        return found

    async def find(
        self,
        where: Where,
        *,
        order_by: str | None = None,
        descending: bool = False,
        limit: int | None = None,
        after: tuple | None = None,
    ) -> list[Stored]:
        self.fields.check_order(order_by, limit, after)
        clause, parameters = self._where(where)
        if after is not None:
            behind, position = after_clause(order_by, descending, after)
            clause, parameters = f"{clause} AND {behind}", parameters + position
        statement = self._select(clause, order_by, descending, limit)
        return await self._store.read(lambda connection: _stored(connection.execute(statement, parameters)))

    async def count(self, where: Where) -> int:
        clause, parameters = self._where(where)
        statement = f"SELECT count(*) FROM {self._table} WHERE {clause}"
        return await self._store.read(
            lambda connection: connection.execute(statement, parameters).fetchone()[0]
        )

    async def delete(self, key: str) -> bool:
        if not is_key(key):
            return False
        statement = f"DELETE FROM {self._table} WHERE key = ?"
        return await self._store.write(
            lambda connection, _: connection.execute(statement, (key,)).rowcount > 0
        )

    async def delete_where(self, where: Where) -> int:
        clause, parameters = self._where(where)
        statement = (
            f"DELETE FROM {self._table} WHERE key IN"
            f" (SELECT key FROM {self._table} WHERE {clause} LIMIT {MOST_PER_STATEMENT})"
        )
        deleted = 0
        while True:
            step = await self._store.write(
                lambda connection, _: connection.execute(statement, parameters).rowcount
            )
            deleted += step
            if step < MOST_PER_STATEMENT:
                return deleted

    async def claim(
        self,
        where: Where,
        *,
        due_field: str,
        now: datetime,
        lease_seconds: float,
        limit: int,
        order_by: str | None = None,
    ) -> list[Stored]:
        due, until = self.fields.due(due_field, now, lease_seconds)
        self.fields.check_order(order_by or due_field, limit, None)
        conditions = [*self.fields.conditions(where), (due_field, due)]
        clause, parameters = where_clause(self.name, self.fields.arrays, conditions)
        statement = self._select(clause, order_by or due_field, False, limit)
        path = self.fields.paths[due_field]
        checked = [(path, until)]

        def operation(connection: sqlite3.Connection, catalogue: Catalogue) -> list[Stored]:
            claimed = []
            for stored in _stored(connection.execute(statement, parameters)):
                _set(stored.document, path, until)
                self._patch(connection, catalogue, patch_of(stored.key, checked, self.fields), "1", [])
                claimed.append(Stored(stored.key, stored.version + 1, stored.document))
            return claimed

        return await self._store.write(operation)

    def _prepared(self, part: list[tuple[str, Document]]) -> list[tuple[str, Document, str]]:
        return [(key, document, self._checked(key, document)) for key, document in part]

    def _checked(self, key: str, document: Document) -> str:
        check_key(key)
        self.fields.check_document(document)
        return encode_document(document)

    def _where(self, where: Where) -> tuple[str, list]:
        return where_clause(self.name, self.fields.arrays, self.fields.conditions(where))

    def _select(self, clause: str, order_by: str | None, descending: bool, limit: int | None) -> str:
        statement = f"SELECT key, version, document FROM {self._table} WHERE {clause}"
        statement += order_clause(order_by, descending)
        return statement if limit is None else f"{statement} LIMIT {int(limit)}"

    def _select_values(self, fields: Sequence[str]) -> str:
        self.fields.check_scalars(fields)
        return f"SELECT {values_of_rows([column(field) for field in fields])} FROM {self._table}"

    def _insert(
        self, connection: sqlite3.Connection, catalogue: Catalogue, key: str, document: Document, text: str
    ) -> bool:
        layout = catalogue.layout(connection, self.name)
        new = connection.execute(layout.insert, [key, *layout.row(document, text)]).rowcount > 0
        if new:
            layout.write_arrays(connection, key, document, new=True)
        return new

    def _insert_all(
        self,
        connection: sqlite3.Connection,
        catalogue: Catalogue,
        prepared: list[tuple[str, Document, str]],
    ) -> list[bool]:
        """All in one statement where none was there before, which is what it mostly is; else one by one."""
        layout = catalogue.layout(connection, self.name)
        if not layout.arrays and len(prepared) > 1:
            before = connection.total_changes
            connection.execute("SAVEPOINT together")
            connection.executemany(
                layout.insert, [[key, *layout.row(document, text)] for key, document, text in prepared]
            )
            if connection.total_changes - before == len(prepared):
                connection.execute("RELEASE together")
                return [True] * len(prepared)
            connection.execute("ROLLBACK TO together")
            connection.execute("RELEASE together")
        return [self._insert(connection, catalogue, *entry) for entry in prepared]

    def _put(
        self, connection: sqlite3.Connection, catalogue: Catalogue, key: str, document: Document, text: str
    ) -> int:
        layout = catalogue.layout(connection, self.name)
        ((version,),) = connection.execute(layout.upsert, [key, *layout.row(document, text)]).fetchall()
        layout.write_arrays(connection, key, document, new=version == 1)
        return version

    def _patch_of(self, key: str, changes: Document) -> Patch:
        check_key(key)
        return patch_of(key, self.fields.check_changes(changes), self.fields)

    def _patches_of(self, part: list[tuple[str, Document]]) -> list[Patch]:
        """Patches in order; changes that are the same dict as those before are checked and written as JSON once."""
        patches: list[Patch] = []
        checked = None
        for key, changes in part:
            if changes is checked:
                check_key(key)
                patches.append(patches[-1].of(key))
            else:
                patches.append(self._patch_of(key, changes))
                checked = changes
        return patches

    def _patch(
        self,
        connection: sqlite3.Connection,
        catalogue: Catalogue,
        patch: Patch,
        clause: str,
        parameters: list,
    ) -> bool:
        """Have SQLite itself set plain fields; what it cannot do is read, changed and written back."""
        layout = catalogue.layout(connection, self.name)
        if patch.plain and patch.run(connection, layout, clause, parameters):
            return True
        row = connection.execute(
            f"SELECT document FROM {self._table} WHERE key = ? AND {clause}", [patch.key, *parameters]
        ).fetchone()
        if row is None:
            return False
        document = decode_document(row[0])
        for path, value in patch.changes:
            _set(document, path, value)
        self._update(connection, catalogue, patch.key, document)
        return True

    def _update(
        self, connection: sqlite3.Connection, catalogue: Catalogue, key: str, document: Document
    ) -> None:
        layout = catalogue.layout(connection, self.name)
        text = encode_document(document)
        connection.execute(layout.update, [*layout.row(document, text), key])
        layout.write_arrays(connection, key, document, new=False)

    async def _write_many(
        self, items: Iterable[tuple[str, Document]], write: Callable[..., Result]
    ) -> list[Result]:
        results: list[Result] = []
        remaining = iter(items)
        while part := list(itertools.islice(remaining, MOST_PER_STATEMENT)):
            prepared = await asyncio.to_thread(self._prepared, part)
            results += await self._store.write(
                lambda connection, catalogue, prepared=prepared: [
                    write(connection, catalogue, *entry) for entry in prepared
                ]
            )
        return results


def _stored(rows: Iterable[tuple[str, int, str]]) -> list[Stored]:
    return [Stored(key, version, decode_document(text)) for key, version, text in rows]


def _set(document: Document, path: tuple[str, ...], value: object) -> None:
    """Set a field of a nested dict as MongoDB's $set does; DocumentError where a holder is no dict."""
    holder: object = document
    for name in path[:-1]:
        holder = holder.setdefault(name, {})
        if not isinstance(holder, dict):
            raise DocumentError(f"{'.'.join(path)}: {name} holds no dict")
    holder[path[-1]] = value
