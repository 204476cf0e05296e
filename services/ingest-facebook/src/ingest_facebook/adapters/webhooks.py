"""``/webhooks/facebook``: the handshake, and notifications signed over their raw bytes.

Source: https://developers.facebook.com/docs/graph-api/webhooks/getting-started
"""

import hmac
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.http import operations_routes
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import HTTP_REQUESTS
from kommunepuls_chassis.store.errors import StoreError
from kommunepuls_chassis.tracing import span
from pydantic import SecretStr
from starlette.exceptions import HTTPException as StarletteHTTPException

from ingest_facebook.domain.webhooks import Change, is_signed, read_webhook
from ingest_facebook.service.running import NotReady

PATH = "/webhooks/facebook"
MOST_READ_AWAY = 16
"""A body that is too long is read to its end, up to so many times the limit, so that the answer is heard."""
Note = Callable[[bytes, list[Change]], Awaitable[int]]


class _Refused(Exception):
    def __init__(self, status: int, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail


def webhook_app(
    note: Note,
    health: Health,
    *,
    app_secret: SecretStr | None,
    verify_token: SecretStr | None,
    largest_bytes: int,
) -> FastAPI:
    """The service's HTTP application: webhooks, health and metrics.

    Args:
        note: writes down what a webhook names and returns when that is safe.
        health: of the service.
        app_secret, verify_token: without them webhooks are refused with 503.
        largest_bytes: of a body.
    """
    app = FastAPI(title="ingest-facebook", openapi_url=None, docs_url=None, redoc_url=None)
    app.router.routes.extend(operations_routes(health))
    log = get_logger()

    @app.exception_handler(_Refused)
    async def refused(request: Request, error: _Refused) -> Response:
        log.warning("webhook_refused", status=error.status, reason=error.reason)
        return _problem(request, error.status, error.reason, error.detail)

    @app.exception_handler(StarletteHTTPException)
    async def not_found(request: Request, error: HTTPException) -> Response:
        return _problem(request, error.status_code, "http", str(error.detail))

    @app.get(PATH)
    async def handshake(request: Request) -> Response:
        """Prove to Facebook that the address is ours."""
        if verify_token is None:
            raise _Refused(503, "not-set-up", "webhooks are not set up: KP_FACEBOOK_VERIFY_TOKEN is not set")
        query = request.query_params
        given = query.get("hub.verify_token", "").encode()
        if query.get("hub.mode") != "subscribe" or not hmac.compare_digest(
            given, verify_token.get_secret_value().encode()
        ):
            raise _Refused(403, "wrong-verify-token", "the verify token is not the one agreed on")
        _count(request, 200)
        return PlainTextResponse(
            query.get("hub.challenge", "")[:1000], headers={"X-Content-Type-Options": "nosniff"}
        )

    @app.post(PATH)
    async def notified(request: Request) -> Response:
        """Note what is named, then answer 200; Facebook sends again what was not answered so."""
        if app_secret is None:
            raise _Refused(503, "not-set-up", "webhooks are not set up: KP_FACEBOOK_APP_SECRET is not set")
        body = await _body(request, largest_bytes)
        if not is_signed(app_secret.get_secret_value(), body, request.headers.get("x-hub-signature-256")):
            raise _Refused(403, "wrong-signature", "X-Hub-Signature-256 is not the signature of the body")
        with span(request.headers.get("traceparent")):
            try:
                changes = read_webhook(body)
            except RejectedInput as rejected:
                raise _Refused(400, rejected.reason, rejected.detail) from None
            try:
                noted = await note(body, changes)
            except (StoreError, NotReady):
                raise _Refused(503, "not-ready", "try again: it could not be written down") from None
            log.info("webhook_taken", changes=len(changes), noted=noted)
        _count(request, 200)
        return JSONResponse({"noted": noted})

    return app


async def _body(request: Request, largest: int) -> bytes:
    body, length = bytearray(), 0
    async for part in request.stream():
        length += len(part)
        if length <= largest:
            body += part
        elif length > largest * MOST_READ_AWAY:
            break
    if length > largest:
        raise _Refused(413, "too-large", f"the body is larger than {largest} bytes")
    return bytes(body)


def _problem(request: Request, status: int, reason: str, detail: str) -> Response:
    """Problem details, RFC 9457."""
    _count(request, status)
    body = {"type": f"urn:kommunepuls:problem:{reason}", "title": reason, "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


def _count(request: Request, status: int) -> None:
    route = PATH if request.url.path == PATH else "other"
    HTTP_REQUESTS.labels(route, request.method, str(status)).inc()
