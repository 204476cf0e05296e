"""One object with everything known about areas, names, addresses and properties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

import shapely
from pydantic import ValidationError
from shapely.geometry.base import BaseGeometry

from kommunepuls_geography.area_files import load_areas
from kommunepuls_geography.areas import Area, AreaKind, AreaTree
from kommunepuls_geography.codes import current_area_ids
from kommunepuls_geography.errors import AreaError, GeographyError
from kommunepuls_geography.gazetteer import Gazetteer, Mention, Place, PlaceKind
from kommunepuls_geography.locations import Location, Locator
from kommunepuls_geography.lookup import AreaDistance, AreaLookup, AreaShare
from kommunepuls_geography.place_files import load_places
from kommunepuls_geography.register_files import load_register
from kommunepuls_geography.registers import AddressEntry, AddressRegister, PropertyRegister
from kommunepuls_geography.sources import AreaSource, GazetteerSource, RegisterSource, Source

SourceKind = TypeVar("SourceKind", bound=Source)
Given = Source | Mapping[str, Any] | Path | str

# A place or street counts for an area when at least this share of it lies there.
_PLACE_SHARE = 0.1
# A place just off a clipped coast belongs to the nearest area.
_OFF_COAST_METRES = 1_000.0
# An area this far outside of its parent was read with wrong coordinates or under the wrong parent.
_ASTRAY_DEGREES = 0.1


class Geography:
    """Areas, gazetteer and registers together; fixed once made, and safe to read from several threads.

    `Geography()` knows nothing and finds nothing. Load with `Geography.load`; a change of the sources is a
    new object.
    """

    def __init__(
        self,
        areas: Iterable[Area] = (),
        places: Iterable[Place] = (),
        addresses: Iterable[AddressEntry] = (),
        properties: Iterable[AddressEntry] = (),
        *,
        name_areas: bool = True,
    ) -> None:
        """Index what is given. With `name_areas` the names of areas are found in texts too.

        The properties of `addresses` count among the properties, and its streets among the places. Raises
        `AreaError` for a hierarchy that is none.
        """
        self.areas = AreaTree(areas)
        _refuse_stray_areas(self.areas)
        self.lookup = AreaLookup(self.areas)
        address_entries = list(addresses)
        self.addresses = AddressRegister(address_entries)
        self.properties = PropertyRegister([*address_entries, *properties])
        known = list(places)
        self.gazetteer = Gazetteer(
            self._with_areas(place)
            for place in [
                *known,
                *(_area_places(self.areas) if name_areas else ()),
                *self._street_places(known),
            ]
        )
        self._locator = Locator(self.lookup, self.gazetteer, self.addresses, self.properties)

    @classmethod
    def load(
        cls,
        areas: Sequence[Given] = (),
        gazetteer: Sequence[Given] = (),
        addresses: Sequence[Given] = (),
        properties: Sequence[Given] = (),
        *,
        folder: Path | str | None = None,
        name_areas: bool = True,
    ) -> Self:
        """Read all sources. Each is a source object, a dict with its fields, or a path.

        Relative paths are taken from `folder`, as a rule that of the town's YAML file. Area files may refer
        to each other's areas as parents, in any order. Raises `GeographyError` (`AreaError` for areas) with
        one sentence that names the file and the culprit.
        """
        base = Path(folder) if folder is not None else None
        return cls(
            [area for given in areas for area in load_areas(_source(AreaSource, given, base))],
            [place for given in gazetteer for place in load_places(_source(GazetteerSource, given, base))],
            [entry for given in addresses for entry in load_register(_source(RegisterSource, given, base))],
            [entry for given in properties for entry in load_register(_source(RegisterSource, given, base))],
            name_areas=name_areas,
        )

    def areas_at(self, lon: float, lat: float) -> list[Area]:
        """Every area at a position, most specific first; see `AreaLookup.areas_at`."""
        return self.lookup.areas_at(lon, lat)

    def areas_of(
        self, geometry: Mapping[str, Any] | BaseGeometry, minimum_share: float = 0.05
    ) -> list[AreaShare]:
        """The areas that a GeoJSON geometry touches, with its share in each; see `AreaLookup.areas_of`."""
        return self.lookup.areas_of(geometry, minimum_share)

    def nearest_area(
        self, lon: float, lat: float, within_metres: float, kind: AreaKind | None = None
    ) -> AreaDistance | None:
        """The nearest area at most so many metres away; see `AreaLookup.nearest_area`."""
        return self.lookup.nearest_area(lon, lat, within_metres, kind)

    def area_ids_of(
        self, geometry: Mapping[str, Any], off_coast_metres: float = _OFF_COAST_METRES
    ) -> list[str]:
        """The ids for an item with this geometry: areas touched, or else the nearest and those around it.

        Raises `GeographyError` for a geometry that is none or not in WGS84 degrees.
        """
        touched = self.areas_of(geometry)
        if touched:
            return [one.area.id for one in touched]
        return list(self._near_coast(shapely.geometry.shape(geometry), off_coast_metres))

    def find_mentions(self, text: str, language: str | None = None) -> list[Mention]:
        """The place names in a text; see `Gazetteer.find_mentions`."""
        return self.gazetteer.find_mentions(text, language)

    def locate(
        self,
        text: str,
        municipality: str | None = None,
        *,
        language: str | None = None,
        journal_title: bool = False,
        minimum_confidence: float = 0.5,
    ) -> Location:
        """Where a text is about, such as "Storgata 12 - gnr 58 bnr 62 - byggesak".

        Addresses, property numbers, streets and names are read and looked up; the best evidence gives the
        point, all that do not contradict it the areas. `municipality` (NO-3907) leaves out what lies
        elsewhere. `journal_title` says that a title starts with its property, as in many archives, even
        where that could be a date. Evidence below `minimum_confidence` is left out. Never raises for a text.
        """
        return self._locator.locate(
            text,
            municipality,
            language=language,
            journal_title=journal_title,
            minimum_confidence=minimum_confidence,
        )

    def current_area_ids(self, area_id: str) -> list[str]:
        """The known areas that an id of whatever year stands for: NO-0710 gives NO-3907; else the id itself."""
        if area_id in self.areas:
            return [area_id]
        known = [current for current in current_area_ids(area_id) if current in self.areas]
        return known or [area_id]

    def _with_areas(self, place: Place) -> Place:
        """The place with the areas it lies in, when its source did not say."""
        if place.area_ids or place.geometry is None:
            return place
        touched = self.lookup.areas_of(place.geometry, _PLACE_SHARE)
        found = tuple(one.area.id for one in touched) or self._near_coast(place.geometry, _OFF_COAST_METRES)
        return replace(place, area_ids=found)

    def _near_coast(self, shape: BaseGeometry, metres: float) -> tuple[str, ...]:
        point = shape.representative_point()
        nearest = self.lookup.nearest_area(point.x, point.y, metres)
        if nearest is None:
            return ()
        around = self.areas.ancestors(nearest.area.id)
        return (nearest.area.id, *(area.id for area in around))

    def _street_places(self, known: Sequence[Place]) -> Iterator[Place]:
        """Each street of the address register as a place, unless the gazetteer has it already."""
        named = {(place.name.casefold(), place.municipality) for place in known}
        streets: dict[tuple[str, str | None], list[AddressEntry]] = {}
        for entries in self.addresses.streets().values():
            for entry in entries:
                streets.setdefault((entry.street, entry.municipality), []).append(entry)
        for (street, municipality), entries in streets.items():
            if (street.casefold(), municipality) not in named and (street.casefold(), None) not in named:
                points = shapely.MultiPoint([entry.point for entry in entries])
                yield Place(street, PlaceKind.STREET, (), points, municipality=municipality)


def _area_places(tree: AreaTree) -> Iterator[Place]:
    for area in tree:
        around = (area.id, *(ancestor.id for ancestor in tree.ancestors(area.id)))
        name, *aliases = area.spellings()
        yield Place(name, PlaceKind.AREA, around, area.geometry, tuple(aliases))


def _source(kind: type[SourceKind], given: Given, folder: Path | None) -> SourceKind:
    if isinstance(given, kind):
        return given.resolved(folder)
    if isinstance(given, str | Path):
        given = {"path": given}
    try:
        return kind.model_validate(given).resolved(folder)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise GeographyError(f"A {kind.__name__} is not right at {where}: {first['msg']}.") from None


def _refuse_stray_areas(tree: AreaTree) -> None:
    for area in tree:
        parent = tree.get(area.parent) if area.parent else None
        if parent is None or area.geometry is None or parent.geometry is None:
            continue
        if shapely.distance(area.geometry, parent.geometry) > _ASTRAY_DEGREES:
            raise AreaError(
                f"Area {area.id!r} ({area.name}) lies far outside of its parent {parent.id!r} ({parent.name})."
            )
