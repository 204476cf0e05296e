"""The JSON that the service worker of a browser gets."""

import json

from notifier.domain.language import Words
from notifier.domain.messages import Message
from notifier.domain.sendings import Kind

LARGEST_PLAIN_TEXT = 3993
"""Bytes that fit into the 4096 every push service takes (RFC 8291 section 4)."""
_SHORTER = (1000, 400, 160, 60)


def push_payload(message: Message, words: Words, *, largest: int = LARGEST_PLAIN_TEXT) -> bytes:
    """Title, body and where a click leads, as JSON of at most `largest` bytes.

    Texts are shortened step by step until it fits.
    """
    story = message.stories[0] if len(message.stories) == 1 else None
    content = {
        "title": message.title,
        "body": _body(message, words),
        "url": story.url if story else message.home_url,
        "tag": story.item if story else message.topic,
        "item": story.item if story else None,
        "revision": story.revision if story else None,
        "reasons": list(story.reasons) if story else [],
        "language": message.language,
        "severity": story.severity if story else "unknown",
        "kind": message.kind,
        "from": message.sender,
    }
    raw = _json(content)
    for most in _SHORTER:
        if len(raw) <= largest:
            break
        for name in ("body", "title"):
            content[name] = _cut(content[name], most)
        content["reasons"] = [_cut(reason, 100) for reason in content["reasons"][:4]]
        raw = _json(content)
    return raw


def _body(message: Message, words: Words) -> str:
    if message.kind is Kind.TEST:
        return words.gettext("This is what a message from us looks like.")
    if len(message.stories) > 1:
        # The title tells the first and how many there are.
        return "\n".join(f"• {story.heading}" for story in message.stories[1:6])
    story = message.stories[0]
    if story.withdrawn:
        # The old text alone would read as if it still held.
        parts = [words.gettext("What we told you before no longer holds.")]
    else:
        parts = [story.summary, *story.changes]
    because = words.gettext("Because %(reasons)s.") % {"reasons": "; ".join(story.reasons)}
    return "\n".join(part for part in (*parts, because) if part)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _json(content: dict) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
