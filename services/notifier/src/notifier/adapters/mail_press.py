"""A mail composed once for all who read the same, with each one's own parts put into a copy.

What differs from one resident to the next are the address in To, the Message-ID, the date, and the address
that unsubscribes: in List-Unsubscribe and in both bodies.
"""

import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime

from notifier.adapters.dkim import DkimSealer, Seal, Sealed, signed_at
from notifier.adapters.mail_composer import MailComposer
from notifier.adapters.slots import Slotted, slot
from notifier.adapters.smtp_mail import on_the_wire
from notifier.domain.messages import Message
from notifier.domain.sendings import Kind

_MOST_KEPT = 50
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
"""Addresses that stand in a header as they are (RFC 5322 section 3.4.1, dot-atom)."""
_PLAIN_URL = re.compile(r"[A-Za-z0-9:/._~-]+")
"""Addresses that mean the same in text, in HTML and in quoted-printable."""
_LONGEST_LINE = 72
_DOT = ord(".")
_DATE = re.compile(rb"^Date: [^\r]*", re.MULTILINE)


@dataclass(slots=True)
class Letter:
    """A mail to one resident.

    Attributes:
        wire: as it follows DATA, with doubled dots and the dot at its end.
        seals: what is to be signed of it, a key each.
    """

    wire: bytes
    seals: tuple[Seal, ...] = ()


class MailPress:
    """Keeps the last mails in the form in which they can be filled in."""

    def __init__(self, composer: MailComposer, sealer: DkimSealer | None = None) -> None:
        """`sealer` prepares what is signed; None where another server signs."""
        self._composer = composer
        self._sealer = sealer
        self._kept: OrderedDict[tuple, _Pressed] = OrderedDict()
        self._last: tuple[tuple, _Pressed] | None = None
        self._date: tuple[int, bytes, dict[str, bytes]] = (-1, b"", {})

    def letter(self, message: Message, address: str, now: datetime) -> Letter:
        """The mail to one address as :meth:`MailComposer.compose` writes it."""
        if (pressed := self.pressed(message, address, now)) is not None:
            return pressed
        mail = self._composer.compose(message, address, now)
        if not address.isascii():
            mail = mail.as_bytes(policy=mail.policy.clone(utf8=True))  # RFC 6532
        else:
            mail = mail.as_bytes()
        seals = self._sealer.prepared(mail).seals(signed_at(now)) if self._sealer else ()
        return Letter(on_the_wire(mail), seals)

    def pressed(self, message: Message, address: str, now: datetime) -> Letter | None:
        """The same from a kept form; None for one that the composer alone can write."""
        url = message.unsubscribe_url
        if message.kind is not Kind.ITEM or url is None:
            return None
        if not _PLAIN_ADDRESS.fullmatch(address) or not _PLAIN_URL.fullmatch(url):
            return None
        pressed, plain = self._pressed(message, now), url.encode()
        date, stamp = self._dated(now)
        values = {
            "key": message.key.encode(),
            "to": address.encode(),
            "date": date,
            "url": plain,
            "folded": _folded(plain),
            **stamp,
        }
        return Letter(pressed.wire.filled(values), pressed.sealed.seals(values) if pressed.sealed else ())

    def _pressed(self, message: Message, now: datetime) -> "_Pressed":
        kept = (
            message.stories, message.title, message.sender, message.language, message.settings_url,
            message.home_url,
        )  # fmt: skip
        # Most mails read as the one before. That is quicker seen than their hash is made.
        if self._last is not None and self._last[0] == kept:
            return self._last[1]
        pressed = self._kept.get(kept)
        if pressed is None:
            pressed = self._kept[kept] = self._press(message, now)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        self._last = (kept, pressed)
        return pressed

    def _press(self, message: Message, now: datetime) -> "_Pressed":
        # Drawn anew, so that no text of a source can hold one.
        key, to, url = (secrets.token_hex(16) for _ in range(3))
        mail = self._composer.compose(
            replace(message, key=key, unsubscribe_url=url), f"{to}@{to[:8]}.invalid", now
        ).as_bytes()
        head, between, body = mail.partition(b"\r\n\r\n")
        head = _DATE.sub(b"Date: " + slot("date"), head)
        for text, name in ((key, "key"), (f"{to}@{to[:8]}.invalid", "to"), (url, "url")):
            head = head.replace(text.encode(), slot(name))
        # Quoted-printable may have broken the line within it.
        broken = rb"(?:=\r\n)?".join(re.escape(character).encode() for character in url)
        mail = head + between + re.sub(broken, slot("folded"), body)
        return _Pressed(Slotted(on_the_wire(mail)), self._sealer.prepared(mail) if self._sealer else None)

    def _dated(self, now: datetime) -> tuple[bytes, dict[str, bytes]]:
        """Now as Date says it, and as a signature does; the same for a second."""
        second = int(now.timestamp())
        if self._date[0] != second:
            self._date = (second, format_datetime(now).encode(), signed_at(now))
        return self._date[1], self._date[2]


@dataclass(frozen=True, slots=True)
class _Pressed:
    wire: Slotted
    sealed: Sealed | None


def _folded(text: bytes) -> bytes:
    """Text within quoted-printable on lines of its own, by soft line breaks (RFC 2045 section 6.7)."""
    lines = [text[start : start + _LONGEST_LINE] for start in range(0, len(text), _LONGEST_LINE)]
    # A dot that begins a line would have to be doubled on the wire.
    if b"." in text:
        lines = [b"=2E" + line[1:] if line[0] == _DOT else line for line in lines]
    return b"=\r\n%b=\r\n" % b"=\r\n".join(lines)
