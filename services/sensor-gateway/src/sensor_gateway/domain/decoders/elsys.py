"""Elsys: a type byte, then that type's bytes, big endian.

Source: Elsys "Payload decoding" (https://elsys.se/public/documents/Sensor_payload.pdf).
"""

from collections.abc import Callable

from kommunepuls_chassis.errors import RejectedInput

from sensor_gateway.domain.decoders.reader import Reader
from sensor_gateway.domain.measurements import Decoded, Measurement

NO_PROBE = 0x7FFF
"""An external temperature without a probe."""


def _temperature(name: str, reader: Reader) -> list[Measurement]:
    word = reader.signed(2)
    if word == NO_PROBE or word == -NO_PROBE - 1:
        return [Measurement(name, None, "Cel", missing=True)]
    return [Measurement(name, word / 10, "Cel")]


def _one(name: str, count: int, unit: str, factor: float = 1) -> Callable[[Reader], list[Measurement]]:
    def read(reader: Reader) -> list[Measurement]:
        return [Measurement(name, round(reader.unsigned(count) * factor, 6), unit)]

    return read


def _infrared(reader: Reader) -> list[Measurement]:
    return _temperature("device-temperature", reader) + _temperature("surface-temperature", reader)


def _sound(reader: Reader) -> list[Measurement]:
    return [
        Measurement("sound-level-maximum", reader.unsigned(1), "dB[SPL]"),
        Measurement("sound-level", reader.unsigned(1), "dB[SPL]"),
    ]


def _left_out(count: int) -> Callable[[Reader], list[Measurement]]:
    def read(reader: Reader) -> list[Measurement]:
        reader.take(count)
        return []

    return read


_READ: dict[int, Callable[[Reader], list[Measurement]]] = {
    0x01: lambda reader: _temperature("air-temperature", reader),
    0x02: _one("air-humidity", 1, "%"),
    0x03: _left_out(3),  # acceleration
    0x04: _one("illuminance", 2, "lx"),
    0x05: _one("motion", 1, "1"),
    0x06: _one("co2", 2, "[ppm]"),
    0x07: _one("battery-voltage", 2, "V", 0.001),
    0x08: _one("analog-voltage-1", 2, "V", 0.001),
    0x09: _left_out(6),  # where the device is: a fixed sensor's place stands in the town file
    0x0A: _left_out(2),  # pulses since the last uplink: a lost uplink would lose them, see 0x0b
    0x0B: _one("pulses", 4, "1"),
    0x0C: lambda reader: _temperature("probe-temperature", reader),
    0x0D: _one("digital-input", 1, "1"),
    0x0E: _one("distance", 2, "m", 0.001),
    0x0F: _left_out(1),  # movement of the device
    0x10: _infrared,
    0x11: _one("occupancy", 1, "1"),
    0x12: _one("water-leak", 1, "1"),
    0x13: _left_out(65),  # heat picture
    0x14: _one("air-pressure", 4, "Pa", 0.1),
    0x15: _sound,
    0x16: _left_out(2),
    0x17: _one("pulses-2", 4, "1"),
    0x18: _one("analog-voltage-2", 2, "V", 0.001),
    0x19: lambda reader: _temperature("probe-temperature-2", reader),
    0x1A: _one("digital-input-2", 1, "1"),
    0x1C: _one("voc", 2, "[ppb]"),
    0x3D: _left_out(4),
}
_NAMES_LEFT_OUT = {0x03: "acceleration", 0x09: "location", 0x0A: "pulses-since", 0x0F: "movement"} | {
    0x13: "heat-picture", 0x16: "pulses-since", 0x3D: "debug", 0x3E: "settings"
}  # fmt: skip
TYPES = ("elsys-ers2", "elsys-ers2-sound", "elsys-ers", "elsys-ems", "elsys-elt-2", "elsys-ers-co2")


def decode(payload: bytes) -> Decoded:
    """Read one payload.

    Raises:
        RejectedInput: ``payload-too-short`` or ``bad-payload``.
    """
    reader, found, left_out = Reader(payload), [], []
    while reader.left:
        kind = reader.unsigned(1)
        if kind == 0x3E:  # settings take the rest
            reader.take(reader.left)
        elif kind not in _READ:
            raise RejectedInput("bad-payload", f"type {kind:02x} is not one of Elsys's")
        else:
            found += _READ[kind](reader)
        if kind in _NAMES_LEFT_OUT:
            left_out.append(_NAMES_LEFT_OUT[kind])
    return Decoded(tuple(found), tuple(left_out))
