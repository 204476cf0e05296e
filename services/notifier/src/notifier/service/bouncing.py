"""Acting on returned mails: whose address they are about, and whether it is given up."""

from collections.abc import Iterable
from dataclasses import replace

from kommunepuls_chassis.logs import get_logger
from kommunepuls_events import Channel

from notifier.domain.bounces import Bounce, Effect
from notifier.domain.identity import key_of_message_id
from notifier.domain.sendings import Kind, Sending, State
from notifier.records.ledger import Ledger
from notifier.records.vault import Vault
from notifier.service.clock import Clock
from notifier.service.reporting import Reporter


class BounceDesk:
    """Takes outcomes of returned mails in."""

    def __init__(self, ledger: Ledger, vault: Vault, reporter: Reporter, clock: Clock) -> None:
        self._ledger = ledger
        self._vault = vault
        self._reporter = reporter
        self._clock = clock
        self._log = get_logger()

    async def take(self, bounces: Iterable[Bounce]) -> None:
        """Retire or count the endpoints that these are about.

        Anybody can send a report with somebody else's address in it. A report that names one of our own
        Message-IDs, which nobody can guess, is believed; one with an address alone only counts as a soft bounce
        (a complaint is believed: the worst it can do is to stop our mail).
        """
        for bounce in bounces:
            if bounce.effect is Effect.NONE:
                continue
            sending = await self._sending(bounce)
            believed = sending is not None or bounce.effect is Effect.COMPLAINT
            for endpoint in await self._endpoints(bounce, sending):
                await self._act(endpoint, bounce, believed, sending)

    async def _sending(self, bounce: Bounce) -> Sending | None:
        key = key_of_message_id(bounce.original_message_id)
        return await self._ledger.get(key) if key else None

    async def _endpoints(self, bounce: Bounce, sending: Sending | None) -> list[str]:
        at_address = await self._vault.at_address(bounce.recipient) if bounce.recipient else []
        if sending is None or sending.channel is not Channel.EMAIL:
            return at_address
        # The address may be where a mailbox forwards to; the mail was sent to the resident's endpoints.
        sent_to = [endpoint for endpoint in sending.reached if endpoint]
        return [endpoint for endpoint in at_address if endpoint in sent_to] or sent_to

    async def _act(self, endpoint: str, bounce: Bounce, believed: bool, sending: Sending | None) -> None:
        now = self._clock.now()
        lasting = believed and bounce.effect in (Effect.HARD, Effect.COMPLAINT)
        if not lasting and not await self._vault.count_soft_bounce(endpoint, now):
            self._log.info("soft_bounce", id=endpoint, cause=bounce.detail)
            return
        cause = str(bounce.effect) if lasting else "soft-bounces"
        if not await self._vault.retire(endpoint, cause, now):
            return
        if sending is not None and sending.kind is Kind.ITEM and bounce.effect is not Effect.COMPLAINT:
            await self._tell(sending, cause, endpoint)

    async def _tell(self, sending: Sending, cause: str, endpoint: str) -> None:
        """Say that a message that was taken by the provider did not arrive after all."""
        failed = replace(
            sending,
            state=State.FAILED,
            cause=cause,
            permanence="permanent",
            endpoint=endpoint,
            due_at=None,
            told=True,
        )
        await self._reporter.tell([failed], self._clock.now())
        await self._ledger.keep(failed)
