"""Elsys: a type byte, then that type's bytes, big endian.

Source: Elsys "Payload decoding" (https://elsys.se/public/documents/Sensor_payload.pdf).
"""

from collections.abc import Callable

from kommunepuls_chassis.errors import RejectedInput

from sensor_gateway.domain.measurements import Decoded, Measurement

NO_PROBE = 0x7FFF
"""An external temperature without a probe."""


Make = Callable[[bytes], list[Measurement]]
"""Reads the bytes of one part."""


def _temperature(name: str) -> Make:
    def make(part: bytes) -> list[Measurement]:
        word = int.from_bytes(part, "big", signed=True)
        if word == NO_PROBE or word == -NO_PROBE - 1:
            return [Measurement(name, None, "Cel", missing=True)]
        return [Measurement(name, word / 10, "Cel")]

    return make


def _one(name: str, unit: str, factor: float = 1) -> Make:
    def make(part: bytes) -> list[Measurement]:
        return [Measurement(name, round(int.from_bytes(part, "big") * factor, 6), unit)]

    return make


def _infrared(part: bytes) -> list[Measurement]:
    return _temperature("device-temperature")(part[:2]) + _temperature("surface-temperature")(part[2:])


def _sound(part: bytes) -> list[Measurement]:
    return [
        Measurement("sound-level-maximum", part[0], "dB[SPL]"),
        Measurement("sound-level", part[1], "dB[SPL]"),
    ]


def _left_out(_part: bytes) -> list[Measurement]:
    return []


_READ: dict[int, tuple[int, Make]] = {
    0x01: (2, _temperature("air-temperature")),
    0x02: (1, _one("air-humidity", "%")),
    0x03: (3, _left_out),  # acceleration
    0x04: (2, _one("illuminance", "lx")),
    0x05: (1, _one("motion", "1")),
    0x06: (2, _one("co2", "[ppm]")),
    0x07: (2, _one("battery-voltage", "V", 0.001)),
    0x08: (2, _one("analog-voltage-1", "V", 0.001)),
    0x09: (6, _left_out),  # where the device is: a fixed sensor's place stands in the town file
    0x0A: (2, _left_out),  # pulses since the last uplink: a lost uplink would lose them, see 0x0b
    0x0B: (4, _one("pulses", "1")),
    0x0C: (2, _temperature("probe-temperature")),
    0x0D: (1, _one("digital-input", "1")),
    0x0E: (2, _one("distance", "m", 0.001)),
    0x0F: (1, _left_out),  # movement of the device
    0x10: (4, _infrared),
    0x11: (1, _one("occupancy", "1")),
    0x12: (1, _one("water-leak", "1")),
    0x13: (65, _left_out),  # heat picture
    0x14: (4, _one("air-pressure", "Pa", 0.1)),
    0x15: (2, _sound),
    0x16: (2, _left_out),
    0x17: (4, _one("pulses-2", "1")),
    0x18: (2, _one("analog-voltage-2", "V", 0.001)),
    0x19: (2, _temperature("probe-temperature-2")),
    0x1A: (1, _one("digital-input-2", "1")),
    0x1C: (2, _one("voc", "[ppb]")),
    0x3D: (4, _left_out),
}
"""By type: how many bytes follow it, and what they say."""
_NAMES_LEFT_OUT = {0x03: "acceleration", 0x09: "location", 0x0A: "pulses-since", 0x0F: "movement"} | {
    0x13: "heat-picture", 0x16: "pulses-since", 0x3D: "debug", 0x3E: "settings"
}  # fmt: skip
TYPES = ("elsys-ers2", "elsys-ers2-sound", "elsys-ers", "elsys-ems", "elsys-elt-2", "elsys-ers-co2")


def decode(payload: bytes) -> Decoded:
    """Read one payload.

    Raises:
        RejectedInput: ``payload-too-short`` or ``bad-payload``.
    """
    found, left_out, at = [], [], 0
    while at < len(payload):
        kind, at = payload[at], at + 1
        if kind in _NAMES_LEFT_OUT:
            left_out.append(_NAMES_LEFT_OUT[kind])
        if kind == 0x3E:  # settings take the rest
            break
        if kind not in _READ:
            raise RejectedInput("bad-payload", f"type {kind:02x} is not one of Elsys's")
        count, make = _READ[kind]
        part = payload[at : at + count]
        if len(part) < count:
            raise RejectedInput(
                "payload-too-short", f"byte {at} is followed by {len(part)} bytes, {count} are expected"
            )
        found += make(part)
        at += count
    return Decoded(tuple(found), tuple(left_out))
