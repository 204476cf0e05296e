"""Mail by SMTP (RFC 5321); replies become permanent, throttled or transient."""

import asyncio

from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError

from notifier.adapters.dkim_signers import DkimSigners
from notifier.adapters.gates import Gates
from notifier.adapters.mail_press import MailPress
from notifier.adapters.smtp_dial import SmtpAddress
from notifier.adapters.smtp_mail import on_the_line, recipient_command, sender_command
from notifier.adapters.smtp_pool import SmtpPool
from notifier.adapters.smtp_session import Ambiguous, Answered, Errand
from notifier.domain.messages import Message
from notifier.domain.smtp_replies import Verdict, read_reply, verdict_on
from notifier.records.vault import Endpoint
from notifier.service.clock import Clock

_PROVIDER = "smtp"
_SLOW_DOWN_SECONDS = 60.0


class MailCarrier:
    """Implements :class:`~notifier.ports.Carrier` for e-mail."""

    def __init__(
        self,
        press: MailPress,
        address: SmtpAddress,
        sender: str,
        gates: Gates,
        clock: Clock,
        *,
        connections: int,
        signers: DkimSigners | None = None,
    ) -> None:
        """
        Args:
            sender: of the envelope: where returned mails go.
            connections: to the mail server at a time.
            signers: make the signatures that the press prepares; None where another server signs.
        """
        self._press = press
        self._pool = SmtpPool(address, connections)
        self._sender = sender_command(on_the_line(sender))
        self._utf8 = not sender.isascii()
        self._signers = signers
        self._gates = gates
        self._clock = clock

    async def carry(self, message: Message, endpoint: Endpoint, *, first: bool) -> None:
        """See :meth:`~notifier.ports.Carrier.carry`."""
        recipient = on_the_line(endpoint.contact.address)
        async with self._gates.through(_PROVIDER, first=first):
            letter = self._press.letter(message, recipient, self._clock.now())
            wire = letter.wire
            if letter.seals:
                wire = await self._signers.fields(letter.seals) + wire
            errand = Errand(
                self._sender, recipient_command(recipient), wire, self._utf8 or not recipient.isascii(),
                asyncio.get_running_loop().create_future(),
            )  # fmt: skip
            try:
                await self._pool.hand_over(errand, first=first)
            except Answered as refused:
                raise error_of_reply(refused.code, refused.text) from None
            except Ambiguous:
                # Perhaps it was taken: who sends it again does so under the same Message-ID (ADR-0002).
                raise TransientError(
                    "the mail server broke off before its answer", reason="broken-off"
                ) from None

    async def close(self) -> None:
        """Take leave of the server."""
        await self._pool.close()


def error_of_reply(code: int, text: str) -> Exception:
    """A refusal as one of the chassis's errors. The text is not repeated: it may hold an address."""
    reply = read_reply(text, code=code)
    verdict = verdict_on(reply)
    said = f"the mail server answers {code}{f' {reply.status}' if reply.status else ''}"
    match verdict:
        case Verdict.NO_SUCH_ADDRESS:
            return PermanentError(said, reason="hard-bounce")
        case Verdict.REFUSED:
            return PermanentError(said, reason=verdict)
        case Verdict.SLOW_DOWN:
            return ThrottledError(said, delay_seconds=_SLOW_DOWN_SECONDS)
        case Verdict.MAILBOX_FULL | Verdict.OUR_FAULT | Verdict.LATER:
            return TransientError(said, reason=verdict)
