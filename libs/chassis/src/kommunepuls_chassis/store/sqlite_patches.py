"""Changing fields of a document where it is: SQLite's own JSON functions, without reading it into Python.

Source: https://www.sqlite.org/json1.html#jset
"""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from kommunepuls_chassis.store.documents import LARGEST_BYTES
from kommunepuls_chassis.store.fields import Fields
from kommunepuls_chassis.store.sqlite_queries import column, quoted
from kommunepuls_chassis.store.sqlite_schema import Layout
from kommunepuls_chassis.store.sqlite_values import Indexed, encode_text, encode_value

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MOST_FIELDS = 60
"""A statement takes more parameters, but a function no more than 127 arguments."""


@dataclass(frozen=True, slots=True)
class Patch:
    """The checked changes to one document.

    Attributes:
        plain: whether `run` can do it: names of the outermost level, none of them an indexed array's.
        names, texts: the fields and their new values as JSON; empty unless plain.
    """

    key: str
    changes: Sequence[tuple[tuple[str, ...], object]]
    plain: bool
    names: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    def of(self, key: str) -> "Patch":
        """The same changes to another document."""
        return Patch(key, self.changes, self.plain, self.names, self.texts)

    def run(self, connection: sqlite3.Connection, layout: Layout, clause: str, parameters: list) -> bool:
        """Change the document; False if it is not there, the clause does not hold, or it would grow too large."""
        scalars = tuple(name for name in self.names if name in layout.scalars)
        if layout.arrays and any(name in layout.arrays for name in self.names):
            return False
        if any(path[0] in self.names for path in layout.scalars.values() if len(path) > 1):
            return False
        statement = _statement(layout.collection, self.names, scalars)
        values = dict(zip(self.names, (value for _, value in self.changes), strict=True))
        indexed: list[Indexed] = [encode_value(values[name]) for name in scalars]
        room = LARGEST_BYTES - sum(
            len(text) + len(name) + 4 for name, text in zip(self.names, self.texts, strict=True)
        )
        row = [*self.texts, *indexed, self.key, room, *parameters]
        return connection.execute(f"{statement} AND {clause}", row).rowcount > 0


def patch_of(key: str, changes: Sequence[tuple[tuple[str, ...], object]], fields: Fields) -> Patch:
    """A patch from changes that were checked (:meth:`Fields.check_changes`)."""
    names = tuple(path[0] for path, _ in changes)
    if not (
        all(len(path) == 1 for path, _ in changes) and _are_plain(names) and fields.arrays.isdisjoint(names)
    ):
        return Patch(key, changes, False)
    return Patch(key, changes, True, names, tuple(encode_text(value) for _, value in changes))


@lru_cache(maxsize=256)
def _are_plain(names: tuple[str, ...]) -> bool:
    return len(names) <= _MOST_FIELDS and all(_PLAIN_NAME.fullmatch(name) for name in names)


@lru_cache(maxsize=256)
def _statement(collection: str, names: tuple[str, ...], scalars: tuple[str, ...]) -> str:
    sets = "".join(f""", '$."{name}"', json(?)""" for name in names)
    columns = "".join(f", {column(name)} = ?" for name in scalars)
    return (
        f"UPDATE {quoted(collection)} SET version = version + 1, document = json_set(document{sets}){columns}"
        " WHERE key = ? AND length(document) <= ?"
    )
