"""Mail by SMTP (RFC 5321) over kept connections; replies become permanent, throttled or transient."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage

from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPReadTimeoutError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)
from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError
from kommunepuls_chassis.logs import get_logger

from notifier.adapters.gates import Gates
from notifier.adapters.mail_composer import MailComposer
from notifier.adapters.mail_press import MailPress
from notifier.domain.messages import Message
from notifier.domain.smtp_replies import Verdict, read_reply, verdict_on
from notifier.records.vault import Endpoint
from notifier.service.clock import Clock

_PROVIDER = "smtp"
_IDLE_SECONDS = 60.0
_MOST_MAILS_A_CONNECTION = 100
_SLOW_DOWN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SmtpAddress:
    """Where mail is handed over, and how."""

    host: str
    port: int
    username: str | None
    password: str | None
    security: str  # none, starttls or tls
    timeout_seconds: float


@dataclass
class _Connection:
    client: SMTP
    used_at: float
    mails: int = 0


class MailCarrier:
    """Implements :class:`~notifier.ports.Carrier` for e-mail."""

    def __init__(
        self, composer: MailComposer, address: SmtpAddress, sender: str, gates: Gates, clock: Clock
    ) -> None:
        """`sender` is the envelope's sender: where returned mails go."""
        self._composer = composer
        self._press = MailPress(composer)
        self._address = address
        self._sender = sender
        self._gates = gates
        self._clock = clock
        self._idle: list[_Connection] = []
        self._log = get_logger()

    async def carry(self, message: Message, endpoint: Endpoint, *, first: bool) -> None:
        """See :meth:`~notifier.ports.Carrier.carry`."""
        address, now = endpoint.contact.address, self._clock.now()
        mail = self._press.mail(message, address, now) or self._composer.compose(message, address, now)
        async with self._gates.through(_PROVIDER, first=first):
            await self._hand_over(mail, address)

    async def _hand_over(self, mail: EmailMessage | bytes, recipient: str) -> None:
        connection = await self._connection()
        try:
            if isinstance(mail, bytes):
                await connection.client.sendmail(self._sender, [recipient], mail)
            else:
                await connection.client.send_message(mail, sender=self._sender, recipients=[recipient])
        except SMTPRecipientsRefused as refused:
            # The connection is as good as before: it is the address that is not.
            await self._give_back(connection)
            raise error_of_reply(refused.recipients[0].code, refused.recipients[0].message) from None
        except SMTPResponseException as refused:
            await self._give_back(connection)
            raise error_of_reply(refused.code, refused.message) from None
        except (TimeoutError, SMTPException, OSError) as error:
            connection.client.close()
            raise TransientError(
                f"the mail server broke off: {type(error).__name__}", reason="broken-off"
            ) from None
        except BaseException:
            connection.client.close()
            raise
        await self._give_back(connection)

    async def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.client.is_connected and time.monotonic() - connection.used_at < _IDLE_SECONDS:
                return connection
            connection.client.close()
        address = self._address
        client = SMTP(
            hostname=address.host,
            port=address.port,
            timeout=address.timeout_seconds,
            use_tls=address.security == "tls",
            start_tls=address.security == "starttls",
        )
        try:
            await client.connect()
            if address.username:
                await client.login(address.username, address.password or "")
        except SMTPAuthenticationError:
            client.close()
            raise TransientError(
                "the mail server does not take KP_SMTP_USERNAME and KP_SMTP_PASSWORD", reason="smtp-login"
            ) from None
        except (
            SMTPConnectError,
            SMTPTimeoutError,
            SMTPServerDisconnected,
            SMTPReadTimeoutError,
            OSError,
        ) as error:
            client.close()
            raise TransientError(
                f"no mail server answers at KP_SMTP_HOST: {type(error).__name__}", reason="unreachable"
            ) from None
        except SMTPException as error:
            client.close()
            raise TransientError(f"the mail server refuses us: {error}", reason="smtp-refused") from None
        return _Connection(client, time.monotonic())

    async def _give_back(self, connection: _Connection) -> None:
        connection.mails += 1
        connection.used_at = time.monotonic()
        if not connection.client.is_connected:
            return
        if connection.mails >= _MOST_MAILS_A_CONNECTION:
            await self._quit(connection)
        else:
            self._idle.append(connection)

    @staticmethod
    async def _quit(connection: _Connection) -> None:
        with suppress(SMTPException, OSError, asyncio.TimeoutError):
            await asyncio.wait_for(connection.client.quit(), 2.0)
        connection.client.close()

    async def close(self) -> None:
        """Take leave of the server."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(self._quit(connection) for connection in idle))


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
