"""The sockets of libcurl's requests, watched by the event loop (https://curl.se/libcurl/c/libcurl-multi.html).

On each event libcurl looks at every request of that connection, and it writes to the socket once for every request. So
when much is under way answers are let gather for a moment, and what is asked in one go leaves in full packets: the
socket is corked meanwhile (tcp(7), TCP_CORK).
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pycurl

_MUCH = 16
"""Requests under way from which on answers gather."""
_GATHER_SECONDS = 0.003
_CORK = getattr(socket, "TCP_CORK", None)
"""Linux has it; without it more packets leave."""


@dataclass(slots=True)
class _Watched:
    """One socket.

    Attributes:
        wanted: what libcurl waits for there, `POLL_IN` and `POLL_OUT`.
        handle: for the socket's options; does not own it. None for what is no socket: libcurl wakes itself by a pipe.
    """

    wanted: int
    handle: socket.socket | None

    def cork(self, on: bool) -> None:
        """Hold what is written, or let it go."""
        if self.handle is not None and _CORK is not None:
            self.handle.setsockopt(socket.IPPROTO_TCP, _CORK, on)


class CurlSockets:
    """Has libcurl act when its sockets are ready or its time has come."""

    def __init__(
        self, multi: pycurl.CurlMulti, *, under_way: Callable[[], int], acted: Callable[[], None]
    ) -> None:
        """
        Args:
            multi: whose requests these are. It is used by the event loop that is running now, and by nobody else.
            under_way: how many requests wait for an answer.
            acted: called when some of them may have one.
        """
        self._loop = asyncio.get_running_loop()
        self._multi = multi
        self._under_way = under_way
        self._acted = acted
        self._watched: dict[int, _Watched] = {}
        self._ready: list[int] = []
        self._gathering: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | asyncio.Handle | None = None
        multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    def close(self) -> None:
        """Watch nothing any more."""
        for waiting in (self._timer, self._gathering):
            if waiting is not None:
                waiting.cancel()
        for descriptor in list(self._watched):
            self._watch(pycurl.POLL_REMOVE, descriptor, None, None)

    def _watch(self, event: int, descriptor: int, multi: object, data: object) -> None:
        """What libcurl wants to know of a socket (CURLMOPT_SOCKETFUNCTION)."""
        watched = self._watched.get(descriptor)
        if event == pycurl.POLL_REMOVE:
            if watched is not None:
                self._loop.remove_reader(descriptor)
                self._loop.remove_writer(descriptor)
                del self._watched[descriptor]
                if watched.handle is not None:
                    watched.handle.detach()
            return
        if watched is None:
            watched = self._watched[descriptor] = _Watched(0, _handle(descriptor))
        before, watched.wanted = watched.wanted, event
        if event & pycurl.POLL_IN and not before & pycurl.POLL_IN:
            self._loop.add_reader(descriptor, self._readable, descriptor)
        elif before & pycurl.POLL_IN and not event & pycurl.POLL_IN:
            self._loop.remove_reader(descriptor)
        if event & pycurl.POLL_OUT and not before & pycurl.POLL_OUT:
            self._loop.add_writer(descriptor, self._writable, descriptor)
        elif before & pycurl.POLL_OUT and not event & pycurl.POLL_OUT:
            self._loop.remove_writer(descriptor)

    def _readable(self, descriptor: int) -> None:
        if self._under_way() < _MUCH:
            self._act(descriptor, pycurl.CSELECT_IN)
            return
        self._loop.remove_reader(descriptor)
        self._ready.append(descriptor)
        if self._gathering is None:
            self._gathering = self._loop.call_later(_GATHER_SECONDS, self._take_gathered)

    def _take_gathered(self) -> None:
        self._gathering = None
        ready, self._ready = self._ready, []
        with self._corked():
            for descriptor in ready:
                if descriptor in self._watched:
                    self._multi.socket_action(descriptor, pycurl.CSELECT_IN)
        for descriptor in ready:
            watched = self._watched.get(descriptor)
            if watched is not None and watched.wanted & pycurl.POLL_IN:
                self._loop.add_reader(descriptor, self._readable, descriptor)
        self._acted()

    def _writable(self, descriptor: int) -> None:
        self._act(descriptor, pycurl.CSELECT_OUT)

    def _act(self, descriptor: int, ready: int) -> None:
        self._multi.socket_action(descriptor, ready)
        self._acted()

    def _set_timer(self, milliseconds: int) -> None:
        """When libcurl wants to be called without a socket's asking for it (CURLMOPT_TIMERFUNCTION)."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if milliseconds == 0:
            self._timer = self._loop.call_soon(self._time_out)
        elif milliseconds > 0:
            self._timer = self._loop.call_later(milliseconds / 1000, self._time_out)

    def _time_out(self) -> None:
        self._timer = None
        with self._corked():
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._acted()

    @contextmanager
    def _corked(self) -> Iterator[None]:
        """What is written inside leaves when it is over, or a packet is full."""
        if self._under_way() < _MUCH:
            yield
            return
        for watched in self._watched.values():
            watched.cork(True)
        try:
            yield
        finally:
            for watched in self._watched.values():
                watched.cork(False)


def _handle(descriptor: int) -> socket.socket | None:
    try:
        return socket.socket(fileno=descriptor)
    except OSError:
        return None
