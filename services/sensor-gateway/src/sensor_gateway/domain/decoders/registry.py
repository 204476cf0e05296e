"""Which decoder reads which device type."""

import re
from collections.abc import Callable, Iterable, Mapping

from kommunepuls_chassis.errors import RejectedInput

from sensor_gateway.domain.decoders import (
    cayenne_lpp,
    decentlab,
    elsys,
    milesight,
    netvox,
    parking,
    tektelic,
)
from sensor_gateway.domain.measurements import Decoded

Decoder = Callable[[str, bytes, int | None, Mapping[str, float]], Decoded]
"""Takes device type, payload, LoRaWAN port and the device's parameters."""

DECODERS: dict[str, Decoder] = {
    **{name: lambda kind, raw, _port, given: decentlab.decode(kind, raw, given) for name in decentlab.TYPES},
    **{name: lambda _kind, raw, _port, _given: elsys.decode(raw) for name in elsys.TYPES},
    **{name: lambda kind, raw, _port, _given: milesight.decode(kind, raw) for name in milesight.TYPES},
    **{name: lambda kind, raw, port, _given: netvox.decode(kind, raw, port) for name in netvox.TYPES},
    **{name: lambda _kind, raw, port, _given: tektelic.decode(raw, port) for name in tektelic.TYPES},
    **{name: lambda _kind, raw, _port, _given: cayenne_lpp.decode(raw) for name in cayenne_lpp.TYPES},
    "bosch-parking-lot-sensor": lambda _kind, raw, port, _given: parking.decode_bosch(raw, port),
    "nwave-g4-nps-sm": lambda _kind, raw, port, _given: parking.decode_nwave(raw, port),
}
"""Every device type that can be read here."""


def decode(device_type: str, payload: bytes, port: int | None, parameters: Mapping[str, float]) -> Decoded:
    """Read a payload.

    Raises:
        RejectedInput: ``no-decoder`` for a type that is not in :data:`DECODERS`, ``empty-payload``, or what
            the decoder says of the bytes.
    """
    decoder = DECODERS.get(device_type)
    if decoder is None:
        raise RejectedInput("no-decoder", f"there is no decoder for the device type {device_type!r:.60}")
    if not payload:
        raise RejectedInput("empty-payload", "the uplink carries no bytes")
    return decoder(device_type, payload, port, parameters)


def device_type_in(hints: Iterable[str]) -> str | None:
    """The device type that a message names itself, None if it names none that is known.

    Args:
        hints: names that network servers give a device's profile: ``milesight em300-th``, ``DL-PR26``.
            A hint counts only when it is a type's whole name or model, never when it merely holds it.
    """
    for hint in hints:
        slug = re.sub(r"[^a-z0-9]+", "-", hint.lower()).strip("-")
        for known in DECODERS:
            if slug and slug in (known, known.partition("-")[2]):
                return known
    return None
