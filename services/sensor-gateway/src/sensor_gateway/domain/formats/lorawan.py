"""Uplinks as four network servers write them.

Sources: The Things Stack "Data Formats" (https://www.thethingsindustries.com/docs/integrations/other-integrations/data-formats/),
ChirpStack "Event types" (https://www.chirpstack.io/docs/chirpstack/integrations/events.html; version 3 too), LORIOT
"Application data format", ThingPark "LRC-AS tunnel interface".
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from kommunepuls_chassis.errors import RejectedInput

from sensor_gateway.domain.times import from_epoch_milliseconds, instant
from sensor_gateway.domain.values import (
    base64_bytes,
    counter,
    hex_bytes,
    listing,
    mapping,
    mapping_or_empty,
    parse_json,
    position,
    text,
)


class Uplink(NamedTuple):
    """One uplink, however many gateways heard it.

    Attributes:
        ids: names of the device, the preferred first; any of them may stand in the town file.
        payload: decrypted application payload.
        decoded: fields, if the network server decoded the payload.
        hints: names of the device's profile.
        session, session_is_sure, sequence: see :class:`~sensor_gateway.domain.measurements.Packet`.
        position: from the message itself: of the device, never of a gateway.
    """

    ids: tuple[str, ...]
    port: int | None
    payload: bytes
    decoded: dict | None
    hints: tuple[str, ...]
    observed_at: datetime | None
    sequence: int | None
    session: str
    session_is_sure: bool
    position: tuple[float, float] | None = None
    name: str | None = None

    @property
    def digest(self) -> str:
        """Of port and payload, which are the same in every gateway's copy."""
        fields = repr(sorted(self.decoded.items(), key=str)) if self.decoded and not self.payload else ""
        return hashlib.sha256(f"{self.port}|{fields}|".encode() + self.payload).hexdigest()[:24]


class NotAnUplink(Exception):
    """A join, an acknowledgement, a status: nothing was measured."""


def split_messages(raw: bytes) -> list[object]:
    """The messages in a body: one object, an array of them, or one a line (The Things Stack's storage).

    Raises:
        RejectedInput: ``invalid-json``.
    """
    stripped = raw.strip()
    if stripped.startswith(b"{") and b"}\n{" in stripped.replace(b"\r", b""):
        return [parse_json(line) for line in stripped.splitlines() if line.strip()]
    value = parse_json(raw)
    return value if isinstance(value, list) else [value]


def read_uplink(network: str, message: object) -> Uplink:
    """Read one message.

    Args:
        network: tts, chirpstack, loriot or thingpark.
        message: parsed JSON.

    Raises:
        NotAnUplink: if it is a message of another kind.
        RejectedInput: with what is wrong with it.
    """
    return _READERS[network](mapping(message, "the message"))


def _the_things_stack(message: dict) -> Uplink:
    if "result" in message:  # a record of the storage integration
        message = mapping(message["result"], "result")
    if "uplink_message" not in message:
        if "end_device_ids" in message:
            raise NotAnUplink
        raise RejectedInput("wrong-shape", "neither uplink_message nor end_device_ids is there")
    ids = mapping(message.get("end_device_ids"), "end_device_ids")
    uplink = mapping(message["uplink_message"], "uplink_message")
    device = text(ids.get("device_id"), "end_device_ids.device_id")
    eui = ids.get("dev_eui")
    version = mapping_or_empty(uplink.get("version_ids"))
    hints = ()
    if version.get("model_id"):
        hints = (f"{version.get('brand_id', '')}-{version['model_id']}",)
    received = uplink.get("received_at") or message.get("received_at")
    decoded = uplink.get("decoded_payload")
    user = mapping_or_empty(mapping_or_empty(uplink.get("locations")).get("user"))
    key = uplink.get("session_key_id") or ""
    return Uplink(
        ids=(device, eui) if isinstance(eui, str) and eui else (device,),
        port=counter(uplink.get("f_port"), "f_port"),
        payload=base64_bytes(uplink.get("frm_payload"), "frm_payload"),
        decoded=decoded if isinstance(decoded, dict) and decoded else None,
        hints=hints,
        observed_at=instant(received, "received_at") if received else None,
        sequence=counter(uplink.get("f_cnt"), "f_cnt"),
        session=str(key or ids.get("dev_addr") or ""),
        # A session key's id is new with every join; a device activated by personalisation has none.
        session_is_sure=bool(key),
        position=position(user.get("longitude"), user.get("latitude")),
    )


def _chirpstack(message: dict) -> Uplink:
    if "devEUI" in message and "deviceInfo" not in message:
        return _chirpstack_3(message)
    info = mapping(message.get("deviceInfo"), "deviceInfo")
    if "data" not in message and "object" not in message:
        raise NotAnUplink
    eui = text(info.get("devEui"), "deviceInfo.devEui")
    tags = mapping_or_empty(info.get("tags"))
    hints = (tags.get("type"), tags.get("model"), info.get("deviceProfileName"))
    decoded = message.get("object")
    time = message.get("time")
    return Uplink(
        ids=(eui, *([info["deviceName"]] if isinstance(info.get("deviceName"), str) else [])),
        port=counter(message.get("fPort"), "fPort"),
        payload=base64_bytes(message.get("data"), "data"),
        decoded=decoded if isinstance(decoded, dict) and decoded else None,
        hints=tuple(hint for hint in hints if isinstance(hint, str)),
        observed_at=instant(time, "time") if time else None,
        sequence=counter(message.get("fCnt"), "fCnt"),
        session=str(message.get("devAddr") or ""),
        session_is_sure=False,
    )


def _chirpstack_3(message: dict) -> Uplink:
    if "data" not in message and "objectJSON" not in message:
        raise NotAnUplink
    eui = text(message["devEUI"], "devEUI")
    if len(eui) == 12:  # eight bytes in Base64; in hexadecimal they are sixteen characters
        eui = base64_bytes(eui, "devEUI").hex()
    written = message.get("objectJSON")
    decoded = parse_json(written.encode()) if isinstance(written, str) and written else None
    receptions = message.get("rxInfo") if isinstance(message.get("rxInfo"), list) else []
    times = [one["time"] for one in receptions if isinstance(one, dict) and one.get("time")]
    tags = mapping_or_empty(message.get("tags"))
    hints = (tags.get("type"), tags.get("model"), message.get("deviceProfileName"))
    return Uplink(
        ids=(eui, *([message["deviceName"]] if isinstance(message.get("deviceName"), str) else [])),
        port=counter(message.get("fPort"), "fPort"),
        payload=base64_bytes(message.get("data"), "data"),
        decoded=decoded if isinstance(decoded, dict) and decoded else None,
        hints=tuple(hint for hint in hints if isinstance(hint, str)),
        # Each gateway has its own clock; the first is the one that the server took.
        observed_at=instant(times[0], "rxInfo.time") if times else None,
        sequence=counter(message.get("fCnt"), "fCnt"),
        session=str(message.get("devAddr") or ""),
        session_is_sure=False,
    )


def _loriot(message: dict) -> Uplink:
    if message.get("cmd") not in ("rx", "gw"):
        raise NotAnUplink
    time = message.get("ts")
    return Uplink(
        ids=(text(message.get("EUI"), "EUI"),),
        port=counter(message.get("port"), "port"),
        payload=hex_bytes(message.get("data"), "data"),
        decoded=message["decoded"] if isinstance(message.get("decoded"), dict) else None,
        hints=(),
        observed_at=from_epoch_milliseconds(time, "ts") if time is not None else None,
        sequence=counter(message.get("fcnt"), "fcnt"),
        session="",
        session_is_sure=False,
    )


def _thingpark(message: dict) -> Uplink:
    if "DevEUI_uplink" not in message:
        if any(key.startswith("DevEUI_") for key in message):
            raise NotAnUplink
        raise RejectedInput("wrong-shape", "DevEUI_uplink is missing")
    uplink = mapping(message["DevEUI_uplink"], "DevEUI_uplink")
    customer = mapping_or_empty(uplink.get("CustomerData"))
    model = mapping_or_empty(mapping_or_empty(uplink.get("DriverCfg")).get("mod"))
    time = uplink.get("Time")
    place = mapping_or_empty(customer.get("loc"))
    return Uplink(
        ids=(text(uplink.get("DevEUI"), "DevEUI"),),
        port=counter(uplink.get("FPort"), "FPort"),
        payload=hex_bytes(uplink.get("payload_hex"), "payload_hex"),
        decoded=None,
        hints=tuple(str(model[key]) for key in ("mId",) if model.get(key)),
        observed_at=instant(time, "Time") if time else None,
        sequence=counter(uplink.get("FCntUp"), "FCntUp"),
        session=str(uplink.get("DevAddr") or ""),
        session_is_sure=False,
        position=_written_position(place.get("lon"), place.get("lat")),
        name=customer.get("name") if isinstance(customer.get("name"), str) else None,
    )


def _written_position(longitude: object, latitude: object) -> tuple[float, float] | None:
    try:
        return position(float(longitude), float(latitude))  # ThingPark writes them as texts
    except (TypeError, ValueError, OverflowError):
        return None


_READERS: dict[str, Callable[[dict], Uplink]] = {
    "tts": _the_things_stack,
    "chirpstack": _chirpstack,
    "loriot": _loriot,
    "thingpark": _thingpark,
}
NETWORKS = tuple(_READERS)


def network_of(message: object) -> str | None:
    """Which network server a message is from, by its shape; None if none of ours."""
    one = listing(message, "messages")[0] if isinstance(message, list) and message else message
    if not isinstance(one, dict):
        return None
    if "end_device_ids" in one or isinstance(one.get("result"), dict):
        return "tts"
    if "deviceInfo" in one or "devEUI" in one:
        return "chirpstack"
    if any(key.startswith("DevEUI_") for key in one):
        return "thingpark"
    return "loriot" if "EUI" in one and "cmd" in one else None
