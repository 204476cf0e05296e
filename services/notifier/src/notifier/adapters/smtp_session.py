"""One connection to a mail server, with mails handed over in RFC 2920's pipeline.

The content of one mail and MAIL, RCPT and DATA of the next go in one write (RFC 2920 section 3.1), and the answers,
which come in the order of the commands, are matched to their mails. So a mail costs one turn of the line, and of
the mails on a connection only one is ever between its last byte and the server's word on it. A server that does
not announce PIPELINING is asked one command at a time.
"""

import asyncio
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

_LONGEST_REPLY = 16_384
"""Bytes; RFC 5321 section 4.5.3.1.5 allows 512 a line."""
_SERVICE_CLOSING = 421
_GO_ON = 354
_OUT_OF_STEP = re.compile(r"pipelin|synchroni[sz]", re.IGNORECASE)
"""How servers name that commands came before they were asked for (Postfix, Exim)."""


class Ambiguous(Exception):
    """The connection was lost after the mail and before the server's word on it: it may have been taken."""


class Answered(Exception):
    """The server refuses the mail or its recipient, by this reply."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.text = text


@dataclass(slots=True, eq=False)
class Errand:
    """One mail to one recipient.

    Attributes:
        sender: MAIL, without what depends on the server.
        recipient: RCPT.
        content: as it follows DATA, to the dot at its end.
        utf8: an address needs SMTPUTF8 (RFC 6531).
        done: gets None, or one of the exceptions above.
        tries: connections it was given to.
    """

    sender: bytes
    recipient: bytes
    content: bytes
    utf8: bool
    done: asyncio.Future
    tries: int = 0
    refused: Answered | None = None

    @property
    def size(self) -> int:
        """Octets, for SIZE; doubled dots count (RFC 1870 section 6.1 takes an estimate)."""
        return len(self.content) - len(b".\r\n")


# What an answer is awaited to, in the order of a mail.
_MAIL, _RCPT, _DATA, _END, _RSET, _QUIT = range(6)
_YES = b"250 "


class Owner(Protocol):
    """Whose connection it is."""

    def next_errand(self) -> Errand | None:
        """The next mail for a connection that can take one more."""

    def idle(self, session: "SmtpSession") -> None:
        """It has nothing to do."""

    def lost(self, session: "SmtpSession", unsent: list[Errand], *, out_of_step: bool) -> None:
        """It is gone; `unsent` were begun and not sent. `out_of_step`: pipelining seems to be why."""


@dataclass(frozen=True, slots=True)
class Extensions:
    """What a server announced (RFC 5321 section 4.1.1.1)."""

    pipelining: bool = False
    utf8: bool = False
    size: bool = False
    most_octets: int = 0

    @classmethod
    def of(cls, announced: dict[str, str], *, pipelining: bool = True) -> "Extensions":
        """From EHLO's keywords in lower case with their parameters; `pipelining`: if it is to be used."""
        size = announced.get("size", "").strip()
        return cls(
            pipelining=pipelining and "pipelining" in announced,
            utf8="smtputf8" in announced,
            size="size" in announced,
            most_octets=int(size) if size.isdigit() else 0,
        )


@dataclass(slots=True, eq=False)
class SmtpSession(asyncio.Protocol):
    """A connection that has been greeted, secured and logged in. Takes over its transport."""

    transport: asyncio.Transport
    owner: Owner
    extensions: Extensions
    timeout_seconds: float
    most_mails: int
    mails: int = 0
    """Mails it has had an answer to."""
    _awaited: deque[tuple[int, Errand | None]] = field(default_factory=deque)
    _held: bytes = b""
    _lines: list[bytes] = field(default_factory=list)
    _reset: bool = False
    _over: bool = False
    _leaving: asyncio.Future | None = None
    _heard_at: float = 0.0
    _watch: asyncio.TimerHandle | None = None
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    def take_over(self) -> None:
        """Speak from now on; nothing may be awaited on the connection."""
        self.transport.set_protocol(self)

    @property
    def usable(self) -> bool:
        """Whether a mail may be begun."""
        return not self._over and self._leaving is None and not self.transport.is_closing()

    @property
    def busy(self) -> bool:
        """Whether a mail is under way."""
        return any(errand is not None for _, errand in self._awaited)

    def begin(self, errand: Errand) -> None:
        """Hand over a mail. The connection must be idle."""
        if (opening := self._opening(errand)) is not None:
            self._write(opening)
        else:
            self._go_on()

    def leave(self) -> asyncio.Future:
        """Say QUIT; done when the connection is gone."""
        if self._leaving is None:
            self._leaving = self._loop.create_future()
            if self._over or self.transport.is_closing():
                self._leaving.set_result(None)
            else:
                self._expect(_QUIT, None)
                self._write(b"QUIT\r\n")
        return self._leaving

    def abort(self) -> None:
        """Cut the connection."""
        self._break_off(out_of_step=False)

    def data_received(self, data: bytes) -> None:
        """Answers, whole or in pieces, one or several lines each (RFC 5321 section 4.2.1)."""
        self._heard_at = self._loop.time()
        *lines, self._held = (self._held + data if self._held else data).split(b"\n")
        awaited, pipelining = self._awaited, self.extensions.pipelining
        for line in lines:
            if pipelining and awaited and awaited[0][0] <= _RCPT and line[:4] == _YES and not self._lines:
                # The most frequent answers: nothing follows from a yes while DATA is on its way.
                awaited.popleft()
                continue
            line = line.rstrip(b"\r")
            code, more = line[:3], line[3:4]
            if not (len(code) == 3 and code.isdigit() and more in (b"", b" ", b"-")):
                self._break_off(out_of_step=pipelining)
                return
            self._lines.append(line[4:])
            if more != b"-":
                text, self._lines = b"\n".join(self._lines), []
                self._answered(int(code), text.decode("utf-8", "replace"))
            if self._over:
                return
        if len(self._held) + sum(map(len, self._lines)) > _LONGEST_REPLY:
            self._break_off(out_of_step=False)

    def eof_received(self) -> bool:
        """The server has hung up."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        # A server that hangs up as soon as something is pipelined, before it has answered to a single mail.
        begun = any(awaited == _DATA for awaited, _ in self._awaited)
        self._break_off(out_of_step=self.extensions.pipelining and begun and self.mails <= 1)

    def _answered(self, code: int, text: str) -> None:
        if not self._awaited:
            # Unasked: a server that closes an idle connection says 421 first.
            self._break_off(out_of_step=False)
            return
        awaited, errand = self._awaited.popleft()
        if awaited == _QUIT:
            self.transport.close()
        elif code == _SERVICE_CLOSING:
            self._closing(awaited, errand, text)
        elif errand is not None:
            if self.extensions.pipelining and code // 100 == 5 and _OUT_OF_STEP.search(text):
                # Refused for the manner alone: not sent, whatever it was an answer to.
                self._awaited.appendleft((_MAIL, errand))
                self._break_off(out_of_step=True)
                return
            self._next_step(awaited, errand, code, text)

    def _next_step(self, awaited: int, errand: Errand, code: int, text: str) -> None:
        if awaited <= _RCPT:
            if code // 100 != 2 and errand.refused is None:
                errand.refused = Answered(code, text)
            if not self.extensions.pipelining:
                self._one_at_a_time(awaited, errand)
        elif awaited == _RSET:
            self._write(self._opening(errand) or b"")
        elif awaited == _DATA and code == _GO_ON:
            self._content(errand)
        elif awaited == _DATA:
            self._reset = True
            self.mails += 1
            _finish(errand, errand.refused or Answered(code, text))
            self._go_on()
        else:
            self.mails += 1
            _finish(errand, errand.refused or (None if code // 100 == 2 else Answered(code, text)))
            if not self._awaited:
                self._go_on()

    def _opening(self, errand: Errand) -> bytes | None:
        """MAIL, and RCPT and DATA if they may come with it; None if the mail is refused without asking."""
        extensions, size = self.extensions, errand.size
        if 0 < extensions.most_octets < size:
            _finish(errand, Answered(552, "5.3.4 larger than the server takes (SIZE)"))
            return None
        if errand.utf8 and not extensions.utf8:
            _finish(errand, Answered(553, "5.6.7 the server takes no such addresses (SMTPUTF8)"))
            return None
        if self._reset and not extensions.pipelining:
            self._reset = False
            self._expect(_RSET, errand)
            return b"RSET\r\n"
        errand.tries += 1
        mail = errand.sender
        if extensions.size:
            mail += b" SIZE=%d" % size
        if errand.utf8:
            mail += b" BODY=8BITMIME SMTPUTF8"  # RFC 6531 section 3.6: it comes with 8BITMIME
        reset = b""
        if self._reset:
            self._reset = False
            reset = b"RSET\r\n"
            self._expect(_RSET, None)
        if not extensions.pipelining:
            self._expect(_MAIL, errand)
            return b"%b%b\r\n" % (reset, mail)
        self._awaited.extend(((_MAIL, errand), (_RCPT, errand), (_DATA, errand)))
        return b"%b%b\r\n%b\r\nDATA\r\n" % (reset, mail, errand.recipient)

    def _one_at_a_time(self, answered: int, errand: Errand) -> None:
        if errand.refused is not None:
            self._reset = True
            self.mails += 1
            _finish(errand, errand.refused)
            self._go_on()
        elif answered == _MAIL:
            self._expect(_RCPT, errand)
            self._write(errand.recipient + b"\r\n")
        else:
            self._expect(_DATA, errand)
            self._write(b"DATA\r\n")

    def _content(self, errand: Errand) -> None:
        if errand.refused is not None:
            # RFC 2920 section 3.1: DATA was taken although nobody was; an empty mail to nobody ends it.
            self._expect(_END, errand)
            self._write(b".\r\n")
            return
        if errand.done.done():
            # Given up by who asked for it. There is no way out of DATA but the end of the connection.
            self._break_off(out_of_step=False)
            return
        self._expect(_END, errand)
        content = errand.content
        if self.extensions.pipelining and self.usable and self.mails + 1 < self.most_mails:
            while (following := self.owner.next_errand()) is not None:
                if (opening := self._opening(following)) is not None:
                    content += opening
                    break
        self._write(content)

    def _go_on(self) -> None:
        """Nothing is under way: the next mail, or a rest."""
        if not self.usable:
            return
        if self.mails >= self.most_mails:
            self.leave()
            return
        while (errand := self.owner.next_errand()) is not None:
            if (opening := self._opening(errand)) is not None:
                self._write(opening)
                return
        self.owner.idle(self)

    def _closing(self, awaited: int, errand: Errand | None, text: str) -> None:
        """421: the server closes. To a mail it is an answer, unless the connection had merely grown old."""
        if errand is not None and (awaited == _END or self.mails == 0):
            _finish(errand, errand.refused or Answered(_SERVICE_CLOSING, text))
        elif errand is not None:
            self._awaited.appendleft((awaited, errand))
        self._break_off(out_of_step=False)

    def _expect(self, awaited: int, errand: Errand | None) -> None:
        self._awaited.append((awaited, errand))

    def _write(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        self.transport.write(data)
        if self._watch is None:
            self._watch = self._loop.call_later(self.timeout_seconds, self._look)

    def _look(self) -> None:
        self._watch = None
        left = self._heard_at + self.timeout_seconds - self._loop.time()
        if self._over or not self._awaited:
            return
        if left > 0:
            self._watch = self._loop.call_later(left, self._look)
            return
        # What came in one write with something else may never have been read.
        first = self._awaited[0][0]
        self._break_off(out_of_step=self.extensions.pipelining and first != _END)

    def _break_off(self, *, out_of_step: bool) -> None:
        if self._over:
            return
        self._over = True
        if self._watch is not None:
            self._watch.cancel()
        unsent: list[Errand] = []
        for awaited, errand in self._awaited:
            if errand is None or errand.done.done():
                continue
            if awaited == _END:
                errand.done.set_exception(errand.refused or Ambiguous())
            elif errand not in unsent:
                errand.refused = None
                unsent.append(errand)
        self._awaited.clear()
        self.transport.abort()
        if self._leaving is not None and not self._leaving.done():
            self._leaving.set_result(None)
        self.owner.lost(self, unsent, out_of_step=out_of_step)


def _finish(errand: Errand, refused: Answered | None) -> None:
    if errand.done.done():
        return
    if refused is None:
        errand.done.set_result(None)
    else:
        errand.done.set_exception(refused)
