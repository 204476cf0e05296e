"""What a document and its key may be, on every adapter."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from kommunepuls_chassis.store.errors import (
    DocumentError,
)
from store_items import NOON, keys


async def test_a_document_comes_back_as_it_was_with_times_in_utc_to_the_millisecond(items):
    oslo = timezone(timedelta(hours=2))
    document = {
        "text": 'Bø æøå 🌊 \0 {"$date":1}',
        "none": None,
        "yes": True,
        "integer": 2**62,
        "float": 1.0,
        "negative": -0.5,
        "bytes": b"\x00\xff",
        "at": datetime(2026, 7, 1, 14, 30, 0, 123999, tzinfo=oslo),
        "early": datetime(1899, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        "nested": [{"at": NOON, "list": [[], {}]}, [1, "x"]],
        "tuple": (1, 2),
    }
    await items.put("a", document)
    found = (await items.get("a")).document
    assert found == document | {
        "at": datetime(2026, 7, 1, 12, 30, 0, 123000, tzinfo=UTC),
        "early": datetime(1899, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
        "tuple": [1, 2],
    }
    assert found["at"].utcoffset() == timedelta(0)
    assert (type(found["float"]), type(found["yes"]), type(found["bytes"])) == (float, bool, bytes)


@pytest.mark.parametrize(
    "document",
    [
        {"a.b": 1},
        {"$a": 1},
        {"": 1},
        {"a\0": 1},
        {1: 1},
        {"a": {"b.c": 1}},
        {"at": datetime(2026, 1, 1)},  # noqa: DTZ001 - naive on purpose
        {"n": float("nan")},
        {"n": 2**63},
        {"x": {1, 2}},
        {"x": object()},
        {"text": "\ud800"},
        {"state": ["x"]},
        {"state": b"x"},
        {"areas": "x"},
        {"areas": [["x"]]},
        {"areas": [None]},
        {"place": ["x"]},
        {"text": "x" * (17 * 1024 * 1024)},
        ["no dict"],
    ],
    ids=lambda document: repr(document)[:18].encode("ascii", "replace").decode(),
)
async def test_what_cannot_be_stored_is_refused_by_every_write(items, document):
    for write in (items.insert, items.put):
        with pytest.raises(DocumentError):
            await write("a", document)
    for write_many in (items.insert_many, items.put_many):
        with pytest.raises(DocumentError):
            await write_many([("a", document)])
    assert await items.count({}) == 0


async def test_nesting_has_an_end(items):
    deep: dict = {}
    for _ in range(60):
        deep = {"inner": deep}
    with pytest.raises(DocumentError, match="deeper"):
        await items.put("a", deep)


@pytest.mark.parametrize("key", ["", "a\0", "\ud800", "x" * 1025, 1, None])
async def test_what_cannot_be_a_key_is_refused_and_never_found(items, key):
    with pytest.raises(DocumentError):
        await items.insert(key, {})
    assert await items.get(key) is None
    assert await items.get_many([key]) == {}
    assert await items.delete(key) is False


async def test_a_key_may_be_any_text(items):
    for key in ("facebook:1_2", "a/b?c=d", "Bø 🌊", "$where", "x" * 1024):
        await items.put(key, {"n": 1})
        assert keys([await items.get(key)]) == [key]
