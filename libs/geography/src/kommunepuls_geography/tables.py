"""CSV files as municipalities export them: any of the usual delimiters and encodings."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kommunepuls_geography.codes import plain_code
from kommunepuls_geography.errors import GeographyError
from kommunepuls_geography.projection import COUNTRY_BOUNDS


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises `GeographyError` when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as problem:
        raise GeographyError(f"{path.name}: cannot be read ({problem.strerror}).") from None


def read_csv(path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Each row with a name for messages ("addresses.csv line 7"), headings and values stripped.

    UTF-8 with or without a byte order mark, else Latin-1; the delimiter is the one of ; , tab and | that
    is most frequent in the heading. Raises `GeographyError` for a file that cannot be read as CSV.
    """
    content = read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    heading = text.partition("\n")[0]
    delimiter = max(";,\t|", key=heading.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            values = {
                key.strip(): (value or "").strip() for key, value in row.items() if isinstance(key, str)
            }
            yield f"{path.name} line {reader.line_num}", values
    except csv.Error as problem:
        raise GeographyError(f"{path.name} line {reader.line_num}: {problem}.") from None


def number_of(value: Any, what: str) -> float | None:
    """A number written with a point or a comma; None when empty. Raises `GeographyError` for other text."""
    if value is None or value == "":
        return None
    try:
        return float(str(value).replace(",", ".").replace("\u00a0", "").strip())
    except ValueError:
        raise GeographyError(f"{what} is no number: {str(value)[:40]!r}.") from None


def whole_number_of(value: Any, what: str) -> int | None:
    """A whole number, leading zeros allowed; None when empty. Raises `GeographyError` for other text."""
    number = number_of(value, what)
    if number is None:
        return None
    if not number.is_integer():
        raise GeographyError(f"{what} is no whole number: {str(value)[:40]!r}.")
    return int(number)


def municipality_of(value: Any, country: str, what: str) -> str | None:
    """A municipality's area id from an id or a bare code; None when empty."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and value[2:3] == "-":
        return value
    try:
        return f"{country}-{plain_code(value, country)}"
    except GeographyError as problem:
        raise GeographyError(f"{what}: {problem}") from None


def check_position(lon: float, lat: float, country: str, what: str) -> None:
    """Refuse a position outside of the country, saying so when longitude and latitude are swapped."""
    west, south, east, north = COUNTRY_BOUNDS.get(country, (-180.0, -90.0, 180.0, 90.0))
    if west <= lon <= east and south <= lat <= north:
        return
    if west <= lat <= east and south <= lon <= north:
        raise GeographyError(f"{what} has longitude and latitude swapped.")
    raise GeographyError(f"{what} is not in WGS84 degrees within {country} ({lon:g}, {lat:g}).")
