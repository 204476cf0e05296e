"""SenML packs (RFC 8428): resolved into records, and records into packets."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from kommunepuls_chassis.errors import RejectedInput

from sensor_gateway.domain.measurements import Measurement, Packet
from sensor_gateway.domain.properties import unit_of
from sensor_gateway.domain.times import from_epoch_seconds
from sensor_gateway.domain.values import listing, mapping, number

VERSION = 10
RELATIVE_BELOW = 2**28
"""Times below this count from now (RFC 8428 section 4.5.3)."""
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9\-:./_]*$")
_KNOWN = {"bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "vb", "vd", "s", "t", "ut"}
_UNITS: dict[str, tuple[str, float]] = {
    "Cel": ("Cel", 1), "%RH": ("%", 1), "%": ("%", 1), "/": ("1", 1), "%EL": ("%", 1), "V": ("V", 1),
    "A": ("A", 1), "W": ("W", 1), "J": ("J", 1), "m": ("m", 1), "mm": ("m", 0.001), "cm": ("m", 0.01),
    "m/s": ("m/s", 1), "Pa": ("Pa", 1), "hPa": ("Pa", 100), "lx": ("lx", 1), "dB": ("dB[SPL]", 1),
    "ppm": ("[ppm]", 1), "count": ("1", 1), "S/m": ("S/m", 1), "m3/s": ("m3/s", 1), "K": ("K", 1),
    "kg": ("kg", 1), "deg": ("deg", 1), "mV": ("V", 0.001), "ug/m3": ("ug/m3", 1),
}  # fmt: skip
_NAMES = {
    "temperature": "air-temperature", "temp": "air-temperature", "humidity": "air-humidity",
    "watertemperature": "water-temperature", "water-temp": "water-temperature", "battery": "battery-level",
    "pressure": "air-pressure", "light": "illuminance", "waterlevel": "water-level",
}  # fmt: skip
_BY_UNIT = {"Cel": "air-temperature", "%RH": "air-humidity", "Pa": "air-pressure", "lx": "illuminance",
            "%EL": "battery-level"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """One resolved record: full name, unit, time in seconds since 1970, and one of the values."""

    name: str
    time: float
    unit: str | None = None
    value: float | None = None
    text: str | None = None
    truth: bool | None = None
    data: str | None = None
    total: float | None = None
    base_name: str = ""
    timed: bool = True


def resolve(pack: object, now: float) -> list[Record]:
    """Resolve a pack (RFC 8428 section 4.6): base fields are carried over, relative times made absolute.

    Args:
        pack: parsed JSON, an array of records.
        now: seconds since 1970 that relative times count from.

    Raises:
        RejectedInput: ``wrong-shape``, ``senml-version``, ``senml-field``, ``senml-name`` or
            ``senml-no-value``.
    """
    base: dict[str, object] = {}
    found = []
    for index, entry in enumerate(listing(pack, "the pack")):
        record = mapping(entry, f"record {index}")
        for field in record:
            if field.endswith("_"):
                raise RejectedInput("senml-field", f"record {index}: {field!r:.40} must be understood")
        base |= {field: record[field] for field in ("bn", "bt", "bu", "bv", "bs", "bver") if field in record}
        if number(base.get("bver", VERSION), "bver") > VERSION:
            raise RejectedInput("senml-version", f"version {base['bver']} is not known here")
        resolved = _record(record, base, index, now)
        if resolved:
            found.append(resolved)
    return found


def _record(record: Mapping, base: Mapping, index: int, now: float) -> Record | None:
    values = [field for field in ("v", "vs", "vb", "vd") if field in record]
    if len(values) > 1:
        raise RejectedInput("senml-no-value", f"record {index} has several values: {', '.join(values)}")
    if not values and "s" not in record:
        if any(field in record for field in ("n", "u", "t")) and "bv" not in base:
            raise RejectedInput("senml-no-value", f"record {index} has neither value nor sum")
        if not ("bv" in base and "n" in record):
            return None  # it carries base fields only
    name = f"{_text(base.get('bn', ''), 'bn')}{_text(record.get('n', ''), 'n')}"
    if not _NAME.match(name):
        raise RejectedInput("senml-name", f"record {index}: {name!r:.60} is not a SenML name")
    time = number(base.get("bt", 0), "bt") + number(record.get("t", 0), "t")
    value = None
    if "v" in record or ("bv" in base and not values):
        value = number(base.get("bv", 0), "bv") + number(record.get("v", 0), "v")
    if "vb" in record and not isinstance(record["vb"], bool):
        raise RejectedInput("wrong-shape", f"record {index}: vb is neither true nor false")
    total = number(base.get("bs", 0), "bs") + number(record["s"], "s") if "s" in record else None
    unit = record.get("u", base.get("bu"))
    return Record(
        name=name,
        time=now + time if time < RELATIVE_BELOW else time,
        unit=_text(unit, "u") if unit is not None else None,
        value=value,
        text=_text(record["vs"], "vs") if "vs" in record else None,
        truth=record.get("vb"),
        data=_text(record["vd"], "vd") if "vd" in record else None,
        total=total,
        base_name=str(base.get("bn", "")),
        timed=bool(time),
    )


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise RejectedInput("wrong-shape", f"{what} is {value!r:.40}, a text is expected")
    return value


def packets(pack: object, now: datetime, devices: Iterable[str]) -> list[Packet]:
    """A pack's records with numbers or truth values as packets, one each; texts, data and sums are left out.

    The device is the base name without its last mark, or what the town file lists, or the whole name.

    Args:
        pack: parsed JSON.
        now: when it was received.
        devices: device ids that the town file lists.

    Raises:
        RejectedInput: see :func:`resolve`.
    """
    known = sorted(devices, key=len, reverse=True)
    found = []
    for record in resolve(pack, now.timestamp()):
        if record.value is None and record.truth is None:
            continue
        device, tail = _split(record, known)
        unit, factor = _UNITS.get(record.unit or "/", (record.unit or "1", 1))
        name = _property(tail, record.unit)
        value = float(record.truth) if record.truth is not None else record.value * factor
        if name in ("lat", "lon"):
            continue
        measurement = Measurement(name, round(value, 9), unit if record.unit else unit_of(name))
        at = from_epoch_seconds(record.time) if record.timed else None
        digest = hashlib.sha256(f"{name}|{value!r}|{record.time if record.timed else ''}".encode())
        found.append(
            Packet(
                device=device,
                measurements=(measurement,),
                observed_at=at.astimezone(UTC) if at else None,
                digest=digest.hexdigest()[:24],
            )
        )
    return found


def pack_of(packet: Packet) -> list[dict]:
    """A packet of :func:`packets` as a pack that reads back to it."""
    one = packet.measurements[0]
    record: dict = {"bn": f"{packet.device}:", "n": one.property, "u": one.unit, "v": one.value}
    if packet.observed_at:
        record["t"] = packet.observed_at.timestamp()
    return [record]


def _split(record: Record, known: list[str]) -> tuple[str, str]:
    for device in known:
        if record.name.startswith(device):
            return device, record.name[len(device) :].strip(":/._-")
    tail = record.name[len(record.base_name) :]
    if tail and record.base_name.strip(":/._-"):
        return record.base_name.strip(":/._-"), tail.strip(":/._-")
    return record.name, ""


def _property(tail: str, unit: str | None) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", tail.lower()).strip("-")[:60]
    return _NAMES.get(slug) or slug or _BY_UNIT.get(unit or "", "value")
