"""Finding, ordering, paging and deleting, on every adapter."""

from datetime import datetime

import pytest
from kommunepuls_chassis.store.conditions import any_of, at_least, below, between
from kommunepuls_chassis.store.errors import (
    ConditionError,
    UndeclaredField,
)
from store_items import MINUTE, NOON, keys


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


async def test_values_of_declared_fields_are_told_by_key_and_true_is_not_one(items):
    await items.put("a", {"state": "open", "due_at": NOON, "size": True, "place": {"code": "07"}, "n": 1})
    await items.put("b", {"state": "open", "size": 1, "place": None})
    await items.put("c", {"state": "closed", "size": 0.5})
    await items.put('d"{"', {"state": "odd", "size": 'a\0"{"', "place": {"code": "æ\U0001f30a"}})
    await items.put("e", {"state": "real", "size": 0.1 + 0.2})
    told = await items.values({"state": "open"}, "size", "due_at", "place.code")
    assert told == {"a": (True, NOON, "07"), "b": (1, None, None)}
    assert [type(size) for size, *_ in (told["a"], told["b"])] == [bool, int]
    assert await items.values_of(["c", "c", "x", ""], "size") == {"c": (0.5,)}
    assert await items.values({"state": "lost"}, "size") == {}
    assert await items.values({"state": "odd"}, "size", "place.code") == {'d"{"': ('a\0"{"', "æ\U0001f30a")}
    assert await items.values_of(["e", "x", "a"], "size") == {"e": (0.1 + 0.2,), "a": (True,)}


async def test_values_of_more_keys_than_fit_one_request_are_told(items):
    await items.insert_many((f"k-{n:05}", {"size": n}) for n in range(2300))
    told = await items.values_of((f"k-{n:05}" for n in range(2300)), "size")
    assert told == {f"k-{n:05}": (n,) for n in range(2300)}


async def test_values_of_fields_that_hold_none_by_declaration_are_refused(items):
    for read in (items.values({}, "areas"), items.values_of(["a"], "areas")):
        with pytest.raises(ConditionError):
            await read
    with pytest.raises(UndeclaredField):
        await items.values({}, "colour")


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
