"""Errors as problem details (RFC 9457) for programs, as pages for people."""

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gateway_api.adapters.http.rendering import error_page
from gateway_api.adapters.http.staff_rendering import staff_error_page
from gateway_api.domain.errors import (
    Conflict,
    Fault,
    Invalid,
    LinkRefused,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Refused,
    TooMany,
)

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "/problems/"

_STATUS = {
    NotFound: 404,
    NotSignedIn: 401,
    NotAllowed: 403,
    LinkRefused: 410,
    Conflict: 409,
    Invalid: 422,
    TooMany: 429,
}
_PROGRAMS = ("/api/", "/open-data/", "/static/", "/health/", "/metrics")


def for_programs(path: str) -> bool:
    """Whether a path's errors are problem details; the others are pages."""
    return path.startswith(_PROGRAMS)


def for_staff(path: str) -> bool:
    """Whether a page is one of the staff's."""
    return path == "/staff" or path.startswith("/staff/")


def problem(
    request_path: str,
    status: int,
    detail: str,
    *,
    slug: str | None = None,
    faults: Sequence[Fault] = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """A problem details answer; ``faults`` become the extension member ``errors``."""
    title = HTTPStatus(status).phrase
    body: dict = {
        "type": TYPE_BASE + slug if slug else "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request_path,
    }
    if faults:
        body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in faults]
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


async def refused(request: Request, error: Exception) -> Response:
    """Answer what the service refuses."""
    assert isinstance(error, Refused)
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
    headers = {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="operators"' if _of_operators(request) else "Cookie"
    if for_programs(request.url.path):
        faults = error.faults if isinstance(error, Invalid) else ()
        detail = "what was sent is not right" if faults else error.detail
        return problem(
            request.url.path, status, detail, slug=error.slug, faults=faults, headers=headers or None
        )
    if status == 401:
        where = "/staff/sign-in" if for_staff(request.url.path) else "/sign-in"
        return Response(status_code=303, headers={"Location": where})
    return await _page(request, status, error.slug, headers)


def _of_operators(request: Request) -> bool:
    return request.url.path.startswith("/api/v1/operator/")


async def http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: no such path, a method that is not allowed, a broken body."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if for_programs(request.url.path):
        detail = {404: "there is nothing here", 405: "this method is not allowed here"}.get(
            error.status_code, str(error.detail)
        )
        return problem(request.url.path, error.status_code, detail, headers=headers or None)
    return await _page(request, error.status_code, "not-found", headers)


async def invalid_request(request: Request, error: Exception) -> Response:
    """Answer what does not fit the route's parameters or body, each fault with its field."""
    assert isinstance(error, RequestValidationError)
    faults = [Fault(_pointer(one["loc"]), one["msg"].removeprefix("Value error, ")) for one in error.errors()]
    broken = any(one["type"] == "json_invalid" for one in error.errors())
    status = 400 if broken else 422
    detail = "the body is not JSON" if broken else "what was sent is not right"
    if for_programs(request.url.path):
        slug = "invalid-json" if broken else "invalid"
        return problem(request.url.path, status, detail, slug=slug, faults=faults)
    return await _page(request, status, "invalid")


async def internal(request: Request, _error: Exception) -> Response:
    """Answer a fault of ours. Who is signed in is not looked up: the store may be what is at fault."""
    if for_programs(request.url.path):
        return problem(request.url.path, 500, "something went wrong on our side", slug="internal")
    request.state.reader = request.state.staff = None
    return await _page(request, 500, "internal")


async def _page(request: Request, status: int, slug: str, headers: dict[str, str] | None = None) -> Response:
    shown = staff_error_page if for_staff(request.url.path) else error_page
    return await shown(request, status, slug, headers=headers)


def _pointer(location: Sequence) -> str:
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in location]
    if parts and parts[0] == "body":
        parts = parts[1:]
    return "/" + "/".join(parts)
