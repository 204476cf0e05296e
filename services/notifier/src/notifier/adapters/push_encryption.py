"""Encryption of push messages (RFC 8291) as one record of aes128gcm (RFC 8188)."""

import hmac
import os
import struct
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from kommunepuls_chassis.errors import PermanentError

RECORD_SIZE = 4096
_LAST_RECORD = b"\x02"


class MessageKey(NamedTuple):
    """What one message to one subscription is encrypted with: never more than one (RFC 8291 section 3.1).

    The sender's private key is gone when this exists. It cannot be told from two of these that they belong to one
    subscription.

    Attributes:
        header: salt, record size and the sender's public key, as they stand in front of the message: 86 bytes.
        key, nonce: of AES-128-GCM.
    """

    header: bytes
    key: bytes
    nonce: bytes


def new_message_key(
    p256dh: bytes,
    auth: bytes,
    *,
    sender_key: EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> MessageKey:
    """A fresh sender key, agreed upon with a subscription's; all of the work that does not need the message.

    Args:
        p256dh: the subscription's public key, 65 bytes, uncompressed.
        auth: its authentication secret, 16 bytes.
        sender_key, salt: new ones for each message; given by known-answer tests alone.

    Raises:
        PermanentError: reason `bad-contact` if p256dh is not a point on P-256.
    """
    sender_key = sender_key or generate_private_key(SECP256R1())
    salt = salt or os.urandom(16)
    try:
        receiver = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), p256dh)
    except ValueError:
        raise PermanentError("p256dh is not a point on P-256", reason="bad-contact") from None
    sender = sender_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = sender_key.exchange(ECDH(), receiver)
    # RFC 8291 section 3.4
    secret = _hkdf(shared, auth, b"WebPush: info\0" + p256dh + sender, 32)
    return MessageKey(
        salt + struct.pack("!LB", RECORD_SIZE, len(sender)) + sender,
        _hkdf(secret, salt, b"Content-Encoding: aes128gcm\0", 16),
        _hkdf(secret, salt, b"Content-Encoding: nonce\0", 12),
    )


def encrypt(plain: bytes, key: MessageKey) -> bytes:
    """The body of a push request, `Content-Encoding: aes128gcm`; `plain` has at most 3,993 bytes."""
    return key.header + AESGCM(key.key).encrypt(key.nonce, plain + _LAST_RECORD, None)


def _hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 for up to 32 bytes: one block of HMAC-SHA256, half the time of the general form."""
    extracted = hmac.digest(salt, secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")[:length]
