"""Requests to push services over HTTP/2: many at a time on few connections, by libcurl (https://curl.se/libcurl/c/).

libcurl does the protocol: it opens connections, shares them among requests, asks again where a kept connection turns
out to be closed or a stream was refused unseen (RFC 9113 section 8.7), and counts the time. The event loop watches its
sockets (`curl_sockets`). Addresses are checked where a socket is made (see `public_addresses`), redirects and proxies are not followed.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import certifi
import pycurl
from kommunepuls_chassis.errors import PermanentError, TransientError
from kommunepuls_chassis.public_addresses import PrivateAddress, public_socket

from notifier.adapters.curl_sockets import CurlSockets

_MOST_CONNECTIONS = 400
_MOST_CONNECTIONS_PER_HOST = 16
_MOST_IDLE_HANDLES = 1024
_LONGEST_ANSWER = 65_536
_MOST_LOST = 2
"""Kept connections that may turn out to be lost before a request is given up."""
_LOST = (pycurl.E_GOT_NOTHING, pycurl.E_SEND_ERROR, pycurl.E_RECV_ERROR)
_TIMED_OUT = (pycurl.E_OPERATION_TIMEDOUT,)
_NO_ADDRESS = (pycurl.E_URL_MALFORMAT, pycurl.E_UNSUPPORTED_PROTOCOL)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a push service said: its status and the seconds it asks us to wait (0: it does not say)."""

    status: int
    retry_after: float = 0.0


_CREATED = Answer(201)
Done = Callable[[Answer | PermanentError | TransientError], None]


class Wire:
    """Asks push services. Belongs to the event loop that is running when it is made."""

    def __init__(
        self,
        *,
        allow_private: bool,
        timeout_seconds: float,
        plain_http2: bool = False,
        authorities: str | None = None,
    ) -> None:
        """
        Args:
            allow_private: let endpoints be inside private networks.
            timeout_seconds: from `ask` to the answer.
            plain_http2: speak HTTP/2 also without TLS, to a service that is known to.
            authorities: file with the certificates of authorities (PEM); certifi's if not given.
        """
        self._loop = asyncio.get_running_loop()
        self._allow_private = allow_private
        self._timeout_milliseconds = int(timeout_seconds * 1000)
        self._plain = (
            pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE if plain_http2 else pycurl.CURL_HTTP_VERSION_1_1
        )
        self._plain_http2 = plain_http2
        self._authorities = authorities or certifi.where()
        self._idle: list[pycurl.Curl] = []
        self._waiting: dict[pycurl.Curl, Done] = {}
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, _MOST_CONNECTIONS)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, _MOST_CONNECTIONS_PER_HOST)
        self._multi.setopt(pycurl.M_MAXCONNECTS, _MOST_CONNECTIONS)
        self._sockets = CurlSockets(self._multi, under_way=self._waiting.__len__, acted=self._take_answers)

    def ask(self, url: str, headers: Sequence[str], body: bytes, done: Done) -> None:
        """POST; `done` is called once, from the event loop, with the answer or why there is none.

        `headers` are lines as `Name: value`; the very same list again costs less than an equal one.
        """
        handle = self._idle.pop() if self._idle else self._new_handle()
        if handle.headers is not headers:
            handle.setopt(pycurl.HTTPHEADER, headers)
            handle.headers = headers
        plain = not url.startswith("https:")
        if handle.plain is not plain:
            handle.setopt(pycurl.HTTP_VERSION, self._plain if plain else pycurl.CURL_HTTP_VERSION_2TLS)
            handle.setopt(pycurl.PIPEWAIT, int(not plain or self._plain_http2))
            handle.plain = plain
        handle.private, handle.received, handle.lost = False, 0, 0
        try:
            handle.setopt(pycurl.URL, url)
        except (pycurl.error, UnicodeEncodeError):
            self._idle.append(handle)
            self._loop.call_soon(
                done, PermanentError("the push endpoint is no address", reason="bad-contact")
            )
            return
        handle.setopt(pycurl.POSTFIELDS, body)
        self._waiting[handle] = done
        self._multi.add_handle(handle)

    async def answer(self, url: str, headers: Sequence[str], body: bytes) -> Answer:
        """POST and wait for the answer.

        Raises:
            PermanentError: reason `private-address` or `bad-contact`.
            TransientError: reason `timeout` or `unreachable`.
        """
        answered: asyncio.Future[Answer] = self._loop.create_future()

        def done(said: Answer | PermanentError | TransientError) -> None:
            if answered.done():
                return
            if isinstance(said, Answer):
                answered.set_result(said)
            else:
                answered.set_exception(said)

        self.ask(url, headers, body, done)
        return await answered

    def close(self) -> None:
        """Let connections and requests under way go; nobody hears of these any more."""
        self._sockets.close()
        for handle in self._waiting:
            self._multi.remove_handle(handle)
            handle.close()
        self._waiting.clear()
        for handle in self._idle:
            handle.close()
        self._idle.clear()
        self._multi.close()

    def _new_handle(self) -> pycurl.Curl:
        handle = pycurl.Curl()
        handle.headers, handle.plain = None, None
        handle.setopt(pycurl.POST, 1)
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.PROXY, "")
        handle.setopt(pycurl.FOLLOWLOCATION, 0)
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.CAINFO, self._authorities)
        handle.setopt(pycurl.TIMEOUT_MS, self._timeout_milliseconds)
        handle.setopt(pycurl.WRITEFUNCTION, lambda part: _take(handle, part))
        if not self._allow_private:
            handle.setopt(pycurl.OPENSOCKETFUNCTION, lambda _, address: _public(handle, address))
        return handle

    def _take_answers(self) -> None:
        more = 1
        while more:
            more, answered, failed = self._multi.info_read()
            for handle in answered:
                status = handle.getinfo(pycurl.RESPONSE_CODE)
                if status == 201:
                    self._end(handle, _CREATED)
                else:
                    # Seconds asked for by Retry-After, 0 without.
                    self._end(
                        handle, Answer(status, min(float(handle.getinfo(pycurl.RETRY_AFTER)), 86_400.0))
                    )
            for handle, number, _ in failed:
                if number in _LOST and not handle.getinfo(pycurl.NUM_CONNECTS) and handle.lost < _MOST_LOST:
                    self._ask_again(handle)
                else:
                    self._end(handle, _failure(handle, number))

    def _ask_again(self, handle: pycurl.Curl) -> None:
        """A kept connection was lost: that says nothing about the push service.

        Should it have taken the message before, this one takes its place, which has the same Topic.
        """
        handle.lost += 1
        self._multi.remove_handle(handle)
        self._multi.add_handle(handle)

    def _end(self, handle: pycurl.Curl, said: Answer | PermanentError | TransientError) -> None:
        self._multi.remove_handle(handle)
        done = self._waiting.pop(handle)
        if len(self._idle) < _MOST_IDLE_HANDLES:
            self._idle.append(handle)
        else:
            handle.close()
        done(said)


def _take(handle: pycurl.Curl, part: bytes) -> int:
    """Drop what an answer says; the transfer ends if somebody sends without end."""
    handle.received += len(part)
    return len(part) if handle.received <= _LONGEST_ANSWER else -1


def _public(handle: pycurl.Curl, address: tuple) -> socket.socket | int:
    """A socket for an address of the open Internet, which is the one connected to."""
    family, kind, protocol, destination = address
    try:
        return public_socket((family, kind, protocol, "", destination))
    except PrivateAddress:
        handle.private = True
        return pycurl.SOCKET_BAD


def _failure(handle: pycurl.Curl, number: int) -> PermanentError | TransientError:
    """libcurl's error (https://curl.se/libcurl/c/libcurl-errors.html) as one of the chassis's."""
    if handle.private:
        return PermanentError("the push endpoint is not at a public address", reason="private-address")
    if number in _NO_ADDRESS:
        return PermanentError("the push endpoint is no address", reason="bad-contact")
    if number in _TIMED_OUT:
        return TransientError("the push service did not answer in time", reason="timeout")
    return TransientError(f"the push service cannot be reached: libcurl's {number}", reason="unreachable")


@asynccontextmanager
async def open_wire(
    *, allow_private: bool, timeout_seconds: float, plain_http2: bool = False, authorities: str | None = None
) -> AsyncIterator[Wire]:
    """A wire that is closed at the end; see :class:`Wire`."""
    wire = Wire(
        allow_private=allow_private,
        timeout_seconds=timeout_seconds,
        plain_http2=plain_http2,
        authorities=authorities,
    )
    try:
        yield wire
    finally:
        wire.close()
