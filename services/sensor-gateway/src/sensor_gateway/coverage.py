"""A town's ploughed roads, kept in the store, and the items that follow from them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from kommunepuls_chassis.errors import PermanentError
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import PLOUGHED_SHARE
from kommunepuls_chassis.store import DocumentStore, Index
from kommunepuls_chassis.store.conditions import below

from sensor_gateway.domain.places import Places
from sensor_gateway.domain.ploughs import coverage as rules
from sensor_gateway.domain.ploughs.coverage import AreaCover, Cover
from sensor_gateway.domain.ploughs.items import Told, item_of
from sensor_gateway.domain.ploughs.roads import Match, RoadNetwork
from sensor_gateway.domain.ploughs.sightings import Trace, Work
from sensor_gateway.domain.readings import CLOCK_TOLERANCE
from sensor_gateway.sources import PloughSource

NO_NEWS: frozenset[str] = frozenset()
"""After the first time, no change of a ploughed area's item is news."""


class TownCoverage:
    """The roads of one town since the snowfall began.

    Kept: segment, which parts, when, how far off. Not kept: who, and where else.
    """

    def __init__(
        self,
        municipality: str,
        network: RoadNetwork | None,
        places: Places,
        lead: SourceIntake,
        store: DocumentStore,
    ) -> None:
        """Take the town's roads (None: positions are taken and lead to nothing) and the source under which
        its items are published: the first plough source of the town file."""
        self._municipality = municipality
        self._network = network
        self._places = places
        self._lead = lead
        self._store = store
        self._covers: dict[Work, dict[str, Cover]] = {work: {} for work in Work}
        self._lock = asyncio.Lock()
        self._log = get_logger().bind(municipality=municipality)
        self.snowfall: datetime | None = None

    async def open(self, configured: Sequence[datetime | None], now: datetime) -> "TownCoverage":
        """Read what was kept, and take over a snowfall from the town file if it is newer."""
        self._snowfalls = await self._store.collection("snowfalls")
        self._kept = await self._store.collection("road_covers", indexes=[Index("municipality", "snowfall")])
        self._told = await self._store.collection("ploughed_areas", indexes=[Index("municipality")])
        stored = await self._snowfalls.get(self._municipality)
        self.snowfall = stored.document["started_at"] if stored else None
        newest = max((moment for moment in configured if moment), default=None)
        if newest and (self.snowfall is None or newest > self.snowfall):
            await self.begin_snowfall(newest, now)
        if self.snowfall:
            where = {"municipality": self._municipality, "snowfall": self.snowfall}
            for one in await self._kept.find(where):
                fields = one.document
                self._covers[Work(fields["work"])][fields["segment"]] = Cover(
                    fields["cells"], fields["latest"], fields["distance"]
                )
        return self

    async def begin_snowfall(self, started_at: datetime, now: datetime) -> bool:
        """A new snowfall: coverage starts from nothing, and earlier items end. False if it is known.

        Raises:
            PermanentError: ``older-snowfall`` if a later one is known.
        """
        async with self._lock:
            # The store keeps milliseconds; what is compared later must be what is stored.
            started_at = started_at.replace(microsecond=started_at.microsecond // 1000 * 1000)
            if self.snowfall and started_at <= self.snowfall:
                if started_at == self.snowfall:
                    return False
                raise PermanentError(
                    f"a snowfall that began later, at {self.snowfall.isoformat()}, is known",
                    reason="older-snowfall",
                )
            await self._snowfalls.put(self._municipality, {"started_at": started_at})
            self.snowfall = started_at
            self._covers = {work: {} for work in Work}
            await self._kept.delete_where({"municipality": self._municipality, "snowfall": below(started_at)})
            for stored in await self._told.find({"municipality": self._municipality}):
                told = _told_of(stored.document)
                if told.snowfall < started_at and told.over is None:
                    await self._told.patch(stored.key, {"over": started_at})
                    await self._publish(_told_of({**stored.document, "over": started_at}), now)
            self._log.info("snowfall_began", started_at=started_at.isoformat())
            return True

    async def mark(
        self, traces: Sequence[Trace], source: PloughSource, now: datetime, skipped: Counter[str]
    ) -> int:
        """Write down which roads the lines cover, and publish the areas that are done by it.

        Returns the number of segments whose state changed; lines that count for nothing are added to
        ``skipped`` by cause.
        """
        if not traces:
            return 0
        if self._network is None or self.snowfall is None:
            skipped["no-roads" if self._network is None else "no-snowfall"] += len(traces)
            return 0
        usable = []
        for trace in traces:
            if trace.at < self.snowfall:
                skipped["before-snowfall"] += 1
            elif trace.at > now + CLOCK_TOLERANCE:
                skipped["clock-ahead"] += 1
            else:
                usable.append(trace)
        network = self._network
        matches = await asyncio.to_thread(
            lambda: [(trace, network.match(trace.line, source.rules)) for trace in usable]
        )
        async with self._lock:
            changed = self._apply(matches, skipped)
            await self._kept.put_many(
                (f"{self._municipality}#{work}#{segment}", self._document(work, segment))
                for work, segment in changed
            )
            # Areas that were touched are looked at even if nothing changed: what a process that died had
            # written down but not published is published now.
            touched = {
                (work, self._network.by_id[match.segment].area)
                for trace, found in matches
                for match in found
                for work in trace.works
            }
            for work, area in sorted(touched):
                await self._tell(work, area, source, now)
        return len(changed)

    def _apply(
        self, matches: list[tuple[Trace, list[Match]]], skipped: Counter[str]
    ) -> set[tuple[Work, str]]:
        changed = set()
        for trace, found in matches:
            if trace.at < self.snowfall:  # another began while the lines were matched
                skipped["before-snowfall"] += 1
                continue
            if not found:
                skipped["off-road"] += 1
            for match in found:
                for work in trace.works:
                    before = self._covers[work].get(match.segment)
                    after = rules.marked(before, match, trace.at)
                    if after != before:
                        self._covers[work][match.segment] = after
                        changed.add((work, match.segment))
        return changed

    def _document(self, work: Work, segment: str) -> dict:
        cover = self._covers[work][segment]
        return {
            "municipality": self._municipality,
            "snowfall": self.snowfall,
            "work": work.value,
            "segment": segment,
            "cells": cover.cells,
            "latest": cover.latest,
            "distance": cover.distance,
        }

    def area_cover(self, area: str, work: Work = Work.PLOUGHING) -> AreaCover | None:
        """How much of an area is done; None if nothing is."""
        if self._network is None or area not in self._network.area_lengths:
            return None
        return rules.area_cover(
            area, self._network.segments, self._covers[work], self._network.area_lengths[area]
        )

    async def _tell(self, work: Work, area: str, source: PloughSource, now: datetime) -> None:
        state = self.area_cover(area, work)
        if state is None:
            return
        if work is Work.PLOUGHING:
            PLOUGHED_SHARE.labels(area).set(state.share)
        if work not in source.announce or state.share < source.share:
            return
        key = f"{self._municipality}#{work}#{area}#{self.snowfall.isoformat()}"
        stored = await self._told.get(key)
        step = rules.step_of(state.share)
        if stored is None or stored.document["share"] < step:
            document = {
                "municipality": self._municipality,
                "area": area,
                "work": work.value,
                "snowfall": self.snowfall,
                "share": step,
                "earliest": state.earliest,
                "latest": state.latest,
                "confidence": rules.confidence(state, source.rules, now),
                "over": None,
            }
            await self._told.put(key, document)
        else:
            document = stored.document
        await self._publish(_told_of(document), now)

    async def _publish(self, told: Told, now: datetime) -> None:
        town = self._lead.town
        draft = item_of(
            told,
            source=self._lead.id,
            municipality=self._municipality,
            organiser=town.organiser_of(self._lead.config),
            area_name=self._places.name_of(told.area),
            zone=town.timezone,
            now=now,
        )
        await self._lead.take(draft, news_fields=NO_NEWS)


def _told_of(document: dict) -> Told:
    return Told(
        area=document["area"],
        work=Work(document["work"]),
        snowfall=document["snowfall"],
        share=document["share"],
        earliest=document["earliest"],
        latest=document["latest"],
        confidence=document["confidence"],
        over=document["over"],
    )
