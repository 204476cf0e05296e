"""Tektelic Comfort and Vivid: a channel, a type, then that type's bytes, big endian.

Source: Tektelic "Smart Room Sensor technical reference manual", chapter 2.
"""

from kommunepuls_chassis.errors import RejectedInput

from sensor_gateway.domain.decoders.reader import Reader
from sensor_gateway.domain.measurements import Decoded, Measurement

DATA_PORT = 10
TYPES = ("tektelic-comfort", "tektelic-vivid")
_LEFT_OUT: dict[tuple[int, int], int] = {
    (0x01, 0x00): 1, (0x08, 0x04): 2, (0x0C, 0x00): 1, (0x05, 0x02): 2, (0x07, 0x71): 6, (0x0E, 0x00): 1,
    (0x0F, 0x04): 2, (0x12, 0x04): 4, (0x11, 0x02): 2, (0x02, 0x00): 1, (0x10, 0x02): 1, (0x0A, 0x00): 1,
}  # fmt: skip
"""Reed switch, impact, acceleration, external input and light state: how many bytes each has."""


def decode(payload: bytes, port: int | None) -> Decoded:
    """Read one payload; other ports than 10 carry no measurements.

    Raises:
        RejectedInput: ``payload-too-short`` or ``bad-payload``.
    """
    if port != DATA_PORT:
        return Decoded((), (f"port-{port}",))
    reader, found, left_out = Reader(payload), [], False
    while reader.left:
        channel = (reader.unsigned(1), reader.unsigned(1))
        match channel:
            case (0x03, 0x67):
                found.append(Measurement("air-temperature", reader.signed(2) / 10, "Cel"))
            case (0x0B, 0x67):
                found.append(Measurement("device-temperature", reader.signed(2) / 10, "Cel"))
            case (0x04, 0x68):
                found.append(Measurement("air-humidity", reader.unsigned(1) / 2, "%"))
            case (0x00, 0xBA):
                found.append(Measurement("battery-voltage", reader.unsigned(2) / 1000, "V"))
            case (0x0D, 0x04):
                found.append(Measurement("motion", reader.unsigned(2), "1"))
            case _ if channel in _LEFT_OUT:
                reader.take(_LEFT_OUT[channel])
                left_out = True
            case _:
                raise RejectedInput(
                    "bad-payload", f"channel {channel[0]:02x} type {channel[1]:02x} is not one of Tektelic's"
                )
    return Decoded(tuple(found), ("switches",) if left_out else ())
