"""The tables of a collection in SQLite.

`<collection>`(key, version, document, one column a declared scalar field) and `<collection>/<field>`(value,
key) for a declared array. What is declared once stays, and is kept up to date also by processes that do not
declare it: they read the layout from the database and read it again when another process has changed the
schema.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from kommunepuls_chassis.store.documents import Document, value_at
from kommunepuls_chassis.store.port import Index
from kommunepuls_chassis.store.sqlite_queries import array_table, column, quoted
from kommunepuls_chassis.store.sqlite_values import Indexed, decode_document, encode_value


@dataclass
class Layout:
    """Where a collection's indexed fields are kept, and the statements that write them."""

    collection: str
    scalars: dict[str, tuple[str, ...]] = field(default_factory=dict)
    arrays: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        table, columns = quoted(self.collection), [column(name) for name in self.scalars]
        named = "".join(f", {name}" for name in columns)
        marks = ", ?" * len(columns)
        sets = "document = ?" + "".join(f", {name} = ?" for name in columns)
        replaced = "".join(f", {name} = excluded.{name}" for name in columns)
        insert = f"INSERT INTO {table}(key, document{named}, version) VALUES(?, ?{marks}, 1)"
        self.insert = f"{insert} ON CONFLICT(key) DO NOTHING"
        self.upsert = (
            f"{insert} ON CONFLICT(key) DO UPDATE SET version = version + 1, document = excluded.document"
            f"{replaced} RETURNING version"
        )
        self.update = f"UPDATE {table} SET version = version + 1, {sets} WHERE key = ?"
        self.update_version = f"{self.update} AND version = ?"

    def row(self, document: Document, text: str) -> list[Indexed]:
        """The document's text and its indexed scalars, in the order of the statements."""
        row: list[Indexed] = [text]
        for path in self.scalars.values():
            value = document.get(path[0]) if len(path) == 1 else value_at(document, path)
            row.append(value if value is None or type(value) is str else encode_value(value))
        return row

    def write_arrays(self, connection: sqlite3.Connection, key: str, document: Document, new: bool) -> None:
        """Make the array tables say what the document says."""
        for name, path in self.arrays.items():
            table = array_table(self.collection, name)
            if not new:
                connection.execute(f"DELETE FROM {table} WHERE key = ?", (key,))
            elements = value_at(document, path)
            if isinstance(elements, list | tuple) and elements:
                connection.executemany(
                    f"INSERT OR IGNORE INTO {table}(value, key) VALUES(?, ?)",
                    [(encode_value(element), key) for element in elements],
                )


class Catalogue:
    """The layouts of all collections as the writing connection knows them. Used by the writer's thread
    only."""

    def __init__(self) -> None:
        self._schema_version = -1
        self._layouts: dict[str, Layout] = {}

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Read the layouts anew if another process has changed the schema. Call inside a transaction."""
        (version,) = connection.execute("PRAGMA schema_version").fetchone()
        if version != self._schema_version:
            self._schema_version = version
            self._layouts.clear()

    def forget(self) -> None:
        """Read all layouts anew: a transaction was rolled back."""
        self._schema_version = -1

    def layout(self, connection: sqlite3.Connection, collection: str) -> Layout:
        """The layout of a collection that exists."""
        layout = self._layouts.get(collection)
        if layout is None:
            layout = self._layouts[collection] = _read_layout(connection, collection)
        return layout

    def ensure(self, connection: sqlite3.Connection, collection: str, indexes: Sequence[Index]) -> None:
        """Create the collection's table and what is missing of its indexes, filled from its documents."""
        table = quoted(collection)
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {table}"
            "(key TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, document TEXT NOT NULL)"
        )
        before = _read_layout(connection, collection)
        for index in indexes:
            if index.array:
                _create_array(connection, collection, index.fields[0])
            else:
                _create_columns(connection, collection, index.fields, index.sparse)
        after = _read_layout(connection, collection)
        if set(after.scalars) - set(before.scalars) or set(after.arrays) - set(before.arrays):
            _fill(connection, after)
        self._layouts.pop(collection, None)


def _create_columns(
    connection: sqlite3.Connection, collection: str, fields: tuple[str, ...], sparse: bool
) -> None:
    known = _read_layout(connection, collection).scalars
    for name in fields:
        if name not in known:
            # Without a type SQLite keeps the value as it is given: a text '07' does not become a number.
            connection.execute(f"ALTER TABLE {quoted(collection)} ADD COLUMN {column(name)}")
    columns = ", ".join(column(name) for name in fields)
    index = quoted(f"{collection}:{','.join(fields)}")
    # A condition on a value implies that the field is there, which lets SQLite use such an index.
    part = f" WHERE {column(fields[0])} IS NOT NULL" if sparse else ""
    connection.execute(f"CREATE INDEX IF NOT EXISTS {index} ON {quoted(collection)}({columns}, key){part}")


def _create_array(connection: sqlite3.Connection, collection: str, name: str) -> None:
    table = array_table(collection, name)
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {table}(value NOT NULL, key TEXT NOT NULL, PRIMARY KEY(value, key))"
        " WITHOUT ROWID"
    )
    connection.execute(f"CREATE INDEX IF NOT EXISTS {quoted(f'{collection}/{name}:key')} ON {table}(key)")
    connection.execute(
        f"CREATE TRIGGER IF NOT EXISTS {quoted(f'{collection}/{name}:deleted')}"
        f" AFTER DELETE ON {quoted(collection)} BEGIN DELETE FROM {table} WHERE key = old.key; END"
    )


def _fill(connection: sqlite3.Connection, layout: Layout) -> None:
    table = quoted(layout.collection)
    sets = "".join(f", {column(name)} = ?" for name in layout.scalars)
    statement = f"UPDATE {table} SET document = ?{sets} WHERE key = ?"
    keys = [key for (key,) in connection.execute(f"SELECT key FROM {table}")]
    for key in keys:
        (text,) = connection.execute(f"SELECT document FROM {table} WHERE key = ?", (key,)).fetchone()
        document = decode_document(text)
        connection.execute(statement, [*layout.row(document, text), key])
        layout.write_arrays(connection, key, document, new=False)


def _read_layout(connection: sqlite3.Connection, collection: str) -> Layout:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({quoted(collection)})")]
    scalars = [name[2:] for name in columns if name.startswith("f.")]
    prefix = f"{collection}/"
    tables = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, ?) = ? ORDER BY name",
        (len(prefix), prefix),
    )
    arrays = [name[len(prefix) :] for (name,) in tables]
    return Layout(
        collection, *({name: tuple(name.split(".")) for name in names} for names in (scalars, arrays))
    )
