"""From plough reports to 'Breidablikk er brøytet': coverage is kept, positions are not."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.logs import get_logger
from kommunepuls_events.base import utc_now

from sensor_gateway.coverage import TownCoverage
from sensor_gateway.domain.ploughs import arcgis, avl, harja
from sensor_gateway.domain.ploughs.grid import grid
from sensor_gateway.domain.ploughs.identity import without_identity
from sensor_gateway.domain.ploughs.sightings import Sighting, Trace, Tracks
from sensor_gateway.domain.readings import CLOCK_TOLERANCE
from sensor_gateway.domain.values import parse_json
from sensor_gateway.sources import ArcgisPloughs, AvlPloughs, HarjaWebhook, PloughSource

MESSAGE, OBSERVATION, UNIT, STREET, VEHICLE = "message", "observation", "unit", "street", "vehicle"
"""Entries of rejects."""
MOST_REMEMBERED_REFUSALS = 10_000


@dataclass
class PloughTaken:
    """What became of a body.

    Attributes:
        sightings: reports read.
        lines: traces that went to the roads.
        marked: segments whose state changed.
        skipped: reports that say nothing of cleared roads, by cause.
    """

    sightings: int = 0
    lines: int = 0
    marked: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    unreadable: RejectedInput | None = None


class PloughIntake:
    """One source of plough positions."""

    def __init__(
        self,
        intake: SourceIntake,
        config: PloughSource,
        coverage: TownCoverage,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.intake = intake
        self.config = config
        self._coverage = coverage
        self._now = now
        self._tracks = Tracks(config.gaps)
        self._refused: dict[bytes, None] = {}
        self._lock = asyncio.Lock()
        self._log = get_logger().bind(source=intake.id)

    async def take(self, raw: bytes, kind: str = MESSAGE) -> PloughTaken:
        """Take a body; returns when the roads it covers are written down and their items published.

        Args:
            raw: as it came.
            kind: which list the body holds: ``unit`` or ``street`` of an ArcGIS layer; else ``message``.

        Raises:
            TransientError, PermanentError: if the body is an ArcGIS service's error.
        """
        taken = PloughTaken()
        async with self._lock:
            try:
                objects = self._objects(raw, kind)
            except RejectedInput as rejected:
                await self._reject(MESSAGE, raw, rejected, taken)
                taken.unreadable = rejected
                return taken
            traces: list[Trace] = []
            for one in objects:
                traces += await self._lines(one, kind, taken)
            taken.lines = len(traces)
            taken.marked = await self._coverage.mark(traces, self.config, self._now(), taken.skipped)
        if taken.skipped:
            self._log.info("plough_reports_skipped", causes=dict(taken.skipped), taken=taken.lines)
        return taken

    async def take_again(self, entry: str, raw: bytes) -> None:
        """Take a reject again; its bytes were stripped of what names vehicle or firm."""
        wrapped = {
            OBSERVATION: b'{"havainnot":[%s]}',
            UNIT: b'{"features":[%s]}',
            STREET: b'{"features":[%s]}',
            VEHICLE: b'{"TrackingDataResponse":{"locationList":[%s]}}',
        }.get(entry, b"%s")
        self._refused.clear()
        await self.take(wrapped % raw, entry if entry in (UNIT, STREET) else MESSAGE)

    def _objects(self, raw: bytes, kind: str) -> Iterable[object]:
        body = parse_json(raw)
        match self.config:
            case HarjaWebhook():
                return harja.observations(body)
            case AvlPloughs():
                return avl.vehicles(body)
        return arcgis.features(body)

    async def _lines(self, one: object, kind: str, taken: PloughTaken) -> list[Trace]:
        entry = VEHICLE
        try:
            match self.config:
                case HarjaWebhook(epsg=epsg):
                    entry, reference = OBSERVATION, None
                    sighting = harja.read(one, grid(epsg))
                case ArcgisPloughs(done_statuses=done) if kind == STREET:
                    entry, reference = STREET, None
                    sighting = arcgis.read_street(one, self.config.clock_offset, frozenset(done))
                case ArcgisPloughs():
                    entry = UNIT
                    sighting, reference = arcgis.read_unit(one, self.config.clock_offset)
                case AvlPloughs(works=works):
                    reference = self._now()
                    sighting = avl.read(one, {kind: frozenset(does) for kind, does in works.items()})
        except arcgis.Standing:
            taken.skipped["not-at-work"] += 1
            return []
        except RejectedInput as rejected:
            await self._refuse(entry, one, rejected, taken)
            return []
        taken.sightings += 1
        return self._judged(sighting, reference, taken)

    def _judged(self, sighting: Sighting, reference: datetime | None, taken: PloughTaken) -> list[Trace]:
        if not sighting.works:
            taken.skipped["other-task"] += 1
            return []
        if reference and reference - sighting.at > timedelta(minutes=self.config.stale_after_minutes):
            taken.skipped["stale"] += 1
            return []
        if sighting.at > (reference or self._now()) + CLOCK_TOLERANCE:
            taken.skipped["clock-ahead"] += 1
            return []
        lines = self._tracks.join(sighting)
        if not lines:
            taken.skipped["no-line"] += 1
        return lines

    async def _refuse(self, entry: str, one: object, rejected: RejectedInput, taken: PloughTaken) -> None:
        raw = json.dumps(one, ensure_ascii=False).encode(errors="replace")
        # A poll shows the same faulty report again and again; it is kept once.
        mark = hashlib.blake2b(raw, digest_size=16).digest()
        if isinstance(self.config, HarjaWebhook) or mark not in self._refused:
            if len(self._refused) >= MOST_REMEMBERED_REFUSALS:
                self._refused.clear()
            self._refused[mark] = None
            await self._reject(entry, raw, rejected, taken)
        else:
            taken.skipped["refused-before"] += 1

    async def _reject(self, entry: str, raw: bytes, rejected: RejectedInput, taken: PloughTaken) -> None:
        taken.rejects[rejected.reason] += 1
        await self.intake.reject(entry, without_identity(raw), rejected)
