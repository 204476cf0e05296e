"""Conditions, orders and page positions as MongoDB filters. `{field: None}` there matches missing fields too."""

from kommunepuls_chassis.store.conditions import AnyOf, Condition
from kommunepuls_chassis.store.documents import Value, kind_of

# The order in which MongoDB sorts the kinds (manual, "Comparison/Sort Order"), by their $type names.
KINDS = ["null", "number", "string", "bool", "date"]

Filter = dict[str, object]


def content(field: str) -> str:
    """Where a document's field is in what is stored."""
    return f"document.{field}"


def where_filter(conditions: list[tuple[str, Condition]]) -> Filter:
    """The filter that all `conditions` hold."""
    found: Filter = {}
    for field, condition in conditions:
        if isinstance(condition, AnyOf):
            test = {"$in": list(condition.values)}
            found[content(field)] = test if len(condition.values) != 1 else {"$eq": condition.values[0]}
        else:
            bounds = {"$gte": condition.low, "$lt": condition.high}
            found[content(field)] = {name: bound for name, bound in bounds.items() if bound is not None}
    return found


def sort_order(order_by: str | None, descending: bool) -> list[tuple[str, int]]:
    """By the field and then by the key."""
    direction = -1 if descending else 1
    return [(name, direction) for name in ([content(order_by)] if order_by else []) + ["_id"]]


def after_filter(order_by: str | None, descending: bool, after: tuple) -> Filter:
    """What comes behind a position in that order. MongoDB's $gt and $lt stay within a kind, its sort does not."""
    compare = "$lt" if descending else "$gt"
    key_behind = {"_id": {compare: after[-1]}}
    if order_by is None:
        return key_behind
    name, value = content(order_by), after[0]
    alternatives: list[Filter] = [{name: {"$eq": value}, **key_behind}]
    if value is not None:
        alternatives.append({name: {compare: value}})
    alternatives += _further_kinds(name, value, descending)
    return {"$or": alternatives}


def _further_kinds(name: str, value: Value, descending: bool) -> list[Filter]:
    place = KINDS.index(kind_of(value))
    kinds = KINDS[:place] if descending else KINDS[place + 1 :]
    further: list[Filter] = [{name: {"$eq": None}}] if "null" in kinds else []
    compared = [kind for kind in kinds if kind != "null"]
    if compared:
        further.append({name: {"$type": compared}})
    return further
