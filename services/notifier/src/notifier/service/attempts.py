"""One attempt at each message of a wave: who was reached on all endpoints, and what the others' providers said."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Protocol

from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError
from kommunepuls_chassis.logs import get_logger
from kommunepuls_events import Channel

from notifier.domain.messages import Message
from notifier.domain.outcomes import Busy, NotNow, Outcome, Reached, Refused
from notifier.domain.waves import Wave
from notifier.ports import Overloaded
from notifier.records.vault import Endpoint
from notifier.service.desk import GONE


class Crowd(Protocol):
    """Whose wave it is: hands messages over and writes down what became of them."""

    def begin(self, wave: Wave, message: Message, endpoint: Endpoint, done: Callable) -> None:
        """Hand one message to the carrier."""

    def sent(self, wave: Wave, place: int, endpoint: str, release: Callable[[], None]) -> None:
        """All endpoints of a resident have it."""

    async def not_all_sent(self, wave: Wave, failures: dict[int, dict[str, Outcome]]) -> None:
        """Let messages leave the wave that some endpoint of their residents did not take."""


class Attempts:
    """One attempt at each message of a wave."""

    def __init__(self, crowds: Crowd, wave: Wave) -> None:
        self._crowds = crowds
        self._wave = wave
        self._left = 1
        self._failures: dict[int, dict[str, Outcome]] = {}
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._log = get_logger()

    def begin(self, place: int, endpoints: Sequence[Endpoint], message: Message) -> None:
        """Hand it to every endpoint of a resident."""
        self._left += 1
        if len(endpoints) == 1:
            self._crowds.begin(self._wave, message, endpoints[0], partial(self._one, place, endpoints[0]))
            return
        outcomes: dict[str, Outcome] = {}
        releases: list[Callable[[], None]] = []
        for endpoint in endpoints:
            done = partial(self._one_of, place, endpoint, len(endpoints), outcomes, releases)
            self._crowds.begin(self._wave, message, endpoint, done)

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
            self._crowds.sent(self._wave, place, endpoint.id, release)
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
            self._crowds.sent(self._wave, place, first, lambda: [one() for one in releases])
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
