"""Gazetteers read from GeoJSON points and lines, CSV files or rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shapely import Point
from shapely.geometry.base import BaseGeometry

from kommunepuls_geography.errors import GeographyError
from kommunepuls_geography.gazetteer import Place, PlaceKind
from kommunepuls_geography.geojson import read_geometry
from kommunepuls_geography.projection import check_lonlat, stated_crs, to_lonlat
from kommunepuls_geography.sources import GazetteerSource
from kommunepuls_geography.tables import check_position, municipality_of, number_of, read_bytes, read_csv


def load_places(source: GazetteerSource | Path | str) -> list[Place]:
    """The places of one source, in its order. Raises `GeographyError`, naming file and row, for bad ones."""
    if not isinstance(source, GazetteerSource):
        source = GazetteerSource(path=Path(source))
    if source.path is None:
        rows = [(f"place {number}", row) for number, row in enumerate(source.rows or (), start=1)]
        return [_place(row, _position(row, source, what), source, what) for what, row in rows]
    if source.path.suffix.lower() in {".json", ".geojson"}:
        return [_place(row, shape, source, what) for what, row, shape in _features(source, source.path)]
    return [_place(row, _position(row, source, what), source, what) for what, row in read_csv(source.path)]


def _features(
    source: GazetteerSource, path: Path
) -> Iterator[tuple[str, Mapping[str, Any], BaseGeometry | None]]:
    try:
        document = json.loads(read_bytes(path))
        features = document["features"] if document.get("type") == "FeatureCollection" else [document]
    except (ValueError, KeyError, AttributeError, RecursionError):
        raise GeographyError(f"{path.name}: is no GeoJSON.") from None
    crs = source.crs or stated_crs(document)
    for number, feature in enumerate(features, start=1):
        what = f"{path.name} feature {number}"
        properties = feature.get("properties") if isinstance(feature, Mapping) else None
        if not isinstance(properties, Mapping):
            raise GeographyError(f"{what} is no Feature with properties.")
        geometry = feature.get("geometry")
        shape = read_geometry(geometry, what) if geometry is not None else None
        if shape is not None and shape.is_empty:
            shape = None
        if shape is not None:
            shape = to_lonlat(shape, crs, what)
            check_lonlat(shape, source.country, what)
        yield what, properties, shape


def _position(row: Mapping[str, Any], source: GazetteerSource, what: str) -> BaseGeometry | None:
    lon, lat = number_of(row.get("lon"), f"{what}, lon,"), number_of(row.get("lat"), f"{what}, lat,")
    if lon is None or lat is None:
        return None
    check_position(lon, lat, source.country, what)
    return Point(lon, lat)


def _place(row: Mapping[str, Any], shape: BaseGeometry | None, source: GazetteerSource, what: str) -> Place:
    name = row.get(source.name_property)
    if not isinstance(name, str) or not name.strip():
        raise GeographyError(f"{what} has no name in {source.name_property!r}.")
    return Place(
        name=" ".join(name.split()),
        kind=_kind(row.get(source.kind_property), source, what),
        area_ids=_several(row.get("area_ids")),
        geometry=shape,
        aliases=_several(row.get("aliases")),
        ordinary=_yes_or_no(row.get("ordinary"), what),
        municipality=municipality_of(row.get(source.municipality_property), source.country, what)
        or source.municipality,
    )


def _kind(value: Any, source: GazetteerSource, what: str) -> PlaceKind:
    if value is None or value == "":
        return source.kind
    try:
        return PlaceKind(value)
    except ValueError:
        raise GeographyError(f"{what} has the kind {value!r}; known are {', '.join(PlaceKind)}.") from None


def _several(value: Any) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    parts = value.split("|") if isinstance(value, str) else list(value)
    return tuple(str(part).strip() for part in parts if str(part).strip())


def _yes_or_no(value: Any, what: str) -> bool | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return value
    known = {
        "true": True,
        "yes": True,
        "ja": True,
        "1": True,
        "false": False,
        "no": False,
        "nei": False,
        "0": False,
    }
    if str(value).lower() not in known:
        raise GeographyError(f"{what} has {value!r} for ordinary; yes or no is wanted.")
    return known[str(value).lower()]
