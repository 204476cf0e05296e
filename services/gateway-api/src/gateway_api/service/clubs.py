"""The organisers of each town: those that its file names, and those that its editor approved."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.store.errors import StoreUnavailable
from kommunepuls_events.base import utc_now

from gateway_api.domain.errors import Fault, Invalid, NotFound
from gateway_api.domain.organisers.organiser import Club, checked, deed_of, new_id
from gateway_api.domain.staff import Staff
from gateway_api.service.audit import Audit
from gateway_api.service.collections import Collections
from gateway_api.service.towns import Towns

_LOOK_SECONDS = 3.0
_MOST_ALIKE = 20


class Clubs:
    """Keeps organisers, and lets every page of every process know them within seconds."""

    def __init__(
        self,
        collections: Collections,
        towns: Towns,
        audit: Audit,
        health: Health,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._kept = collections.clubs
        self._towns = towns
        self._audit = audit
        self._health = health.component("organisers")
        self._now = now
        self._known: dict[str, list[Club]] = {}
        self._log = get_logger()

    async def run(self) -> None:
        """Look for what other processes changed until cancelled."""
        while True:
            try:
                await self.refresh()
                self._health.beat(ready=True)
            except StoreUnavailable:
                self._log.warning("organisers_store_unavailable")
            await asyncio.sleep(_LOOK_SECONDS)

    async def refresh(self) -> None:
        """Read them all and offer them to residents."""
        known: dict[str, list[Club]] = defaultdict(list)
        for stored in await self._kept.find({}):
            club = Club.of(stored.key, stored.document)
            known[club.municipality].append(club)
        if known != self._known:
            self._known = known
            self._towns.know(known)

    def all(self, municipality: str) -> list[Club]:
        """Every organiser of a town, closed ones too, by name."""
        kept = {club.id: club for club in self._known.get(municipality, ())}
        for one in self._towns.from_file(municipality):
            kept.setdefault(one.id, Club(one.id, municipality, one.name))
        return sorted(kept.values(), key=lambda one: one.name.casefold())

    def get(self, organiser: str) -> Club:
        """One organiser, closed or not.

        Raises:
            NotFound.
        """
        municipality = organiser.partition("/")[0]
        found = next((one for one in self.all(municipality) if one.id == organiser), None)
        if found is None or self._towns.get(municipality) is None:
            raise NotFound("there is no such organiser")
        return found

    async def create(self, municipality: str, name: str, by: Staff, *, wanted: str | None = None) -> Club:
        """Approve a new organiser; its id is the wanted one, or made of its name.

        Raises:
            Invalid: if there is one of that name, or the name is none.
        """
        name = " ".join(name.split())
        taken = self.all(municipality)
        if any(one.name.casefold() == name.casefold() for one in taken):
            raise Invalid([Fault("/name", "there is one of this name already")])
        first = wanted or new_id(municipality, name)
        ids = {one.id for one in taken}
        for number in range(1, _MOST_ALIKE):
            key = first if number == 1 else f"{first}-{number}"
            club = checked(Club(key, municipality, name, changed_at=self._now()))
            if key in ids:
                continue
            await self._audit.note(by, "organiser-approved", municipality, name)
            if await self._kept.insert(key, club.fields()):
                await self._changed(club, by)
                return club
        raise Invalid([Fault("/name", "there are too many of this name; choose another")])

    async def save(self, club: Club, by: Staff) -> Club:
        """Keep what was changed.

        Raises:
            Invalid: with each fault.
        """
        kept = checked(replace(club, changed_at=self._now()))
        if any(
            one.id != kept.id and one.name.casefold() == kept.name.casefold()
            for one in self.all(kept.municipality)
        ):
            raise Invalid([Fault("/name", "there is one of this name already")])
        await self._audit.note(by, deed_of(self.get(kept.id), kept), kept.municipality, kept.name)
        await self._kept.put(kept.id, kept.fields())
        await self._changed(kept, by)
        return kept

    async def _changed(self, club: Club, by: Staff) -> None:
        await self.refresh()
        self._log.info(
            "organiser_changed", organiser=club.id, approved=club.approved, asks=club.asks, by=by.name
        )
