"""A mail composed once for all who read the same, with each one's own parts put into a copy.

What differs from one resident to the next are the address in To, the Message-ID, the date, and the address
that unsubscribes: in List-Unsubscribe and in both bodies.
"""

import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime

from notifier.adapters.mail_composer import MailComposer
from notifier.domain.messages import Message
from notifier.domain.sendings import Kind

_MOST_KEPT = 50
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
"""Addresses that stand in a header as they are (RFC 5322 section 3.4.1, dot-atom)."""
_PLAIN_URL = re.compile(r"[A-Za-z0-9:/._~-]+")
"""Addresses that mean the same in text, in HTML and in quoted-printable."""
_LONGEST_LINE = 72
_DATE = re.compile(rb"^Date: [^\r]*", re.MULTILINE)

_Slots = tuple[tuple[bytes, str], ...]


class MailPress:
    """Keeps the last mails in the form in which they can be filled in."""

    def __init__(self, composer: MailComposer) -> None:
        self._composer = composer
        self._kept: OrderedDict[tuple, tuple[_Slots, bytes]] = OrderedDict()

    def mail(self, message: Message, address: str, now: datetime) -> bytes | None:
        """The mail as :meth:`MailComposer.compose` writes it, with CRLF; None for one that it alone can write."""
        url = message.unsubscribe_url
        if message.kind is not Kind.ITEM or url is None:
            return None
        if not _PLAIN_ADDRESS.fullmatch(address) or not _PLAIN_URL.fullmatch(url):
            return None
        kept = (
            message.stories, message.title, message.sender, message.language, message.settings_url,
            message.home_url,
        )  # fmt: skip
        pressed = self._kept.get(kept)
        if pressed is None:
            pressed = self._kept[kept] = self._press(message, now)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        values = {
            "key": message.key.encode(),
            "to": address.encode(),
            "date": b"Date: " + format_datetime(now).encode(),
            "url": url.encode(),
            "folded": _folded(url.encode()),
        }
        return _filled(pressed, values)

    def _press(self, message: Message, now: datetime) -> tuple[_Slots, bytes]:
        # Drawn anew, so that no text of a source can hold one.
        key, to, url = (secrets.token_hex(16) for _ in range(3))
        mail = self._composer.compose(
            replace(message, key=key, unsubscribe_url=url), f"{to}@{to[:8]}.invalid", now
        ).as_bytes()
        head, between, body = mail.partition(b"\r\n\r\n")
        head = _DATE.sub(b"\0date\0", head)
        for text, slot in ((key, b"key"), (f"{to}@{to[:8]}.invalid", b"to"), (url, b"url")):
            head = head.replace(text.encode(), b"\0" + slot + b"\0")
        # Quoted-printable may have broken the line within it.
        broken = rb"(?:=\r\n)?".join(re.escape(character).encode() for character in url)
        body = re.sub(broken, b"\0folded\0", body)
        parts = (head + between + body).split(b"\0")
        slots = tuple((parts[place], parts[place + 1].decode()) for place in range(0, len(parts) - 1, 2))
        return slots, parts[-1]


def _filled(pressed: tuple[_Slots, bytes], values: Mapping[str, bytes]) -> bytes:
    slots, end = pressed
    written = []
    for before, slot in slots:
        written += (before, values[slot])
    written.append(end)
    return b"".join(written)


def _folded(text: bytes) -> bytes:
    """Text within quoted-printable on lines of its own, by soft line breaks (RFC 2045 section 6.7)."""
    lines = [text[start : start + _LONGEST_LINE] for start in range(0, len(text), _LONGEST_LINE)]
    return b"=\r\n" + b"=\r\n".join(lines) + b"=\r\n"
