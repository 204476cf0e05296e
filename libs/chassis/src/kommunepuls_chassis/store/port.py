"""The document store port: what services may ask of a store, whichever adapter stands behind it.

Writes are durable when they return (SQLite: they survive `kill -9`; MongoDB: a majority has them). A write
whose caller is cancelled may still take place. Every write of a document raises its version by one; a
document that was deleted and stored again starts at 1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kommunepuls_chassis.store.conditions import Where
from kommunepuls_chassis.store.documents import Document, Value, value_at


@dataclass(frozen=True, init=False)
class Index:
    """Declares fields that conditions and orders may use.

    `Index("state", "due_at")` serves conditions on `state`, and on `state` together with `due_at`. Each of
    the fields holds a scalar (None, bool, number, str, datetime) or is missing. `Index("areas", array=True)`
    is for one field that holds a list of scalars, or is missing or None. A dotted name (`"profile.areas"`) is
    a field of a nested dict. An unsuitable value is refused with DocumentError when it is written.

    `sparse=True` says that most documents lack the first field, and that it is asked for by value: they cost
    nothing then. To order by it alone, or to ask who lacks it, is slow.
    """

    fields: tuple[str, ...]
    array: bool
    sparse: bool

    def __init__(self, *fields: str, array: bool = False, sparse: bool = False) -> None:
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "array", array)
        object.__setattr__(self, "sparse", sparse)


@dataclass(frozen=True)
class Stored:
    """A document as it was read: its key, its version (from 1) and its content."""

    key: str
    version: int
    document: Document

    def position(self, order_by: str | None = None) -> tuple[Value, str] | tuple[str]:
        """Where this document stands in that order: the `after` of the `find` for the next page."""
        if order_by is None:
            return (self.key,)
        return (value_at(self.document, tuple(order_by.split("."))), self.key)


class Collection(Protocol):
    """Documents of one kind by key. All methods raise StoreUnavailable while the store does not answer,
    DocumentError for what cannot be stored, ConditionError or UndeclaredField for a wrong condition."""

    async def insert(self, key: str, document: Document) -> bool:
        """Store it unless the key exists; False if it does. Of many who try at once, one gets True."""

    async def put(self, key: str, document: Document, *, expected_version: int | None = None) -> int:
        """Store or replace it and return the new version.

        With `expected_version` only if it is at that version (0: does not exist), else VersionConflict.
        """

    async def put_many(self, items: Iterable[tuple[str, Document]]) -> None:
        """Store or replace all, a repeated key in the order given. Each is atomic, not all together: after an
        error some may be stored, and the call can be repeated."""

    async def insert_many(self, items: Iterable[tuple[str, Document]]) -> list[bool]:
        """`insert` for each, in order; True for the keys that were new. Atomic each, not together."""

    async def patch(self, key: str, changes: Document, *, where: Where | None = None) -> bool:
        """Set the named fields in one step; False, with nothing changed, if the key does not exist or `where`
        does not hold. A dotted name sets a field of a nested dict, which is created where it is missing;
        DocumentError where something else than a dict is in its place."""

    async def patch_many(self, items: Iterable[tuple[str, Document]]) -> list[bool]:
        """`patch` for each, in order; True for the keys that exist. Atomic each, not together: after an error
        some may be changed, and the call can be repeated."""

    async def get(self, key: str) -> Stored | None:
        """The document of that key."""

    async def get_many(self, keys: Iterable[str]) -> dict[str, Stored]:
        """Those of the keys that exist."""

    async def values(self, where: Where, *fields: str) -> dict[str, tuple[Value, ...]]:
        """What declared scalar fields of the documents that match hold, by key. The documents themselves are not read,
        so that it costs a small part of `find`."""

    async def values_of(self, keys: Iterable[str], *fields: str) -> dict[str, tuple[Value, ...]]:
        """`values` of those of the keys that exist."""

    async def find(
        self,
        where: Where,
        *,
        order_by: str | None = None,
        descending: bool = False,
        limit: int | None = None,
        after: tuple | None = None,
    ) -> list[Stored]:
        """The documents that match, by `order_by` (a declared scalar field) and then by key, both descending
        if so asked. Without `order_by` by key alone. Kinds sort as: none, numbers, strings, booleans, times.

        `after` continues behind a document: `page[-1].position(order_by)`, that is (value, key) or (key,).
        """

    async def count(self, where: Where) -> int:
        """How many documents match."""

    async def delete(self, key: str) -> bool:
        """Delete it; False if it did not exist."""

    async def delete_where(self, where: Where) -> int:
        """Delete all that match and return how many. Atomic each, not together."""

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
        """Take up to `limit` matching documents whose `due_field` is a time not after `now`, first by
        `order_by` (default: what is due longest), and move their `due_field` to `now` + lease.

        No two claimers get the same document before its lease ends; while several claim at once, what each
        gets may lie a little behind the first. What is returned carries the new time and
        version: `put(..., expected_version=...)` then fails for one who was overtaken after the lease.
        """


class DocumentStore(Protocol):
    """A service's own database."""

    async def collection(self, name: str, *, indexes: Sequence[Index] = ()) -> Collection:
        """The collection of that name (lower-case letters, digits, underscores), created with its indexes
        where they are missing; documents already there are indexed too. Indexes of several calls add up.

        Raises StoreConfigurationError for a wrong name or index.
        """
