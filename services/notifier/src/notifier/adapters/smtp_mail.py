"""A mail as it goes over the line: envelope and content (RFC 5321 sections 4.1.1 and 4.5.2)."""

import re

from kommunepuls_chassis.errors import PermanentError

_PLAIN = re.compile(r"[^\s<>\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+")
_ANY_LINE_END = re.compile(rb"\r\n|\r|\n")


def on_the_line(address: str) -> str:
    """An address with its domain in ASCII, where that can be (RFC 5891); what is before the @ stays as it is.

    Raises:
        PermanentError: reason `bad-contact`; it cannot stand in an envelope.
    """
    if not address.isascii():
        local, _, domain = address.rpartition("@")
        try:
            address = f"{local}@{domain.encode('idna').decode('ascii')}"
        except UnicodeError:
            raise _unusable() from None
    if not _PLAIN.fullmatch(address):
        raise _unusable()
    return address


def sender_command(address: str) -> bytes:
    """MAIL with an address from :func:`on_the_line`; what depends on the server comes behind it."""
    return f"MAIL FROM:<{address}>".encode()


def recipient_command(address: str) -> bytes:
    """RCPT with an address from :func:`on_the_line`."""
    return f"RCPT TO:<{address}>".encode()


def on_the_wire(mail: bytes) -> bytes:
    """A mail as it follows DATA: lines ended by CRLF, dots doubled, a dot at its end."""
    # A bare CR or LF is where servers disagree on where a mail ends.
    ends = mail.count(b"\r\n")
    if mail.count(b"\n") != ends or mail.count(b"\r") != ends:
        mail = _ANY_LINE_END.sub(b"\r\n", mail)
    if not mail.endswith(b"\r\n"):
        mail += b"\r\n"
    if mail.startswith(b"."):
        mail = b"." + mail
    return mail.replace(b"\n.", b"\n..") + b".\r\n"


def _unusable() -> PermanentError:
    return PermanentError("the address cannot be written to", reason="bad-contact")
