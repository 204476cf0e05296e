"""Random names and keyed hashes: how a resident is known without their address being kept."""

import hashlib
import hmac
import secrets
import unicodedata

LONGEST_ADDRESS = 254
"""RFC 5321 section 4.5.3.1.3, less the angle brackets."""


def new_subscriber_id() -> str:
    """A pseudonym that says nothing of the person."""
    return f"s-{secrets.token_hex(12)}"


def new_endpoint_id() -> str:
    """The id of an e-mail address or a browser, under which the notifier keeps it."""
    return f"e-{secrets.token_hex(8)}"


def new_command_id() -> str:
    """The id of one contact command."""
    return f"c-{secrets.token_hex(12)}"


def new_token() -> str:
    """256 random bits for a link or a session, base64url."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of a token: who reads the store cannot use it."""
    return hashlib.sha256(token.encode()).hexdigest()


def keyed_hash(value: str, pepper: str, *, purpose: str) -> str:
    """HMAC-SHA256 in hex, different for each purpose, so that lists cannot be laid side by side."""
    return hmac.new(pepper.encode(), f"{purpose}\n{value}".encode(), hashlib.sha256).hexdigest()


def normalised_address(text: str) -> str:
    """An e-mail address as it is compared and mailed to.

    The domain is lower-cased and written in IDNA; so is the local part lower-cased, for although RFC 5321
    section 2.4 allows it to differ by case, no provider makes use of that and people do not remember how
    they wrote it.

    Raises:
        ValueError: if it is not an address that mail can be sent to.
    """
    text = unicodedata.normalize("NFC", text.strip())
    local, at, domain = text.rpartition("@")
    if not at or not local or len(text) > LONGEST_ADDRESS or len(local) > 64:
        raise ValueError("is not an e-mail address such as kari@example.no")
    if any(character.isspace() or ord(character) < 32 or character in '<>()[]\\,;:"' for character in text):
        raise ValueError("holds a character that an e-mail address cannot have")
    if local.startswith(".") or local.endswith(".") or ".." in local or "@" in local:
        raise ValueError("is not an e-mail address such as kari@example.no")
    try:
        domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise ValueError("has a domain that cannot be") from None
    labels = domain.split(".")
    if len(labels) < 2 or any(
        not label or label.startswith("-") or label.endswith("-") or not label.replace("-", "").isalnum()
        for label in labels
    ):
        raise ValueError("has a domain that cannot be")
    return f"{local.lower()}@{domain}"
