"""Ending and pausing one subscription: what is paused is held aside here, and no longer in the profile."""

from typing import Any

from pydantic import BaseModel, ValidationError

from gateway_api.domain.choices import Choices
from gateway_api.domain.errors import Conflict

PARTS = ("interests", "areas", "places", "organisers", "sensor_thresholds")
"""The fields whose entries can be ended and paused one by one."""


def _name(entry: Any) -> str:
    return entry.id if isinstance(entry, BaseModel) else entry


def names(choices: Choices, what: str) -> tuple[str, ...]:
    """The ids of the entries of a field."""
    return tuple(_name(one) for one in getattr(choices, what)) if what in PARTS else ()


def only(choices: Choices, what: str, which: str) -> Choices | None:
    """One entry alone; None if there is none of that id."""
    found = tuple(one for one in getattr(choices, what) if _name(one) == which) if what in PARTS else ()
    return Choices(**{what: found}) if found else None


def without(choices: Choices, entries: Choices) -> Choices:
    """The choices without these entries."""
    kept = {
        what: tuple(one for one in getattr(choices, what) if _name(one) not in names(entries, what))
        for what in PARTS
    }
    return choices.model_copy(update=kept)


def with_entries(choices: Choices, entries: Choices) -> Choices:
    """The choices with these entries, each once.

    Raises:
        Conflict: if there is no room for them.
    """
    update = {
        what: (
            *getattr(choices, what),
            *(one for one in getattr(entries, what) if _name(one) not in names(choices, what)),
        )
        for what in PARTS
    }
    try:
        return Choices.model_validate(
            {name: getattr(choices, name) for name in Choices.model_fields} | update
        )
    except ValidationError:
        raise Conflict("there is no room for it: take something else away first", slug="no-room") from None


def is_empty(entries: Choices) -> bool:
    """Whether nothing is held."""
    return not any(getattr(entries, what) for what in PARTS)


def written(entries: Choices) -> str:
    """The entries as JSON; empty when there are none."""
    return "" if is_empty(entries) else entries.model_dump_json(include=set(PARTS), exclude_defaults=True)


def read(text: str) -> Choices:
    """The entries of JSON that we wrote; none if it is none."""
    try:
        given = Choices.model_validate_json(text) if text else Choices()
    except ValidationError:
        return Choices()
    return Choices(**{what: getattr(given, what) for what in PARTS})
