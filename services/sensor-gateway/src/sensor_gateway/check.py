"""``python -m sensor_gateway.check FILE…``: takes recorded messages through the intake and shows what comes out.

For whoever adds a source or a decoder. Nothing is published: a recorder stands in for Kafka, a store in a
temporary folder for the service's own. Each file counts as received when it was sent, unless ``--now`` is
given.
"""

import argparse
import asyncio
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kommunepuls_chassis.errors import OperatorError, PermanentError, RejectedInput, TransientError
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.logs import configure_logging
from kommunepuls_chassis.store import DocumentStore, open_store
from kommunepuls_chassis.testing import RecordingProducer
from kommunepuls_chassis.town import SourceConfig, Town
from kommunepuls_events import ContentItemV1, SensorReadingV1
from kommunepuls_geography import AreaTree

from sensor_gateway.coverage import TownCoverage
from sensor_gateway.domain.decoders import device_type_in
from sensor_gateway.domain.formats import lorawan, sensorthings
from sensor_gateway.domain.measurements import Device
from sensor_gateway.domain.places import Places
from sensor_gateway.domain.ploughs.roads import RoadNetwork, network_from_geojson
from sensor_gateway.domain.ploughs.sightings import Work
from sensor_gateway.domain.times import instant
from sensor_gateway.domain.values import parse_json
from sensor_gateway.packet_log import PacketLog
from sensor_gateway.ploughs import MESSAGE, STREET, UNIT, PloughIntake
from sensor_gateway.sensors import SensorIntake, Taken
from sensor_gateway.sources import MODELS

MUNICIPALITY = "NO-0000"
PARAMETERS = {"pressure_low_bar": 0.0, "pressure_high_bar": 1.0}
_MODEL = re.compile(r"^(.+?)_(?:uplink|payload)")
_TIME = re.compile(r'"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))"')
_EPOCH = re.compile(r'"(?:ts|RECEIVEDTIME|receivedtime)":\s*(1\d{12})')


@dataclass
class Row:
    """What one kind of file came to."""

    files: int = 0
    readings: int = 0
    lines: int = 0
    segments: int = 0
    items: int = 0
    repeated: int = 0
    nothing: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)


class Checker:
    """The intake with a recorder behind it."""

    def __init__(self, options: argparse.Namespace, store: DocumentStore, roads: RoadNetwork | None) -> None:
        self._options = options
        self._store = store
        self._roads = roads
        self._producer = RecordingProducer()
        self._journal = ItemJournal(store, self._producer)
        self._now = datetime.now(UTC)
        self._packets = PacketLog(store, self._producer, timedelta(days=1), self.now)
        self._town = Town(code=MUNICIPALITY, name="Check", timezone="UTC")
        self._sensors: dict[str, SensorIntake] = {}
        self._ploughs: dict[str, PloughIntake] = {}
        self.rows: dict[str, Row] = {}

    def now(self) -> datetime:
        """The time that counts as now."""
        return self._now

    async def open(self) -> None:
        """Make ready."""
        await self._journal.open()
        await self._packets.open()

    async def take(self, path: Path) -> None:
        """Take one file."""
        raw = await asyncio.to_thread(path.read_bytes)
        self._now = self._options.now or _sent_at(raw)
        kind, subkind = _kind_of(raw)
        row = self.rows.setdefault(f"{kind}{f' ({subkind})' if subkind else ''}", Row())
        row.files += 1
        published, rejected = len(self._producer.messages), len(self._producer.rejects)
        if kind in ("harja-webhook", "arcgis-ploughs", "avl-ploughs"):
            await self._take_ploughs(kind, subkind, raw, row)
        elif kind in MODELS:
            await self._take_sensors(kind, subkind, path, raw, row)
        else:
            row.rejects["unknown-kind"] += 1
        for message in self._producer.messages[published:]:
            if isinstance(message, SensorReadingV1):
                row.readings += 1
                row.flags.update(flag for flag in message.flags if flag != "device-state")
                self._show(path, message)
            elif isinstance(message, ContentItemV1):
                row.items += 1
                share = f"confidence {message.confidence}"
                print(f"{path.name}: item r{message.revision} {message.title} | {message.summary} | {share}")
        for letter in self._producer.rejects[rejected:]:
            row.rejects[letter.reason] += 1
            if self._options.values:
                print(f"{path.name}: rejected {letter.reason}: {letter.detail}")

    async def _take_sensors(self, kind: str, network: str, path: Path, raw: bytes, row: Row) -> None:
        name = _MODEL.match(path.name)
        device_type = device_type_in([name[1]]) if name else None
        devices = _devices(raw, network, device_type) if device_type else {}
        key = f"{kind}-{network}-{device_type or path.stem}-{''.join(devices)}"
        if key not in self._sensors:
            fields: dict = {"id": _slug(key), "type": kind}
            if kind == "sensorthings-poll":
                stream = {"id": "1", "observed_property": "value", "unit": "1"}
                fields |= {"url": "https://example.org", "datastreams": [stream]}
            else:
                fields |= {"secret_env": "KP_CHECK"} | ({"network": network} if network else {})
            config = MODELS[kind].model_validate(fields)
            places = Places(AreaTree([]))
            self._sensors[key] = SensorIntake(
                await self._intake(config), config, devices, places, self._packets, self.now
            )
        sensors = self._sensors[key]
        if kind == "sensorthings-poll":
            taken = Taken()
            for one in sensorthings.observations(parse_json(raw)):
                packet = sensorthings.packet(one, sensor="1", observed_property="value", unit="1")
                await sensors.take_packet(packet, self._now, taken)
        else:
            taken = await sensors.take(raw)
        row.repeated += taken.repeated
        row.nothing += taken.nothing_measured

    async def _take_ploughs(self, kind: str, subkind: str, raw: bytes, row: Row) -> None:
        if kind not in self._ploughs:
            fields: dict = {"id": kind, "type": kind, "announce_within_hours": 10_000}
            if kind == "harja-webhook":
                fields |= {"secret_env": "KP_CHECK"}
            elif kind == "avl-ploughs":
                works = {"SNOW SALT SPREADER": [Work.PLOUGHING], "SNOW 4X4": [Work.PLOUGHING]}
                fields |= {"url": "https://example.org", "works": works}
            else:
                fields |= {"clock_offset_hours": self._options.clock_offset_hours}
                fields |= {"stale_after_minutes": self._options.stale_after_minutes}
            config = MODELS[kind].model_validate(fields)
            intake = await self._intake(config)
            coverage = TownCoverage(MUNICIPALITY, self._roads, Places(AreaTree([])), intake, self._store)
            await coverage.open([self._options.snowfall], self._now)
            self._ploughs[kind] = PloughIntake(intake, config, coverage, self.now)
        try:
            taken = await self._ploughs[kind].take(raw, subkind or MESSAGE)
        except (TransientError, PermanentError) as error:
            row.skipped[error.reason] += 1
            return
        row.lines += taken.lines
        row.segments += taken.marked
        row.skipped.update(taken.skipped)

    async def _intake(self, config: SourceConfig) -> SourceIntake:
        intake = SourceIntake("check", self._town, config, self._journal, self._producer, self._store)
        return await intake.open()

    def _show(self, path: Path, reading: SensorReadingV1) -> None:
        if self._options.values:
            value = "no value" if reading.value is None else f"{reading.value:g} {reading.unit}"
            flags = f" [{', '.join(reading.flags)}]" if reading.flags else ""
            when = reading.observed_at.isoformat(timespec="seconds")
            print(f"{path.name}: {reading.observed_property} {value} {reading.quality}{flags} {when}")


def _devices(raw: bytes, network: str, device_type: str) -> dict[str, Device]:
    try:
        messages = lorawan.split_messages(raw)
        ids = lorawan.read_uplink(network, messages[0]).ids
    except (RejectedInput, lorawan.NotAnUplink):
        return {}
    return {ids[0]: Device(ids[0], type=device_type, parameters=PARAMETERS)}


def _kind_of(raw: bytes) -> tuple[str, str]:
    try:
        body = lorawan.split_messages(raw)
    except RejectedInput:
        return "unreadable", ""
    first = body[0] if body and isinstance(body[0], dict) else {}
    network = lorawan.network_of(first)
    if network:
        return "lorawan-webhook", network
    if "havainnot" in first:
        return "harja-webhook", ""
    if "TrackingDataResponse" in first:
        return "avl-ploughs", ""
    if first.get("type") == "FeatureCollection":
        features = first.get("features") or [{}]
        return "arcgis-ploughs", STREET if "status" in (features[0].get("properties") or {}) else UNIT
    if "phenomenonTime" in first:
        return "sensorthings-poll", ""
    if {"n", "bn", "v"} & set(first):
        return "senml-webhook", ""
    if "id" in first and "type" in first:
        return "ngsi-webhook", ""
    return "unknown", ""


def _sent_at(raw: bytes) -> datetime:
    """The newest time that the text of a file holds; now if it holds none."""
    text = raw.decode(errors="replace")
    times = [datetime.fromtimestamp(int(found) / 1000, UTC) for found in _EPOCH.findall(text)]
    for found in _TIME.findall(text):
        try:
            times.append(instant(found))
        except RejectedInput:
            continue
    return max(times, default=datetime.now(UTC))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60]


def _table(rows: dict[str, Row]) -> Iterator[str]:
    yield "| kind | files | readings | lines | segments marked | items | repeated | nothing measured | flags | skipped | rejects by reason |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for kind, row in sorted(rows.items()):
        counts = (
            ", ".join(f"{name} {count}" for name, count in sorted(one.items())) or "–"
            for one in (row.flags, row.skipped, row.rejects)
        )
        yield (
            f"| {kind} | {row.files} | {row.readings} | {row.lines} | {row.segments} | {row.items} "
            f"| {row.repeated} | {row.nothing} | {' | '.join(counts)} |"
        )


async def check(options: argparse.Namespace) -> dict[str, Row]:
    """Take all files and print the table."""
    roads = None
    if options.roads:
        document = parse_json(options.roads.read_bytes())
        roads = network_from_geojson(
            document, identity=options.road_id, area=options.road_area, where=str(options.roads)
        )
    with tempfile.TemporaryDirectory() as folder:
        async with open_store(f"sqlite:///{folder}/check.db") as store:
            checker = Checker(options, store, roads)
            await checker.open()
            for path in options.files:
                await checker.take(path)
    for line in _table(checker.rows):
        print(line)
    return checker.rows


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="sensor_gateway.check", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--values", action="store_true", help="print every reading and reject")
    parser.add_argument("--now", type=instant, help="when the files count as received")
    parser.add_argument("--roads", type=Path, help="GeoJSON road segments for plough positions")
    parser.add_argument("--road-id", default="id", help="property with a segment's id")
    parser.add_argument("--road-area", default="area", help="property with a segment's area")
    parser.add_argument("--snowfall", type=instant, help="when the snowfall began")
    parser.add_argument("--clock-offset-hours", type=float, default=0, help="of ArcGIS layers")
    parser.add_argument("--stale-after-minutes", type=float, default=60, help="of ArcGIS layers")
    options = parser.parse_args()
    configure_logging("check", level="ERROR")
    try:
        asyncio.run(check(options))
    except (OperatorError, RejectedInput, OSError) as error:
        print(f"check: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
