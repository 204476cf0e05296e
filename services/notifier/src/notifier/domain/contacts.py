"""Contact details, checked before they are kept. Their `repr` shows nothing."""

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from kommunepuls_chassis.errors import PermanentError
from kommunepuls_events import Channel

_ADDRESS = re.compile(r"[^\s@<>\"'(),:;\\\[\]\x00-\x1f\x7f]{1,64}@(?:[\w-]{1,63}\.)*[\w-]{1,63}")
_AUTHORITY_ENDS = re.compile(r"[/?#]")
_LONGEST_ADDRESS = 254
_LONGEST_ENDPOINT = 2048


@dataclass(frozen=True, slots=True, repr=False)
class MailAddress:
    """An e-mail address (RFC 5321 section 4.5.3.1 for its length)."""

    address: str

    def content(self) -> dict[str, str]:
        """What is encrypted."""
        return {"address": self.address}

    @property
    def lookup_text(self) -> str:
        """What it is found by."""
        return self.address


@dataclass(frozen=True, slots=True, repr=False)
class PushSubscription:
    """A browser's push subscription (W3C Push API, ``PushSubscription.toJSON()``): address and keys."""

    endpoint: str
    p256dh: bytes
    auth: bytes

    def content(self) -> dict[str, str]:
        """What is encrypted."""
        return {"endpoint": self.endpoint, "p256dh": _text(self.p256dh), "auth": _text(self.auth)}

    @property
    def lookup_text(self) -> str:
        """What it is found by."""
        return self.endpoint

    @property
    def origin(self) -> str:
        """The push service: scheme and authority."""
        scheme, _, rest = self.endpoint.partition("://")
        end = _AUTHORITY_ENDS.search(rest)
        return f"{scheme}://{rest[: end.start()] if end else rest}"


Contact = MailAddress | PushSubscription


def contact_of(channel: Channel, content: dict) -> Contact:
    """A contact from what was sealed.

    Raises:
        PermanentError: reason `bad-contact`; the text does not repeat the contact.
    """
    return mail_address(content) if channel is Channel.EMAIL else push_subscription(content)


def kept_contact(channel: Channel, content: dict) -> Contact:
    """A contact from what was checked before it was kept."""
    if channel is Channel.EMAIL:
        return MailAddress(content["address"])
    # More padding than is needed does no harm.
    p256dh, auth = (base64.urlsafe_b64decode(content[name] + "==") for name in ("p256dh", "auth"))
    return PushSubscription(content["endpoint"], p256dh, auth)


def mail_address(content: dict) -> MailAddress:
    """The address in sealed content; PermanentError if it is none."""
    address = content.get("address")
    if not isinstance(address, str) or len(address) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
        raise _bad("it is not an e-mail address")
    return MailAddress(address)


def push_subscription(content: dict) -> PushSubscription:
    """The subscription in sealed content; PermanentError if it is none."""
    endpoint = content.get("endpoint")
    if not isinstance(endpoint, str) or len(endpoint) > _LONGEST_ENDPOINT or not endpoint.isascii():
        raise _bad("it has no push endpoint")
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("https", "http") and bool(parts.hostname) and not parts.username
        usable = usable and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or not endpoint.isprintable() or " " in endpoint:
        raise _bad("its push endpoint is not an address")
    p256dh, auth = _raw(content.get("p256dh")), _raw(content.get("auth"))
    if len(p256dh) != 65 or p256dh[0] != 4:
        raise _bad("its p256dh is not an uncompressed point on P-256")
    if len(auth) != 16:
        raise _bad("its auth secret has not 16 bytes")
    return PushSubscription(endpoint, p256dh, auth)


def _bad(why: str) -> PermanentError:
    return PermanentError(f"the contact cannot be used: {why}", reason="bad-contact")


def _raw(text: object) -> bytes:
    if not isinstance(text, str):
        return b""
    try:
        return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except (ValueError, binascii.Error):
        return b""


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
