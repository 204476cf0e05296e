"""Random sequences of operations do to every adapter what they do to a plain dict."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kommunepuls_chassis.store import Index
from kommunepuls_chassis.store.conditions import AnyOf, any_of, at_least, below, between
from kommunepuls_chassis.store.errors import VersionConflict

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEASE_SECONDS = 90
INDEXES = [Index("value"), Index("due"), Index("tags", array=True)]

KEYS = st.sampled_from("abcd")
TIMES = st.integers(-2, 2).map(lambda minutes: NOON + timedelta(minutes=minutes))
VALUES = st.one_of(
    st.none(), st.integers(-2, 2), st.just(0.5), st.sampled_from(["", "a", "é"]), st.booleans(), TIMES
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "value": VALUES,
        "due": TIMES,
        "tags": st.lists(st.sampled_from(["x", "y", 1, True]), max_size=3),
    },
)
VALUE_CONDITIONS = st.one_of(
    VALUES,
    st.lists(VALUES, max_size=3).map(any_of),
    st.integers(-2, 2).map(at_least),
    st.sampled_from(["", "a", "é"]).map(below),
    st.tuples(TIMES, TIMES).map(lambda bounds: between(*bounds)),
)
WHERES = st.fixed_dictionaries(
    {}, optional={"value": VALUE_CONDITIONS, "tags": st.sampled_from(["x", 1, any_of(["y", True])])}
)
CHANGES = DOCUMENTS.filter(bool)
ORDERS = st.sampled_from([None, "value", "due"])
LIMITS = st.one_of(st.none(), st.integers(1, 3))
OPERATIONS = st.one_of(
    st.tuples(st.just("insert"), KEYS, DOCUMENTS),
    st.tuples(st.just("put"), KEYS, DOCUMENTS, st.sampled_from([None, 0, 1, 2])),
    st.tuples(st.just("put_many"), st.lists(st.tuples(KEYS, DOCUMENTS), max_size=4)),
    st.tuples(st.just("insert_many"), st.lists(st.tuples(KEYS, DOCUMENTS), max_size=4)),
    st.tuples(st.just("patch"), KEYS, CHANGES, WHERES),
    st.tuples(st.just("patch_many"), st.lists(st.tuples(KEYS, CHANGES), max_size=4)),
    st.tuples(st.just("delete"), KEYS),
    st.tuples(st.just("delete_where"), WHERES),
    st.tuples(st.just("find"), WHERES, ORDERS, st.booleans(), LIMITS),
    st.tuples(st.just("count"), WHERES),
    st.tuples(st.just("values"), WHERES),
    st.tuples(st.just("values_of"), st.lists(KEYS, max_size=4)),
    st.tuples(st.just("claim"), WHERES, TIMES, st.integers(1, 3)),
)


def sorting(value):
    """The documented order: none, numbers, strings, booleans, times; True and 1 differ."""
    if value is None:
        return (0, 0)
    if isinstance(value, bool):
        return (3, value)
    return ({int: 1, float: 1, str: 2, datetime: 4}[type(value)], value)


def holds(document, where):
    for field, condition in where.items():
        held = document.get(field)
        candidates = [sorting(one) for one in (held or [])] if field == "tags" else [sorting(held)]
        if isinstance(condition, AnyOf) or not hasattr(condition, "low"):
            wanted = condition.values if isinstance(condition, AnyOf) else (condition,)
            if not {sorting(one) for one in wanted} & set(candidates):
                return False
        else:
            (candidate,) = candidates
            low, high = (
                None if bound is None else sorting(bound) for bound in (condition.low, condition.high)
            )
            if candidate[0] != (low or high)[0]:
                return False
            if (low is not None and candidate < low) or (high is not None and candidate >= high):
                return False
    return True


class Model:
    """The port over a dict of key and [version, document], written for clarity."""

    def __init__(self):
        self.kept = {}

    def insert(self, key, document):
        if key in self.kept:
            return False
        self.kept[key] = [1, dict(document)]
        return True

    def put(self, key, document, expected):
        version = self.kept.get(key, [0])[0]
        if expected not in (None, version):
            return "conflict"
        self.kept[key] = [version + 1, dict(document)]
        return version + 1

    def put_many(self, items):
        for key, document in items:
            self.put(key, document, None)

    def insert_many(self, items):
        return [self.insert(key, document) for key, document in items]

    def patch(self, key, changes, where):
        if key not in self.kept or not holds(self.kept[key][1], where):
            return False
        self.kept[key] = [self.kept[key][0] + 1, self.kept[key][1] | changes]
        return True

    def patch_many(self, items):
        return [self.patch(key, changes, {}) for key, changes in items]

    def delete(self, key):
        return self.kept.pop(key, None) is not None

    def delete_where(self, where):
        return sum(self.delete(key) for key, *_ in self.find(where, None, False, None))

    def find(self, where, order_by, descending, limit):
        matching = [(key, *kept) for key, kept in self.kept.items() if holds(kept[1], where)]
        matching.sort(key=lambda one: (sorting(one[2].get(order_by)), one[0]), reverse=descending)
        return matching[:limit]

    def values(self, where):
        return {
            key: (document.get("due"), document.get("value"))
            for key, _, document in self.find(where, None, False, None)
        }

    def values_of(self, keys):
        return {key: held for key, held in self.values({}).items() if key in keys}

    def count(self, where):
        return len(self.find(where, None, False, None))

    def claim(self, where, now, limit):
        due = [
            one for one in self.find(where, "due", False, None) if "due" in one[2] and one[2]["due"] <= now
        ]
        for key, *_ in due[:limit]:
            self.patch(key, {"due": now + timedelta(seconds=LEASE_SECONDS)}, {})
        return [(key, *self.kept[key]) for key, *_ in due[:limit]]


def plain(found):
    return [(stored.key, stored.version, stored.document) for stored in found]


async def apply(collection, name, arguments):
    """The operation on the real collection, its answer in the model's terms."""
    if name == "put":
        key, document, expected = arguments
        try:
            return await collection.put(key, document, expected_version=expected)
        except VersionConflict:
            return "conflict"
    if name == "patch":
        key, changes, where = arguments
        return await collection.patch(key, changes, where=where)
    if name == "find":
        where, order_by, descending, limit = arguments
        return plain(await collection.find(where, order_by=order_by, descending=descending, limit=limit))
    if name == "claim":
        where, now, limit = arguments
        options = {"due_field": "due", "now": now, "lease_seconds": LEASE_SECONDS, "limit": limit}
        return plain(await collection.claim(where, **options))
    if name in ("values", "values_of"):
        return await getattr(collection, name)(*arguments, "due", "value")
    return await getattr(collection, name)(*arguments)


runs = itertools.count()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=st.lists(OPERATIONS, min_size=4, max_size=25))
async def test_a_collection_behaves_as_a_plain_dict(store, operations):
    collection = await store.collection(f"run_{next(runs)}", indexes=INDEXES)
    model = Model()
    for name, *arguments in operations:
        assert await apply(collection, name, arguments) == getattr(model, name)(*arguments), name
    assert plain(await collection.find({})) == model.find({}, None, False, None)


def test_the_model_tells_true_from_one_and_ranges_from_other_kinds():
    assert not holds({"value": True}, {"value": 1})
    assert not holds({"value": "a"}, {"value": at_least(0)})
    assert holds({"tags": ["x", 1]}, {"tags": 1})
    assert not holds({"tags": [True]}, {"tags": 1})
