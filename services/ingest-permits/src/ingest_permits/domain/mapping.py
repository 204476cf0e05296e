"""What the columns of a table mean: the mapping that a town file gives, and reading a row with it."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.texts import plain_text
from kommunepuls_events.base import Slug
from pydantic import BaseModel, ConfigDict, Field, field_validator

from ingest_permits.domain.positions import WGS84
from ingest_permits.domain.stages import Stage

_LONGEST_CELL = 20_000
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
_EMPTY_ENDS = re.compile(r"^[\s,;:–-]+|[\s,;:–-]+$")


def plain(value: Any) -> str:
    """A cell as text: padding, line breaks and invisible characters gone; numbers as they are read aloud."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, (dict, list)):
        return ""
    return " ".join(plain_text(str(value)[:_LONGEST_CELL]).split())


def folded(value: Any) -> str:
    """A cell as it is compared: small letters, one kind of dash. "PERMIT – SIGNS" is "permit - signs"."""
    return _DASHES.sub("-", plain(value)).casefold()


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StageColumn(_Part):
    """A column that tells the stage."""

    column: str
    values: dict[str, Stage] = Field(description="value of the column: stage")
    default: Stage | None = Field(
        default=None, description="for other values; rows of none are left out if this is empty"
    )

    @field_validator("values")
    @classmethod
    def _folds(cls, values: dict[str, Stage]) -> dict[str, Stage]:
        return {folded(value): stage for value, stage in values.items()}


class StageByTitle(_Part):
    """The rules for titles tell the stage (``data/stages.yaml``)."""

    by_title: Literal[True]
    default: Stage = Field(description="for titles that no rule fits")


class ColumnMapping(_Part):
    """Which column holds what. Templates name columns in braces: ``"{House No} {Street Name}"``.

    A heading is found with or without its padding.
    """

    id: str = Field(description="template of the row's own id")
    case_pattern: str | None = Field(
        default=None,
        description="regular expression whose first group is the case's number within the id, for tables "
        "with several rows a case; default: each row is a case",
    )
    title: str = Field(description="template")
    description: str = Field(default="", description="template of the text below the title")
    place: str = Field(default="", description="template of the address in words")
    date: tuple[str, ...] = Field(min_length=1, description="columns; the first that is not empty counts")
    date_formats: tuple[str, ...] = Field(
        default=("iso",), min_length=1, description="iso, or as of strptime: %d.%m.%Y"
    )
    stage: Stage | StageColumn | StageByTitle = Field(
        description="one stage for all rows, the column that tells it, or the rules for titles"
    )
    x: str = Field(default="", description="column of the longitude or easting")
    y: str = Field(default="", description="column of the latitude or northing")
    crs: str = Field(default=WGS84, description="coordinate system of x and y, such as EPSG:25833")
    url: str = Field(default="", description="template of the page's address")
    keep: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="column: values; only rows with one of them are taken"
    )
    leave_out: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="column: values; rows with one of them are not taken"
    )
    replace: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="column: value: words for readers"
    )
    interests: tuple[Slug, ...] = ("building-permits",)

    @field_validator("case_pattern")
    @classmethod
    def _has_a_group(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                groups = re.compile(value).groups
            except re.error as error:
                raise ValueError(f"is not a regular expression: {error}") from None
            if groups < 1:
                raise ValueError("needs a group, such as ^([A-Z]\\d+)-")
        return value

    @field_validator("crs")
    @classmethod
    def _is_known(cls, value: str) -> str:
        from pyproj import CRS
        from pyproj.exceptions import CRSError

        try:
            CRS.from_user_input(value)
        except CRSError:
            raise ValueError("is not a coordinate system, such as EPSG:25833") from None
        return value

    @field_validator("keep", "leave_out")
    @classmethod
    def _folds(cls, columns: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {column: tuple(folded(value) for value in values) for column, values in columns.items()}

    @field_validator("replace")
    @classmethod
    def _folds_values(cls, columns: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        return {
            column: {folded(value): words for value, words in values.items()}
            for column, values in columns.items()
        }

    def columns(self) -> set[str]:
        """Every column that is named."""
        templates = (self.id, self.title, self.description, self.place, self.url)
        named = {column for template in templates for column in _PLACEHOLDER.findall(template)}
        named.update(self.date, self.keep, self.leave_out, self.replace, filter(None, (self.x, self.y)))
        if isinstance(self.stage, StageColumn):
            named.add(self.stage.column)
        return named


class Row:
    """A row with its cells found by heading, whatever padding either has."""

    def __init__(self, cells: Mapping[str, Any]) -> None:
        self._cells = {name.strip(): value for name, value in cells.items() if isinstance(name, str)}

    def cell(self, column: str) -> Any:
        """The raw cell; ``a.b`` reaches into nested objects. None if there is none."""
        name = column.strip()
        if name in self._cells or "." not in name:
            return self._cells.get(name)
        value: Any = self._cells
        for step in name.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        return value

    def text(self, column: str) -> str:
        """The cell as text."""
        return plain(self.cell(column))

    def has(self, column: str) -> bool:
        """Whether the row has that column at all, be it empty."""
        return column.strip() in self._cells or self.cell(column) is not None

    def filled(self, template: str, words: Mapping[str, Mapping[str, str]] | None = None) -> str:
        """A template with the cells in place of ``{column}``; separators left at the ends are taken off."""

        def value(found: re.Match[str]) -> str:
            column = found[1].strip()
            text = self.text(column)
            return (words or {}).get(column, {}).get(folded(text), text)

        filled = " ".join(_PLACEHOLDER.sub(value, template).split())
        return _EMPTY_ENDS.sub("", filled)


def is_wanted(row: Row, mapping: ColumnMapping) -> bool:
    """Whether the mapping's filters let the row through."""
    if any(folded(row.cell(column)) not in values for column, values in mapping.keep.items()):
        return False
    return all(folded(row.cell(column)) not in values for column, values in mapping.leave_out.items())


def check_columns(row: Row, mapping: ColumnMapping, optional: bool) -> None:
    """Refuse a table that lacks the columns that the mapping names.

    Args:
        row: the first of the table.
        mapping: of the source.
        optional: rows leave out empty columns (JSON), so that only the id's columns must be there.

    Raises:
        RejectedInput: ``missing-column``, with their names.
    """
    wanted = set(_PLACEHOLDER.findall(mapping.id)) if optional else mapping.columns()
    missing = sorted(column for column in wanted if not row.has(column))
    if missing:
        raise RejectedInput("missing-column", f"the table has no column {', '.join(missing)}")
