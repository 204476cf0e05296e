"""What a town's configuration says about its area files and registers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kommunepuls_geography.areas import AreaKind
from kommunepuls_geography.gazetteer import PlaceKind


class Source(BaseModel):
    """A file, or the same content written out in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path | None = Field(None, description="The file; relative to the folder of the town's YAML file.")

    def resolved(self, folder: Path | None) -> Self:
        """The same source with its path taken relative to `folder` (absolute paths stay)."""
        if self.path is None or folder is None:
            return self
        return self.model_copy(update={"path": folder / self.path})


class AreaSource(Source):
    """A GeoJSON file of areas and how to read it. Give `path` or `data`, not both."""

    data: Mapping[str, Any] | None = Field(None, description="The GeoJSON itself instead of a file.")
    id_property: str = Field("id", description="The property that holds the area's id or national code.")
    name_property: str = Field("name", description="The property that holds the name.")
    parent_property: str = Field("parent", description="The property that holds the parent's id, if any.")
    kind_property: str = Field("kind", description="The property that holds the kind, if any.")
    kind: AreaKind = Field(AreaKind.OTHER, description="The kind of areas that state none.")
    parent: str | None = Field(None, description="The parent of areas that state none.")
    id_prefix: str = Field("", description='Put before every id of the file, e.g. "NO-0301/".')
    country: str | None = Field(
        None,
        pattern="^[A-Z]{2}$",
        description="ISO 3166 country of a municipality file: its codes become ids such as NO-0301.",
    )
    code_width: int = Field(4, ge=1, le=12, description="Digits of the national code, with leading zeros.")
    name_separator: str = Field(" - ", description="What stands between the languages of one name.")
    name_languages: tuple[str, ...] = Field(
        (), description="Languages of the parts of a name, in order; empty: as registered, else unknown."
    )
    crs: str | None = Field(
        None, description="Coordinate system when the file itself does not tell, e.g. EPSG:25833."
    )
    only: frozenset[str] | None = Field(None, description="Ids to keep; all others are left out.")

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.path is None) == (self.data is None):
            raise ValueError("an area source needs either path or data")
        return self


class GazetteerSource(Source):
    """Place names: a GeoJSON or CSV file, or rows written out. Give `path` or `rows`, not both.

    A CSV file and rows have the columns name, kind, area_ids and aliases (several parted by |), lon, lat,
    municipality and ordinary, of which name alone is needed.
    """

    rows: tuple[Mapping[str, Any], ...] | None = Field(None, description="The places themselves.")
    name_property: str = Field("name", description="The property or column that holds the name.")
    kind_property: str = Field("kind", description="The property or column that holds the kind.")
    kind: PlaceKind = Field(PlaceKind.PLACE, description="The kind of places that state none.")
    municipality_property: str = Field(
        "municipality", description="The property or column with the municipality's area id or code."
    )
    municipality: str | None = Field(None, description="The municipality of places that state none.")
    country: str = Field("NO", description="The country of bare municipality codes.")
    crs: str | None = Field(None, description="Coordinate system when the file itself does not tell.")

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.path is None) == (self.rows is None):
            raise ValueError("a gazetteer source needs either path or rows")
        return self


class RegisterSource(Source):
    """Addresses or properties: a CSV file or rows written out. Give `path` or `rows`, not both.

    Read are the matrikkel's own CSV export (its columns are recognised), and plain columns street, number,
    letter or address ("Storgata 12B"), lon, lat, municipality, gnr, bnr, fnr, postcode.
    """

    rows: tuple[Mapping[str, Any], ...] | None = Field(None, description="The entries themselves.")
    municipality: str | None = Field(None, description="The area id of entries that state no municipality.")
    country: str = Field("NO", description="The country of bare municipality codes.")
    only_municipalities: frozenset[str] | None = Field(
        None, description="Area ids (NO-3907) to keep, of whatever year; all others are left out."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.path is None) == (self.rows is None):
            raise ValueError("a register source needs either path or rows")
        return self
