"""Signed tokens in links that we mail: HMAC-SHA256 over JSON claims, so that nobody can make one up.

A token is `<claims>.<signature>`, both base64url without padding. It is signed, not encrypted: its claims
hold pseudonyms and nothing else. Claims are `subscriber`, `purpose` (what the link may do), `scope` (what it
is about, free) and, where a link ends, `expires` (Unix seconds).
"""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from kommunepuls_chassis.errors import OperatorError, PermanentError

UNSUBSCRIBE = "unsubscribe"
"""Purpose of the one-click link of RFC 8058; its scope is a channel. It does not expire."""

_SHORTEST_KEY = 16
_LONGEST_TOKEN = 2048


def sign(claims: dict[str, Any], key: str) -> str:
    """A token that says these claims; the same claims and key give the same token.

    `key` is KP_LINK_KEY: one secret, or several separated by commas, of which the first signs.

    Raises:
        OperatorError: if the key is shorter than 16 characters.
        ValueError: if there is no `purpose` among the claims.
    """
    if not claims.get("purpose"):
        raise ValueError("a token is signed for a purpose")
    body = _text(json.dumps(claims, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode())
    return f"{body}.{_text(_mac(body, _keys(key)[0]))}"


def verify(token: str, key: str, *, purpose: str, now: datetime) -> dict[str, Any]:
    """The claims of a token that we signed for this purpose and that has not expired.

    Any of the comma separated secrets in `key` counts: links that were mailed before a key was changed go
    on working while the old one stands behind the new.

    Raises:
        PermanentError: reason `bad-token` or `expired-token`.
        OperatorError: if a key is shorter than 16 characters.
    """
    body, _, signature = (
        token.partition(".") if token.isascii() and len(token) <= _LONGEST_TOKEN else ("",) * 3
    )
    given = _bytes(signature)
    if not any(hmac.compare_digest(given, _mac(body, secret)) for secret in _keys(key)):
        raise PermanentError("the link is not one of ours, or was cut short", reason="bad-token")
    claims = json.loads(_bytes(body))
    if claims["purpose"] != purpose:
        raise PermanentError("the link was made for something else", reason="bad-token")
    if (expires := claims.get("expires")) is not None and now.timestamp() >= expires:
        raise PermanentError("the link is too old", reason="expired-token")
    return claims


def _mac(body: str, secret: bytes) -> bytes:
    return hmac.new(secret, b"kommunepuls link v1\n" + body.encode(), hashlib.sha256).digest()


def _keys(key: str) -> list[bytes]:
    secrets = [part.strip() for part in key.split(",") if part.strip()]
    if not secrets or any(len(secret) < _SHORTEST_KEY for secret in secrets):
        raise OperatorError(
            f"the link key has fewer than {_SHORTEST_KEY} characters (KP_LINK_KEY); make one with `make keys`"
        )
    return [secret.encode() for secret in secrets]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
