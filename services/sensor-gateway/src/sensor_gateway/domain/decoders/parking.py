"""Parking sensors: Bosch Parking Lot Sensor and Nwave G4.

Sources: Bosch "Parking Lot Sensor Communication Interface Technical Description"; Nwave "G4 LoRaWAN
payload specification".
"""

from kommunepuls_chassis.errors import RejectedInput

from sensor_gateway.domain.decoders.reader import Reader
from sensor_gateway.domain.measurements import Decoded, Measurement

TYPES = ("bosch-parking-lot-sensor", "nwave-g4-nps-sm")
_STATE, _HEARTBEAT, _START = 1, 2, 3


def _occupied(byte: int) -> Measurement:
    return Measurement("parking-occupied", float(byte & 1), "1")


def decode_bosch(payload: bytes, port: int | None) -> Decoded:
    """Read one payload; the port says which kind it is.

    Raises:
        RejectedInput: ``payload-too-short`` or ``bad-payload``.
    """
    reader = Reader(payload)
    match port:
        case 1:
            return Decoded((_occupied(reader.unsigned(1)),))
        case 2:
            found = [_occupied(reader.unsigned(1))]
            if reader.left:
                found.append(Measurement("device-temperature", float(reader.signed(1)), "Cel"))
            return Decoded(tuple(found))
        case 3:
            reader.take(16)  # debug words, firmware and the cause of the restart
            return Decoded((_occupied(reader.unsigned(1)),), ("start-up",))
    raise RejectedInput("bad-payload", f"port {port} is not one of a Bosch parking sensor")


def decode_nwave(payload: bytes, port: int | None) -> Decoded:
    """Read one payload; the port says which kind it is.

    Raises:
        RejectedInput: ``payload-too-short`` or ``bad-payload``.
    """
    reader = Reader(payload)
    match port:
        case 1:
            return Decoded((_occupied(reader.unsigned(1)),))
        case 2:
            # Bits 0-6 of the first byte are the sensor's health, so that it does not tell the state.
            reader.take(1)
            return Decoded(
                (
                    Measurement("battery-voltage", (2500 + reader.unsigned(1) * 4) / 1000, "V"),
                    Measurement("device-temperature", reader.signed(1) / 2 + 10, "Cel"),
                )
            )
        case 3:
            reader.take(4)
            return Decoded((_occupied(reader.unsigned(1)),), ("start-up",))
        case 6:
            return Decoded((), ("debug",))
        case 10:
            # A driver's tag: only the state of the space is read, never the tag.
            return Decoded((_occupied(reader.unsigned(1)),), ("tag",))
    raise RejectedInput("bad-payload", f"port {port} is not one of an Nwave parking sensor")
