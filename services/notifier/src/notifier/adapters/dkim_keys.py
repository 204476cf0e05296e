"""Keys that mails are signed with: RSA (RFC 6376, RFC 8301) and Ed25519 (RFC 8463)."""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)
from kommunepuls_chassis.errors import OperatorError

_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
_NAME = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_FEWEST_BITS = 1024
"""RFC 8301 section 3.2: signers must use no fewer, and should use at least 2048."""
_LONGEST_STRING = 255

PrivateKey = RSAPrivateKey | Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A key, and where its public half is found: the TXT record of ``{selector}._domainkey.{domain}``."""

    domain: str
    selector: str
    private_key: PrivateKey

    @property
    def algorithm(self) -> str:
        """The tag ``a=``."""
        return "rsa-sha256" if isinstance(self.private_key, RSAPrivateKey) else "ed25519-sha256"

    @property
    def octets(self) -> int:
        """Of a signature."""
        return self.private_key.key_size // 8 if isinstance(self.private_key, RSAPrivateKey) else 64

    @property
    def text(self) -> str:
        """The private key on one line, as ``KP_DKIM_PRIVATE_KEY`` takes it."""
        return b64encode(self.der).decode()

    @property
    def der(self) -> bytes:
        """The private key as PKCS#8."""
        return self.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    @property
    def record(self) -> str:
        """The TXT record's text (RFC 6376 section 3.6.1, RFC 8463 section 4.2)."""
        public = self.private_key.public_key()
        if isinstance(self.private_key, RSAPrivateKey):
            kind, raw = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            kind, raw = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k={kind}; p={b64encode(raw).decode()}"

    @property
    def zone_line(self) -> str:
        """The record as a line of a zone file, in strings of at most 255 characters (RFC 7208 section 3.3)."""
        record = self.record
        parts = [record[at : at + _LONGEST_STRING] for at in range(0, len(record), _LONGEST_STRING)]
        quoted = " ".join(f'"{part}"' for part in parts)
        return f"{self.selector}._domainkey.{self.domain}. IN TXT ( {quoted} )"


def new_rsa_key(domain: str, selector: str) -> DkimKey:
    """RSA with 2048 bits, which every receiver can check."""
    return DkimKey(domain, selector, generate_private_key(65537, 2048))


def new_ed25519_key(domain: str, selector: str) -> DkimKey:
    """Ed25519, for a second signature: few receivers check it yet."""
    return DkimKey(domain, selector, Ed25519PrivateKey.generate())


def read_keys(domain: str, selectors: str, private_keys: str, sender: str) -> Sequence[DkimKey]:
    """The keys of the settings.

    Args:
        domain: that signs; mails from `sender` must belong to it, or DMARC does not count the signature.
        selectors: separated by commas.
        private_keys: in the same order: base64 of PKCS#8 separated by commas, or PEM one after the other.

    Raises:
        OperatorError: a line that says which setting is wrong.
    """
    names = [name.strip() for name in selectors.split(",") if name.strip()]
    for setting, name in (("KP_DKIM_DOMAIN", domain), *(("KP_DKIM_SELECTOR", name) for name in names)):
        if not _NAME.fullmatch(name):
            raise OperatorError(f"{setting}: {name!r} is not a name of DNS such as mail2026 or example.no")
    ours, theirs = f".{domain.lower()}", f".{sender.rpartition('@')[2].lower()}"
    if not ours.endswith(theirs) and not theirs.endswith(ours):
        raise OperatorError(f"KP_DKIM_DOMAIN: {domain} is not the domain that KP_MAIL_FROM belongs to")
    texts = _PEM.findall(private_keys) or [text.strip() for text in private_keys.split(",") if text.strip()]
    if not names or len(names) != len(texts):
        raise OperatorError(
            f"KP_DKIM_SELECTOR names {len(names)} keys, KP_DKIM_PRIVATE_KEY holds {len(texts)}: each needs the other"
        )
    return [DkimKey(domain, name, _private_key(text, name)) for name, text in zip(names, texts, strict=True)]


def read_key_file(path: Path) -> str:
    """What is in it, for :func:`read_keys`; OperatorError if it cannot be read."""
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise OperatorError(f"KP_DKIM_PRIVATE_KEY_FILE: {path} cannot be read: {why}") from None


def _private_key(text: str, selector: str) -> PrivateKey:
    try:
        if text.startswith("-----"):
            key = load_pem_private_key(text.encode(), None)
        else:
            key = load_der_private_key(b64decode(text, validate=True), None)
    except (ValueError, TypeError, NotBase64, UnsupportedAlgorithm):
        raise OperatorError(
            f"KP_DKIM_PRIVATE_KEY: the key of selector {selector} is neither unencrypted PEM nor base64 of PKCS#8; "
            "python -m notifier.keys dkim prints one"
        ) from None
    if isinstance(key, RSAPrivateKey) and key.key_size < _FEWEST_BITS:
        raise OperatorError(f"KP_DKIM_PRIVATE_KEY: the key of selector {selector} has fewer than 1024 bits")
    if not isinstance(key, PrivateKey):
        raise OperatorError(f"KP_DKIM_PRIVATE_KEY: the key of selector {selector} is neither RSA nor Ed25519")
    return key
