"""Taking in what sensors say: each packet once, its readings published before it is acknowledged."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import READINGS, UPLINKS_REPEATED
from kommunepuls_chassis.producer import Producer
from kommunepuls_chassis.store import DocumentStore, Index, Stored
from kommunepuls_chassis.store.conditions import below
from kommunepuls_chassis.store.documents import Document
from kommunepuls_events import SensorReadingV1
from kommunepuls_events.base import utc_now
from pydantic import ValidationError

from sensor_gateway.domain.decoders import by_server, decode, device_type_in
from sensor_gateway.domain.formats import lorawan, ngsi, senml, sensorthings
from sensor_gateway.domain.formats.tts import quick_uplink
from sensor_gateway.domain.measurements import Device, Packet
from sensor_gateway.domain.places import Places
from sensor_gateway.domain.readings import LONGEST_DEVICE_ID, Origin, readings_of
from sensor_gateway.domain.repeats import Seen, is_repeat, key_of
from sensor_gateway.domain.values import parse_json
from sensor_gateway.sources import LorawanMqtt, LorawanWebhook, SelfDescribing, SensorSource, SensorThingsPoll

MESSAGE, ITEM = "message", "item"
"""Entries of rejects: a whole body, or one object of it."""


class Asked(NamedTuple):
    """A packet to be taken.

    Attributes:
        key: see :func:`~sensor_gateway.domain.repeats.key_of`.
        read: makes the readings; raises RejectedInput.
    """

    key: str
    packet: Packet
    received_at: datetime
    read: Callable[[], list[SensorReadingV1]]


@dataclass
class Taken:
    """What became of a body."""

    readings: int = 0
    repeated: int = 0
    nothing_measured: int = 0
    rejects: dict[str, int] = field(default_factory=dict)
    unreadable: RejectedInput | None = None


class Quick(NamedTuple):
    """An uplink that was read without the rest of its message, and that message."""

    uplink: lorawan.Uplink
    raw: bytes


class PacketLog:
    """The packets seen, in the service's store.

    A packet's readings are written down before they are published: what a process that died had not
    published, or not acknowledged, is published again as the very same readings.
    """

    def __init__(
        self,
        store: DocumentStore,
        producer: Producer,
        remember: timedelta,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._producer = producer
        self._remember = remember
        self._now = now
        self._locks = [asyncio.Lock() for _ in range(64)]

    async def open(self) -> None:
        """Make ready, and publish what was written down and perhaps not published."""
        self._packets = await self._store.collection(
            "packets", indexes=[Index("waiting"), Index("kept_until")]
        )
        for stored in await self._packets.find({"waiting": True}):
            await self._publish(stored.key, stored.document["readings"])

    async def take(self, asked: Sequence[Asked]) -> list[list[SensorReadingV1] | RejectedInput | None]:
        """Publish each packet's readings once, all together; what became of each, in order: its readings, None if
        it is a repeat, or why it cannot be taken."""
        keys = {one.key for one in asked}
        async with AsyncExitStack() as stack:
            # In one order, so that no two wait for each other.
            for number in sorted({hash(key) % len(self._locks) for key in keys}):
                await stack.enter_async_context(self._locks[number])
            return await self._take(asked, await self._packets.get_many(keys))

    async def _take(
        self, asked: Sequence[Asked], stored: Mapping[str, Stored]
    ) -> list[list[SensorReadingV1] | RejectedInput | None]:
        found: list[list[SensorReadingV1] | RejectedInput | None] = []
        written: dict[str, Document] = {}
        to_publish: list[SensorReadingV1] = []
        seen = {key: _seen(one.document) for key, one in stored.items()}
        for one in asked:
            known = seen.get(one.key)
            if known and is_repeat(known, one.packet, one.received_at):
                found.append(None)
                waiting = one.key not in written and one.key in stored and stored[one.key].document["waiting"]
                if waiting:
                    await self._publish(one.key, stored[one.key].document["readings"])
                    stored[one.key].document["waiting"] = False
                continue
            try:
                readings = one.read()
            except RejectedInput as rejected:
                found.append(rejected)
                continue
            found.append(readings)
            to_publish += readings
            earlier = written.get(one.key)
            written[one.key] = {
                "digest": one.packet.digest,
                "observed_at": one.packet.observed_at or one.received_at,
                "waiting": True,
                "kept_until": self._now() + self._remember,
                "readings": (earlier["readings"] if earlier else [])
                + [reading.to_json().decode() for reading in readings],
            }
            seen[one.key] = _seen(written[one.key])
        if written:
            await self._packets.put_many(written.items())
            await self._producer.publish(*to_publish)
            await self._packets.patch_many((key, {"waiting": False, "readings": []}) for key in written)
        return found

    async def _publish(self, key: str, readings: list[str]) -> None:
        await self._producer.publish(*(SensorReadingV1.model_validate_json(reading) for reading in readings))
        await self._packets.patch(key, {"waiting": False, "readings": []})

    async def forget(self) -> None:
        """Delete what need not be remembered any longer."""
        await self._packets.delete_where({"waiting": False, "kept_until": below(self._now())})


def _seen(document: Document) -> Seen:
    return Seen(document["digest"], document["observed_at"])


class SensorIntake:
    """One source of readings."""

    def __init__(
        self,
        intake: SourceIntake,
        config: SensorSource | SensorThingsPoll,
        devices: Mapping[str, Device],
        places: Places,
        packets: PacketLog,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.intake = intake
        self.config = config
        self._network = config.network if isinstance(config, LorawanWebhook | LorawanMqtt) else None
        self._devices = {name.lower(): device for name, device in devices.items()}
        self._places = places
        self._packets = packets
        self._now = now
        self._origin = Origin(intake.town.code, intake.id, timedelta(minutes=config.stale_after_minutes))
        self._datastreams = self._origin.datastreams()
        self._log = get_logger().bind(source=intake.id)

    async def take(self, raw: bytes) -> Taken:
        """Take a body; returns when its readings are acknowledged by Kafka and its rejects are kept."""
        return await self.take_many([raw])

    async def take_many(self, raws: Sequence[bytes]) -> Taken:
        """Take bodies together; returns when their readings are acknowledged and their rejects are kept."""
        taken, received_at = Taken(), self._now()
        asked: list[tuple[Asked, object]] = []
        for raw in raws:
            for found, message in self.read(raw, received_at):
                if isinstance(found, Asked):
                    asked.append((found, message))
                elif found is None:
                    taken.nothing_measured += 1
                elif message is None:
                    await self._reject(MESSAGE, raw, found, taken)
                    taken.unreadable = found
                else:
                    await self._reject_message(message, found, taken)
        await self._take(asked, taken)
        return taken

    def read(
        self, raw: bytes, received_at: datetime
    ) -> Iterator[tuple[Asked | RejectedInput | None, object]]:
        """What a body says, a message at a time: a packet to be taken, None if nothing was measured, or why it
        cannot be taken, with the message beside it (None if it is the body that cannot be read)."""
        try:
            messages = self._messages(raw, received_at)
        except RejectedInput as rejected:
            yield rejected, None
            return
        for message in messages:
            try:
                packet, device = self._read(message)
                yield self._asked(packet, device, received_at), message
            except lorawan.NotAnUplink:
                yield None, message
            except RejectedInput as rejected:
                yield rejected, message

    async def take_packet(
        self, packet: Packet, received_at: datetime, taken: Taken, raw: bytes = b""
    ) -> None:
        """Take one packet that an adapter read itself; what cannot be taken is kept with its reason."""
        try:
            asked = self._asked(packet, None, received_at)
        except RejectedInput as rejected:
            await self._reject(ITEM, raw, rejected, taken)
            return
        await self._take([(asked, raw)], taken)

    def device(self, names: tuple[str, ...]) -> Device | None:
        """The device that the town file lists under one of the names."""
        for name in names:
            if (known := self._devices.get(name.lower())) is not None:
                return known
        return None

    def _messages(self, raw: bytes, received_at: datetime) -> list[object]:
        if self._network is not None:
            uplink = quick_uplink(raw) if self._network == "tts" else None
            return lorawan.split_messages(raw) if uplink is None else [Quick(uplink, raw)]
        match self.config:
            case SelfDescribing(type="ngsi-webhook"):
                return ngsi.entities(parse_json(raw))
            case SensorThingsPoll():
                return sensorthings.observations(parse_json(raw))
        # A pack is one whole: a record's meaning hangs on those before it.
        return list(senml.packets(parse_json(raw), received_at, [one.id for one in self._devices.values()]))

    def _read(self, message: object) -> tuple[Packet, Device | None]:
        if isinstance(message, Quick):
            return self._decoded(message.uplink)
        if self._network is not None:
            return self._decoded(lorawan.read_uplink(self._network, message))
        match self.config:
            case SelfDescribing():
                packet = (
                    message
                    if isinstance(message, Packet)
                    else ngsi.packet(message, self.config.naive_times_in)
                )
                device = self.device((packet.device,))
                if device is None and not self.config.unlisted_devices:
                    raise RejectedInput("unknown-device", f"{packet.device[:80]} is not listed")
                return packet, device
        raise RejectedInput("wrong-shape", "an observation without its datastream")

    async def _take(self, asked: Sequence[tuple[Asked, object]], taken: Taken) -> None:
        """Publish what was read; count it, and keep what the contract refuses."""
        before = taken.readings
        found = await self._packets.take([one for one, _ in asked]) if asked else []
        for readings, (_, message) in zip(found, asked, strict=True):
            if readings is None:
                taken.repeated += 1
                UPLINKS_REPEATED.labels(self.intake.id).inc()
            elif isinstance(readings, RejectedInput):
                await self._reject_message(message, readings, taken)
            else:
                taken.nothing_measured += not readings
                taken.readings += len(readings)
                for reading in readings:
                    READINGS.labels(self.intake.id, reading.quality.value).inc()
        if taken.readings > before:
            await self.intake.count_published(taken.readings - before)

    async def _reject_message(self, message: object, rejected: RejectedInput, taken: Taken) -> None:
        if isinstance(message, bytes):
            raw = message
        elif isinstance(message, Quick):
            raw = message.raw
        else:
            given = senml.pack_of(message) if isinstance(message, Packet) else message
            raw = json.dumps(given, ensure_ascii=False).encode(errors="replace")
        await self._reject(ITEM, raw, rejected, taken)

    def _decoded(self, uplink: lorawan.Uplink) -> tuple[Packet, Device | None]:
        device = self.device(uplink.ids)
        device_type = (device.type if device else None) or device_type_in(uplink.hints)
        names = device.properties or {} if device else {}
        decoded = by_server.decode(uplink.decoded, names) if uplink.decoded is not None else None
        if decoded is None or not decoded.measurements:
            if device_type is None:
                unknown = f"; unknown fields: {', '.join(decoded.left_out[:8])}" if decoded else ""
                raise RejectedInput(
                    "no-decoder",
                    f"device {uplink.ids[0][:60]} has no type in the town file and its message names none"
                    + unknown,
                )
            parameters = device.parameters or {} if device else {}
            decoded = decode(device_type, uplink.payload, uplink.port, parameters)
        if decoded.left_out:
            self._log.debug("payload_parts_left_out", parts=decoded.left_out)
        packet = Packet(
            device=uplink.ids[0],
            measurements=decoded.measurements,
            observed_at=uplink.observed_at,
            digest=uplink.digest,
            sequence=uplink.sequence,
            session=uplink.session,
            session_is_sure=uplink.session_is_sure,
            position=uplink.position,
            name=uplink.name,
            left_out=decoded.left_out,
        )
        return packet, device

    def _asked(self, packet: Packet, device: Device | None, received_at: datetime) -> Asked:
        known = device or self.device((packet.device,))
        if known is None and (not packet.device.isprintable() or len(packet.device) > LONGEST_DEVICE_ID):
            raise RejectedInput("bad-device-id", f"{packet.device[:60]!r} is too long or not printable")
        place = (known.position if known else None) or packet.position
        areas = self._places.areas_at(place) if place else ()
        sensor = f"{self._origin.source}/{known.id if known else packet.device}"
        return Asked(
            key_of(sensor, packet),
            packet,
            received_at,
            lambda: self._readings(packet, known, received_at, areas),
        )

    def _readings(
        self, packet: Packet, device: Device | None, received_at: datetime, areas: tuple[str, ...]
    ) -> list[SensorReadingV1]:
        try:
            return readings_of(packet, device, self._origin, received_at, areas, self._datastreams)
        except ValidationError as error:
            # Refused by the contract itself: kept as a reject, or the sender would repeat it for ever.
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RejectedInput("invalid-reading", f"{where}: {first['msg']}") from None

    async def _reject(self, entry: str, raw: bytes, rejected: RejectedInput, taken: Taken) -> None:
        taken.rejects[rejected.reason] = taken.rejects.get(rejected.reason, 0) + 1
        await self.intake.reject(entry, raw, rejected)
