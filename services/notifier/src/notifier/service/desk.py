"""What every kind of delivery shares: carrying to endpoints, writing down, telling."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError
from kommunepuls_chassis.links import UNSUBSCRIBE, sign
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import SEND_SECONDS
from kommunepuls_events import Channel, SubscriberProfileV1
from pydantic import SecretStr

from notifier.domain.attention import Verdict
from notifier.domain.composing import Reader
from notifier.domain.decisions import DigestTimes
from notifier.domain.labels import Labels
from notifier.domain.language import language_for
from notifier.domain.messages import Message
from notifier.domain.outcomes import Busy, NotNow, Outcome, Reached, Refused
from notifier.domain.sendings import Lane, Sending, State
from notifier.domain.standing import Standing
from notifier.ports import Carrier, Catalogue, Overloaded
from notifier.records.knowledge import Knowledge
from notifier.records.ledger import Ledger
from notifier.records.vault import Endpoint, Vault
from notifier.service.batches import Batches
from notifier.service.budgeting import Budget, Wish
from notifier.service.clock import Clock
from notifier.service.reporting import Reporter
from notifier.service.stories import Stories
from notifier.service.wakes import Wakes

_LINGER = {Channel.EMAIL: 0.004, Channel.PUSH: 0.004}
"""Seconds that what is to be written waits for company."""

GONE = ("hard-bounce", "endpoint-gone")
"""Reasons of a PermanentError after which an endpoint is retired."""


class Desk:
    """What every kind of delivery needs: records, carriers, words, links."""

    def __init__(
        self,
        ledger: Ledger,
        vault: Vault,
        knowledge: Knowledge,
        carriers: dict[Channel, Carrier],
        catalogue: Catalogue,
        labels: Callable[[], Labels],
        reporter: Reporter,
        wakes: Wakes,
        clock: Clock,
        budget: Budget,
        *,
        public_url: str,
        link_key: SecretStr,
        digest_times: DigestTimes,
        carry_seconds: float,
    ) -> None:
        self.ledger = ledger
        self.vault = vault
        self.knowledge = knowledge
        self.catalogue = catalogue
        self.labels = labels
        self.reporter = reporter
        self.wakes = wakes
        self.clock = clock
        self.public_url = public_url
        self.digest_times = digest_times
        self._carriers = carriers
        self._link_key = link_key
        self.carry_seconds = carry_seconds
        self.stories = Stories()
        self.standing: Batches[str, Standing | None] = Batches(self._standings)
        """Where an item stands now: read after it is asked for, for all who ask meanwhile."""
        self.places = budget
        """The attention budget, for many messages at once that are alike."""
        self.budget: Batches[Wish, Verdict] = Batches(budget.ask)
        """Whether a message may be sent today: asked for all that come together."""
        self._keepers: dict[Channel, Batches[Sending, bool]] = {
            channel: Batches(ledger.keep_many, linger_seconds=seconds) for channel, seconds in _LINGER.items()
        }
        self._tellers: dict[Channel, Batches[Sending, None]] = {
            channel: Batches(self._tell_many, linger_seconds=seconds) for channel, seconds in _LINGER.items()
        }
        self._log = get_logger()

    def reader(self, profile: SubscriberProfileV1, channel: Channel) -> Reader:
        """Whom we write to."""
        unsubscribe_url = None
        if channel is Channel.EMAIL:
            claims = {"subscriber": profile.subscriber, "purpose": UNSUBSCRIBE, "scope": str(channel)}
            token = sign(claims, self._link_key.get_secret_value())
            unsubscribe_url = f"{self.public_url}/unsubscribe/{token}"
        return Reader(
            profile=profile,
            words=self.catalogue.words(language_for(profile.language)),
            labels=self.labels(),
            public_url=self.public_url,
            unsubscribe_url=unsubscribe_url,
        )

    async def carry(
        self, sending: Sending, message: Message, endpoints: list[Endpoint], taken_at: float
    ) -> dict[str, Outcome]:
        """Hand a message to each endpoint at once; retires those that are gone.

        `taken_at` is when the sending was claimed, on the event loop's clock: nothing is sent after its lease,
        and nothing is begun in the second half of the time for it.
        """
        if len(endpoints) == 1:
            return {endpoints[0].id: await self._carry_one(sending, message, endpoints[0], taken_at)}
        outcomes = await asyncio.gather(
            *(self._carry_one(sending, message, endpoint, taken_at) for endpoint in endpoints)
        )
        return {endpoint.id: outcome for endpoint, outcome in zip(endpoints, outcomes, strict=True)}

    async def _carry_one(
        self, sending: Sending, message: Message, endpoint: Endpoint, taken_at: float
    ) -> Outcome:
        began = time.monotonic()
        outcome: Outcome
        if asyncio.get_running_loop().time() > taken_at + self.carry_seconds / 2:
            return Busy()
        try:
            async with asyncio.timeout_at(taken_at + self.carry_seconds):
                await self._carriers[endpoint.channel].carry(
                    message, endpoint, first=sending.lane is Lane.FIRST
                )
            outcome = Reached()
        except Overloaded as error:
            return Busy(timedelta(seconds=error.delay_seconds))
        except ThrottledError as error:
            outcome = NotNow(error.reason, timedelta(seconds=error.delay_seconds))
        except TransientError as error:
            outcome = NotNow(error.reason)
        except TimeoutError:
            outcome = NotNow("timeout")
        except PermanentError as error:
            gone = error.reason in GONE
            outcome = Refused(error.reason, gone)
            if gone and endpoint.id:
                await self.vault.retire(endpoint.id, error.reason, self.clock.now())
        SEND_SECONDS.labels(endpoint.channel).observe(time.monotonic() - began)
        if not isinstance(outcome, Reached):
            self._log.info("not_carried", id=endpoint.id, channel=endpoint.channel, cause=outcome.cause)
        return outcome

    async def finish(self, sending: Sending, news: bool) -> bool:
        """Write down how an attempt ended, then tell it; False if the sending was erased meanwhile.

        Between the two the lease protects it: who dies there leaves it to be told, not to be sent again.
        """
        if not news:
            return await self.keep(sending)
        leased = self.clock.after(self.carry_seconds)
        if not await self.keep(replace(sending, due_at=leased, told=False)):
            return False
        await self.tell_and_close(sending)
        return True

    async def keep(self, sending: Sending) -> bool:
        """Write down where it stands, together with others; False if it was erased meanwhile."""
        return await self._keepers[sending.channel](sending)

    async def _tell(self, sending: Sending) -> None:
        await self._tellers[sending.channel](sending)

    async def tell_and_close(self, sending: Sending) -> None:
        """Tell where a sending stands and write down that it was told."""
        await self._tell(sending)
        await self.keep(replace(sending, told=True))

    async def _standings(self, items: Sequence[str]) -> list[Standing | None]:
        found = await self.knowledge.standings(items)
        return [found.get(item) for item in items]

    async def _tell_many(self, sendings: Sequence[Sending]) -> list[None]:
        await self.reporter.tell(sendings, self.clock.now())
        return [None] * len(sendings)

    async def put_by(self, sending: Sending, cause: str, until: datetime) -> None:
        """Let a sending wait for a digest, and look at it again then."""
        waiting = replace(sending, state=State.DIGESTED, cause=cause, due_at=until, told=True)
        await self._tell(waiting)
        await self.ledger.put_by(waiting)

    async def close(self, sending: Sending, state: State, cause: str, due_at: datetime | None = None) -> None:
        """End or put off a sending that nothing was sent of. Told first: telling twice does no harm."""
        after = replace(sending, state=state, cause=cause, due_at=due_at, told=True)
        await self._tell(after)
        await self.keep(after)
