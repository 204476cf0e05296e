"""What a webhook says. It names a post; what the post says is fetched.

Source: https://developers.facebook.com/docs/graph-api/webhooks/getting-started (signature, handshake) and
.../webhooks/reference/page/ (the ``feed`` field).
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kommunepuls_chassis.errors import RejectedInput
from pydantic import TypeAdapter, ValidationError

from ingest_facebook.domain.graph_objects import GraphId

_ID = TypeAdapter(GraphId)
_POSTS = frozenset({"post", "status", "photo", "video", "share", "link", "album", "note", "event", "reel"})
_REMOVALS = frozenset({"remove", "delete", "removed"})


class Action(StrEnum):
    """What a change asks for."""

    FETCH = "fetch"
    WITHDRAW = "withdraw"
    IGNORE = "ignore"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one page, without the names of those who made it."""

    page: str
    action: Action
    post: str | None = None
    reason: str = ""
    """Why it is ignored or rejected: comment, reaction, no-post-id, other-field…"""
    by_visitor: bool = False
    """Whether somebody else than the page is named as who did it."""
    raw: bytes = b""
    """Of a rejected change: what it said, without names and text."""


def signature_of(secret: str, body: bytes) -> str:
    """The value of ``X-Hub-Signature-256`` for a body: HMAC-SHA256 over the bytes as they were sent."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(secret: str, body: bytes, header: str | None) -> bool:
    """Whether the header is the body's signature; takes the same time wherever they differ."""
    given = (header or "").strip().encode("utf-8", "replace")
    return hmac.compare_digest(signature_of(secret, body).encode(), given)


def read_webhook(body: bytes) -> list[Change]:
    """The changes that a webhook tells of, in its order.

    Raises:
        RejectedInput: ``invalid-json``, or ``not-a-webhook`` if it is nothing that Facebook sends.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise RejectedInput("invalid-json", "the body is not JSON") from None
    entries = document.get("entry") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise RejectedInput("not-a-webhook", "the body has no list 'entry'")
    kind = document.get("object")
    found: list[Change] = []
    for entry in entries:
        if not isinstance(entry, Mapping):
            found.append(Change("", Action.REJECT, reason="invalid-change"))
            continue
        page = _identifier(entry.get("id")) or ""
        if kind != "page":
            found.append(Change(page, Action.IGNORE, reason="not-a-page"))
            continue
        changes = entry.get("changes")
        for change in changes if isinstance(changes, list) else []:
            found.append(_change(page, change))
    return found


def _change(page: str, change: object) -> Change:
    if not isinstance(change, Mapping):
        return Change(page, Action.REJECT, reason="invalid-change", raw=_nameless(change))
    if change.get("field") != "feed":
        return Change(page, Action.IGNORE, reason="other-field")
    value = change.get("value")
    if not isinstance(value, Mapping):
        return Change(page, Action.REJECT, reason="invalid-change", raw=_nameless(value))
    item = value.get("item")
    if "comment_id" in value or item == "comment":
        return Change(page, Action.IGNORE, reason="comment")
    if item in ("like", "reaction"):
        return Change(page, Action.IGNORE, reason="reaction")
    if item not in _POSTS:
        return Change(page, Action.IGNORE, reason="other-item")
    if value.get("post_id") is None:
        # An album or a blocked video: the next poll shows what became of the page.
        return Change(page, Action.IGNORE, reason="no-post-id")
    post = _identifier(value["post_id"])
    if post is None:
        return Change(page, Action.REJECT, reason="bad-post-id", raw=_nameless(value))
    action = Action.WITHDRAW if value.get("verb") in _REMOVALS else Action.FETCH
    return Change(page, action, post, by_visitor=_by_visitor(page, value))


def _by_visitor(page: str, value: Mapping) -> bool:
    sender = value.get("from")
    told = sender.get("id") if isinstance(sender, Mapping) else value.get("sender_id")
    return told is not None and _identifier(told) != page


def _identifier(value: object) -> str | None:
    try:
        return _ID.validate_python(value)
    except ValidationError:
        return None


def _nameless(value: object) -> bytes:
    """What may be kept of a change: its shape and ids, not who did it and what they wrote."""
    kept = value
    if isinstance(value, Mapping):
        told = ("item", "verb", "post_id", "created_time", "published")
        kept = {name: value[name] for name in told if name in value}
    return json.dumps(kept, ensure_ascii=True)[:10_000].encode()
