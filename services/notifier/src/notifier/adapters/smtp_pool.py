"""The connections to one mail server, and the mails that wait for a turn on them."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from kommunepuls_chassis.errors import TransientError
from kommunepuls_chassis.logs import get_logger

from notifier.adapters.smtp_dial import SmtpAddress, dial
from notifier.adapters.smtp_session import Errand, SmtpSession

_IDLE_SECONDS = 60.0
_FAREWELL_SECONDS = 2.0
_MOST_TRIES = 3
_LOCKSTEP_SECONDS = 600.0
"""How long a server that stumbled over pipelining is asked one command at a time."""
_REFUSED_SECONDS = 10.0
"""After a further connection was refused, those there are must do."""


class SmtpPool:
    """Hands mails to connections: those that rest first, new ones up to the bound, else in turn."""

    def __init__(
        self, address: SmtpAddress, connections: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`connections`: at a time; twice as many while something urgent waits."""
        self._address = address
        self._most = connections
        self._clock = clock
        self._urgent: deque[Errand] = deque()
        self._waiting: deque[Errand] = deque()
        self._idle: list[tuple[SmtpSession, float]] = []
        self._sessions: set[SmtpSession] = set()
        self._opening: set[asyncio.Task] = set()
        self._lockstep_until = float("-inf")
        self._refused_until = float("-inf")
        self._log = get_logger()

    async def hand_over(self, errand: Errand, *, first: bool) -> None:
        """Returns when the server has taken the mail.

        Raises:
            Answered: it was refused.
            Ambiguous: the connection was lost before the server's word on it.
            TransientError: it could not be sent.
        """
        queue = self._urgent if first else self._waiting
        queue.append(errand)
        if self._idle or len(self._sessions) < self._most or first:
            self._serve()
        try:
            await errand.done
        finally:
            # A connection that has begun it sees that it is not wanted any more.
            if not errand.tries and errand in queue:
                queue.remove(errand)

    def next_errand(self) -> Errand | None:
        """See :class:`~notifier.adapters.smtp_session.Owner`."""
        for queue in (self._urgent, self._waiting):
            while queue:
                errand = queue.popleft()
                if not errand.done.done():
                    return errand
        return None

    def idle(self, session: SmtpSession) -> None:
        """See :class:`~notifier.adapters.smtp_session.Owner`."""
        self._idle.append((session, self._clock()))

    def lost(self, session: SmtpSession, unsent: list[Errand], *, out_of_step: bool) -> None:
        """See :class:`~notifier.adapters.smtp_session.Owner`."""
        self._sessions.discard(session)
        self._idle = [one for one in self._idle if one[0] is not session]
        if out_of_step:
            self._lockstep_until = self._clock() + _LOCKSTEP_SECONDS
            self._log.warning("smtp_pipelining_left_alone", seconds=_LOCKSTEP_SECONDS)
        for errand in reversed(unsent):
            # It was another mail's connection that had grown old, or pipelining that was to blame.
            if errand.tries < _MOST_TRIES and (out_of_step or session.mails):
                self._waiting.appendleft(errand)
            else:
                errand.done.set_exception(_broken_off())
        self._serve()

    async def close(self) -> None:
        """Take leave of the server."""
        for task in self._opening:
            task.cancel()
        farewells = [session.leave() for session in self._sessions if not session.busy]
        if farewells:
            await asyncio.wait(farewells, timeout=_FAREWELL_SECONDS)
        for session in list(self._sessions):
            session.abort()

    def _serve(self) -> None:
        while (self._urgent or self._waiting) and (session := self._rested()) is not None:
            if (errand := self.next_errand()) is None:
                self.idle(session)
                return
            session.begin(errand)
        waiting = len(self._urgent) + len(self._waiting)
        most = self._most * 2 if self._urgent else self._most
        free = most - len(self._sessions) - len(self._opening)
        if self._sessions and self._clock() < self._refused_until:
            return
        for _ in range(min(free, waiting - len(self._opening))):
            task = asyncio.create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def _rested(self) -> SmtpSession | None:
        now = self._clock()
        while self._idle:
            session, since = self._idle.pop()
            if session.usable and now - since < _IDLE_SECONDS:
                return session
            if session.usable:
                session.leave()
        return None

    async def _open(self) -> None:
        pipelining = self._clock() >= self._lockstep_until
        try:
            session = await dial(self._address, self, pipelining=pipelining)
            if not session.usable:
                # Hung up right after the greeting: nobody will tell us that it is gone, and it would keep its place.
                raise _broken_off()
        except Exception as error:
            failed = error if isinstance(error, TransientError) else _broken_off()
            self._refused_until = self._clock() + _REFUSED_SECONDS
            # Not when the task is done: several that fail in one turn of the loop would each count the others.
            self._opening.discard(asyncio.current_task())
            if not self._sessions and not self._opening:
                # This was the last that might have taken them.
                while (errand := self.next_errand()) is not None:
                    errand.done.set_exception(type(failed)(*failed.args, reason=failed.reason))
            if not isinstance(error, TransientError):
                raise
            return
        self._sessions.add(session)
        self.idle(session)
        self._serve()


def _broken_off() -> TransientError:
    return TransientError("the mail server broke off", reason="broken-off")
