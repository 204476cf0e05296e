"""Who may call what: residents by session, operators by bearer token, everybody what the list names.

Staff have a session of their own: see :mod:`gateway_api.adapters.http.access_staff`.
"""

import hmac
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from kommunepuls_chassis.operators import operator_of

from gateway_api.domain.errors import NotAllowed, NotSignedIn
from gateway_api.domain.subscribers import Subscriber
from gateway_api.service.gateway import Gateway
from gateway_api.service.sign_in import Session
from gateway_api.settings import Settings

CSRF_HEADER, CSRF_FIELD = "x-csrf-token", "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_cookie_scheme = APIKeyCookie(name="kp_session", scheme_name="session", auto_error=False)
_bearer_scheme = HTTPBearer(scheme_name="operator", auto_error=False)

PUBLIC = frozenset(
    {
        "GET /", "GET /m/{municipality}", "GET /items/{item:path}", "GET /open-data", "GET /docs",
        "GET /start", "POST /start", "POST /api/v1/preview", "GET /offline", "GET /sign-in", "POST /sign-in", "GET /sign-in/{token}", "POST /sign-in/{token}",
        "GET /unsubscribe/{token}", "POST /unsubscribe/{token}", "POST /unsubscribe/{token}/undo",
        "GET /pictures/{name}", "GET /service-worker.js", "GET /manifest.webmanifest", "GET /favicon.ico", "MOUNT /static",
        "GET /open-data/items.geojson", "GET /open-data/items.rss", "GET /open-data/items.ics",
        "GET /api/v1/openapi.json", "GET /api/v1/municipalities", "GET /api/v1/areas",
        "GET /api/v1/interests", "GET /api/v1/organisers", "GET /api/v1/sensors",
        "GET /api/v1/sensors/{sensor:path}", "GET /api/v1/pulse", "GET /api/v1/pulse/stream",
        "GET /api/v1/items", "GET /api/v1/items/{item:path}", "GET /api/v1/vapid-public-key",
        "POST /api/v1/sign-in-links", "POST /api/v1/sessions", "GET /problems/{slug}",
        "GET /organisers", "GET /organisers/{organiser:path}", "GET /embed", "GET /embed/events",
        "GET /embed/events.json",
        "GET /staff/sign-in", "POST /staff/sign-in", "POST /staff/token",
        "GET /staff/sign-in/{token}", "POST /staff/sign-in/{token}",
        "GET /health/live", "GET /health/ready", "GET /metrics",
    }
)  # fmt: skip
"""Every route that needs no authentication. A route that is neither here nor protected fails a test."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A resident who is signed in."""

    session: Session
    subscriber: Subscriber


def gateway_of(request: Request) -> Gateway:
    """The assembled gateway."""
    return request.app.state.gateway


def cookie_name(settings: Settings) -> str:
    """The session cookie's name; the prefix makes browsers hold it to this very host (RFC 6265bis 4.1.3.2)."""
    return "__Host-kp_session" if settings.secure else "kp_session"


def set_session(response: Response, settings: Settings, token: str) -> None:
    """Give the browser its session."""
    response.set_cookie(
        cookie_name(settings),
        token,
        max_age=settings.session_days * 86_400,
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings.secure,
    )


def clear_session(response: Response, settings: Settings) -> None:
    """Take the session back."""
    response.delete_cookie(
        cookie_name(settings), path="/", httponly=True, samesite="lax", secure=settings.secure
    )


async def reader_of(request: Request) -> Reader | None:
    """Who is signed in, None if nobody; looked up once a request."""
    if not hasattr(request.state, "reader"):
        request.state.reader = await _look_up(request)
    return request.state.reader


async def _look_up(request: Request) -> Reader | None:
    gateway = gateway_of(request)
    token = request.cookies.get(cookie_name(gateway.settings))
    session = await gateway.sign_in.session(token) if token and len(token) < 200 else None
    subscriber = await gateway.residents.get(session.subscriber) if session else None
    return Reader(session, subscriber) if session and subscriber else None


async def resident(
    request: Request, _cookie: Annotated[str | None, Security(_cookie_scheme)] = None
) -> Reader:
    """A route for residents. What changes something must come from our own pages.

    Raises:
        NotSignedIn, NotAllowed.
    """
    reader = await reader_of(request)
    if reader is None:
        raise NotSignedIn("sign in first")
    if request.method not in SAFE_METHODS:
        same_origin(request)
        if not hmac.compare_digest((await form_token(request)).encode(), reader.session.csrf.encode()):
            raise NotAllowed("the form is too old, or not ours; open the page again", slug="csrf")
    return reader


_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


async def form_token(request: Request) -> str:
    """The session's own token that a change carries, in its header or form; empty if there is none."""
    given = request.headers.get(CSRF_HEADER, "")
    if not given and request.headers.get("content-type", "").startswith(_FORMS):
        given = str((await request.form()).get(CSRF_FIELD, ""))
    return given


def same_origin(request: Request) -> None:
    """Refuse a request that another site's page made.

    Browsers say so by Sec-Fetch-Site (W3C Fetch Metadata) or Origin; other clients send neither.

    Raises:
        NotAllowed.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise NotAllowed("this was sent from another site", slug="cross-site")
        return
    origin = request.headers.get("origin")
    own = urlsplit(gateway_of(request).settings.public_url)
    if origin is not None and origin not in (f"{own.scheme}://{own.netloc}", _asked_origin(request)):
        raise NotAllowed("this was sent from another site", slug="cross-site")


def _asked_origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', '')}"


async def operator(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer_scheme)] = None,
) -> str:
    """A route for operators; gives the operator's name for the log.

    Raises:
        NotSignedIn.
    """
    given = f"Bearer {credentials.credentials}" if credentials else ""
    found = operator_of(given, gateway_of(request).settings.operators())
    if found is None:
        raise NotSignedIn("a bearer token of an operator is needed")
    return found


def client_of(request: Request) -> str:
    """The address a request comes from, as far as our own proxies tell it."""
    proxies = gateway_of(request).settings.trusted_proxies
    hops = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
    if proxies and len(hops) >= proxies:
        return hops[-proxies]
    return request.client.host if request.client else "unknown"


ResidentAccess = Annotated[Reader, Depends(resident)]
OperatorAccess = Annotated[str, Depends(operator)]
GatewayAccess = Annotated[Gateway, Depends(gateway_of)]
