"""Areas and how they lie inside each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shapely.geometry.base import BaseGeometry

from kommunepuls_geography.errors import AreaError


class AreaKind(StrEnum):
    """How large an area is meant to be; a hint for display, the hierarchy itself is in `parent`."""

    MUNICIPALITY = "municipality"
    DISTRICT = "district"
    NEIGHBOURHOOD = "neighbourhood"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Area:
    """One area: an id used on every topic, a name for people, and perhaps a polygon.

    `id` is free text; municipalities are `NO-3907` or `SE-1761`, and what lies inside is by convention
    `NO-3907/breidablikk`. `names` holds the name by language (nb, nn, sv, se, sma, smj, fkv…) where that
    is known, `aliases` every other spelling found in the file. `geometry` is a valid Polygon or
    MultiPolygon in WGS84 (longitude, latitude), or None for an area known by its place in the hierarchy
    alone. `codes` are the national codes the area has, with their leading zeros.
    """

    id: str
    name: str
    kind: AreaKind = AreaKind.OTHER
    parent: str | None = None
    geometry: BaseGeometry | None = field(default=None, repr=False, compare=False)
    names: Mapping[str, str] = field(default_factory=dict, compare=False)
    aliases: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()

    def name_in(self, language: str) -> str:
        """The name in that language, or else the name everybody uses."""
        return self.names.get(language, self.name)

    def spellings(self) -> tuple[str, ...]:
        """Every name the area goes by, the usual one first, none twice."""
        return tuple(dict.fromkeys((self.name, *self.names.values(), *self.aliases)))


class AreaTree:
    """A fixed set of areas with their hierarchy. Iterates in the order given.

    Raises `AreaError` when two areas share an id, a parent is unknown or an area is its own ancestor.
    """

    def __init__(self, areas: Iterable[Area] = ()) -> None:
        self._areas: dict[str, Area] = {}
        for area in areas:
            if area.id in self._areas:
                earlier = self._areas[area.id]
                raise AreaError(
                    f"Area id {area.id!r} is given twice: for {earlier.name!r} and {area.name!r}."
                )
            self._areas[area.id] = area
        self._children: dict[str | None, list[Area]] = {}
        for area in self._areas.values():
            if area.parent is not None and area.parent not in self._areas:
                raise AreaError(f"Area {area.id!r} names the parent {area.parent!r}, which is no known area.")
            self._children.setdefault(area.parent, []).append(area)
        self._ancestor_ids: dict[str, tuple[str, ...]] = {}
        for area_id in self._areas:
            self._ancestor_ids[area_id] = self._climb(area_id)

    def _climb(self, area_id: str) -> tuple[str, ...]:
        path: list[str] = []
        parent = self._areas[area_id].parent
        while parent is not None:
            if parent == area_id or parent in path:
                chain = " -> ".join([area_id, *path, parent])
                raise AreaError(f"Area {area_id!r} lies inside itself: {chain}.")
            path.append(parent)
            parent = self._areas[parent].parent
        return tuple(path)

    def __len__(self) -> int:
        return len(self._areas)

    def __iter__(self) -> Iterator[Area]:
        return iter(self._areas.values())

    def __contains__(self, area_id: object) -> bool:
        return area_id in self._areas

    def __getitem__(self, area_id: str) -> Area:
        try:
            return self._areas[area_id]
        except KeyError:
            raise AreaError(f"{area_id!r} is no known area.") from None

    def get(self, area_id: str) -> Area | None:
        """The area, or None when the id is unknown."""
        return self._areas.get(area_id)

    def roots(self) -> tuple[Area, ...]:
        """The areas without a parent, in the order given."""
        return tuple(self._children.get(None, ()))

    def children(self, area_id: str) -> tuple[Area, ...]:
        """The areas directly inside, in the order given. Raises `AreaError` for an unknown id."""
        return tuple(self._children.get(self[area_id].id, ()))

    def ancestors(self, area_id: str) -> tuple[Area, ...]:
        """The areas around this one, nearest first, without itself. Raises `AreaError` for an unknown id."""
        return tuple(self._areas[ancestor] for ancestor in self._ancestor_ids[self[area_id].id])

    def descendants(self, area_id: str) -> tuple[Area, ...]:
        """Everything inside, without itself, each area before what it holds. Raises for an unknown id."""
        found: list[Area] = []
        waiting = list(reversed(self.children(area_id)))
        while waiting:
            area = waiting.pop()
            found.append(area)
            waiting.extend(reversed(self._children.get(area.id, ())))
        return tuple(found)

    def depth(self, area_id: str) -> int:
        """How many areas lie around this one: 0 for a root. Raises `AreaError` for an unknown id."""
        return len(self._ancestor_ids[self[area_id].id])

    def is_within(self, inner: str, outer: str) -> bool:
        """Whether `inner` is `outer` or lies inside it; an unknown id lies in itself alone."""
        return inner == outer or outer in self._ancestor_ids.get(inner, ())

    def municipality_of(self, area_id: str) -> Area | None:
        """The municipality that is or holds the area, or None. Raises `AreaError` for an unknown id."""
        for area in (self[area_id], *self.ancestors(area_id)):
            if area.kind is AreaKind.MUNICIPALITY:
                return area
        return None

    def path(self, area_id: str) -> tuple[Area, ...]:
        """From the root down to the area itself. Raises `AreaError` for an unknown id."""
        return (*reversed(self.ancestors(area_id)), self[area_id])

    def label(self, area_id: str, language: str = "nb", separator: str = ", ") -> str:
        """The names from the area outwards for people to read, e.g. "Breidablikk, Sandefjord"."""
        return separator.join(area.name_in(language) for area in reversed(self.path(area_id)))
