"""Taking in what sensors say: each packet once, its readings published before it is acknowledged."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import READINGS, UPLINKS_REPEATED
from kommunepuls_events import SensorReadingV1
from kommunepuls_events.base import utc_now
from pydantic import ValidationError

from sensor_gateway.domain.decoders import by_server, decode, device_type_in
from sensor_gateway.domain.formats import lorawan, ngsi, senml, sensorthings
from sensor_gateway.domain.formats.tts import quick_uplink
from sensor_gateway.domain.measurements import Device, Packet
from sensor_gateway.domain.places import Places
from sensor_gateway.domain.readings import LONGEST_DEVICE_ID, Origin, readings_of
from sensor_gateway.domain.repeats import key_of
from sensor_gateway.domain.values import parse_json
from sensor_gateway.packet_log import Asked, PacketLog
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


class Quick(NamedTuple):
    """An uplink that was read without the rest of its message, and that message."""

    uplink: lorawan.Uplink
    raw: bytes


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
        found = await self._packets.take([one for one, _ in asked]) if asked else []
        repeated, qualities = 0, Counter[str]()
        for readings, (_, message) in zip(found, asked, strict=True):
            if readings is None:
                repeated += 1
            elif isinstance(readings, RejectedInput):
                await self._reject_message(message, readings, taken)
            else:
                taken.nothing_measured += not readings
                qualities.update([reading.quality for reading in readings])
        for quality, count in qualities.items():
            READINGS.labels(self.intake.id, quality).inc(count)
        if repeated:
            taken.repeated += repeated
            UPLINKS_REPEATED.labels(self.intake.id).inc(repeated)
        if published := qualities.total():
            taken.readings += published
            await self.intake.count_published(published)

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
