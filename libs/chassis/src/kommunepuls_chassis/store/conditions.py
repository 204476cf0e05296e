"""The conditions a `where` may hold.

A `where` maps a declared field to a value or a condition; all of them must hold. `{}` means every document.

- `{"state": "held"}`: equal. Values of different kinds are never equal, except that 1 equals 1.0;
  True does not equal 1. `None` matches a missing field too.
- `{"areas": "NO-3907-breidablikk"}` on an array field: contains.
- `any_of`, `at_least`, `below`, `between` as below. A range finds values of the same kind only: numbers for
  numbers, strings (by code point) for strings, points in time for points in time. Array fields take no range.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from kommunepuls_chassis.store.documents import Value, kind_of
from kommunepuls_chassis.store.errors import ConditionError

MOST_ALTERNATIVES = 10_000


@dataclass(frozen=True)
class AnyOf:
    """Equal to one of the values (array field: contains one of them)."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Range:
    """`low <= value < high`; a bound that is None is open, and one of them is given."""

    low: str | int | float | datetime | None
    high: str | int | float | datetime | None


Condition = AnyOf | Range
Where = Mapping[str, Value | Condition]


def any_of(values: Iterable[Value]) -> AnyOf:
    """Equal to one of `values` (at most 10,000); nothing matches if there are none."""
    alternatives = tuple(values)
    if len(alternatives) > MOST_ALTERNATIVES:
        raise ConditionError(f"any_of takes at most {MOST_ALTERNATIVES} values, got {len(alternatives)}")
    for value in alternatives:
        require_comparable(value)
    return AnyOf(alternatives)


def at_least(low: str | int | float | datetime) -> Range:
    """`value >= low`."""
    return _range(low, None)


def below(high: str | int | float | datetime) -> Range:
    """`value < high`."""
    return _range(None, high)


def between(low: str | int | float | datetime, high: str | int | float | datetime) -> Range:
    """`low <= value < high`: half open, so that neighbouring ranges share no value."""
    return _range(low, high)


def as_condition(value: object) -> Condition:
    """What a `where` holds for one field, plain values as an `AnyOf` of one."""
    if isinstance(value, AnyOf | Range):
        return value
    require_comparable(value)
    return AnyOf((value,))


def require_comparable(value: object) -> None:
    """Raise ConditionError unless `value` is one that can be compared: a scalar or None."""
    if kind_of(value) is None:
        raise ConditionError(
            f"a {type(value).__name__} cannot be compared; use None, bool, number, str or aware datetime"
        )


def _range(low: object, high: object) -> Range:
    kinds = {kind_of(bound) for bound in (low, high) if bound is not None}
    if len(kinds) != 1 or not kinds <= {"number", "string", "date"}:
        raise ConditionError(
            "a range is bounded by numbers, by strings or by aware datetimes, not by a mixture"
        )
    return Range(low, high)
