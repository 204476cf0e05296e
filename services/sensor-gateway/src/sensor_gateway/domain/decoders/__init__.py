"""Payload decoders, by device type.

A device type is ``<maker>-<model>``. It comes from the town file, or from the message where that names the
device's profile. What has no decoder is rejected: a payload read by the wrong decoder gives wrong values
that look right.
"""

from sensor_gateway.domain.decoders.registry import DECODERS, decode, device_type_in

__all__ = ["DECODERS", "decode", "device_type_in"]
