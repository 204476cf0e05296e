"""Cayenne Low Power Payload: a channel, a type, then that type's bytes, big endian.

Source: myDevices Cayenne documentation, "Cayenne Low Power Payload".
"""

from kommunepuls_chassis.errors import RejectedInput

from sensor_gateway.domain.decoders.reader import Reader
from sensor_gateway.domain.measurements import Decoded, Measurement

TYPES = ("cayenne-lpp",)
NO_PROBE = (3276.7, -3276.8, -327.68)

_TYPES: dict[int, tuple[str, int, bool, float, str]] = {
    0x00: ("digital-input", 1, False, 1, "1"),
    0x01: ("digital-output", 1, False, 1, "1"),
    0x02: ("analog-input", 2, True, 0.01, "1"),
    0x03: ("analog-output", 2, True, 0.01, "1"),
    0x65: ("illuminance", 2, False, 1, "lx"),
    0x66: ("motion", 1, False, 1, "1"),
    0x67: ("air-temperature", 2, True, 0.1, "Cel"),
    0x68: ("air-humidity", 1, False, 0.5, "%"),
    0x73: ("air-pressure", 2, False, 10, "Pa"),
    0x74: ("battery-voltage", 2, False, 0.01, "V"),
    0x78: ("battery-level", 1, False, 1, "%"),
    0x7D: ("co2", 2, False, 1, "[ppm]"),
    0x82: ("distance", 4, False, 0.001, "m"),
}
"""Name, bytes, signed, factor, unit."""
_LEFT_OUT = {0x71: 6, 0x86: 6, 0x88: 9}
"""Acceleration, rotation, location."""


def decode(payload: bytes) -> Decoded:
    """Read one payload. The first channel of a type has the plain name, further ones a number behind it.

    Raises:
        RejectedInput: ``payload-too-short`` or ``bad-payload``.
    """
    reader, found, left_out, seen = Reader(payload), [], [], {}
    while reader.left:
        channel, kind = reader.unsigned(1), reader.unsigned(1)
        if kind in _LEFT_OUT:
            reader.take(_LEFT_OUT[kind])
            left_out.append(f"type-{kind:02x}")
            continue
        if kind not in _TYPES:
            raise RejectedInput("bad-payload", f"type {kind:02x} of channel {channel} is not known")
        name, count, signed, factor, unit = _TYPES[kind]
        raw = reader.signed(count) if signed else reader.unsigned(count)
        value = round(raw * factor, 6)
        seen[name] = seen.get(name, 0) + 1
        full_name = name if seen[name] == 1 else f"{name}-{seen[name]}"
        missing = unit == "Cel" and value in NO_PROBE
        found.append(Measurement(full_name, None if missing else value, unit, missing=missing))
    return Decoded(tuple(found), tuple(left_out))
