"""One attempt at each message of a wave: who was reached on all endpoints, and what the others' providers said."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Protocol

from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError
from kommunepuls_chassis.logs import get_logger
from kommunepuls_events import Channel

from notifier.domain.messages import Message
from notifier.domain.outcomes import Busy, NotNow, Outcome, Reached, Refused
from notifier.domain.sendings import Lane
from notifier.domain.waves import Wave
from notifier.ports import Carried, CrowdCarrier, Overloaded
from notifier.records.vault import Endpoint
from notifier.service.desk import GONE
from notifier.service.scribe import Scribe


class Crowd(Protocol):
    """Whose wave it is."""

    async def not_all_sent(self, wave: Wave, failures: dict[int, dict[str, Outcome]]) -> None:
        """Let messages leave the wave that some endpoint of their residents did not take."""


class Attempts:
    """One attempt at each message of a wave."""

    def __init__(self, crowds: Crowd, carrier: CrowdCarrier, scribe: Scribe, wave: Wave) -> None:
        self._crowds = crowds
        self._carrier = carrier
        self._scribe = scribe
        self._wave = wave
        self._left = 1
        self._failures: dict[int, dict[str, Outcome]] = {}
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._log = get_logger()

    def begin(self, message: Message, group: Sequence[tuple[int, Sequence[Endpoint]]]) -> None:
        """Hand a message to every endpoint of those who read the same: places of the wave, with their endpoints."""
        self._left += len(group)
        self._carrier.begin(message, self._deliveries(group), first=self._wave.lane is Lane.FIRST)

    def _deliveries(
        self, group: Sequence[tuple[int, Sequence[Endpoint]]]
    ) -> Iterator[tuple[Endpoint, Carried]]:
        for place, endpoints in group:
            if len(endpoints) == 1:
                yield endpoints[0], partial(self._one, place, endpoints[0])
                continue
            outcomes: dict[str, Outcome] = {}
            releases: list[Callable[[], None]] = []
            for endpoint in endpoints:
                yield endpoint, partial(self._one_of, place, endpoint, len(endpoints), outcomes, releases)

    async def all_done(self) -> None:
        """Return when what became of each is known, and what failed has left the wave."""
        self._count_down()
        await self._done
        if self._failures:
            await self._crowds.not_all_sent(self._wave, self._failures)

    def _one(
        self, place: int, endpoint: Endpoint, error: Exception | None, release: Callable[[], None]
    ) -> None:
        if error is None:
            self._scribe.sent(self._wave, place, endpoint.id, release)
        else:
            release()
            self._failures[place] = {endpoint.id: self._outcome(endpoint, error)}
        self._count_down()

    def _one_of(
        self,
        place: int,
        endpoint: Endpoint,
        of: int,
        outcomes: dict[str, Outcome],
        releases: list[Callable[[], None]],
        error: Exception | None,
        release: Callable[[], None],
    ) -> None:
        outcomes[endpoint.id] = Reached() if error is None else self._outcome(endpoint, error)
        releases.append(release)
        if len(outcomes) < of:
            return
        if all(isinstance(outcome, Reached) for outcome in outcomes.values()):
            first = next(iter(outcomes))
            self._scribe.sent(self._wave, place, first, lambda: [one() for one in releases])
        else:
            for one in releases:
                one()
            self._failures[place] = outcomes
        self._count_down()

    def _count_down(self) -> None:
        self._left -= 1
        if not self._left and not self._done.done():
            self._done.set_result(None)

    def _outcome(self, endpoint: Endpoint, error: Exception) -> Outcome:
        outcome: Outcome
        match error:
            case Overloaded():
                return Busy(timedelta(seconds=error.delay_seconds))
            case ThrottledError():
                outcome = NotNow(error.reason, timedelta(seconds=error.delay_seconds))
            case TransientError():
                outcome = NotNow(error.reason)
            case PermanentError():
                outcome = Refused(error.reason, error.reason in GONE)
            case _:
                outcome = NotNow("internal-error")
        self._log.info("not_carried", id=endpoint.id, channel=Channel.PUSH, cause=outcome.cause)
        return outcome
