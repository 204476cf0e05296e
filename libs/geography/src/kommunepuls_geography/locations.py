"""Where a text says that something is: evidence from properties, addresses and names, put together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kommunepuls_geography.addresses import Address, find_addresses
from kommunepuls_geography.distance import distance_metres
from kommunepuls_geography.gazetteer import Gazetteer, Mention, Place, PlaceKind
from kommunepuls_geography.lookup import AreaLookup
from kommunepuls_geography.property_numbers import parse_property_numbers
from kommunepuls_geography.registers import AddressEntry, AddressRegister, PropertyRegister, in_municipality

# Two pieces of evidence this near say the same; a property is seldom longer.
_AGREE_METRES = 300.0
# Farther from each other than this, one of them is wrong.
_CONTRADICT_METRES = 2_000.0
# A register's position this far outside of the municipality is not the one meant.
_OUTSIDE_METRES = 5_000.0

Point = tuple[float, float]


class EvidenceKind(StrEnum):
    """What a position or area was concluded from, in falling order of precision."""

    ADDRESS = "address"
    PROPERTY = "property"
    STREET = "street"
    MENTION = "mention"


_RANKS = {kind: rank for rank, kind in enumerate(EvidenceKind)}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing a text says about where: `text[start:end]`, what it means, and how sure (0 to 1).

    `point` is longitude and latitude, None when only areas are known. `name` is the address, property
    number or place as a register writes it.
    """

    kind: EvidenceKind
    name: str
    start: int
    end: int
    confidence: float
    point: Point | None = None
    area_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Location:
    """Where a text is about.

    `geometry` is a GeoJSON Point (WGS84) when a position is known; `area_ids` the areas, most specific
    first, those around them included; `evidence` what led there, best first. Nothing found: no geometry,
    no areas, confidence 0.
    """

    geometry: Mapping[str, Any] | None = None
    area_ids: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Locator:
    """Reads texts with the help of registers and a gazetteer."""

    lookup: AreaLookup
    gazetteer: Gazetteer
    addresses: AddressRegister
    properties: PropertyRegister

    def locate(
        self,
        text: str,
        municipality: str | None = None,
        *,
        language: str | None = None,
        journal_title: bool = False,
        minimum_confidence: float = 0.5,
    ) -> Location:
        """Where the text is about; see `Geography.locate`."""
        addresses = list(self._from_addresses(text, municipality))
        gathered = [
            *addresses,
            *self._from_properties(text, municipality, journal_title),
            *self._from_mentions(text, municipality, language, apart_from=addresses),
        ]
        evidence = [
            one
            for one in gathered
            if one.confidence >= minimum_confidence and self._inside(one.point, municipality)
        ]
        evidence.sort(key=lambda one: (_rank(one), -one.confidence, one.start))
        return self._together(evidence)

    def _from_addresses(self, text: str, municipality: str | None) -> Iterator[Evidence]:
        for address in find_addresses(text):
            street, entries = self._registered(address, municipality)
            if entries:
                name = f"{entries[0].street} {address.number}{address.letter or ''}"
                sure = min(0.97, address.confidence + 0.2)
                yield self._at(EvidenceKind.ADDRESS, name, address.start, address.end, sure, _middle(entries))
                continue
            on_street = self.addresses.lookup_street(street, municipality)
            if on_street:
                nearest = min(on_street, key=lambda entry: abs((entry.number or 0) - address.number))
                span = address.start, address.end
                yield self._at(EvidenceKind.STREET, nearest.street, *span, 0.7, nearest.point)

    def _registered(self, address: Address, municipality: str | None) -> tuple[str, list[AddressEntry]]:
        """The register's entries of an address, without words before the street that were taken along."""
        words = address.street.split()
        for first in range(len(words)):
            street = " ".join(words[first:])
            entries = self.addresses.lookup(street, address.number, address.letter, municipality)
            if entries:
                return street, entries
        return address.street, []

    def _from_properties(
        self, text: str, municipality: str | None, journal_title: bool
    ) -> Iterator[Evidence]:
        for number in parse_property_numbers(text, journal_title=journal_title, minimum_confidence=0.3):
            entries = self.properties.lookup(number.gnr, number.bnr, number.fnr, municipality)
            if not entries:
                continue
            # That the register knows the number makes a date or fraction less likely.
            sure = min(0.95, number.confidence + 0.15)
            point = _middle(entries)
            yield self._at(EvidenceKind.PROPERTY, str(number), number.start, number.end, sure, point)

    def _from_mentions(
        self, text: str, municipality: str | None, language: str | None, apart_from: Sequence[Evidence]
    ) -> Iterator[Evidence]:
        """The names in the text, but for those that are part of an address already understood."""
        mentions = self.gazetteer.find_mentions(
            text, language, accept=lambda place: self._meant(place, municipality)
        )
        inside = sorted({(one.start, one.end) for one in apart_from})
        for mention in mentions:
            place = bisect_right(inside, (mention.start, len(text)))
            if place and mention.end <= inside[place - 1][1]:
                continue
            yield from self._mention(mention, municipality)

    def _mention(self, mention: Mention, municipality: str | None) -> Iterator[Evidence]:
        """The areas of a mention; one that can mean several places is worth less for each."""
        places = mention.places
        smaller = tuple(place for place in places if place.area_ids != (municipality,))
        places = smaller or places
        point = places[0].point if len(places) == 1 and places[0].kind is not PlaceKind.AREA else None
        kind = EvidenceKind.STREET if places[0].kind is PlaceKind.STREET else EvidenceKind.MENTION
        sure = mention.confidence if len(places) == 1 else mention.confidence * 0.7
        areas = tuple(dict.fromkeys(area_id for place in places for area_id in place.area_ids))
        yield Evidence(kind, places[0].name, mention.start, mention.end, round(sure, 2), point, areas)

    def _at(
        self, kind: EvidenceKind, name: str, start: int, end: int, confidence: float, point: Point
    ) -> Evidence:
        areas = tuple(area.id for area in self.lookup.areas_at(*point))
        return Evidence(kind, name, start, end, round(confidence, 2), point, areas)

    def _meant(self, place: Place, municipality: str | None) -> bool:
        if municipality is None:
            return True
        if place.municipality is not None:
            return in_municipality(place.municipality, municipality)
        tree = self.lookup.tree
        return not place.area_ids or any(
            tree.is_within(area_id, municipality) or area_id.startswith(f"{municipality}/")
            for area_id in place.area_ids
        )

    def _inside(self, point: Point | None, municipality: str | None) -> bool:
        area = self.lookup.tree.get(municipality) if municipality else None
        if point is None or area is None or area.geometry is None:
            return True
        found = self.lookup.distance_to(area.id, *point, within_metres=_OUTSIDE_METRES)
        return found is not None

    def _together(self, evidence: Sequence[Evidence]) -> Location:
        if not evidence:
            return Location()
        best = evidence[0]
        anchor = next((one for one in evidence if one.point is not None), None)
        kept = [one for one in evidence if not self._contradicts(one, anchor)]
        confidence = best.confidence
        precise = [one for one in evidence if _rank(one) <= _RANKS[EvidenceKind.PROPERTY]]
        if len({one.kind for one in precise}) > 1:
            agreeing = _metres(precise[0], precise[-1]) <= _AGREE_METRES
            far = _metres(precise[0], precise[-1]) > _CONTRADICT_METRES
            confidence = min(0.99, confidence + 0.03) if agreeing else confidence - (0.3 if far else 0.0)
        return Location(
            geometry={"type": "Point", "coordinates": list(anchor.point)}
            if anchor and anchor.point
            else None,
            area_ids=self._ordered(kept),
            evidence=tuple(evidence),
            confidence=round(max(0.0, confidence), 2),
        )

    def _contradicts(self, one: Evidence, anchor: Evidence | None) -> bool:
        """Whether a looser piece of evidence lies elsewhere than a precise one, and so says nothing of where.

        "Storgata 12, søker: Breidablikk AS" is in Storgata alone, though one municipality holds both.
        """
        precise = _RANKS[EvidenceKind.PROPERTY]
        if anchor is None or _rank(anchor) > precise or _rank(one) <= precise:
            return False
        around = {
            ancestor.id
            for area_id in one.area_ids
            if area_id in self.lookup.tree
            for ancestor in self.lookup.tree.ancestors(area_id)
        }
        return not (set(one.area_ids) - around) & set(anchor.area_ids)

    def _ordered(self, evidence: Sequence[Evidence]) -> tuple[str, ...]:
        tree = self.lookup.tree
        found: dict[str, None] = {}
        for one in evidence:
            for area_id in one.area_ids:
                found[area_id] = None
                if area_id in tree:
                    found.update((ancestor.id, None) for ancestor in tree.ancestors(area_id))
        return tuple(sorted(found, key=lambda area_id: -tree.depth(area_id) if area_id in tree else -1))


def _rank(evidence: Evidence) -> int:
    return _RANKS[evidence.kind]


def _metres(one: Evidence, other: Evidence) -> float:
    if one.point is None or other.point is None:
        return 0.0
    return distance_metres(*one.point, *other.point)


def _middle(entries: Sequence[AddressEntry]) -> Point:
    """The entry nearest to the middle of them all, so that the position is a real one."""
    lon = sum(entry.lon for entry in entries) / len(entries)
    lat = sum(entry.lat for entry in entries) / len(entries)
    return min(entries, key=lambda entry: distance_metres(lon, lat, entry.lon, entry.lat)).point
