"""Delivering what residents ask for: the sign-in link, and the test of an endpoint."""

from collections.abc import Callable
from dataclasses import replace

from kommunepuls_chassis.errors import PermanentError
from kommunepuls_chassis.sealing import unseal
from kommunepuls_events import Channel
from pydantic import SecretStr

from notifier.domain.composing import compose_link, compose_test
from notifier.domain.contacts import mail_address
from notifier.domain.language import language_for
from notifier.domain.messages import Message
from notifier.domain.outcomes import conclude
from notifier.domain.sendings import Kind, Sending, State
from notifier.records.vault import Endpoint
from notifier.service.briefing import Briefing
from notifier.service.desk import Desk


class LetterDelivery:
    """Delivers links and tests."""

    def __init__(self, desk: Desk, *, contact_key: SecretStr, sender: Callable[[], str]) -> None:
        self._desk = desk
        self._contact_key = contact_key
        self._sender = sender

    async def deliver(self, sending: Sending, briefing: Briefing) -> None:
        """Send it, unless it has expired."""
        desk = self._desk
        if sending.state is not State.RESERVED:
            await self._close(sending)
            return
        if sending.expires_at is not None and sending.expires_at <= desk.clock.now():
            await self._close(replace(sending, state=State.SUPPRESSED, cause="expired"))
            return
        try:
            message, endpoint = (
                self._link(sending) if sending.kind is Kind.LINK else self._test(sending, briefing)
            )
        except PermanentError as error:
            await self._close(
                replace(sending, state=State.FAILED, cause=error.reason, permanence="permanent")
            )
            return
        outcomes = await desk.carry(sending, message, [endpoint], briefing.taken_at)
        after = conclude(sending, outcomes, desk.clock.now()).sending
        if after.due_at is not None:
            await desk.ledger.keep(after)
        else:
            await self._close(after)

    def _link(self, sending: Sending) -> tuple[Message, Endpoint]:
        """The mail, and an endpoint that is nowhere kept."""
        content = unseal(
            sending.sealed or "", self._contact_key.get_secret_value(), subscriber=sending.subscriber
        )
        link = content.get("link")
        if not isinstance(link, str) or not link.startswith(f"{self._desk.public_url}/"):
            raise PermanentError("the link does not lead to KP_PUBLIC_URL", reason="foreign-link")
        words = self._desk.catalogue.words(language_for(sending.language))
        message = compose_link(
            sending, link, self._sender(), words, self._desk.public_url, letter=str(content.get("letter", ""))
        )
        return message, Endpoint("", sending.subscriber, Channel.EMAIL, mail_address(content))

    def _test(self, sending: Sending, briefing: Briefing) -> tuple[Message, Endpoint]:
        for endpoint in briefing.endpoints.get(sending.subscriber, []):
            if endpoint.id == sending.endpoint:
                words = self._desk.catalogue.words(language_for(sending.language))
                message = compose_test(sending, self._sender(), words, self._desk.public_url)
                return message, endpoint
        raise PermanentError("the endpoint is not in use any more", reason="no-endpoint")

    async def _close(self, sending: Sending) -> None:
        """Write down how it ended; the sealed address is forgotten."""
        ended = replace(sending, due_at=None, sealed=None, told=True)
        await self._desk.reporter.tell([ended], self._desk.clock.now())
        await self._desk.ledger.keep(ended)
