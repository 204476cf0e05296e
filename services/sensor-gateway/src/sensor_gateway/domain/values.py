"""Taking fields out of other people's JSON: what is not of the expected kind is rejected by name."""

import base64
import binascii
import json
from typing import Any

from kommunepuls_chassis.errors import RejectedInput

LARGEST_NUMBER = 1e15
"""What is larger was not measured; not a number and infinity are not smaller."""


def parse_json(raw: bytes) -> Any:
    """The value of a JSON text (RFC 8259), in UTF-8.

    Raises:
        RejectedInput: ``invalid-json``.
    """
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse_constant)
        if b"\\ud" in raw.lower():
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except UnicodeEncodeError:
        raise RejectedInput("invalid-json", "a text holds half a surrogate pair") from None
    except UnicodeDecodeError:
        raise RejectedInput("invalid-json", "the text is not UTF-8") from None
    except RecursionError:
        raise RejectedInput("invalid-json", "the text is nested too deeply") from None
    except ValueError as error:
        raise RejectedInput("invalid-json", str(error)) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def mapping(value: object, what: str) -> dict:
    """``value``, if it is an object.

    Raises:
        RejectedInput: ``wrong-shape``.
    """
    if not isinstance(value, dict):
        raise RejectedInput("wrong-shape", f"{what} is {_kind(value)}, an object is expected")
    return value


def mapping_or_empty(value: object) -> dict:
    """``value``, if it is an object, else an empty one: for what an upstream may leave out."""
    return value if isinstance(value, dict) else {}


def listing(value: object, what: str) -> list:
    """``value``, if it is an array.

    Raises:
        RejectedInput: ``wrong-shape``.
    """
    if not isinstance(value, list):
        raise RejectedInput("wrong-shape", f"{what} is {_kind(value)}, an array is expected")
    return value


def text(value: object, what: str) -> str:
    """``value``, if it is a text that is not empty.

    Raises:
        RejectedInput: ``wrong-shape``.
    """
    if not isinstance(value, str) or not value.strip():
        raise RejectedInput("wrong-shape", f"{what} is {_kind(value)}, a text is expected")
    return value.strip()


def number(value: object, what: str) -> float:
    """``value``, if it is a finite number.

    Raises:
        RejectedInput: ``wrong-shape``.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST_NUMBER:
        raise RejectedInput("wrong-shape", f"{what} is {_kind(value)}, a number is expected")
    return value


def counter(value: object, what: str) -> int | None:
    """A frame counter or port: a whole number from 0, or None if it is missing.

    Raises:
        RejectedInput: ``wrong-shape``.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise RejectedInput("wrong-shape", f"{what} is {value!r:.40}, a whole number from 0 is expected")
    return value


def base64_bytes(value: object, what: str) -> bytes:
    """Bytes written in Base64 (RFC 4648 section 4); a missing payload is empty.

    Raises:
        RejectedInput: ``bad-payload``.
    """
    if value is None:
        return b""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise RejectedInput("bad-payload", f"{what} is not Base64") from None


def hex_bytes(value: object, what: str) -> bytes:
    """Bytes written in hexadecimal.

    Raises:
        RejectedInput: ``bad-payload``.
    """
    if value is None:
        return b""
    try:
        return bytes.fromhex(value)
    except (ValueError, TypeError):
        raise RejectedInput("bad-payload", f"{what} is not hexadecimal") from None


def position(longitude: object, latitude: object) -> tuple[float, float] | None:
    """Longitude and latitude in WGS84 degrees, None if either is missing.

    Raises:
        RejectedInput: ``not-wgs84``.
    """
    if longitude is None or latitude is None:
        return None
    east, north = number(longitude, "longitude"), number(latitude, "latitude")
    if not -180 <= east <= 180 or not -90 <= north <= 90:
        raise RejectedInput(
            "not-wgs84", f"[{east:g}, {north:g}] is not longitude and latitude; is it in a projection?"
        )
    return float(east), float(north)


def _kind(value: object) -> str:
    if value is None:
        return "missing"
    return {dict: "an object", list: "an array", str: "a text", bool: "true or false"}.get(
        type(value), f"{value!r:.40}"
    )
