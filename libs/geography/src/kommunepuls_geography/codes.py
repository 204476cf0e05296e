"""Municipality codes and their history: 0710, 3804 and 3907 are one place.

Norway renumbered most of its municipalities in 2018, 2020 and 2024 and merged many; journals, registers and
maps go on carrying the old numbers. The data is in `data/municipality_history_no.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from kommunepuls_geography.errors import GeographyError

_WIDTH = 4


@dataclass(frozen=True, slots=True)
class MunicipalityHistory:
    """What became of each former code, followed to the end, and the codes of today with their names."""

    current: Mapping[str, str]
    became: Mapping[str, tuple[str, ...]]


@cache
def municipality_history(country: str = "NO") -> MunicipalityHistory | None:
    """The history kept for a country, or None where there is none (all but Norway)."""
    source = files(__package__).joinpath(f"data/municipality_history_{country.lower()}.yaml")
    if not source.is_file():
        return None
    document = yaml.safe_load(source.read_text(encoding="utf-8"))
    steps: dict[str, list[str]] = {}
    for change in document["changes"]:
        steps.update(change["became"])
    steps.update(document["precise"])
    return MunicipalityHistory(
        current=document["current"],
        became={code: tuple(sorted(_follow(code, steps))) for code in steps},
    )


def _follow(code: str, steps: Mapping[str, list[str]]) -> set[str]:
    if code not in steps:
        return {code}
    return {last for following in steps[code] for last in _follow(following, steps)}


def plain_code(code: str | int, country: str = "NO") -> str:
    """The four digits of a municipality code given as 301, "301", "0301" or "NO-0301".

    Raises `GeographyError` for what is no code of the country.
    """
    text = f"{code:04d}" if isinstance(code, int) and not isinstance(code, bool) else str(code).strip()
    text = text.removeprefix(f"{country}-")
    if not (text.isascii() and text.isdigit() and len(text) <= _WIDTH):
        raise GeographyError(f"{code!r} is no municipality code of {country}.")
    return text.zfill(_WIDTH)


def current_code(code: str | int, country: str = "NO") -> list[str]:
    """The codes in use today for the place that had, or has, this one: four digits each, sorted.

    Several when the municipality was divided, none when the country's history knows no such code. For a
    country without history the code is taken to be current. Raises `GeographyError` for what is no code.
    """
    digits = plain_code(code, country)
    history = municipality_history(country)
    if history is None or digits in history.current:
        return [digits]
    return list(history.became.get(digits, ()))


def former_codes(code: str | int, country: str = "NO") -> list[str]:
    """Every earlier code of what is, wholly or in part, this current municipality today, sorted."""
    history = municipality_history(country)
    digits = plain_code(code, country)
    return [] if history is None else sorted(old for old, new in history.became.items() if digits in new)


def current_area_ids(area_id: str) -> list[str]:
    """As `current_code`, for area ids: NO-0710 gives NO-3907, and what is no municipality stays as it is.

    What hangs below a municipality moves with it where that is certain: NO-0710/x gives NO-3907/x.
    """
    country, _, rest = area_id.partition("-")
    code, slash, below = rest.partition("/")
    if len(country) != 2 or len(code) != _WIDTH or not code.isdigit():
        return [area_id]
    codes = current_code(code, country)
    if slash and len(codes) != 1:
        return [area_id]
    return [f"{country}-{each}{slash}{below}" for each in codes]


def same_place(one: str | int, other: str | int, country: str = "NO") -> bool:
    """Whether two codes, of whatever years, share a municipality of today.

    True for a code and itself even where the history knows neither. A divided municipality is the same
    place as each of its successors, though those are not the same place among themselves.
    """
    first, second = plain_code(one, country), plain_code(other, country)
    return first == second or bool(set(current_code(first, country)) & set(current_code(second, country)))
