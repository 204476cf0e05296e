"""What the port promises, on every adapter."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta, timezone

import pytest
from kommunepuls_chassis.store import Index
from kommunepuls_chassis.store.conditions import any_of, at_least, below, between
from kommunepuls_chassis.store.errors import (
    ConditionError,
    DocumentError,
    StoreClosed,
    StoreConfigurationError,
    UndeclaredField,
    VersionConflict,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
INDEXES = [Index("state", "due_at"), Index("areas", array=True), Index("size"), Index("place.code")]


@pytest.fixture
async def items(store):
    return await store.collection("items", indexes=INDEXES)


def keys(found):
    return [stored.key for stored in found]


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
    assert all(await items.insert_many((f"{n:04}", {"size": n}) for n in range(2_100)))
    assert await items.count({}) == 2_100
    assert len(await items.get_many(f"{n:04}" for n in range(2_100))) == 2_100
    assert await items.delete_where({"size": at_least(100)}) == 2_000
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


async def test_equality_tells_kinds_apart(items):
    values = {"one": 1, "yes": True, "text": "1", "none": None, "time": NOON, "half": 0.5}
    await items.put_many((key, {"size": value}) for key, value in values.items())
    await items.put("missing", {})
    for key in ("yes", "text", "time", "half"):
        assert keys(await items.find({"size": values[key]})) == [key]
    assert keys(await items.find({"size": 1.0})) == ["one"]
    assert keys(await items.find({"size": None})) == ["missing", "none"]
    assert keys(await items.find({"size": any_of([None, "1", True])})) == ["missing", "none", "text", "yes"]
    assert await items.find({"size": any_of([])}) == []


async def test_text_of_digits_keeps_its_leading_zeros(items):
    await items.put_many([("text", {"size": "0710"}), ("number", {"size": 710})])
    assert keys(await items.find({"size": "0710"})) == ["text"]
    assert keys(await items.find({"size": 710})) == ["number"]


async def test_ranges_are_half_open_and_stay_within_a_kind(items):
    values = [
        None,
        -1,
        2,
        2.5,
        3,
        "",
        "a",
        "b",
        "é",
        False,
        True,
        NOON,
        NOON + MINUTE,
        NOON - 100_000 * MINUTE,
    ]
    await items.put_many((f"{place:02}", {"size": value}) for place, value in enumerate(values))

    async def found(condition):
        return [stored.document["size"] for stored in await items.find({"size": condition})]

    assert await found(between(2, 3)) == [2, 2.5]
    assert await found(at_least(2)) == [2, 2.5, 3]
    assert await found(below(2)) == [-1]
    assert await found(at_least("a")) == ["a", "b", "é"]
    assert await found(below("b")) == ["", "a"]
    assert await found(between("", "c")) == ["", "a", "b"]
    assert await found(at_least(NOON)) == [NOON, NOON + MINUTE]
    assert await found(below(NOON)) == [NOON - 100_000 * MINUTE]
    assert await found(between(3, 2)) == []


async def test_an_array_field_is_found_by_what_it_contains(items):
    await items.put_many(
        [
            ("a", {"areas": ["x", "y", "x"]}),
            ("b", {"areas": ["y"]}),
            ("c", {"areas": []}),
            ("d", {"areas": None}),
        ]
    )
    assert keys(await items.find({"areas": "y"})) == ["a", "b"]
    assert keys(await items.find({"areas": "x"})) == ["a"]
    assert keys(await items.find({"areas": any_of(["x", "y"])})) == ["a", "b"]
    await items.put("a", {"areas": ["z"]})
    await items.delete("b")
    assert await items.count({"areas": any_of(["x", "y"])}) == 0
    assert keys(await items.find({"areas": "z"})) == ["a"]


async def test_all_conditions_must_hold(items):
    await items.put_many(
        (f"{n}", {"state": "on" if n % 2 else "off", "areas": [f"x{n % 3}"], "size": n}) for n in range(9)
    )
    assert keys(await items.find({"state": "on", "areas": "x0", "size": below(9)})) == ["3"]
    assert await items.count({"state": "on", "areas": "x0"}) == 1


async def test_order_is_by_field_then_key_and_sorts_kinds_as_documented(items):
    ordered = [None, -1, 2.5, 3, "", "B", "a", "é", False, True, NOON, NOON + MINUTE]
    await items.put_many((f"{99 - place}", {"size": value}) for place, value in enumerate(ordered))
    await items.put("zz", {"size": 3})
    up = await items.find({}, order_by="size")
    assert [stored.document["size"] for stored in up] == [*ordered[:4], 3, *ordered[4:]]
    assert keys(up)[3:5] == ["96", "zz"]
    down = await items.find({}, order_by="size", descending=True)
    assert keys(down) == keys(up)[::-1]
    assert keys(await items.find({}, descending=True, limit=2)) == ["zz", "99"]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("order_by", [None, "size"])
async def test_pages_follow_each_other_without_gap_or_repeat(items, order_by, descending):
    values = [None, 1, "a", True, NOON]
    await items.put_many((f"{n:02}", {"size": values[n % 5]}) for n in range(20))
    await items.put("missing", {})
    whole = await items.find({}, order_by=order_by, descending=descending)
    pages, after = [], None
    while page := await items.find({}, order_by=order_by, descending=descending, limit=3, after=after):
        pages += page
        after = page[-1].position(order_by)
    assert keys(pages) == keys(whole)
    assert len(whole) == 21


async def test_a_field_no_index_declares_cannot_be_used(items):
    await items.put("a", {"other": 1})
    with pytest.raises(UndeclaredField, match="'other'"):
        await items.find({"other": 1})
    for call in (items.count, items.delete_where):
        with pytest.raises(UndeclaredField):
            await call({"other": 1})
    with pytest.raises(UndeclaredField):
        await items.find({}, order_by="other")
    with pytest.raises(UndeclaredField):
        await items.patch("a", {"n": 1}, where={"other": 1})
    with pytest.raises(UndeclaredField):
        await items.claim({}, due_field="other", now=NOON, lease_seconds=1, limit=1)


async def test_conditions_that_cannot_be_are_refused(items):
    for where in (
        {"size": [1]},
        {"size": {"$gt": 1}},
        {"size": datetime(2026, 1, 1)},  # noqa: DTZ001 - naive on purpose
        {"size": "\ud800"},
        {"areas": None},
        {"areas": at_least("x")},
        ["size"],
    ):
        with pytest.raises(ConditionError):
            await items.find(where)
    for options in (
        {"limit": 0},
        {"order_by": "areas"},
        {"after": ("a", "b")},
        {"order_by": "size", "after": ("a",)},
        {"after": (1,)},
    ):
        with pytest.raises(ConditionError):
            await items.find({}, **options)
    for bad in (lambda: between(1, "a"), lambda: at_least(True), lambda: below(None), lambda: any_of([[]])):
        with pytest.raises(ConditionError):
            bad()


async def test_deleting_says_whether_it_was_there_and_a_new_life_starts_at_one(items):
    await items.put("a", {"areas": ["x"]})
    await items.put("a", {"areas": ["x"]})
    assert await items.delete("a") is True
    assert await items.delete("a") is False
    assert await items.get("a") is None
    assert await items.put("a", {"areas": []}) == 1


async def test_delete_where_deletes_what_matches_and_no_more(items):
    await items.put_many((f"{n}", {"state": "old" if n < 3 else "new", "areas": ["x"]}) for n in range(5))
    assert await items.delete_where({"state": "old"}) == 3
    assert keys(await items.find({"areas": "x"})) == ["3", "4"]


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
