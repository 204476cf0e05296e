"""Conditions, orders and page positions as SQL."""

from kommunepuls_chassis.store.conditions import AnyOf, Condition, Range
from kommunepuls_chassis.store.documents import Value, kind_of
from kommunepuls_chassis.store.sqlite_values import Indexed, encode_value, kind_limits

Clause = tuple[str, list[Indexed]]


def quoted(name: str) -> str:
    """A table or column name; callers pass only names that Fields has checked."""
    return f'"{name}"'


def column(field: str) -> str:
    """The column that holds an indexed scalar."""
    return quoted(f"f.{field}")


def array_table(collection: str, field: str) -> str:
    """The table (value, key) that holds the elements of an indexed array."""
    return quoted(f"{collection}/{field}")


def where_clause(collection: str, arrays: set[str], conditions: list[tuple[str, Condition]]) -> Clause:
    """An SQL condition on the collection's table that all `conditions` hold."""
    parts, parameters = ["1"], []
    for field, condition in conditions:
        if field in arrays:
            part, values = _contains(array_table(collection, field), condition)
        elif isinstance(condition, Range):
            part, values = _in_range(column(field), condition)
        else:
            part, values = _equals(column(field), condition.values)
        parts.append(part)
        parameters += values
    return " AND ".join(parts), parameters


def order_clause(order_by: str | None, descending: bool) -> str:
    """ORDER BY the field and then the key."""
    direction = " DESC" if descending else ""
    first = f"{column(order_by)}{direction}, " if order_by else ""
    return f" ORDER BY {first}key{direction}"


def after_clause(order_by: str | None, descending: bool, after: tuple) -> Clause:
    """What comes behind a position in that order. NULL sorts first, but compares with nothing in SQL."""
    compare = "<" if descending else ">"
    key = after[-1]
    if order_by is None:
        return f"key {compare} ?", [key]
    name, value = column(order_by), encode_value(after[0])
    if value is None:
        others = "" if descending else f" OR {name} IS NOT NULL"
        return f"(({name} IS NULL AND key {compare} ?){others})", [key]
    nulls = f" OR {name} IS NULL" if descending else ""
    return f"(({name}, key) {compare} (?, ?){nulls})", [value, key]


def _contains(table: str, condition: AnyOf) -> Clause:
    part, values = _equals("value", condition.values)
    return f"key IN (SELECT key FROM {table} WHERE {part})", values


def _equals(name: str, values: tuple[Value, ...]) -> Clause:
    encoded = [encode_value(value) for value in values if value is not None]
    parts = []
    if len(encoded) == 1:
        parts.append(f"{name} = ?")
    elif encoded:
        parts.append(f"{name} IN ({','.join('?' * len(encoded))})")
    if len(encoded) < len(values):
        parts.append(f"{name} IS NULL")
    return f"({' OR '.join(parts)})" if parts else "0", encoded


def _in_range(name: str, condition: Range) -> Clause:
    low, high = condition.low, condition.high
    least, beyond = kind_limits(kind_of(low if low is not None else high))
    bounds = [least if low is None else encode_value(low), beyond if high is None else encode_value(high)]
    return f"({name} >= ? AND {name} < ?)", bounds
