"""A gate before each provider: so many at once, and nobody while it asks for patience or does not answer."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

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


@dataclass(slots=True, eq=False)
class _Turn:
    """One who waits: called with `start` when it is their turn, or told that it will not be."""

    start: Callable[[], None]
    refuse: Callable[[Overloaded], None]
    until: float
    given_up: bool = False


@dataclass(slots=True, eq=False)
class _State:
    under_way: int = 0
    failures: int = 0
    failed_at: float = float("-inf")
    closed_until: float = 0.0
    answered_at: float = float("-inf")
    asked_since: float = 0.0
    """When it was asked after nothing was under way."""
    seconds: float = _ASSUMED_SECONDS
    """What a message took lately."""
    urgent: deque[_Turn] = field(default_factory=deque)
    waiting: deque[_Turn] = field(default_factory=deque)
    sweep: asyncio.TimerHandle | None = None


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
        self._states: OrderedDict[str, _State] = OrderedDict()

    @asynccontextmanager
    async def through(self, provider: str, *, first: bool) -> AsyncIterator[None]:
        """Ask the provider inside.

        Raises:
            Overloaded: it is not to be asked now.
        """
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waits = self.enter(
            provider,
            first=first,
            start=lambda: turn.done() or turn.set_result(None),
            refuse=lambda error: turn.done() or turn.set_exception(error),
        )
        try:
            await turn
        except asyncio.CancelledError:
            if waits is not None:
                waits.given_up = True
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._leave(self._state(provider))  # it was given a place in the moment it gave up
            raise
        began = self._clock()
        try:
            yield
        except BaseException as error:
            self.leave(provider, began, error)
            raise
        self.leave(provider, began, None)

    def enter(
        self,
        provider: str,
        *,
        first: bool,
        start: Callable[[], None],
        refuse: Callable[[Overloaded], None],
    ) -> _Turn | None:
        """Call `start` at once or when it is their turn, or `refuse` if it is not to be asked now.

        Who was started calls `leave`. Returns the turn of one who waits.
        """
        state = self._state(provider)
        if not first and (closed := self._closed_for(state)):
            refuse(Overloaded(closed))
            return None
        if state.under_way < self._limit(first):
            if not state.under_way:
                state.asked_since = self._clock()
            state.under_way += 1
            start()
            return None
        waiting = state.urgent if first else state.waiting
        likely = self._at_once * self._waiting_seconds / max(state.seconds, 0.001)
        if self._clock() - max(state.answered_at, state.asked_since) > _SILENT_SECONDS:
            likely = min(likely, self._at_once)
        if not self._waiting_seconds or len(waiting) >= (_MOST_WAITING if first else likely):
            refuse(Overloaded(_BUSY_SECONDS))
            return None
        loop = asyncio.get_running_loop()
        turn = _Turn(start, refuse, loop.time() + self._waiting_seconds)
        waiting.append(turn)
        if state.sweep is None:
            state.sweep = loop.call_at(turn.until, self._sweep, state)
        return turn

    def leave(self, provider: str, began: float, error: BaseException | None) -> None:
        """Who was started has an answer, or `error` instead of one; `began` is on the gates' clock."""
        state, now = self._state(provider), self._clock()
        if isinstance(error, ThrottledError):
            state.closed_until = now + min(error.delay_seconds, _LONGEST_PAUSE)
        elif isinstance(error, TransientError | TimeoutError):
            self._failed(state, began)
        elif error is None or isinstance(error, PermanentError):
            state.answered_at = now
            if error is None:
                state.failures = 0
        state.seconds += (now - began - state.seconds) / 8
        self._leave(state)

    def queued(self, answered_within: float) -> int:
        """How many ordinary ones wait for providers that answered lately, in seconds."""
        since = self._clock() - answered_within
        return sum(len(state.waiting) for state in self._states.values() if state.answered_at >= since)

    def _limit(self, first: bool) -> int:
        return self._at_once * 2 if first else self._at_once

    def _closed_for(self, state: _State) -> float:
        """Seconds for which it is not to be asked; 0 if it may be."""
        left = state.closed_until - self._clock()
        if left > 0:
            return min(max(left, _BUSY_SECONDS), _LONGEST_BUSY_SECONDS)
        if state.failures >= _FAILURES_BEFORE_PAUSE and state.under_way:
            return _BUSY_SECONDS
        return 0.0

    def _leave(self, state: _State) -> None:
        state.under_way -= 1
        self._let_in(state, state.urgent, self._limit(True))
        if state.waiting and (closed := self._closed_for(state)):
            waiting, state.waiting = state.waiting, deque()
            for turn in waiting:
                if not turn.given_up:
                    turn.refuse(Overloaded(closed))
            return
        self._let_in(state, state.waiting, self._limit(False))

    @staticmethod
    def _let_in(state: _State, waiting: deque[_Turn], limit: int) -> None:
        while waiting and state.under_way < limit:
            turn = waiting.popleft()
            if not turn.given_up:
                state.under_way += 1
                turn.start()

    def _sweep(self, state: _State) -> None:
        """Turn those away who have waited long enough."""
        loop, state.sweep = asyncio.get_running_loop(), None
        for waiting in (state.urgent, state.waiting):
            while waiting and (waiting[0].given_up or waiting[0].until <= loop.time()):
                turn = waiting.popleft()
                if not turn.given_up:
                    turn.refuse(Overloaded(_BUSY_SECONDS))
        left = [waiting[0].until for waiting in (state.urgent, state.waiting) if waiting]
        if left:
            state.sweep = loop.call_at(min(left), self._sweep, state)

    def _failed(self, state: _State, began: float) -> None:
        if began < state.failed_at:
            return
        state.failures, state.failed_at = state.failures + 1, self._clock()
        excess = state.failures - _FAILURES_BEFORE_PAUSE
        if excess >= 0:
            state.closed_until = self._clock() + min(2.0 ** min(excess, 10), _LONGEST_PAUSE)

    def _state(self, provider: str) -> _State:
        state = self._states.get(provider)
        if state is None:
            state = self._states[provider] = _State()
        self._states.move_to_end(provider)
        if len(self._states) > _MOST_PROVIDERS:
            idle = next((name for name, one in self._states.items() if not one.under_way), None)
            if idle is not None and idle != provider:
                del self._states[idle]
        return state
