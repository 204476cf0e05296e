"""Names that are the same when worked out again: of a sending, of its mail, of its push topic."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from datetime import datetime
from json.encoder import encode_basestring as _quoted

from kommunepuls_events import Channel

_OURS = re.compile(r"<?kp\.([0-9a-f]{40})@[^>\s]+>?")


def item_key(subscriber: str, item: str, revision: int, channel: Channel) -> str:
    """Key of the reservation: one message to one person on one channel about one revision."""
    return _digest("item", subscriber, item, revision, channel)


def item_keys(subscribers: Iterable[str], item: str, revision: int, channel: Channel) -> list[str]:
    """`item_key` for many subscribers, in a third of the time."""
    after = f", {_quoted(item)}, {revision}, {_quoted(channel)}]"
    return [
        hashlib.sha256(f'["item", {_quoted(subscriber)}{after}'.encode()).hexdigest()[:40]
        for subscriber in subscribers
    ]


def digest_key(subscriber: str, channel: Channel, due_at: datetime) -> str:
    """Key of the digest that is due at that time."""
    return _digest("digest", subscriber, channel, due_at.isoformat())


def command_key(command: str) -> str:
    """Key of what a contact command asks to be sent."""
    return _digest("command", command)


def content_key(item: str, revision: int) -> str:
    """Key of one revision's texts."""
    return _digest("content", item, revision)


def message_id(key: str, domain: str) -> str:
    """The Message-ID (RFC 5322 section 3.6.4) of a sending's mail, however often it is sent.

    Subscriber ids are random, so nobody can guess it: a bounce that names it is about a mail of ours.
    """
    return f"<kp.{key}@{domain}>"


def key_of_message_id(text: str) -> str | None:
    """The key of the sending that a Message-ID belongs to; None if it is not one of ours."""
    found = _OURS.fullmatch(text.strip())
    return found[1] if found else None


def push_topic(subject: str) -> str:
    """A Topic header (RFC 8030 section 5.4): 32 characters of base64url.

    A push service keeps one undelivered message a topic, so a newer revision replaces the older one.
    """
    return base64.urlsafe_b64encode(hashlib.sha256(subject.encode()).digest()[:24]).decode()


def _digest(*parts: str | int) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:40]
