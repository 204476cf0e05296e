"""Connecting to a mail server: greeting, EHLO, STARTTLS and login are aiosmtplib's."""

from contextlib import suppress
from dataclasses import dataclass

from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPHeloError,
    SMTPReadTimeoutError,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)
from kommunepuls_chassis.errors import TransientError

from notifier.adapters.smtp_session import Extensions, Owner, SmtpSession


@dataclass(frozen=True, slots=True)
class SmtpAddress:
    """Where mail is handed over, and how."""

    host: str
    port: int
    username: str | None
    password: str | None
    security: str  # none, starttls or tls
    timeout_seconds: float
    most_mails: int = 1000
    """On one connection."""


async def dial(address: SmtpAddress, owner: Owner, *, pipelining: bool) -> SmtpSession:
    """A connection that is ready for mails; one at a time, whatever the server says, unless `pipelining`.

    Raises:
        TransientError: nobody answers, or we are not let in.
    """
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
        if client.is_ehlo_or_helo_needed:
            await _greet(client)
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
    except BaseException:
        client.close()
        raise
    extensions = Extensions.of(client.esmtp_extensions, pipelining=pipelining)
    session = SmtpSession(client.transport, owner, extensions, address.timeout_seconds, address.most_mails)
    session.take_over()
    return session


async def _greet(client: SMTP) -> None:
    """EHLO, or HELO for a server that knows no better (RFC 5321 section 3.2)."""
    with suppress(SMTPHeloError):
        await client.ehlo()
        return
    await client.helo()
