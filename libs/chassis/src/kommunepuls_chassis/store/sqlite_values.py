"""How documents and indexed values are written in SQLite.

A document is JSON text; a time is `{"$date": milliseconds}` and bytes are `{"$bytes": base64}`, which cannot
be mistaken, since no name in a document starts with `$`. An indexed value is a SQLite value that sorts as
MongoDB sorts: NULL, numbers, text, then blobs, which stand for booleans (first byte 1) and times (first byte
2).
"""

import base64
from collections.abc import Sequence
from datetime import datetime

import orjson

from kommunepuls_chassis.store.documents import (
    EPOCH,
    LARGEST_BYTES,
    MILLISECOND,
    Document,
    Value,
    milliseconds,
)
from kommunepuls_chassis.store.errors import DocumentError

Indexed = None | int | float | str | bytes

_BOOLEAN, _TIME, _BEYOND_TIME = b"\x01", b"\x02", b"\x03"
_TIME_OFFSET = 2**63
# The least value of a kind, and the least value beyond it: a range stays between the two.
_KIND_LIMITS: dict[str, tuple[Indexed, Indexed]] = {
    "number": (float("-inf"), ""),
    "string": ("", b""),
    "date": (_TIME, _BEYOND_TIME),
}


def encode_document(document: Document) -> str:
    """JSON text of a checked document; DocumentError if it is larger than MongoDB would take (16 MiB)."""
    text = encode_text(document)
    if len(text) > LARGEST_BYTES:
        raise DocumentError(
            f"the document has {len(text)} characters of JSON; at most {LARGEST_BYTES} are kept"
        )
    return text


def encode_text(value: object) -> str:
    """JSON text of one checked value."""
    return orjson.dumps(value, _to_tag, orjson.OPT_PASSTHROUGH_DATETIME).decode()


def decode_document(text: str) -> Document:
    """The document that `encode_document` wrote."""
    document = orjson.loads(text)
    # Inside a JSON string the quote would be escaped, so this finds tags only.
    return _untagged(document) if '{"$' in text else document


def encode_value(value: object) -> Indexed:
    """The SQLite value of a scalar; NULL for None and for what is no scalar."""
    if isinstance(value, bool):
        return _BOOLEAN + bytes([value])
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return _TIME + (milliseconds(value) + _TIME_OFFSET).to_bytes(8, "big")
    return None


def values_of_rows(columns: Sequence[str]) -> str:
    """An SQL expression: key and columns of all rows as one text for `read_values`.

    A row by itself would let go of Python's lock and wait for it again, a thousand times for a thousand.
    """
    parts = [
        f"CASE typeof({name}) WHEN 'blob' THEN json_object('blob', hex({name}))"
        f" WHEN 'real' THEN json_object('real', printf('%!.17g', {name})) ELSE {name} END"
        for name in columns
    ]
    return f"json_group_array(json_array({', '.join(['key', *parts])}))"


def read_values(text: str) -> dict[str, tuple[Value, ...]]:
    """What the columns hold by key."""
    if '{"' not in text:
        return {key: tuple(held) for key, *held in orjson.loads(text)}
    return {key: tuple([_untold(value) for value in held]) for key, *held in orjson.loads(text)}


def _untold(value: object) -> Value:
    """A value as `encode_value` got it."""
    if not isinstance(value, dict):
        return value
    if "real" in value:
        return float(value["real"])
    blob = bytes.fromhex(value["blob"])
    if blob[:1] == _BOOLEAN:
        return blob[1] == 1
    return EPOCH + (int.from_bytes(blob[1:], "big") - _TIME_OFFSET) * MILLISECOND


def kind_limits(kind: str) -> tuple[Indexed, Indexed]:
    """The half-open span of SQLite values in which all values of that kind lie."""
    return _KIND_LIMITS[kind]


def _to_tag(value: object) -> dict[str, object]:
    if isinstance(value, datetime):
        return {"$date": milliseconds(value)}
    return {"$bytes": base64.b64encode(value).decode()}


def _untagged(found: object) -> object:
    if isinstance(found, dict):
        for name, value in found.items():
            if name == "$date":
                return EPOCH + value * MILLISECOND
            if name == "$bytes":
                return base64.b64decode(value)
            if isinstance(value, dict | list):
                found[name] = _untagged(value)
    elif isinstance(found, list):
        for place, value in enumerate(found):
            if isinstance(value, dict | list):
                found[place] = _untagged(value)
    return found
