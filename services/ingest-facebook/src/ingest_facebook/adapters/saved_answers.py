"""Saved answers of Facebook in files: what kind each is, and what is in it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kommunepuls_chassis.errors import RejectedInput


class Saved(StrEnum):
    """What a saved file holds."""

    POSTS = "posts"
    POST = "post"
    EVENTS = "events"
    EVENT = "event"
    ERROR = "error"
    WEBHOOK = "webhook"
    USAGE = "usage header"
    SIGNATURE = "signature vector"
    BATCH = "batch"
    OTHER = "other object"


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """One answer: its kind, the objects in it, and what came with it."""

    kind: Saved
    objects: list = field(default_factory=list)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    error: Any = None


def read_saved(raw: bytes) -> list[SavedAnswer]:
    """What a file holds; a batch gives each of its parts.

    Raises:
        RejectedInput: ``invalid-json`` if it is none.
    """
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise RejectedInput("invalid-json", "the file breaks off or is no JSON") from None
    if _is_batch(document):
        return [part for one in document for part in _part(one)]
    return [_recognised(document)]


def _is_batch(document: Any) -> bool:
    return (
        isinstance(document, list)
        and bool(document)
        and all(isinstance(one, dict) and {"code", "body"} <= one.keys() for one in document)
    )


def _part(one: dict) -> list[SavedAnswer]:
    """The batch itself was answered 200; each part has its own status, and its body is JSON in a string."""
    body = json.loads(one["body"])
    headers = {header["name"]: header["value"] for header in one.get("headers", [])}
    if "error" in body:
        return [SavedAnswer(Saved.ERROR, status=one["code"], headers=headers, error=body["error"])]
    found = _recognised(body)
    return [SavedAnswer(found.kind, found.objects, one["code"], headers)]


def _recognised(document: Any) -> SavedAnswer:
    if isinstance(document, list):
        return SavedAnswer(_list_kind(document), document)
    if not isinstance(document, dict):
        return SavedAnswer(Saved.OTHER, [document])
    if isinstance(document.get("data"), list):
        return SavedAnswer(_list_kind(document["data"]), document["data"])
    if "entry" in document and "object" in document:
        return SavedAnswer(Saved.WEBHOOK)
    if "X-Hub-Signature-256" in document:
        return SavedAnswer(Saved.SIGNATURE, [document])
    if "status_code" in document and isinstance(document.get("json"), dict):
        return SavedAnswer(
            Saved.ERROR,
            status=document["status_code"],
            headers=document.get("headers", {}),
            error=document["json"].get("error"),
        )
    if "error" in document:
        return SavedAnswer(Saved.ERROR, status=400, error=document["error"])
    if document and all(name.lower().startswith("x-") for name in document):
        return SavedAnswer(Saved.USAGE, headers=document)
    if "start_time" in document:
        return SavedAnswer(Saved.EVENT, [document])
    told = ("message", "story", "created_time", "permalink_url", "child_attachments", "attachments")
    if any(name in document for name in told):
        return SavedAnswer(Saved.POST, [document])
    return SavedAnswer(Saved.OTHER, [document])


def _list_kind(rows: list) -> Saved:
    events = [row for row in rows if isinstance(row, dict) and "start_time" in row]
    return Saved.EVENTS if events else Saved.POSTS
