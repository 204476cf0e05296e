"""Collections and their indexes, and what is there after a restart, on every adapter."""

import asyncio

import pytest
from kommunepuls_chassis.store import Index
from kommunepuls_chassis.store.errors import (
    StoreClosed,
    StoreConfigurationError,
    UndeclaredField,
)
from store_items import INDEXES, keys


async def test_everything_is_there_after_a_restart(open_again):
    async with open_again() as store:
        before = await store.collection("items", indexes=INDEXES)
        await before.put("a", {"state": "held", "areas": ["x"]})
        await before.put("a", {"state": "sent", "areas": ["x", "y"]})
    async with open_again() as store:
        after = await store.collection("items", indexes=INDEXES)
        (stored,) = await after.find({"state": "sent", "areas": "y"})
        assert (stored.key, stored.version) == ("a", 2)
        assert await after.insert("a", {}) is False


async def test_an_index_declared_later_finds_what_was_stored_before(open_again):
    async with open_again() as store:
        await (await store.collection("items")).put("a", {"state": "held", "areas": ["x"]})
    async with open_again() as store:
        items = await store.collection("items", indexes=[Index("state"), Index("areas", array=True)])
        assert keys(await items.find({"state": "held", "areas": "x"})) == ["a"]


async def test_a_writer_that_knows_of_no_index_keeps_it_up_to_date(open_again):
    async with open_again() as old, open_again() as new:
        unaware = await old.collection("items")
        await unaware.put("a", {"state": "held"})
        aware = await new.collection("items", indexes=INDEXES)
        await unaware.put("a", {"state": "sent", "areas": ["x"]})
        assert keys(await aware.find({"state": "sent", "areas": "x"})) == ["a"]


async def test_collections_are_apart_and_declaring_again_adds_indexes(store):
    one, other = await store.collection("one"), await store.collection("other")
    await one.put("a", {"state": 1})
    assert await other.get("a") is None
    with pytest.raises(UndeclaredField):
        await one.find({"state": 1})
    again = await store.collection("one", indexes=[Index("state")])
    assert keys(await again.find({"state": 1})) == keys(await one.find({"state": 1})) == ["a"]


async def test_indexes_declared_at_the_same_time_all_count(store):
    items, _ = await asyncio.gather(
        store.collection("items", indexes=[Index("state")]),
        store.collection("items", indexes=[Index("areas", array=True)]),
    )
    await items.put("a", {"state": 1, "areas": ["x"]})
    assert keys(await items.find({"state": 1, "areas": "x"})) == ["a"]


@pytest.mark.parametrize("name", ["", "Items", "a-b", "a b", "system", "sqlite_x", "1a", "x" * 64, "a;drop"])
async def test_a_collection_name_no_adapter_could_keep_is_refused(store, name):
    with pytest.raises(StoreConfigurationError):
        await store.collection(name)


@pytest.mark.parametrize(
    "indexes",
    [
        [Index()],
        [Index("a", "b", array=True)],
        [Index("a"), Index("a", array=True)],
        [Index("a"), Index("A")],
        [Index('a"b')],
        [Index("$a")],
        [Index("a..b")],
    ],
)
async def test_an_index_that_cannot_be_is_refused(store, indexes):
    with pytest.raises(StoreConfigurationError):
        await store.collection("items", indexes=indexes)


async def test_a_closed_store_says_so(open_again):
    async with open_again() as store:
        items = await store.collection("items")
    with pytest.raises(StoreClosed):
        await items.get("a")
    with pytest.raises(StoreClosed):
        await items.put("a", {})
