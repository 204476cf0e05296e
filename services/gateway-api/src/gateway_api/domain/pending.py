"""Choices that wait for their mailed link, readable to nobody who does not hold the link."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import ValidationError

from gateway_api.domain.choices import Choices

_NONCE_BYTES = 12


def locked(choices: Choices, token: str) -> bytes:
    """The choices under a key that is derived from the link's token (HKDF, RFC 5869; AES-256-GCM).

    Of the token the store holds a digest only, so that what waits there cannot be read without the mail.
    """
    nonce = os.urandom(_NONCE_BYTES)
    plain = choices.model_dump_json(exclude_defaults=True).encode()
    return nonce + AESGCM(_key(token)).encrypt(nonce, plain, None)


def unlocked(content: bytes | None, token: str) -> Choices | None:
    """The choices of a link; None if there are none, or none that we still understand."""
    if not content:
        return None
    try:
        plain = AESGCM(_key(token)).decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], None)
        return Choices.model_validate_json(plain)
    except (InvalidTag, ValidationError, ValueError):
        return None


def _key(token: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"kommunepuls pending choices").derive(token.encode())
