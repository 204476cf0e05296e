"""Who sends a push message (RFC 8292): a token signed once for each push service, kept until it is old."""

import base64
import json
from collections import OrderedDict
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from kommunepuls_chassis.errors import OperatorError

_GOOD_FOR = timedelta(hours=12)
_RENEWED_BEFORE = timedelta(hours=1)
_MOST_KEPT = 256


class VapidSigner:
    """Signs for one application server key."""

    def __init__(self, private_key: str, subject: str) -> None:
        """
        Args:
            private_key: the 32 bytes of a P-256 private key in base64url (KP_VAPID_PRIVATE_KEY).
            subject: `mailto:` or `https:` address of who runs this (KP_VAPID_SUBJECT).

        Raises:
            OperatorError: if either is not that.
        """
        if not subject.startswith(("mailto:", "https:")):
            raise OperatorError("KP_VAPID_SUBJECT does not start with mailto: or https:")
        self._key = _private_key(private_key)
        self._subject = subject
        self._tokens: OrderedDict[str, tuple[datetime, str]] = OrderedDict()

    @property
    def public_key(self) -> str:
        """The application server key that browsers subscribe with, base64url."""
        return public_key_of(self._key)

    def authorization(self, origin: str, now: datetime) -> str:
        """The Authorization header for a push service; the same until an hour before it expires."""
        expires, header = self._tokens.get(origin, (now, ""))
        if expires - now < _RENEWED_BEFORE:
            expires = now + _GOOD_FOR
            header = f"vapid t={self._token(origin, expires)}, k={self.public_key}"
            self._tokens[origin] = (expires, header)
            if len(self._tokens) > _MOST_KEPT:
                self._tokens.popitem(last=False)
        return header

    def _token(self, origin: str, expires: datetime) -> str:
        claims = {"aud": origin, "exp": int(expires.timestamp()), "sub": self._subject}
        signed = f"{_json({'typ': 'JWT', 'alg': 'ES256'})}.{_json(claims)}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ECDSA(hashes.SHA256())))
        # JWS wants r and s side by side (RFC 7518 section 3.4), not DER.
        return f"{signed}.{_text(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def new_private_key() -> str:
    """A fresh private key, base64url."""
    return _text(generate_private_key(SECP256R1()).private_numbers().private_value.to_bytes(32, "big"))


def public_key_of(key: EllipticCurvePrivateKey | str) -> str:
    """The public key of a private one, base64url of its 65 bytes."""
    if isinstance(key, str):
        key = _private_key(key)
    return _text(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def _private_key(text: str) -> EllipticCurvePrivateKey:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if len(raw) != 32:
            raise ValueError
        return derive_private_key(int.from_bytes(raw, "big"), SECP256R1())
    except ValueError:
        raise OperatorError(
            "KP_VAPID_PRIVATE_KEY is not a P-256 key in base64url; make one with `python -m notifier.keys`"
        ) from None


def _json(value: dict) -> str:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
