"""Encryption of contact details at rest: AES-256-GCM, bound to the subscriber they belong to."""

import base64
import binascii
import hashlib
import hmac
import json
import os

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from kommunepuls_chassis.errors import OperatorError, PermanentError

_NONCE_BYTES = 12


def new_vault_key() -> str:
    """A fresh key, base64url."""
    return base64.urlsafe_b64encode(AESGCM.generate_key(256)).decode().rstrip("=")


class KeyRing:
    """Keys by id: the first encrypts, each decrypts what it encrypted."""

    def __init__(self, text: str) -> None:
        """Read keys of 32 bytes in base64url, separated by commas, the newest first.

        Raises:
            OperatorError: if one is none.
        """
        raw = [_key_bytes(part.strip()) for part in text.split(",") if part.strip()]
        if not raw:
            raise OperatorError("KP_VAULT_KEY is empty; make a key with `python -m notifier.keys`")
        self._keys = {hashlib.sha256(key).hexdigest()[:8]: key for key in raw}
        self._ciphers = {key_id: AESGCM(key) for key_id, key in self._keys.items()}
        self.current = next(iter(self._keys))

    def encrypt(self, content: dict, *, bound_to: str) -> tuple[str, bytes]:
        """Key id and ciphertext (nonce in front) of JSON content."""
        nonce = os.urandom(_NONCE_BYTES)
        plain = json.dumps(content, ensure_ascii=False).encode()
        return self.current, nonce + self._ciphers[self.current].encrypt(nonce, plain, bound_to.encode())

    def decrypt(self, key_id: str, sealed: bytes, *, bound_to: str) -> dict:
        """The content again.

        Raises:
            PermanentError: reason `vault-key` if the key is gone, or the entry was changed or moved.
        """
        cipher = self._ciphers.get(key_id)
        try:
            if cipher is None:
                raise InvalidTag
            plain = cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to.encode())
        except InvalidTag:
            raise PermanentError(
                "an entry of the vault cannot be read with the keys in KP_VAULT_KEY", reason="vault-key"
            ) from None
        return orjson.loads(plain)

    def lookup(self, address: str) -> str:
        """What an address is found by without being kept: an HMAC that only the key's holder can make."""
        return _lookup(self._keys[self.current], address)

    def lookups(self, address: str) -> list[str]:
        """The same with each key, for entries that have not been renewed yet."""
        return [_lookup(key, address) for key in self._keys.values()]


def _lookup(key: bytes, address: str) -> str:
    own = hashlib.sha256(b"kommunepuls lookup" + key).digest()
    return hmac.new(own, address.strip().strip("<>").lower().encode(), hashlib.sha256).hexdigest()


def _key_bytes(text: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != 32:
        raise OperatorError(
            "KP_VAULT_KEY is not 32 bytes of base64url; make a key with `python -m notifier.keys`"
        )
    return raw
