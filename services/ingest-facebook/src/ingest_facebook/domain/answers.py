"""Answers of the Graph API: lists in parts, and how an answer can fail."""

import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from kommunepuls_chassis.errors import PermanentError, RejectedInput, TransientError

_PAGING = ("after", "until", "since", "offset", "__paging_token")
_TOKEN_IN_TEXT = re.compile(r"(access_token(?:=|%3D|\"\s*:\s*\"))[^&\"'\\\s]+", re.IGNORECASE)


class Gone(PermanentError):
    """The object was deleted, or is no longer to be seen."""


class BrokenAnswer(TransientError):
    """An answer that is no JSON of the Graph API; ``raw`` is what came, without tokens."""

    def __init__(self, detail: str, raw: bytes) -> None:
        super().__init__(detail, reason="invalid-json")
        self.raw = raw


@dataclass(frozen=True, slots=True)
class ListedPart:
    """One answer of a list, and whether more follows."""

    objects: list
    more: bool


def continuation_of(body: dict) -> dict[str, str] | None:
    """The query that asks for the next answer; None where the list ends, which is where there is no ``next``.

    ``next`` itself is never followed: it carries the access token. Where there is no cursor (lists paged by
    time), its paging values alone are taken over.
    """
    paging = body.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    if not isinstance(following, str) or not following:
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    if isinstance(after, str) and after:
        return {"after": after}
    try:
        query = dict(parse_qsl(urlsplit(following).query))
    except ValueError:
        return None
    return {name: query[name] for name in _PAGING if name in query} or None


def objects_of(raw: bytes) -> list:
    """The objects of a list's answer, or of a list saved without its envelope.

    Raises:
        RejectedInput: ``invalid-json``.
    """
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise RejectedInput("invalid-json", "the answer breaks off or is no JSON") from None
    objects = body.get("data") if isinstance(body, dict) else body
    if not isinstance(objects, list):
        raise RejectedInput("invalid-json", "the answer has no list 'data'")
    return objects


def scrubbed(raw: bytes, token: str = "") -> bytes:
    """Bytes of an answer without access tokens."""
    text = raw.decode("utf-8", "surrogateescape")
    if token:
        text = text.replace(token, "REDACTED")
    return _TOKEN_IN_TEXT.sub(r"\1REDACTED", text).encode("utf-8", "surrogateescape")
