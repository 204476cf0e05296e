"""Claims by lease, on every adapter."""

import asyncio
import itertools
from datetime import timedelta

import pytest
from kommunepuls_chassis.store.errors import (
    ConditionError,
    VersionConflict,
)
from store_items import INDEXES, MINUTE, NOON, keys


async def test_a_claim_takes_what_is_due_longest_first_and_moves_it_out_of_reach(items):
    await items.put_many(
        (f"{n}", {"state": "queued", "due_at": NOON - n * MINUTE, "size": n}) for n in range(-1, 4)
    )
    await items.put_many(
        [("other", {"state": "sent", "due_at": NOON - MINUTE}), ("never", {"state": "queued"})]
    )
    options = {"due_field": "due_at", "now": NOON, "lease_seconds": 30}
    first = await items.claim({"state": "queued"}, limit=3, **options)
    assert keys(first) == ["3", "2", "1"]
    assert {stored.document["due_at"] for stored in first} == {NOON + timedelta(seconds=30)}
    assert [await items.get(stored.key) for stored in first] == first
    assert {stored.version for stored in first} == {2}
    assert keys(await items.claim({"state": "queued"}, limit=9, **options)) == ["0"]
    assert await items.claim({"state": "queued"}, limit=9, **options) == []


async def test_a_claim_may_take_another_order(items):
    await items.put_many((f"{n}", {"due_at": NOON, "size": -n}) for n in range(4))
    claimed = await items.claim({}, due_field="due_at", now=NOON, lease_seconds=1, limit=2, order_by="size")
    assert keys(claimed) == ["3", "2"]


async def test_after_the_lease_another_may_claim_and_the_first_is_overtaken(items):
    await items.put("a", {"due_at": NOON})
    options = {"due_field": "due_at", "lease_seconds": 30, "limit": 1}
    (first,) = await items.claim({}, now=NOON, **options)
    assert await items.claim({}, now=NOON + timedelta(seconds=29), **options) == []
    (second,) = await items.claim({}, now=NOON + timedelta(seconds=30), **options)
    with pytest.raises(VersionConflict):
        await items.put("a", {}, expected_version=first.version)
    assert await items.put("a", {}, expected_version=second.version) == 4


async def test_a_lease_without_duration_is_refused(items):
    with pytest.raises(ConditionError):
        await items.claim({}, due_field="due_at", now=NOON, lease_seconds=0, limit=1)


async def test_claimers_never_get_the_same_document_and_together_get_all(open_again):
    async with open_again() as one, open_again() as other:
        first, second = [await each.collection("items", indexes=INDEXES) for each in (one, other)]
        await first.put_many((f"{n:03}", {"due_at": NOON - n * MINUTE}) for n in range(120))

        async def work(collection):
            taken = []
            while claimed := await collection.claim(
                {}, due_field="due_at", now=NOON, lease_seconds=60, limit=7
            ):
                taken += keys(claimed)
            return taken

        taken = await asyncio.gather(*(work(each) for each in (first, second) * 3))
    assert sorted(itertools.chain(*taken)) == [f"{n:03}" for n in range(120)]
