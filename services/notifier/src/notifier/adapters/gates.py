"""A gate before each provider: so many at once, and nobody while it asks for patience or does not answer."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError

from notifier.ports import Overloaded

_MOST_PROVIDERS = 1000
_LONGEST_PAUSE = 300.0
_FAILURES_BEFORE_PAUSE = 3
_BUSY_SECONDS = 2.0
_LONGEST_BUSY_SECONDS = 60.0
_ASSUMED_SECONDS = 0.1
_MOST_WAITING = 20_000
_SILENT_SECONDS = 2.0
"""So long without any answer, no more wait for a provider than it is asked at once."""


class Turn(Protocol):
    """One who wants through a gate."""

    given_up: bool
    """Whether it is not to be started any more."""

    def start(self) -> None:
        """It is their turn: they ask the provider, and call `Gate.leave` when it has answered."""

    def refuse(self, error: Overloaded) -> None:
        """It will not be their turn: the provider is not to be asked now."""


@dataclass(slots=True, eq=False)
class Gate:
    """The gate before one provider.

    Attributes:
        at_once, waiting_seconds, clock: see :class:`Gates`.
        asked_since: when it was asked after nothing was under way.
        seconds: what a message took lately.
        urgent, waiting: who waits, each with the time until which, on the gate's clock.
    """

    at_once: int
    waiting_seconds: float
    clock: Callable[[], float]
    under_way: int = 0
    failures: int = 0
    failed_at: float = float("-inf")
    closed_until: float = 0.0
    answered_at: float = float("-inf")
    asked_since: float = 0.0
    seconds: float = _ASSUMED_SECONDS
    urgent: deque[tuple[float, Turn]] = field(default_factory=deque)
    waiting: deque[tuple[float, Turn]] = field(default_factory=deque)
    sweep: asyncio.TimerHandle | None = None

    def enter(self, turn: Turn, *, first: bool) -> None:
        """Start it at once or when it is their turn, or refuse it if the provider is not to be asked now."""
        if not first and (closed := self._closed_for()):
            turn.refuse(Overloaded(closed))
        elif self.under_way < (self.at_once * 2 if first else self.at_once):
            if not self.under_way:
                self.asked_since = self.clock()
            self.under_way += 1
            turn.start()
        elif self._may_wait(first):
            until = self.clock() + self.waiting_seconds
            (self.urgent if first else self.waiting).append((until, turn))
            if self.sweep is None:
                self.sweep = asyncio.get_running_loop().call_later(self.waiting_seconds, self._sweep)
        else:
            turn.refuse(Overloaded(_BUSY_SECONDS))

    def leave(self, began: float, error: BaseException | None) -> None:
        """Who was started has an answer, or `error` instead of one; `began` is on the gate's clock."""
        now = self.clock()
        if error is None:
            self.answered_at, self.failures = now, 0
        elif isinstance(error, ThrottledError):
            self.closed_until = now + min(error.delay_seconds, _LONGEST_PAUSE)
        elif isinstance(error, TransientError | TimeoutError):
            self._failed(began, now)
        elif isinstance(error, PermanentError):
            self.answered_at = now
        self.seconds += (now - began - self.seconds) / 8
        self.give_back()

    def give_back(self) -> None:
        """A place is free again: the next ones have their turn."""
        self.under_way -= 1
        if self.urgent:
            self._let_in(self.urgent, self.at_once * 2)
        if not self.waiting:
            return
        if closed := self._closed_for():
            waiting, self.waiting = self.waiting, deque()
            for _, turn in waiting:
                if not turn.given_up:
                    turn.refuse(Overloaded(closed))
            return
        self._let_in(self.waiting, self.at_once)

    def _may_wait(self, first: bool) -> bool:
        if not self.waiting_seconds:
            return False
        if first:
            return len(self.urgent) < _MOST_WAITING
        likely = self.at_once * self.waiting_seconds / max(self.seconds, 0.001)
        if self.clock() - max(self.answered_at, self.asked_since) > _SILENT_SECONDS:
            likely = min(likely, self.at_once)
        return len(self.waiting) < likely

    def _closed_for(self) -> float:
        """Seconds for which it is not to be asked; 0 if it may be."""
        left = self.closed_until - self.clock() if self.closed_until else 0.0
        if left > 0:
            return min(max(left, _BUSY_SECONDS), _LONGEST_BUSY_SECONDS)
        if self.failures >= _FAILURES_BEFORE_PAUSE and self.under_way:
            return _BUSY_SECONDS
        return 0.0

    def _let_in(self, waiting: deque[tuple[float, Turn]], limit: int) -> None:
        while waiting and self.under_way < limit:
            _, turn = waiting.popleft()
            if not turn.given_up:
                self.under_way += 1
                turn.start()

    def _sweep(self) -> None:
        """Turn those away who have waited long enough."""
        self.sweep, now = None, self.clock()
        for waiting in (self.urgent, self.waiting):
            while waiting and (waiting[0][1].given_up or waiting[0][0] <= now):
                _, turn = waiting.popleft()
                if not turn.given_up:
                    turn.refuse(Overloaded(_BUSY_SECONDS))
        left = [waiting[0][0] for waiting in (self.urgent, self.waiting) if waiting]
        if left:
            self.sweep = asyncio.get_running_loop().call_later(max(min(left) - now, 0.001), self._sweep)

    def _failed(self, began: float, now: float) -> None:
        if began < self.failed_at:
            return
        self.failures, self.failed_at = self.failures + 1, now
        excess = self.failures - _FAILURES_BEFORE_PAUSE
        if excess >= 0:
            self.closed_until = now + min(2.0 ** min(excess, 10), _LONGEST_PAUSE)


class Gates:
    """Gates by provider.

    After three failures in a row a provider is left alone for a second, doubling to five minutes; then one
    message tries whether it answers again. Messages that were under way together fail together: that counts
    once, or a connection lost at a busy moment would close the gate for minutes. What is urgent tries at any time, within twice the bound, and
    before all who wait.
    """

    def __init__(
        self, at_once: int, *, waiting_seconds: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Args:
            at_once: messages under way to one provider.
            waiting_seconds: how long others may wait for their turn. As many are let wait as the provider is
                likely to take in that time, so that a slow one fills nobody's hands.
        """
        self._at_once = at_once
        self._waiting_seconds = waiting_seconds
        self._clock = clock
        self._gates: OrderedDict[str, Gate] = OrderedDict()

    def gate(self, provider: str) -> Gate:
        """The gate before a provider. Who asks for it enters it at once: one that is idle may be forgotten."""
        gate = self._gates.get(provider)
        if gate is None:
            gate = self._gates[provider] = Gate(self._at_once, self._waiting_seconds, self._clock)
            if len(self._gates) > _MOST_PROVIDERS:
                idle = next((name for name, one in self._gates.items() if not one.under_way), None)
                if idle is not None and idle != provider:
                    del self._gates[idle]
        else:
            self._gates.move_to_end(provider)
        return gate

    @asynccontextmanager
    async def through(self, provider: str, *, first: bool) -> AsyncIterator[None]:
        """Ask the provider inside.

        Raises:
            Overloaded: it is not to be asked now.
        """
        gate, turn = self.gate(provider), _Waiting()
        gate.enter(turn, first=first)
        try:
            await turn.come
        except asyncio.CancelledError:
            turn.given_up = True
            if turn.come.done() and not turn.come.cancelled() and turn.come.exception() is None:
                gate.give_back()  # it was given a place in the moment it gave up
            raise
        began = self._clock()
        try:
            yield
        except BaseException as error:
            gate.leave(began, error)
            raise
        gate.leave(began, None)

    def queued(self, answered_within: float, *, first: bool) -> int:
        """How many urgent or ordinary ones wait for providers that answered lately, in seconds."""
        since = self._clock() - answered_within
        return sum(
            len(gate.urgent if first else gate.waiting)
            for gate in self._gates.values()
            if gate.answered_at >= since
        )


class _Waiting:
    """Waits for its turn."""

    def __init__(self) -> None:
        self.given_up = False
        self.come: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self) -> None:
        """It has come."""
        if not self.come.done():
            self.come.set_result(None)

    def refuse(self, error: Overloaded) -> None:
        """It will not come."""
        if not self.come.done():
            self.come.set_exception(error)
