"""Areas read from GeoJSON files as the world writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from kommunepuls_geography.area_names import split_name
from kommunepuls_geography.areas import Area, AreaKind
from kommunepuls_geography.errors import AreaError, GeographyError
from kommunepuls_geography.geojson import polygons_only, read_geometry
from kommunepuls_geography.projection import COUNTRY_BOUNDS, check_lonlat, stated_crs, to_lonlat
from kommunepuls_geography.sources import AreaSource


def load_areas(
    path_or_document: Path | str | Mapping[str, Any] | AreaSource,
    options: AreaSource | None = None,
    **settings: Any,
) -> list[Area]:
    """Read the areas of one GeoJSON Feature or FeatureCollection, in the order of the file.

    Takes a path, the parsed document, or an `AreaSource` that holds either; `options` or keyword settings
    are those of `AreaSource`. Several features with one id and name become one area. Crossing rings are
    mended. Another coordinate system is reprojected where the file (`crs`) or the options state it.
    Raises `AreaError`, naming the feature, for everything that cannot be an area.
    """
    source = _source(path_or_document, options, settings)
    document, where = _document(source)
    drafts: dict[str, _Draft] = {}
    try:
        crs = source.crs or stated_crs(document)
        for number, feature in enumerate(_features(document), start=1):
            draft = _draft(feature, number, source, crs)
            if source.only is not None and draft.id not in source.only:
                continue
            if draft.id in drafts:
                drafts[draft.id].join(draft)
            else:
                drafts[draft.id] = draft
    except GeographyError as problem:
        raise AreaError(f"{where}: {problem}") from None
    return [draft.area() for draft in drafts.values()]


def _source(given: Any, options: AreaSource | None, settings: Mapping[str, Any]) -> AreaSource:
    if isinstance(given, AreaSource):
        return given
    origin = (
        {"data": given, "path": None} if isinstance(given, Mapping) else {"path": Path(given), "data": None}
    )
    base = options.model_dump(exclude={"path", "data"}) if options is not None else {}
    return AreaSource(**{**base, **settings, **origin})


def _document(source: AreaSource) -> tuple[Mapping[str, Any], str]:
    if source.path is None:
        return source.data or {}, "The area data"
    try:
        document = json.loads(source.path.read_bytes())
    except OSError as problem:
        raise AreaError(f"{source.path.name}: cannot be read ({problem.strerror}).") from None
    except (ValueError, RecursionError) as problem:
        raise AreaError(f"{source.path.name}: is no JSON ({problem}).") from None
    if not isinstance(document, dict):
        raise AreaError(f"{source.path.name}: is no GeoJSON object.")
    return document, source.path.name


def _features(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    kind = document.get("type")
    if kind == "Feature":
        yield document
        return
    features = document.get("features")
    if kind != "FeatureCollection" or not isinstance(features, list):
        raise AreaError(f"a Feature or FeatureCollection is wanted, not {kind!r}.")
    for number, feature in enumerate(features, start=1):
        if not isinstance(feature, Mapping) or feature.get("type") != "Feature":
            raise AreaError(f"member {number} of the features is no Feature.")
        yield feature


@dataclass
class _Draft:
    """An area while its features are gathered."""

    id: str
    name: str
    kind: AreaKind
    parent: str | None
    codes: tuple[str, ...]
    what: str
    source: AreaSource
    parts: list[BaseGeometry] = field(default_factory=list)

    def join(self, other: _Draft) -> None:
        if (other.name, other.parent, other.kind) != (self.name, self.parent, self.kind):
            raise AreaError(f"{other.what} has the id {self.id!r}, which belongs to {self.what} already.")
        self.parts.extend(other.parts)

    def area(self) -> Area:
        geometry = polygons_only(shapely.union_all(self.parts)) if len(self.parts) > 1 else None
        if len(self.parts) == 1:
            geometry = self.parts[0]
        code = self.codes[0] if self.codes else None
        spelled = split_name(self.name, code, self.source.name_separator, self.source.name_languages)
        return Area(
            id=self.id,
            name=spelled.name,
            kind=self.kind,
            parent=self.parent,
            geometry=geometry,
            names=spelled.names,
            aliases=spelled.aliases,
            codes=self.codes,
        )


def _draft(feature: Mapping[str, Any], number: int, source: AreaSource, crs: str | None) -> _Draft:
    properties = feature.get("properties") or {}
    if not isinstance(properties, Mapping):
        raise AreaError(f"feature {number} has properties that are no object.")
    name = properties.get(source.name_property)
    what = f"feature {number} ({name!r})" if isinstance(name, str) and name else f"feature {number}"
    if not isinstance(name, str) or not name.strip():
        raise AreaError(f"{what} has no name in the property {source.name_property!r}.")
    native = _native_id(properties.get(source.id_property, feature.get("id")), source, what)
    code = f"{source.country}-{native}" if source.country else None
    parent = _optional_text(properties.get(source.parent_property), source.parent_property, what)
    kind_default = AreaKind.MUNICIPALITY if source.country and source.kind is AreaKind.OTHER else source.kind
    area_id = code or f"{source.id_prefix}{native}"
    return _Draft(
        id=area_id,
        name=" ".join(name.split()),
        kind=_kind(properties.get(source.kind_property), kind_default, source.kind_property, what),
        parent=parent if parent is not None else source.parent,
        codes=(code,) if code else (),
        what=what,
        source=source,
        parts=_polygons(feature.get("geometry"), source, crs, area_id, what),
    )


def _native_id(value: Any, source: AreaSource, what: str) -> str:
    """The id as text; a code that was stored as a number gets its leading zeros back."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return f"{value:0{source.code_width}d}" if source.country else str(value)
    if isinstance(value, str) and value.strip():
        text = value.strip()
        if not source.country:
            return text
        text = text.removeprefix(f"{source.country}-")
        if text.isascii() and text.isdigit() and len(text) <= source.code_width:
            return text.zfill(source.code_width)
        raise AreaError(f"{what} has the code {value!r}, which is no number of {source.code_width} digits.")
    raise AreaError(f"{what} has no id in the property {source.id_property!r}.")


def _optional_text(value: Any, name: str, what: str) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise AreaError(f"{what} has a {name!r} that is no text.")
    return value.strip()


def _kind(value: Any, default: AreaKind, name: str, what: str) -> AreaKind:
    if value is None or value == "":
        return default
    try:
        return AreaKind(value)
    except ValueError:
        known = ", ".join(AreaKind)
        raise AreaError(f"{what} has the {name!r} {value!r}; known are {known}.") from None


def _polygons(
    geometry: Any, source: AreaSource, crs: str | None, area_id: str, what: str
) -> list[BaseGeometry]:
    if geometry is None:
        return []
    shape = read_geometry(geometry, what)
    if shape.is_empty:
        return []
    if int(shapely.get_dimensions(shape)) < 2:
        raise AreaError(f"{what} is a {shape.geom_type}; an area needs a Polygon or MultiPolygon.")
    shape = to_lonlat(shape, crs, what)
    check_lonlat(shape, _country(source, area_id), what)
    polygons = polygons_only(shape)
    if polygons is None:
        raise AreaError(f"{what} has a polygon without any surface.")
    return [polygons]


def _country(source: AreaSource, area_id: str) -> str | None:
    """The country whose bounds the coordinates must keep to, as far as the ids tell."""
    for text in (area_id, source.parent or ""):
        if text[2:3] == "-" and text[:2] in COUNTRY_BOUNDS:
            return text[:2]
    return source.country
