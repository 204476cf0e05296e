"""Addresses and properties with their positions, as a municipality's register holds them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kommunepuls_geography.codes import current_area_ids
from kommunepuls_geography.words import street_key


@dataclass(frozen=True, slots=True)
class AddressEntry:
    """One row of a register: a street address, a property number or both, at a WGS84 position.

    `street` and `number` are empty and None for a property without a street address. `municipality` is an
    area id such as NO-3118, in the numbering of today where that is certain, or None when unknown.
    """

    lon: float
    lat: float
    street: str = ""
    number: int | None = None
    letter: str | None = None
    municipality: str | None = None
    gnr: int | None = None
    bnr: int | None = None
    fnr: int | None = None
    postcode: str | None = None

    @property
    def point(self) -> tuple[float, float]:
        """Longitude and latitude."""
        return self.lon, self.lat


def in_municipality(entry_municipality: str | None, wanted: str | None) -> bool:
    """Whether an entry can be meant where a municipality is wanted: of whatever year either number is."""
    if entry_municipality is None or wanted is None or entry_municipality == wanted:
        return True
    return bool(set(current_area_ids(entry_municipality)) & set(current_area_ids(wanted)))


class AddressRegister:
    """Street addresses by street, number and letter. Reading is safe from several threads."""

    def __init__(self, entries: Iterable[AddressEntry] = ()) -> None:
        self._streets: dict[str, list[AddressEntry]] = {}
        for entry in entries:
            if entry.street:
                self._streets.setdefault(street_key(entry.street), []).append(entry)

    def __len__(self) -> int:
        return sum(map(len, self._streets.values()))

    def streets(self) -> dict[str, list[AddressEntry]]:
        """The entries of each street (by its key), a street of two municipalities together."""
        return {key: list(entries) for key, entries in self._streets.items()}

    def lookup(
        self, street: str, number: int, letter: str | None = None, municipality: str | None = None
    ) -> list[AddressEntry]:
        """The entries of an address, in whatever spelling of the street (Kirkegaten, KIRKEGT.).

        Without a letter: the entry without one, or else all letters of the number. With a letter the
        register does not know: the number's own entry. Empty when street or number is unknown.
        """
        numbered = [
            entry
            for entry in self._streets.get(street_key(street), ())
            if entry.number == number and in_municipality(entry.municipality, municipality)
        ]
        wanted = letter.upper() if letter else None
        exact = [entry for entry in numbered if (entry.letter or None) == wanted]
        if exact or wanted is None:
            return exact or numbered
        return [entry for entry in numbered if not entry.letter]

    def lookup_street(self, street: str, municipality: str | None = None) -> list[AddressEntry]:
        """Every entry of a street; empty when it is unknown."""
        return [
            entry
            for entry in self._streets.get(street_key(street), ())
            if in_municipality(entry.municipality, municipality)
        ]


class PropertyRegister:
    """Positions by gårdsnummer and bruksnummer. Reading is safe from several threads.

    Numbers are unique within a municipality alone, and were given anew in many mergers: a register must be
    of the numbering that the texts use.
    """

    def __init__(self, entries: Iterable[AddressEntry] = ()) -> None:
        self._properties: dict[tuple[int, int], list[AddressEntry]] = {}
        for entry in entries:
            if entry.gnr and entry.bnr:
                self._properties.setdefault((entry.gnr, entry.bnr), []).append(entry)

    def __len__(self) -> int:
        return len(self._properties)

    def lookup(
        self, gnr: int, bnr: int, fnr: int | None = None, municipality: str | None = None
    ) -> list[AddressEntry]:
        """The entries of a property, those of the leasehold `fnr` alone where there are any."""
        found = [
            entry
            for entry in self._properties.get((gnr, bnr), ())
            if in_municipality(entry.municipality, municipality)
        ]
        leased = [entry for entry in found if fnr and entry.fnr == fnr]
        return leased or found
