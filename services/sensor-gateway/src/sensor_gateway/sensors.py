"""Taking in what sensors say: each packet once, its readings published before it is acknowledged."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import READINGS, UPLINKS_REPEATED
from kommunepuls_chassis.producer import Producer
from kommunepuls_chassis.store import DocumentStore, Index
from kommunepuls_chassis.store.conditions import below
from kommunepuls_events import SensorReadingV1
from kommunepuls_events.base import utc_now
from pydantic import ValidationError

from sensor_gateway.domain.decoders import by_server, decode, device_type_in
from sensor_gateway.domain.formats import lorawan, ngsi, senml, sensorthings
from sensor_gateway.domain.measurements import Device, Packet
from sensor_gateway.domain.places import Places
from sensor_gateway.domain.readings import LONGEST_DEVICE_ID, Origin, readings_of
from sensor_gateway.domain.repeats import Seen, is_repeat, key_of
from sensor_gateway.domain.values import parse_json
from sensor_gateway.sources import LorawanMqtt, LorawanWebhook, SelfDescribing, SensorSource, SensorThingsPoll

MESSAGE, ITEM = "message", "item"
"""Entries of rejects: a whole body, or one object of it."""


@dataclass
class Taken:
    """What became of a body."""

    readings: int = 0
    repeated: int = 0
    nothing_measured: int = 0
    rejects: dict[str, int] = field(default_factory=dict)
    unreadable: RejectedInput | None = None


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

    async def take(
        self, key: str, packet: Packet, received_at: datetime, read: Callable[[], list]
    ) -> list | None:
        """Publish a packet's readings once; None if it is a repeat.

        Args:
            key: see :func:`~sensor_gateway.domain.repeats.key_of`.
            packet: what came.
            received_at: when.
            read: makes the readings.
        """
        async with self._locks[hash(key) % len(self._locks)]:
            stored = await self._packets.get(key)
            if stored:
                seen = Seen(stored.document["digest"], stored.document["observed_at"])
                if is_repeat(seen, packet, received_at):
                    if stored.document["waiting"]:
                        await self._publish(key, stored.document["readings"])
                    return None
            readings: list[SensorReadingV1] = read()
            await self._packets.put(
                key,
                {
                    "digest": packet.digest,
                    "observed_at": packet.observed_at or received_at,
                    "waiting": True,
                    "kept_until": self._now() + self._remember,
                    "readings": [reading.to_json().decode() for reading in readings],
                },
            )
            await self._producer.publish(*readings)
            await self._packets.patch(key, {"waiting": False, "readings": []})
            return readings

    async def _publish(self, key: str, readings: list[str]) -> None:
        await self._producer.publish(*(SensorReadingV1.model_validate_json(reading) for reading in readings))
        await self._packets.patch(key, {"waiting": False, "readings": []})

    async def forget(self) -> None:
        """Delete what need not be remembered any longer."""
        await self._packets.delete_where({"waiting": False, "kept_until": below(self._now())})


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
        self._devices = {name.lower(): device for name, device in devices.items()}
        self._places = places
        self._packets = packets
        self._now = now
        self._origin = Origin(intake.town.code, intake.id, timedelta(minutes=config.stale_after_minutes))
        self._log = get_logger().bind(source=intake.id)

    async def take(self, raw: bytes) -> Taken:
        """Take a body; returns when its readings are acknowledged by Kafka and its rejects are kept."""
        taken, received_at = Taken(), self._now()
        try:
            messages = self._messages(raw, received_at)
        except RejectedInput as rejected:
            await self._reject(MESSAGE, raw, rejected, taken)
            taken.unreadable = rejected
            return taken
        for message in messages:
            await self._take_one(message, received_at, taken)
        if taken.readings:
            await self.intake.count_published(taken.readings)
        return taken

    async def take_packet(
        self, packet: Packet, received_at: datetime, taken: Taken, raw: bytes = b""
    ) -> None:
        """Take one packet that an adapter read itself; what cannot be taken is kept with its reason."""
        try:
            await self._publish(packet, None, received_at, taken)
        except RejectedInput as rejected:
            await self._reject(ITEM, raw, rejected, taken)

    def device(self, names: tuple[str, ...]) -> Device | None:
        """The device that the town file lists under one of the names."""
        return next((self._devices[name.lower()] for name in names if name.lower() in self._devices), None)

    def _messages(self, raw: bytes, received_at: datetime) -> list[object]:
        match self.config:
            case LorawanWebhook() | LorawanMqtt():
                return lorawan.split_messages(raw)
            case SelfDescribing(type="ngsi-webhook"):
                return ngsi.entities(parse_json(raw))
            case SensorThingsPoll():
                return sensorthings.observations(parse_json(raw))
        # A pack is one whole: a record's meaning hangs on those before it.
        return list(senml.packets(parse_json(raw), received_at, [one.id for one in self._devices.values()]))

    async def _take_one(self, message: object, received_at: datetime, taken: Taken) -> None:
        try:
            match self.config:
                case LorawanWebhook(network=network) | LorawanMqtt(network=network):
                    uplink = lorawan.read_uplink(network, message)
                    packet, device = self._decoded(uplink)
                case SelfDescribing():
                    packet = (
                        message
                        if isinstance(message, Packet)
                        else ngsi.packet(message, self.config.naive_times_in)
                    )
                    device = self.device((packet.device,))
                    if device is None and not self.config.unlisted_devices:
                        raise RejectedInput("unknown-device", f"{packet.device[:80]} is not listed")
                case _:
                    raise RejectedInput("wrong-shape", "an observation without its datastream")
            await self._publish(packet, device, received_at, taken)
        except lorawan.NotAnUplink:
            taken.nothing_measured += 1
        except RejectedInput as rejected:
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

    async def _publish(
        self, packet: Packet, device: Device | None, received_at: datetime, taken: Taken
    ) -> None:
        known = device or self.device((packet.device,))
        if known is None and (not packet.device.isprintable() or len(packet.device) > LONGEST_DEVICE_ID):
            raise RejectedInput("bad-device-id", f"{packet.device[:60]!r} is too long or not printable")
        place = (known.position if known else None) or packet.position
        areas = self._places.areas_at(place) if place else ()
        sensor = f"{self._origin.source}/{known.id if known else packet.device}"
        readings = await self._packets.take(
            key_of(sensor, packet),
            packet,
            received_at,
            lambda: self._readings(packet, known, received_at, areas),
        )
        if readings is None:
            taken.repeated += 1
            UPLINKS_REPEATED.labels(self.intake.id).inc()
            return
        if not readings:
            taken.nothing_measured += 1
        taken.readings += len(readings)
        for reading in readings:
            READINGS.labels(self.intake.id, reading.quality.value).inc()

    def _readings(
        self, packet: Packet, device: Device | None, received_at: datetime, areas: tuple[str, ...]
    ) -> list[SensorReadingV1]:
        try:
            return readings_of(packet, device, self._origin, received_at, areas)
        except ValidationError as error:
            # Refused by the contract itself: kept as a reject, or the sender would repeat it for ever.
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RejectedInput("invalid-reading", f"{where}: {first['msg']}") from None

    async def _reject(self, entry: str, raw: bytes, rejected: RejectedInput, taken: Taken) -> None:
        taken.rejects[rejected.reason] = taken.rejects.get(rejected.reason, 0) + 1
        await self.intake.reject(entry, raw, rejected)
