"""Netvox: version, device number, report number, battery in tenths of a volt, then the report's bytes.

Source: Netvox LoRaWAN Application Command, sections on R719A and RA07.
"""

from kommunepuls_chassis.errors import RejectedInput

from sensor_gateway.domain.decoders.reader import Reader
from sensor_gateway.domain.measurements import Decoded, Measurement

DATA_PORT, CONFIGURATION_PORT = 6, 7
ABSENT = 0xFFFF
_DEVICE_NUMBER = {"netvox-r719a": 0x59, "netvox-ra0723": 0x05}
TYPES = tuple(_DEVICE_NUMBER)


def decode(device_type: str, payload: bytes, port: int | None) -> Decoded:
    """Read one payload; answers to configuration commands (port 7) hold no measurement.

    Raises:
        RejectedInput: ``payload-too-short`` or ``bad-payload``.
    """
    if port == CONFIGURATION_PORT:
        return Decoded((), ("configuration-answer",))
    reader = Reader(payload)
    reader.take(1)
    number, report = reader.unsigned(1), reader.unsigned(1)
    if number != _DEVICE_NUMBER[device_type]:
        raise RejectedInput("bad-payload", f"device number {number:02x} is not that of a {device_type}")
    if report == 0:
        return Decoded((), ("version",))
    battery = reader.unsigned(1)
    # The highest bit says that the battery is low.
    found = [Measurement("battery-voltage", (battery & 0x7F) / 10, "V")]
    if device_type == "netvox-r719a":
        return Decoded((*found, Measurement("parking-occupied", float(reader.unsigned(1) != 0), "1")))
    if report == 0x02:
        found += [_word("pm1", reader, 1, "ug/m3"), _word("pm2-5", reader, 1, "ug/m3")]
        found.append(_word("pm10", reader, 1, "ug/m3"))
    elif report == 0x07:
        reader.take(4)
        found.append(_word("sound-level", reader, 10, "dB[SPL]"))
    elif report == 0x0C:
        found += [_temperature(reader), _word("air-humidity", reader, 100, "%")]
    else:
        return Decoded(tuple(found), (f"report-{report:02x}",))
    return Decoded(tuple(value for value in found if value is not None))


def _word(name: str, reader: Reader, divisor: int, unit: str) -> Measurement | None:
    word = reader.unsigned(2)
    # What this model has no sensor for is sent as ffff.
    return None if word == ABSENT else Measurement(name, word / divisor, unit)


def _temperature(reader: Reader) -> Measurement:
    word = reader.signed(2)
    missing = word in (0x7FFF, -1)
    return Measurement("air-temperature", None if missing else word / 100, "Cel", missing=missing)
