"""Inserting, putting and patching, as every adapter does it."""

import asyncio

import pytest
from kommunepuls_chassis.store import Index
from kommunepuls_chassis.store.conditions import any_of, at_least
from kommunepuls_chassis.store.errors import (
    DocumentError,
    VersionConflict,
)
from store_items import MINUTE, NOON, keys


async def test_a_key_is_inserted_once_and_the_first_document_stays(items):
    assert await items.insert("a", {"n": 1}) is True
    assert await items.insert("a", {"n": 2}) is False
    stored = await items.get("a")
    assert (stored.key, stored.version, stored.document) == ("a", 1, {"n": 1})


async def test_of_fifty_who_insert_the_same_key_exactly_one_is_told_true(items):
    answers = await asyncio.gather(*(items.insert("reservation", {"by": n}) for n in range(50)))
    assert sum(answers) == 1
    assert (await items.get("reservation")).document == {"by": answers.index(True)}


async def test_every_put_raises_the_version(items):
    assert [await items.put("a", {"n": n}) for n in range(3)] == [1, 2, 3]
    assert (await items.get("a")).document == {"n": 2}


async def test_fifty_concurrent_puts_of_a_new_key_get_fifty_versions(items):
    versions = await asyncio.gather(*(items.put("a", {"n": n}) for n in range(50)))
    assert sorted(versions) == list(range(1, 51))
    assert (await items.get("a")).document == {"n": versions.index(50)}


async def test_a_put_at_a_version_that_is_gone_is_a_conflict_and_changes_nothing(items):
    await items.put("a", {"n": 1})
    assert await items.put("a", {"n": 2}, expected_version=1) == 2
    with pytest.raises(VersionConflict) as conflict:
        await items.put("a", {"n": 3}, expected_version=1)
    assert (conflict.value.key, conflict.value.expected_version) == ("a", 1)
    assert (await items.get("a")).document == {"n": 2}


async def test_expected_version_zero_means_must_not_exist(items):
    assert await items.put("a", {"n": 1}, expected_version=0) == 1
    with pytest.raises(VersionConflict):
        await items.put("a", {"n": 2}, expected_version=0)
    with pytest.raises(VersionConflict):
        await items.put("unknown", {}, expected_version=1)
    assert await items.get("unknown") is None


async def test_of_twenty_who_change_the_same_version_one_succeeds(items):
    await items.put("a", {"n": -1})
    answers = await asyncio.gather(
        *(items.put("a", {"n": n}, expected_version=1) for n in range(20)), return_exceptions=True
    )
    assert answers.count(2) == 1
    assert sum(isinstance(answer, VersionConflict) for answer in answers) == 19


async def test_many_are_put_in_order_and_a_repeated_key_keeps_the_last(items):
    await items.put("b", {"n": 0})
    await items.put_many([("a", {"n": 1}), ("b", {"n": 2}), ("a", {"n": 3})])
    found = await items.get_many(["a", "b", "c"])
    assert {key: (stored.version, stored.document["n"]) for key, stored in found.items()} == {
        "a": (2, 3),
        "b": (2, 2),
    }


async def test_many_are_inserted_and_each_is_told_whether_it_was_new(items):
    await items.insert("b", {"n": 0})
    assert await items.insert_many([("a", {"n": 1}), ("b", {"n": 2}), ("a", {"n": 3})]) == [
        True,
        False,
        False,
    ]
    assert await items.insert_many([]) == []
    assert (await items.get("a")).document == {"n": 1}
    assert (await items.get("b")).document == {"n": 0}


async def test_more_documents_than_fit_one_request_are_all_stored(items):
    assert all(await items.insert_many((f"{n:04}", {"size": n}) for n in range(1_100)))
    assert await items.count({}) == 1_100
    assert len(await items.get_many(f"{n:04}" for n in range(1_100))) == 1_100
    assert await items.delete_where({"size": at_least(100)}) == 1_000
    assert await items.count({}) == 100


async def test_of_many_without_arrays_each_is_told_whether_it_was_new_and_none_changes_another(store):
    plain = await store.collection("plain", indexes=[Index("by")])
    assert await plain.insert_many((str(n), {"by": "a"}) for n in range(5)) == [True] * 5
    again = await plain.insert_many((str(n), {"by": "b"}) for n in range(3, 8))
    assert again == [False, False, True, True, True]
    assert keys(await plain.find({"by": "a"})) == ["0", "1", "2", "3", "4"]
    assert keys(await plain.find({"by": "b"})) == ["5", "6", "7"]


async def test_a_sparse_index_answers_what_a_full_one_does(store):
    waiting = await store.collection("waiting", indexes=[Index("queue", "due_at", sparse=True)])
    await waiting.insert_many((str(n), {"n": n}) for n in range(3))
    await waiting.put("due", {"queue": "a", "due_at": NOON})
    await waiting.put("later", {"queue": "a", "due_at": NOON + MINUTE})
    assert keys(await waiting.find({"queue": "a"}, order_by="due_at", descending=True)) == ["later", "due"]
    assert keys(await waiting.find({"queue": None})) == ["0", "1", "2"]
    assert keys(await waiting.find({}, order_by="queue", limit=4)) == ["0", "1", "2", "due"]
    claimed = await waiting.claim({"queue": "a"}, due_field="due_at", now=NOON, lease_seconds=60, limit=5)
    assert keys(claimed) == ["due"]
    await waiting.patch("due", {"queue": None, "due_at": None})
    assert await waiting.count({"queue": "a"}) == 1


async def test_a_patch_sets_the_named_fields_and_keeps_the_rest(items):
    await items.put("a", {"state": "held", "areas": ["x"], "place": {"code": "0710", "name": "n"}})
    assert await items.patch("a", {"state": "sent", "areas": ["y"], "place.code": "3907", "new.deep": 1})
    stored = await items.get("a")
    assert stored.version == 2
    assert stored.document == {
        "state": "sent",
        "areas": ["y"],
        "place": {"code": "3907", "name": "n"},
        "new": {"deep": 1},
    }
    assert keys(await items.find({"state": "sent", "areas": "y", "place.code": "3907"})) == ["a"]
    assert await items.count({"areas": "x"}) == 0
    assert await items.count({"state": "held"}) == 0


async def test_many_patches_say_of_each_whether_its_document_is_there(items):
    await items.put("a", {"state": "held", "text": 'æ "quoted" \\ 🌊', "none": 1})
    await items.put("b", {"place": {"code": "0710"}})
    changes = [
        ("a", {"state": "sent", "text": None, "due": None}),
        ("unknown", {"state": "sent"}),
        ("b", {"place.code": "3907", "areas": ["x"]}),
        ("a", {"none": 2, "odd name": [1, {"x": 'æ"'}]}),
    ]
    assert await items.patch_many(changes) == [True, False, True, True]
    stored = await items.get_many(["a", "b", "unknown"])
    assert stored["a"].document == {
        "state": "sent", "text": None, "due": None, "none": 2, "odd name": [1, {"x": 'æ"'}],
    }  # fmt: skip
    assert (stored["a"].version, stored["b"].version) == (3, 2)
    assert stored["b"].document == {"place": {"code": "3907"}, "areas": ["x"]}
    assert keys(await items.find({"state": "sent"})) == ["a"]
    assert keys(await items.find({"areas": "x", "place.code": "3907"})) == ["b"]


@pytest.mark.parametrize(
    "changes", [{"state": "sent", "none": []}, {"areas": ["y"]}, {"place.code": "3907", "none": None}]
)
async def test_the_same_changes_go_to_many_documents(items, changes):
    await items.put_many((key, {"state": "held", "areas": ["x"]}) for key in "abc")
    other = {"state": "done"}
    given = [("a", changes), ("b", changes), ("unknown", changes), ("c", other), ("a", other), ("c", changes)]
    assert await items.patch_many(given) == [True, True, False, True, True, True]
    for key, patches in {"a": [changes, other], "b": [changes], "c": [other, changes]}.items():
        await items.put("alone", {"state": "held", "areas": ["x"]})
        for one in patches:
            await items.patch("alone", one)
        assert (await items.get(key)).document == (await items.get("alone")).document


async def test_a_patch_of_nothing_says_so(items):
    await items.put("a", {"state": "sent"})
    assert await items.patch("unknown", {"state": "held"}) is False
    assert await items.patch("a", {"state": "held"}, where={"state": "queued"}) is False
    assert await items.patch("a", {"state": "done"}, where={"state": any_of(["queued", "sent"])}) is True
    assert (await items.get("a")).document == {"state": "done"}
    assert await items.count({}) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"$set": 1},
        {"a..b": 1},
        {"": 1},
        {"list.0": 1},
        {"place": {"code": 1}, "place.code": 2},
        {"state.inner": 1},
        {"areas": "x"},
        {"place": 1},
        {"number.inner": 1},
        {"nothing.inner": 1},
        {"list.inner": 1},
    ],
)
async def test_a_patch_that_cannot_be_is_refused_and_changes_nothing(items, changes):
    document = {"number": 1, "nothing": None, "list": [1]}
    await items.put("a", document)
    with pytest.raises(DocumentError):
        await items.patch("a", changes)
    stored = await items.get("a")
    assert (stored.version, stored.document) == (1, document)


async def test_concurrent_patches_of_different_fields_are_all_kept(items):
    await items.put("a", {})
    await asyncio.gather(*(items.patch("a", {f"field{n}": n}) for n in range(20)))
    stored = await items.get("a")
    assert stored.document == {f"field{n}": n for n in range(20)}
    assert stored.version == 21
