"""What may be stored, checked the same way for every adapter.

A document is a dict with string names, of None, bool, int (64 bit), finite float, str, bytes, aware datetime,
and lists and dicts of these. Points in time come back in UTC and truncated to the millisecond, which is what
MongoDB keeps. Names may not be empty, start with `$` or hold a dot or NUL: MongoDB gives these a meaning.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from kommunepuls_chassis.store.errors import DocumentError

Value = None | bool | int | float | str | datetime
Document = dict[str, object]

DEEPEST = 50
LARGEST_BYTES = 16 * 1024 * 1024
LONGEST_KEY = 1024
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
_MOST_KNOWN_NAMES = 10_000
_known_names: set[str] = set()
"""Names that were checked before: there are few, and each is in many documents."""
_SMALLEST_INTEGER, _LARGEST_INTEGER = -(2**63), 2**63 - 1


@lru_cache(maxsize=64)
def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970 in UTC, rounded down. Many documents have a time in common."""
    return (moment - EPOCH) // MILLISECOND


def kind_of(value: object) -> str | None:
    """The kind within which values compare, as MongoDB names it; None if `value` does not compare at all."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string" if is_text(value) else None
    if isinstance(value, int):
        return "number" if _SMALLEST_INTEGER <= value <= _LARGEST_INTEGER else None
    if isinstance(value, float):
        return "number" if math.isfinite(value) else None
    if isinstance(value, datetime):
        return "date" if value.utcoffset() is not None else None
    return None


def is_key(key: object) -> bool:
    """Whether a document can have that key: 1 to 1,024 characters of valid text without NUL."""
    return isinstance(key, str) and 0 < len(key) <= LONGEST_KEY and "\0" not in key and is_text(key)


def is_text(value: str) -> bool:
    """Whether it can be written as UTF-8: a string made from broken JSON may hold half a surrogate pair."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_key(key: object) -> None:
    """Raise DocumentError unless `is_key`."""
    if not is_key(key):
        raise DocumentError(f"a key is 1 to {LONGEST_KEY} characters of valid text without NUL")


def check_document(document: object) -> None:
    """Raise DocumentError, naming the field, unless every value in `document` can be stored."""
    if not isinstance(document, dict):
        raise DocumentError(f"a document is a dict, not a {type(document).__name__}")
    _check(document, "document", 0)


def check_value(value: object, field: str) -> None:
    """Raise DocumentError unless `value` can be stored as the field `field`."""
    _check(value, field, field.count(".") + 1)


def value_at(document: object, path: tuple[str, ...]) -> object:
    """The value at a path of names; None where a name is missing or what holds it is no dict."""
    for name in path:
        if not isinstance(document, Mapping):
            return None
        document = document.get(name)
    return document


def _check(value: object, place: str, depth: int) -> None:
    kind = type(value)
    if kind is str:
        _check_text(value, place)
    elif value is None or kind is bool or isinstance(value, bytes):
        return
    elif isinstance(value, dict):
        if depth >= DEEPEST:
            raise DocumentError(f"{place}: nested deeper than {DEEPEST} levels")
        for name, inner in value.items():
            if name not in _known_names:
                _check_name(name, place)
            # What is most common first, without another call.
            kind = type(inner)
            if inner is None or kind is bool or (kind is str and inner.isascii()):
                continue
            if kind is not int or not _SMALLEST_INTEGER <= inner <= _LARGEST_INTEGER:
                _check(inner, name, depth + 1)
    elif isinstance(value, list | tuple):
        if depth >= DEEPEST:
            raise DocumentError(f"{place}: nested deeper than {DEEPEST} levels")
        for inner in value:
            _check(inner, place, depth + 1)
    elif isinstance(value, str):
        _check_text(value, place)
    elif kind_of(value) is None:
        raise DocumentError(f"{place}: {_reason(value)}")


def _check_name(name: object, place: str) -> None:
    if not isinstance(name, str) or not name or name[0] == "$" or "." in name or "\0" in name:
        raise DocumentError(f"{place}: a name is text, not empty, without dot or NUL and without $ in front")
    _check_text(name, place)
    if len(_known_names) < _MOST_KNOWN_NAMES:
        _known_names.add(name)


def _check_text(text: str, place: str) -> None:
    if not is_text(text):
        raise DocumentError(f"{place}: text with half a surrogate pair")


def _reason(value: object) -> str:
    if isinstance(value, int):
        return "an integer beyond 64 bits"
    if isinstance(value, float):
        return "a number that is not finite"
    if isinstance(value, datetime):
        return "a time without zone"
    return f"a {type(value).__name__} cannot be stored"
