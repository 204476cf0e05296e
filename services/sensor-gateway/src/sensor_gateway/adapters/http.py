"""The webhooks and the snowfall route."""

import hmac
import json
import os
from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol

from kommunepuls_chassis.errors import PermanentError, RejectedInput
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.operators import operator_of, parse_operator_tokens
from kommunepuls_chassis.tracing import span
from kommunepuls_events.base import utc_now
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sensor_gateway.coverage import TownCoverage
from sensor_gateway.domain.times import instant
from sensor_gateway.domain.values import mapping, parse_json
from sensor_gateway.ploughs import PloughIntake
from sensor_gateway.sensors import MESSAGE, SensorIntake
from sensor_gateway.settings import Settings
from sensor_gateway.sources import Pushed

KEPT_OF_TOO_LARGE = 65_536
"""Bytes kept of a body that is refused for its size."""


class Running(Protocol):
    """Where the routes find what runs now."""

    def pushed(self, municipality: str, source: str) -> SensorIntake | PloughIntake | None:
        """The source that takes pushes under this address, None if there is none."""

    def coverage(self, municipality: str) -> TownCoverage | None:
        """The town's plough coverage, None if it has no plough source."""


class TooLarge(Exception):
    """The body is longer than allowed; carries its beginning."""

    def __init__(self, beginning: bytes) -> None:
        super().__init__()
        self.beginning = beginning


def routes(running: Running, settings: Settings) -> list[Route]:
    """The service's own routes."""
    log = get_logger()

    async def webhook(request: Request) -> Response:
        municipality, source = request.path_params["municipality"], request.path_params["source"]
        intake = running.pushed(municipality, source)
        # An unknown source and a wrong secret look alike from outside.
        if intake is None or not isinstance(intake.config, Pushed) or not _authentic(request, intake.config):
            return problem(401, "unauthorised", "the secret is missing or wrong, or there is no such source")
        traceparent = request.headers.get("traceparent")
        try:
            raw = await _body(request, settings.largest_body_bytes)
        except TooLarge as large:
            detail = f"the body is larger than {settings.largest_body_bytes} bytes"
            kept = b"" if isinstance(intake, PloughIntake) else large.beginning
            await intake.intake.reject(MESSAGE, kept, RejectedInput("too-large", detail))
            return problem(413, "too-large", detail)
        except ClientDisconnect:
            return problem(400, "broken-off", "the body broke off")
        if request.query_params.get("event", "up") != "up":  # ChirpStack's joins, acknowledgements…
            return JSONResponse({"taken": 0})
        try:
            with span(traceparent):
                taken = await intake.take(raw)
        except PermanentError as refused:
            return problem(422, refused.reason, str(refused))
        except Exception as error:
            # Not acknowledged: the sender, or its retry, still has it.
            log.exception("webhook_not_taken", source=f"{municipality}/{source}", error=type(error).__name__)
            return problem(503, "not-published", "try again later", {"Retry-After": "10"})
        if taken.unreadable is not None:
            return problem(400, taken.unreadable.reason, taken.unreadable.detail)
        counts = {"rejected": dict(taken.rejects)} if taken.rejects else {}
        if isinstance(intake, SensorIntake):
            counts |= {"readings": taken.readings, "repeated": taken.repeated}
        else:
            counts |= {"lines": taken.lines, "skipped": dict(taken.skipped)}
        return JSONResponse(counts, 202 if taken.rejects else 200)

    async def snowfall(request: Request) -> Response:
        tokens = parse_operator_tokens(settings.operator_tokens.get_secret_value())
        if operator_of(request.headers.get("authorization", ""), tokens) is None:
            return problem(
                401, "unauthorised", "an operator's bearer token is needed", {"WWW-Authenticate": "Bearer"}
            )
        coverage = running.coverage(request.path_params["municipality"])
        if coverage is None:
            return problem(404, "no-plough-source", "the town has no plough source")
        if request.method == "POST":
            try:
                body = mapping(parse_json(await _body(request, 4096)), "the body")
                started_at = instant(body.get("started_at"), "started_at")
            except RejectedInput as rejected:
                return problem(400, rejected.reason, rejected.detail)
            except TooLarge:
                return problem(413, "too-large", "the body holds started_at alone")
            now = utc_now()
            if started_at > now + timedelta(hours=settings.snowfall_latest_ahead_hours):
                return problem(422, "in-the-future", "started_at lies in the future")
            try:
                began = await coverage.begin_snowfall(started_at, now)
            except PermanentError as refused:
                return problem(409, refused.reason, str(refused))
            return JSONResponse({"started_at": coverage.snowfall.isoformat()}, 201 if began else 200)
        known = coverage.snowfall
        return JSONResponse({"started_at": known.isoformat() if known else None})

    return [
        Route("/webhooks/{municipality}/{source}", webhook, methods=["POST"]),
        Route("/snowfalls/{municipality}", snowfall, methods=["GET", "POST"]),
    ]


def problem(status: int, reason: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    """An error as RFC 9457 has it."""
    body = {"type": "about:blank", "title": reason, "status": status, "detail": detail}
    return Response(
        json.dumps(body, ensure_ascii=False), status, headers, media_type="application/problem+json"
    )


async def _body(request: Request, largest: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise TooLarge(bytes(body[:KEPT_OF_TOO_LARGE]))
    return bytes(body)


def _authentic(request: Request, config: Pushed) -> bool:
    expected = os.environ.get(config.secret_env, "")
    offered = [request.headers.get(config.secret_header, ""), _bearer(request)]
    return _matches(offered, [expected])


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _matches(offered: Iterable[str], accepted: Iterable[str]) -> bool:
    """Compared in constant time; an empty secret accepts nothing."""
    good = [secret.strip().encode() for secret in accepted if secret.strip()]
    return any(hmac.compare_digest(one.encode(), secret) for one in offered if one for secret in good)
