"""Milesight: a channel, a type, then that type's bytes, little endian.

Source: the user guides' "Device payload" chapters and https://github.com/Milesight-IoT/SensorDecoders.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from kommunepuls_chassis.errors import RejectedInput

from sensor_gateway.domain.decoders.reader import Reader
from sensor_gateway.domain.measurements import Decoded, Measurement

Read = Callable[[Reader], list[Measurement]]
NO_PROBE = (0x7FFF, -0x8000)


def _word(reader: Reader) -> int:
    return reader.unsigned(2, "little")


def _temperature(name: str, reader: Reader, at: datetime | None = None) -> Measurement:
    word = reader.signed(2, "little")
    missing = word in NO_PROBE
    return Measurement(name, None if missing else word / 10, "Cel", at, missing)


def _unsigned(name: str, count: int, unit: str, factor: float = 1) -> Read:
    return lambda reader: [Measurement(name, round(reader.unsigned(count, "little") * factor, 6), unit)]


def _degrees(name: str, alarm_bytes: int = 0) -> Read:
    def read(reader: Reader) -> list[Measurement]:
        found = [_temperature(name, reader)]
        reader.take(alarm_bytes)
        return found

    return read


def _skip(count: int) -> Read:
    def read(reader: Reader) -> list[Measurement]:
        reader.take(count)
        return []

    return read


def _sound(reader: Reader) -> list[Measurement]:
    reader.take(1)  # the weighting
    names = ("sound-level", "sound-level-equivalent", "sound-level-maximum")
    return [Measurement(name, _word(reader) / 10, "dB[SPL]") for name in names]


def _people(prefix: str, alarm_bytes: int = 0) -> Read:
    def read(reader: Reader) -> list[Measurement]:
        found = [Measurement(f"people-{way}{prefix}", _word(reader), "1") for way in ("in", "out")]
        reader.take(alarm_bytes)
        return found

    return read


def _history_ts201(reader: Reader) -> list[Measurement]:
    at = datetime.fromtimestamp(reader.unsigned(4, "little"), UTC)
    status = reader.unsigned(1) >> 4
    found = _temperature("probe-temperature", reader, at)
    return [found if status == 0 else Measurement(found.property, None, "Cel", at, missing=True)]


_COMMON: dict[tuple[int, int], Read] = {
    (0x01, 0x75): _unsigned("battery-level", 1, "%"),
    (0x03, 0x67): _degrees("air-temperature"),
    (0x04, 0x68): _unsigned("air-humidity", 1, "%", 0.5),
    (0xFF, 0x01): _skip(1),
    (0xFF, 0x08): _skip(6),
    (0xFF, 0x09): _skip(2),
    (0xFF, 0x0A): _skip(2),
    (0xFF, 0x0B): _skip(1),
    (0xFF, 0x0F): _skip(1),
    (0xFF, 0x16): _skip(8),
    (0xFF, 0xFF): _skip(2),
}
_OF_TYPE: dict[str, dict[tuple[int, int], Read]] = {
    "milesight-am319": {
        (0x05, 0x00): _unsigned("motion", 1, "1"),
        (0x06, 0xCB): _unsigned("light-level", 1, "1"),
        (0x07, 0x7D): _unsigned("co2", 2, "[ppm]"),
        (0x08, 0x7D): _unsigned("voc-index", 2, "1", 0.01),
        (0x08, 0xE6): _unsigned("voc", 2, "ug/m3"),
        (0x09, 0x73): _unsigned("air-pressure", 2, "Pa", 10),
        (0x0A, 0x7D): _unsigned("formaldehyde", 2, "mg/m3", 0.01),
        (0x0B, 0x7D): _unsigned("pm2-5", 2, "ug/m3"),
        (0x0C, 0x7D): _unsigned("pm10", 2, "ug/m3"),
        (0x0D, 0x7D): _unsigned("ozone-fraction", 2, "[ppm]", 0.01),
        (0x0E, 0x01): _skip(1),  # buzzer
    },
    "milesight-at101": {
        (0x04, 0x88): _skip(9),  # where the thing is: movements of things that people carry are not kept
        (0x84, 0x88): _skip(9),
        (0x05, 0x00): _unsigned("device-tilt", 1, "1"),
        (0x06, 0xD9): _skip(9),  # wireless networks nearby
        (0x07, 0x00): _skip(1),
        (0x83, 0x67): _degrees("air-temperature", 1),
    },
    "milesight-em300-th": {},
    "milesight-em300-sld-zld": {(0x05, 0x00): _unsigned("water-leak", 1, "1")},
    "milesight-em310-udl": {
        (0x03, 0x82): _unsigned("distance", 2, "m", 0.001),
        (0x04, 0x00): _unsigned("device-tilt", 1, "1"),
    },
    "milesight-em500-smtc": {
        (0x03, 0x67): _degrees("soil-temperature"),
        (0x04, 0x68): _unsigned("soil-moisture", 1, "%", 0.5),
        (0x04, 0xCA): _unsigned("soil-moisture", 2, "%", 0.01),
        (0x05, 0x7F): _unsigned("soil-conductivity", 2, "S/m", 0.0001),
        (0x83, 0xD7): _degrees("soil-temperature", 3),
    },
    "milesight-em500-swl": {(0x03, 0x77): _unsigned("water-level", 2, "m", 0.01)},
    "milesight-em500-udl": {(0x03, 0x82): _unsigned("distance", 2, "m", 0.001)},
    "milesight-em500-pt100": {(0x03, 0x67): _degrees("probe-temperature")},
    "milesight-ts201": {
        (0x03, 0x67): _degrees("probe-temperature"),
        (0x83, 0x67): _degrees("probe-temperature", 1),
        (0x93, 0x67): _degrees("probe-temperature", 3),
        (0xB3, 0x67): lambda reader: (
            reader.take(1),
            [Measurement("probe-temperature", None, "Cel", missing=True)],
        )[1],
        (0x20, 0xCE): _history_ts201,
    },
    "milesight-vs350": {
        (0x03, 0x67): _degrees("device-temperature"),
        (0x83, 0x67): _degrees("device-temperature", 1),
        (0x04, 0xCC): _people(""),
        (0x84, 0xCC): _people("", 1),
        (0x05, 0xCC): _people("-since"),
        (0x85, 0xCC): _people("-since", 1),
        (0x0A, 0xEF): _skip(4),
    },
    "milesight-ws302": {(0x05, 0x5B): _sound},
}
_HISTORY = (0x20, 0xCE)
_LEFT_OUT = {(0x04, 0x88): "location", (0x84, 0x88): "location", (0x06, 0xD9): "wireless-networks"}
TYPES = tuple(_OF_TYPE)


def decode(device_type: str, payload: bytes) -> Decoded:
    """Read one payload. Values that a device kept from before (channel 20 ce) are left out where their
    layout is not known here; what precedes them is read.

    Raises:
        RejectedInput: ``payload-too-short`` or ``bad-payload``.
    """
    known = _COMMON | _OF_TYPE[device_type]
    reader, found, left_out = Reader(payload), [], []
    while reader.left:
        channel = (reader.unsigned(1), reader.unsigned(1))
        if channel == _HISTORY and channel not in known:
            reader.take(reader.left)
            left_out.append("history")
            continue
        if channel not in known:
            raise RejectedInput(
                "bad-payload", f"channel {channel[0]:02x} type {channel[1]:02x} is not a {device_type}'s"
            )
        found += known[channel](reader)
        if channel in _LEFT_OUT:
            left_out.append(_LEFT_OUT[channel])
    return Decoded(tuple(found), tuple(dict.fromkeys(left_out)))
