"""Area knowledge as a town's file names it, so that every service reads it the same way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from kommunepuls_geography.geography import Geography
from kommunepuls_geography.sources import AreaSource, GazetteerSource, RegisterSource


class AreasFile(Protocol):
    """A GeoJSON file of areas and the properties that hold id, name, parent and kind."""

    file: Path
    id: str
    name: str
    parent: str
    kind: str
    country: str | None


class PlacesFile(Protocol):
    """A file of place names."""

    file: Path
    name: str
    kind: str


class RegisterFile(Protocol):
    """A file of addresses and property numbers."""

    file: Path


class TownFiles(Protocol):
    """The part of a town file that says what is where."""

    code: str
    areas: Sequence[AreasFile]
    gazetteer: Sequence[PlacesFile]
    addresses: Sequence[RegisterFile]


def geography_of(*towns: tuple[TownFiles, Path], areas_only: bool = False) -> Geography:
    """The area knowledge of towns. Blocks on files: call it in a thread.

    Args:
        towns: each with the folder that its relative paths count from.
        areas_only: leave place names and registers unread, for services that read no texts.

    Raises:
        GeographyError: naming the file and what is wrong with it.
    """
    return Geography.load(
        areas=[
            AreaSource(
                path=folder / one.file,
                id_property=one.id,
                name_property=one.name,
                parent_property=one.parent,
                kind_property=one.kind,
                country=one.country,
            )
            for town, folder in towns
            for one in town.areas
        ],
        gazetteer=[
            GazetteerSource(
                path=folder / one.file,
                name_property=one.name,
                kind_property=one.kind,
                municipality=town.code,
                country=town.code[:2],
            )
            for town, folder in towns
            for one in town.gazetteer
            if not areas_only
        ],
        addresses=[
            RegisterSource(path=folder / one.file, municipality=town.code, country=town.code[:2])
            for town, folder in towns
            for one in town.addresses
            if not areas_only
        ],
        name_areas=not areas_only,
    )
