"""A gate before each provider: so many at once, and nobody while it asks for patience or does not answer."""

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from kommunepuls_chassis.errors import ThrottledError, TransientError

from notifier.ports import Overloaded

_MOST_PROVIDERS = 1000
_LONGEST_PAUSE = 300.0
_FAILURES_BEFORE_PAUSE = 3


@dataclass
class _State:
    under_way: int = 0
    failures: int = 0
    closed_until: float = 0.0


class Gates:
    """Gates by provider.

    After three failures in a row a provider is left alone for a second, doubling to five minutes; then one
    message tries whether it answers again. What is urgent tries at any time, within twice the bound.
    """

    def __init__(self, at_once: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once = at_once
        self._clock = clock
        self._states: OrderedDict[str, _State] = OrderedDict()

    @asynccontextmanager
    async def through(self, provider: str, *, first: bool) -> AsyncIterator[None]:
        """Ask the provider inside.

        Raises:
            Overloaded: it is not to be asked now.
        """
        state = self._state(provider)
        limit = self._at_once * 2 if first else self._at_once
        if state.under_way >= limit or (not first and self._clock() < state.closed_until):
            raise Overloaded
        if state.failures >= _FAILURES_BEFORE_PAUSE and state.under_way and not first:
            raise Overloaded
        state.under_way += 1
        try:
            yield
        except ThrottledError as error:
            state.closed_until = self._clock() + min(error.delay_seconds, _LONGEST_PAUSE)
            raise
        except (TransientError, TimeoutError):
            self._failed(state)
            raise
        else:
            state.failures = 0
        finally:
            state.under_way -= 1

    def _failed(self, state: _State) -> None:
        state.failures += 1
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
