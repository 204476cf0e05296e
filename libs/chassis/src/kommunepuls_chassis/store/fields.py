"""The declared fields of a collection: which conditions, orders and values fit them, for every adapter."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from kommunepuls_chassis.store import documents
from kommunepuls_chassis.store.conditions import Condition, Range, Where, as_condition, require_comparable
from kommunepuls_chassis.store.documents import Document, value_at
from kommunepuls_chassis.store.errors import (
    ConditionError,
    DocumentError,
    StoreConfigurationError,
    UndeclaredField,
)
from kommunepuls_chassis.store.port import Index

_COLLECTION_NAME = re.compile(r"(?!sqlite_|system)[a-z][a-z0-9_]{0,62}")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN_KINDS = frozenset({str, bool, type(None)})
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*")


def check_collection_name(name: str) -> None:
    """Raise StoreConfigurationError unless every adapter can name a collection so."""
    if not _COLLECTION_NAME.fullmatch(name):
        raise StoreConfigurationError(
            f"collection name {name!r}: up to 63 lower-case letters, digits and underscores, a letter first"
        )


class Fields:
    """What the indexes of one collection declare."""

    def __init__(self, collection: str) -> None:
        self.collection = collection
        self.paths: dict[str, tuple[str, ...]] = {}
        self.arrays: set[str] = set()
        self._below: dict[str, list[tuple[str, tuple[str, ...]]]] = {}

    def declare(self, indexes: Sequence[Index]) -> None:
        """Add the fields of `indexes`; StoreConfigurationError if they contradict or cannot be."""
        for index in indexes:
            if not index.fields or (index.array and len(index.fields) != 1):
                raise StoreConfigurationError(
                    f"collection {self.collection}: an Index has fields, one with array=True just one"
                )
            for field in index.fields:
                self._declare(field, index.array)

    def _declare(self, field: str, array: bool) -> None:
        if not _FIELD_NAME.fullmatch(field):
            raise StoreConfigurationError(
                f"collection {self.collection}: {field!r} cannot name an indexed field"
            )
        for known in self.paths:
            # SQLite's column names do not tell 'a' from 'A'.
            same_but_case = known != field and known.lower() == field.lower()
            if same_but_case or (known == field and (known in self.arrays) != array):
                raise StoreConfigurationError(
                    f"collection {self.collection}: indexed field {field!r} contradicts {known!r}"
                )
        path = tuple(field.split("."))
        if field not in self.paths:
            self._below.setdefault(path[0], []).append((field, path))
        self.paths[field] = path
        if array:
            self.arrays.add(field)

    def conditions(self, where: Where) -> list[tuple[str, Condition]]:
        """`where` as (field, condition), checked. Raises ConditionError or UndeclaredField."""
        if not isinstance(where, Mapping):
            raise ConditionError("where is a dict of field and condition")
        checked = []
        for field, value in where.items():
            if field not in self.paths:
                raise UndeclaredField(self.collection, field)
            condition = as_condition(value)
            if field in self.arrays and (isinstance(condition, Range) or None in condition.values):
                raise ConditionError(
                    f"array field {field!r} takes values it should contain, no range and no None"
                )
            checked.append((field, condition))
        return checked

    def check_scalars(self, fields: Sequence[str]) -> None:
        """Raise ConditionError or UndeclaredField unless these are declared scalars."""
        for field in fields:
            if field not in self.paths:
                raise UndeclaredField(self.collection, field)
            if field in self.arrays:
                raise ConditionError(f"array field {field!r} holds no single value")

    def check_order(self, order_by: str | None, limit: int | None, after: tuple | None) -> None:
        """Raise ConditionError or UndeclaredField for an order, a limit or a position that cannot be."""
        if limit is not None and limit < 1:
            raise ConditionError(f"limit is 1 or more, not {limit}")
        if order_by is not None:
            if order_by not in self.paths:
                raise UndeclaredField(self.collection, order_by)
            if order_by in self.arrays:
                raise ConditionError(f"array field {order_by!r} gives no order")
        if after is not None:
            if len(after) != (1 if order_by is None else 2) or not isinstance(after[-1], str):
                raise ConditionError("after is (value, key), without order_by (key,): see Stored.position")
            require_comparable(after[0])

    def due(self, due_field: str, now: datetime, lease_seconds: float) -> tuple[Range, datetime]:
        """What is due at `now`, and the time to which a claim moves it, both in whole milliseconds."""
        self.check_order(due_field, None, (now, ""))
        if not isinstance(now, datetime):
            raise ConditionError("now is an aware datetime")
        if not lease_seconds >= 0.001:
            raise ConditionError(f"a lease lasts a millisecond or more, not {lease_seconds} s")
        instant = documents.EPOCH + documents.milliseconds(now) * documents.MILLISECOND
        return Range(None, instant + documents.MILLISECOND), instant + timedelta(seconds=lease_seconds)

    def check_document(self, document: Document) -> None:
        """Raise DocumentError unless it can be stored and its indexed fields hold what was declared."""
        documents.check_document(document)
        for field, path in self.paths.items():
            # What is most common first: a plain name with text or nothing, which was looked at just now.
            if len(path) == 1 and field not in self.arrays and type(document.get(field)) in _PLAIN_KINDS:
                continue
            self._check_path(field, path, document)

    def check_changes(self, changes: Document) -> list[tuple[tuple[str, ...], object]]:
        """The changes of a patch as (path, value), checked like a document."""
        if not isinstance(changes, dict) or not changes:
            raise DocumentError("a patch is a dict with at least one field")
        nested = any(isinstance(name, str) and "." in name for name in changes)
        checked: list[tuple[tuple[str, ...], object]] = []
        for name, value in changes.items():
            if not nested and isinstance(name, str) and _PLAIN_NAME.fullmatch(name):
                documents.check_value(value, name)
                self._check_change((name,), value)
                checked.append(((name,), value))
                continue
            path = tuple(name.split(".")) if isinstance(name, str) else ()
            # MongoDB reads a number in a path as a place in a list.
            if (
                not all(part and part[0] != "$" and not part.isdigit() and "\0" not in part for part in path)
                or not path
            ):
                raise DocumentError(f"{name!r} cannot name a field to patch")
            # Plain names cannot overlap: a dict holds each once.
            if nested and any(_begins_with(path, other) or _begins_with(other, path) for other, _ in checked):
                raise DocumentError(f"{name!r} overlaps another field of the same patch")
            documents.check_value(name, "name")
            documents.check_value(value, name)
            self._check_change(path, value)
            checked.append((path, value))
        return checked

    def _check_change(self, changed: tuple[str, ...], value: object) -> None:
        for field, path in self._below.get(changed[0], ()):
            if changed != path and _begins_with(changed, path):
                raise DocumentError(f"{'.'.join(changed)}: lies inside the indexed field {field!r}")
            if _begins_with(path, changed):
                whole = value
                for name in reversed(changed):
                    whole = {name: whole}
                self._check_path(field, path, whole)

    def _check_path(self, field: str, path: tuple[str, ...], document: object) -> None:
        for depth in range(1, len(path)):
            holder = value_at(document, path[:depth])
            if holder is not None and not isinstance(holder, dict):
                raise DocumentError(f"{field}: indexed, but {'.'.join(path[:depth])} holds no dict")
        value = value_at(document, path)
        if field not in self.arrays:
            if documents.kind_of(value) is None:
                raise DocumentError(f"{field}: indexed as a scalar, but holds a {type(value).__name__}")
        elif value is not None:
            if not isinstance(value, list | tuple):
                raise DocumentError(f"{field}: indexed as an array, but holds a {type(value).__name__}")
            if any(element is None or documents.kind_of(element) is None for element in value):
                raise DocumentError(f"{field}: indexed as an array, so its elements are scalars and not None")


def _begins_with(path: tuple[str, ...], beginning: tuple[str, ...]) -> bool:
    return path[: len(beginning)] == beginning
