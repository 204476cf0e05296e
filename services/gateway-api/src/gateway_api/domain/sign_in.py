"""Mailed links: one use, a short life, and nothing that tells whether an address is known."""

from datetime import datetime, timedelta
from typing import Any

from gateway_api.domain.errors import LinkRefused

OPEN, USED, ENDED = "open", "used", "ended"


def check_link(document: dict[str, Any] | None, now: datetime) -> dict[str, Any]:
    """The link's document if it may be followed now.

    Raises:
        LinkRefused: with the slug link-unknown, link-used or link-expired.
    """
    if document is None:
        raise LinkRefused("this link is not one of ours, or was cut short", slug="link-unknown")
    if document["state"] == USED:
        raise LinkRefused("this link has been used; ask for a new one", slug="link-used")
    if now >= document["expires_at"]:
        raise LinkRefused("this link is too old; ask for a new one", slug="link-expired")
    return document


def window_of(now: datetime, length: timedelta) -> int:
    """The number of the fixed window that `now` lies in, for counting."""
    return int(now.timestamp() // length.total_seconds())


def window_end(now: datetime, length: timedelta) -> datetime:
    """When that window ends."""
    seconds = length.total_seconds()
    return datetime.fromtimestamp((window_of(now, length) + 1) * seconds, tz=now.tzinfo)


def within_limit(count: int, most: int) -> bool:
    """Whether the count, this request included, stays within the limit."""
    return count <= most
