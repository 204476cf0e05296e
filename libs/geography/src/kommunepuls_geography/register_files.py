"""Registers read from the matrikkel's CSV export, plain CSV files or rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy
from pyproj import Transformer

from kommunepuls_geography.addresses import parse_address
from kommunepuls_geography.codes import current_area_ids
from kommunepuls_geography.errors import GeographyError
from kommunepuls_geography.projection import transformer_to_lonlat
from kommunepuls_geography.registers import AddressEntry, in_municipality
from kommunepuls_geography.sources import RegisterSource
from kommunepuls_geography.tables import (
    check_position,
    municipality_of,
    number_of,
    read_csv,
    whole_number_of,
)

# Columns of Kartverket's address export ("Matrikkelen - Adresse", CSV) and what we call them.
_MATRIKKEL = {
    "adressenavn": "street",
    "nummer": "number",
    "bokstav": "letter",
    "kommunenummer": "municipality",
    "gardsnummer": "gnr",
    "gårdsnummer": "gnr",
    "bruksnummer": "bnr",
    "festenummer": "fnr",
    "postnummer": "postcode",
    "Nord": "north",
    "Øst": "east",
    "EPSG-kode": "epsg",
}
# The export's own default: EUREF89 UTM zone 33.
_MATRIKKEL_EPSG = 25833


def load_register(source: RegisterSource | Path | str) -> list[AddressEntry]:
    """The entries of a register in the order of the file; those without a position are left out.

    Old municipality numbers become those of today where that is certain. Raises `GeographyError`, naming
    file and line, for numbers that are none and positions that are in no known system.
    """
    if not isinstance(source, RegisterSource):
        source = RegisterSource(path=Path(source))
    projected: dict[int, list[tuple[AddressEntry, int, str]]] = {}
    entries: list[AddressEntry] = []
    for what, row in _rows(source):
        entry, epsg = _entry({_MATRIKKEL.get(key, key): value for key, value in row.items()}, source, what)
        if entry is None:
            continue
        if epsg is not None:
            projected.setdefault(epsg, []).append((entry, len(entries), what))
        else:
            check_position(entry.lon, entry.lat, source.country, what)
        entries.append(entry)
    for epsg, group in projected.items():
        _reproject(epsg, group, entries, source.country)
    return entries


def _rows(source: RegisterSource) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if source.path is not None:
        yield from read_csv(source.path)
    for number, row in enumerate(source.rows or (), start=1):
        yield f"row {number}", row


def _entry(
    row: Mapping[str, Any], source: RegisterSource, what: str
) -> tuple[AddressEntry | None, int | None]:
    """The entry, its position still in metres when the EPSG code beside it says so."""
    metres = "north" in row and "east" in row
    lon = number_of(row.get("east" if metres else "lon"), what)
    lat = number_of(row.get("north" if metres else "lat"), what)
    municipality = municipality_of(row.get("municipality"), source.country, what) or source.municipality
    kept = source.only_municipalities
    if lon is None or lat is None:
        return None, None
    if kept is not None and not any(in_municipality(municipality, wanted) for wanted in kept):
        return None, None
    street, number, letter = _street(row, what)
    entry = AddressEntry(
        lon=lon,
        lat=lat,
        street=street,
        number=number,
        letter=letter,
        municipality=_today(municipality),
        gnr=whole_number_of(row.get("gnr"), f"{what}, gnr,"),
        bnr=whole_number_of(row.get("bnr"), f"{what}, bnr,"),
        fnr=whole_number_of(row.get("fnr"), f"{what}, fnr,") or None,
        postcode=str(row["postcode"]) if row.get("postcode") not in (None, "") else None,
    )
    if not metres:
        return entry, None
    return entry, whole_number_of(row.get("epsg"), f"{what}, EPSG-kode,") or _MATRIKKEL_EPSG


def _street(row: Mapping[str, Any], what: str) -> tuple[str, int | None, str | None]:
    if not row.get("street") and row.get("address"):
        address = parse_address(str(row["address"]))
        return (address.street, address.number, address.letter) if address else ("", None, None)
    number = whole_number_of(row.get("number"), f"{what}, number,")
    letter = str(row.get("letter") or "").strip().upper() or None
    return str(row.get("street") or "").strip(), number, letter


@lru_cache(maxsize=1024)
def _today(municipality: str | None) -> str | None:
    if municipality is None:
        return None
    codes = current_area_ids(municipality)
    return codes[0] if len(codes) == 1 else municipality


def _reproject(
    epsg: int, group: list[tuple[AddressEntry, int, str]], entries: list[AddressEntry], country: str
) -> None:
    transformer: Transformer | None = transformer_to_lonlat(f"EPSG:{epsg}")
    east = numpy.array([entry.lon for entry, _, _ in group])
    north = numpy.array([entry.lat for entry, _, _ in group])
    lons, lats = (east, north) if transformer is None else transformer.transform(east, north)
    for (entry, place, what), lon, lat in zip(group, lons, lats, strict=True):
        if not (numpy.isfinite(lon) and numpy.isfinite(lat)):
            raise GeographyError(f"{what} has a position that EPSG:{epsg} does not know.")
        check_position(float(lon), float(lat), country, what)
        entries[place] = replace(entry, lon=float(lon), lat=float(lat))
