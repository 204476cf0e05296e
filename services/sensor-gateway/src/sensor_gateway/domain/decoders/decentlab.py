"""Decentlab's protocol 2: version, device id, a flag a sensor group, then the groups' words, big endian.

Source: Decentlab's data sheets, "Payload format" (https://www.decentlab.com/support).
"""

from collections.abc import Callable, Mapping, Sequence

from kommunepuls_chassis.errors import RejectedInput

from sensor_gateway.domain.decoders.reader import Reader
from sensor_gateway.domain.measurements import Decoded, Measurement

Words = Sequence[int]
Parameters = Mapping[str, float]
Group = tuple[int, Callable[[Words, Parameters], list[Measurement]]]
"""How many words, and what they mean."""

NO_PROBE = 0
"""The word of a signed value (offset 32768) for a probe that is not connected: it would be -327.68."""


def _offset(name: str, word: int, divisor: float, unit: str) -> Measurement:
    if word == NO_PROBE:
        return Measurement(name, None, unit, missing=True)
    return Measurement(name, (word - 32768) / divisor, unit)


def _battery(words: Words, _: Parameters) -> list[Measurement]:
    return [Measurement("battery-voltage", words[0] / 1000, "V")]


def _air(words: Words, _: Parameters) -> list[Measurement]:
    return [
        Measurement("air-temperature", round(175.72 * words[0] / 65536 - 46.85, 2), "Cel"),
        Measurement("air-humidity", round(125 * words[1] / 65536 - 6, 1), "%"),
    ]


def _anemometer(words: Words, _: Parameters) -> list[Measurement]:
    return [
        _offset("wind-speed", words[0], 100, "m/s"),
        _offset("wind-direction", words[1], 10, "deg"),
        _offset("wind-gust", words[2], 100, "m/s"),
        _offset("air-temperature", words[3], 10, "Cel"),
        _offset("tilt-x", words[4], 10, "deg"),
        _offset("tilt-y", words[5], 10, "deg"),
        _offset("wind-speed-north", words[6], 100, "m/s"),
        _offset("wind-speed-east", words[7], 100, "m/s"),
    ]


def _winter_road(words: Words, _: Parameters) -> list[Measurement]:
    return [
        _offset("surface-temperature", words[0], 100, "Cel"),
        _offset("air-temperature", words[1], 100, "Cel"),
        _offset("air-humidity", words[2], 100, "%"),
        _offset("dew-point", words[3], 100, "Cel"),
        _offset("head-angle", words[4], 1, "deg"),
        _offset("device-temperature", words[5], 100, "Cel"),
    ]


def _distance(words: Words, _: Parameters) -> list[Measurement]:
    # Without a valid sample the distance is no measurement.
    missing = words[1] == 0
    return [
        Measurement("distance", None if missing else words[0] / 1000, "m", missing=missing),
        Measurement("valid-samples", words[1], "1"),
    ]


def _particles(words: Words, _: Parameters) -> list[Measurement]:
    masses = [
        Measurement(name, word / 10, "ug/m3")
        for name, word in zip(("pm1", "pm2-5", "pm4", "pm10"), words, strict=False)
    ]
    return [*masses, Measurement("particle-size", words[4] / 1000, "um")]


def _barometer(words: Words, _: Parameters) -> list[Measurement]:
    return [Measurement("air-pressure", words[0] * 2, "Pa")]


def _pressure_probe(words: Words, parameters: Parameters) -> list[Measurement]:
    try:
        low, high = parameters["pressure_low_bar"], parameters["pressure_high_bar"]
    except KeyError as missing:
        raise RejectedInput(
            "device-parameter-missing",
            f"a DL-PR26 needs parameters.{missing.args[0]} in the town file: the range on its label",
        ) from None
    bar = (words[0] - 16384) / 32768 * (high - low) + low
    return [
        Measurement("liquid-pressure", round(bar * 100_000, 3), "Pa"),
        Measurement("probe-temperature", round((words[1] - 384) * 0.003125 - 50, 3), "Cel"),
    ]


def _temperature_profile(words: Words, _: Parameters) -> list[Measurement]:
    return [
        _offset(f"soil-temperature-{number}", word, 100, "Cel") for number, word in enumerate(words, start=1)
    ]


_BATTERY: Group = (1, _battery)
_GROUPS: dict[str, tuple[Group, ...]] = {
    "decentlab-dl-atm22": ((8, _anemometer), _BATTERY),
    "decentlab-dl-cws": ((6, _winter_road), _BATTERY),
    "decentlab-dl-mbx": ((2, _distance), _BATTERY),
    "decentlab-dl-pm": (_BATTERY, (10, _particles), (2, _air), (1, _barometer)),
    "decentlab-dl-pr26": ((2, _pressure_probe), _BATTERY),
    "decentlab-dl-tp": ((16, _temperature_profile), _BATTERY),
}
TYPES = tuple(_GROUPS)


def decode(device_type: str, payload: bytes, parameters: Parameters) -> Decoded:
    """Read one payload.

    Args:
        device_type: one of :data:`TYPES`.
        payload: as sent.
        parameters: of the device; a DL-PR26 needs ``pressure_low_bar`` and ``pressure_high_bar``.

    Raises:
        RejectedInput: ``payload-too-short``, ``bad-payload`` or ``device-parameter-missing``.
    """
    reader = Reader(payload)
    version = reader.unsigned(1)
    if version != 2:
        raise RejectedInput("bad-payload", f"protocol version {version}, 2 is expected")
    reader.take(2)  # the device's own number; the network server names the device
    flags = reader.unsigned(2)
    found: list[Measurement] = []
    for bit, (count, read) in enumerate(_GROUPS[device_type]):
        if flags >> bit & 1:
            found += read([reader.unsigned(2) for _ in range(count)], parameters)
    if flags >> len(_GROUPS[device_type]):
        raise RejectedInput("bad-payload", f"flags {flags:04x} name sensors that a {device_type} has not")
    return Decoded(tuple(found))
