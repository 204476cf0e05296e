"""Sealing contact details for the notifier alone: HPKE (RFC 9180), X25519, HKDF-SHA256, ChaCha20-Poly1305."""

import base64
import binascii
import json

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from kommunepuls_chassis.errors import OperatorError, PermanentError

_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
_PURPOSE = b"kommunepuls contact-commands v1"


def new_key_pair() -> tuple[str, str]:
    """A private and a public key, base64url: the notifier keeps the first, the gateway gets the second."""
    private = X25519PrivateKey.generate()
    return _text(private.private_bytes_raw()), _text(private.public_key().public_bytes_raw())


def public_key_of(private_key: str) -> str:
    """The public key that belongs to a private one."""
    return _text(_private(private_key).public_key().public_bytes_raw())


def seal(content: dict, public_key: str, *, subscriber: str) -> str:
    """Encrypt JSON content for the holder of the private key, bound to one subscriber.

    Raises:
        OperatorError: if the public key is not one.
    """
    try:
        key = X25519PublicKey.from_public_bytes(_bytes(public_key))
    except (ValueError, binascii.Error):
        raise OperatorError(
            "the contact public key is not 32 bytes of base64url; make a pair with `make keys`"
        ) from None
    plain = json.dumps(content, ensure_ascii=False).encode()
    return _text(_SUITE.encrypt(plain, key, info=_PURPOSE + subscriber.encode()))


def unseal(sealed: str, private_key: str, *, subscriber: str) -> dict:
    """Decrypt what was sealed for us and this subscriber.

    Raises:
        PermanentError: if it was sealed for another key or subscriber, or was changed.
    """
    try:
        plain = _SUITE.decrypt(_bytes(sealed), _private(private_key), info=_PURPOSE + subscriber.encode())
        return json.loads(plain)
    except (InvalidTag, ValueError, binascii.Error):
        raise PermanentError(
            "sealed for another key or subscriber, or changed on the way", reason="cannot-unseal"
        ) from None


def _private(text: str) -> X25519PrivateKey:
    try:
        return X25519PrivateKey.from_private_bytes(_bytes(text))
    except (ValueError, binascii.Error):
        raise OperatorError(
            "the contact private key is not 32 bytes of base64url; make a pair with `make keys`"
        ) from None


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
