"""A gate before each provider: so many at once, and nobody while it asks for patience or does not answer."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from kommunepuls_chassis.errors import ThrottledError, TransientError

from notifier.ports import Overloaded

_MOST_PROVIDERS = 1000
_LONGEST_PAUSE = 300.0
_FAILURES_BEFORE_PAUSE = 3
_BUSY_SECONDS = 2.0
_LONGEST_BUSY_SECONDS = 60.0
_ASSUMED_SECONDS = 0.1
_MOST_WAITING = 2000


@dataclass
class _State:
    under_way: int = 0
    failures: int = 0
    failed_at: float = float("-inf")
    closed_until: float = 0.0
    seconds: float = _ASSUMED_SECONDS
    """What a message took lately."""
    urgent: deque[asyncio.Future] = field(default_factory=deque)
    waiting: deque[asyncio.Future] = field(default_factory=deque)


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
        state = self._state(provider)
        if not first:
            self._check_open(state)
        if state.under_way < self._limit(first):
            state.under_way += 1
        else:
            await self._turn(state, first)
        began = self._clock()
        try:
            yield
        except ThrottledError as error:
            state.closed_until = self._clock() + min(error.delay_seconds, _LONGEST_PAUSE)
            raise
        except (TransientError, TimeoutError):
            self._failed(state, began)
            raise
        else:
            state.failures = 0
        finally:
            state.seconds += (self._clock() - began - state.seconds) / 8
            self._leave(state)

    def _limit(self, first: bool) -> int:
        return self._at_once * 2 if first else self._at_once

    def _check_open(self, state: _State) -> None:
        left = state.closed_until - self._clock()
        if left > 0:
            raise Overloaded(min(max(left, _BUSY_SECONDS), _LONGEST_BUSY_SECONDS))
        if state.failures >= _FAILURES_BEFORE_PAUSE and state.under_way:
            raise Overloaded(_BUSY_SECONDS)

    async def _turn(self, state: _State, first: bool) -> None:
        """Wait until somebody leaves; who leaves hands the place over."""
        waiting = state.urgent if first else state.waiting
        likely = self._at_once * self._waiting_seconds / max(state.seconds, 0.001)
        if not self._waiting_seconds or len(waiting) >= (_MOST_WAITING if first else likely):
            raise Overloaded(_BUSY_SECONDS)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            async with asyncio.timeout(self._waiting_seconds):
                await turn
        except BaseException as error:
            if turn in waiting:
                waiting.remove(turn)
            elif not turn.cancelled() and turn.exception() is None:
                self._leave(state)  # it was given a place in the moment it gave up
            if isinstance(error, TimeoutError):
                raise Overloaded(_BUSY_SECONDS) from None
            raise

    def _leave(self, state: _State) -> None:
        state.under_way -= 1
        self._let_in(state, state.urgent, self._limit(True))
        try:
            self._check_open(state)
        except Overloaded as closed:
            while state.waiting:
                turn = state.waiting.popleft()
                if not turn.done():
                    turn.set_exception(Overloaded(closed.delay_seconds))
            return
        self._let_in(state, state.waiting, self._limit(False))

    @staticmethod
    def _let_in(state: _State, waiting: deque[asyncio.Future], limit: int) -> None:
        while waiting and state.under_way < limit:
            turn = waiting.popleft()
            if not turn.done():
                state.under_way += 1
                turn.set_result(None)

    def _failed(self, state: _State, began: float) -> None:
        if began < state.failed_at:
            return
        state.failures, state.failed_at = state.failures + 1, self._clock()
        excess = state.failures - _FAILURES_BEFORE_PAUSE
        if excess >= 0:
            state.closed_until = self._clock() + min(2.0 ** min(excess, 10), _LONGEST_PAUSE)

    def _state(self, provider: str) -> _State:
        state = self._states.setdefault(provider, _State())
        self._states.move_to_end(provider)
        if len(self._states) > _MOST_PROVIDERS:
            idle = next((name for name, one in self._states.items() if not one.under_way), None)
            if idle is not None and idle != provider:
                del self._states[idle]
        return state
