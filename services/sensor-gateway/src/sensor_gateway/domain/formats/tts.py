"""Uplinks of The Things Stack, read into the few fields that are used.

Most of a message tells of gateways and radio; the reader here passes over it unread. What does not fit is left to
:mod:`~sensor_gateway.domain.formats.lorawan`, which takes more shapes and says what is wrong with one.
"""

from kommunepuls_chassis.errors import RejectedInput
from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from sensor_gateway.domain.formats.lorawan import Uplink
from sensor_gateway.domain.times import instant


class _Ids(Struct):
    device_id: str
    dev_eui: str = ""
    dev_addr: str = ""


class _Version(Struct):
    brand_id: str = ""
    model_id: str = ""


class _User(Struct):
    latitude: float | None = None
    longitude: float | None = None


class _Locations(Struct):
    user: _User | None = None


class _Measured(Struct):
    f_port: int | None = None
    f_cnt: int | None = None
    frm_payload: bytes = b""
    received_at: str | None = None
    session_key_id: str = ""
    decoded_payload: dict | None = None
    version_ids: _Version | None = None
    locations: _Locations | None = None


class _Message(Struct):
    end_device_ids: _Ids
    uplink_message: _Measured
    received_at: str | None = None
    result: object = None


_DECODER = Decoder(_Message)


def quick_uplink(raw: bytes) -> Uplink | None:
    """The uplink in a message of the usual shape; None for one that the thorough reader is to look at."""
    try:
        message = _DECODER.decode(raw)
        received = message.uplink_message.received_at or message.received_at
        observed_at = instant(received, "received_at") if received else None
    except (DecodeError, UnicodeDecodeError, RejectedInput):
        return None
    ids, uplink = message.end_device_ids, message.uplink_message
    device, port, count = ids.device_id.strip(), uplink.f_port, uplink.f_cnt
    placed = uplink.locations is not None and uplink.locations.user is not None
    if message.result is not None or placed or not device:
        return None
    # Half a surrogate pair. Hardly a message has a backslash at all, and a single byte is found ten times as fast.
    if b"\\" in raw and (b"\\ud" in raw or b"\\uD" in raw):
        return None
    if (port is not None and not 0 <= port < 2**63) or (count is not None and not 0 <= count < 2**63):
        return None
    version = uplink.version_ids
    return Uplink(
        ids=(device, ids.dev_eui) if ids.dev_eui else (device,),
        port=port,
        payload=uplink.frm_payload,
        decoded=uplink.decoded_payload or None,
        hints=(f"{version.brand_id}-{version.model_id}",) if version and version.model_id else (),
        observed_at=observed_at,
        sequence=count,
        session=uplink.session_key_id or ids.dev_addr,
        session_is_sure=bool(uplink.session_key_id),
    )
