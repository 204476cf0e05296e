"""Around every request: a limit to its body, a trace, metrics, safe headers, and no detail in a 500."""

import re
import time
from collections.abc import Callable

from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import HTTP_REQUESTS, HTTP_SECONDS
from kommunepuls_chassis.tracing import span
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway_api.adapters.http.problems import problem

_SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self)",
}
_FRAMED = "frame-ancestors *"
"""In the policy of what other sites may show within a page of theirs."""
_UPLOADS = re.compile(r"/staff/writing/[0-9a-f]{16}")
"""Where a picture may come along with a form."""
_NOTHING = "default-src 'none'; frame-ancestors 'none'"


class Edge:
    """The outermost application."""

    def __init__(self, app: ASGIApp, *, largest_body: int, largest_upload: int, secure: bool) -> None:
        self._app = app
        self._largest_body = largest_body
        self._largest_upload = largest_upload
        self._secure = secure
        self._log = get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(MutableHeaders(scope=message))
            await send(message)

        with span(Headers(scope=scope).get("traceparent")):
            try:
                await self._serve(scope, receive, sending)
            finally:
                route = getattr(scope.get("route"), "path", None) or "unknown"
                HTTP_REQUESTS.labels(route, _method(scope), str(status)).inc()
                HTTP_SECONDS.labels(route).observe(time.monotonic() - began)

    def _add_headers(self, headers: MutableHeaders) -> None:
        for name, value in _SAFE_HEADERS.items():
            headers.setdefault(name, value)
        if _FRAMED in headers.get("content-security-policy", ""):
            del headers["x-frame-options"]
        headers.setdefault("Content-Security-Policy", _NOTHING)
        if self._secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = self._largest_upload if _UPLOADS.fullmatch(scope["path"]) else self._largest_body
        body = await self._body(scope, receive, most)
        if body is None:
            detail = f"a body has at most {most} bytes"
            await problem(scope["path"], 413, detail, slug="too-large")(scope, receive, send)
            return
        started = False

        async def noticing(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, _replayed(body, receive), noticing)
        except Exception as error:
            # The log has it all, redacted; whoever asked learns nothing but that it was our fault.
            self._log.exception("request_failed", error=type(error).__name__)
            if not started:
                detail = "something went wrong on our side"
                await problem(scope["path"], 500, detail, slug="internal")(scope, receive, send)

    async def _body(self, scope: Scope, receive: Receive, most: int) -> bytes | None:
        """The whole body; None if it is too large. Bodies are small here, so it is read before anything."""
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdigit() and int(length) > most:
            return None
        body = bytearray()
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return bytes(body)
            body += message.get("body", b"")
            if len(body) > most:
                return None
            if not message.get("more_body", False):
                return bytes(body)


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"


def _replayed(body: bytes, receive: Receive) -> Callable:
    given = False

    async def replaying() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replaying
