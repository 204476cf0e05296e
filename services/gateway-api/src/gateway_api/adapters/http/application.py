"""The HTTP application: all routes and what stands around them."""

from importlib import resources

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.http import operations_routes
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from gateway_api.adapters.http import (
    api_operator,
    api_preview,
    api_profile,
    api_public,
    api_residents,
    api_sessions,
    api_staff,
    api_stream,
    docs,
    embed,
    open_data,
    pages_choices,
    pages_feed,
    pages_items,
    pages_messages,
    pages_organisers,
    pages_public,
    pages_residents,
    pages_settings,
    pages_sign_in,
    pages_start,
    pictures,
    staff_approvals,
    staff_console,
    staff_organisers,
    staff_people,
    staff_rules,
    staff_sign_in,
    staff_writing,
)
from gateway_api.adapters.http.middleware import Edge
from gateway_api.adapters.http.problems import http_error, internal, invalid_request, refused
from gateway_api.domain.errors import Refused
from gateway_api.domain.pictures import MOST_BYTES
from gateway_api.service.gateway import Gateway

_YEAR_SECONDS = 31_536_000


def routes_app(gateway: Gateway, health: Health) -> FastAPI:
    """The routes with their error handlers."""
    app = FastAPI(
        title="Kommunepuls",
        version="1",
        description="What happens in a municipality, and what residents choose to hear of. "
        "Errors are problem details (RFC 9457).",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        separate_input_output_schemas=False,
    )
    app.state.gateway = gateway
    app.router.routes.extend(operations_routes(health))
    for router in (
        api_sessions.router,
        api_preview.router,
        api_profile.router,
        api_residents.router,
        api_stream.router,
        pages_feed.stream_router,
        api_public.router,
        open_data.router,
        # Before the records, whose first part of the path can be anything.
        api_operator.replay_router,
        api_staff.router,
        api_operator.router,
        docs.router,
        pictures.router,
        pages_public.router,
        pages_organisers.router,
        embed.router,
        staff_writing.router,
        staff_approvals.router,
        staff_organisers.router,
        pages_items.router,
        pages_sign_in.router,
        pages_start.router,
        pages_choices.router,
        pages_residents.router,
        pages_settings.router,
        pages_feed.router,
        pages_messages.router,
        staff_sign_in.router,
        staff_console.router,
        staff_people.router,
        staff_rules.router,
    ):
        app.include_router(router)
    app.mount("/static", _Static(directory=str(resources.files("gateway_api").joinpath("static"))))
    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid_request)
    app.add_exception_handler(Exception, internal)
    return app


def application(gateway: Gateway, health: Health) -> ASGIApp:
    """The whole application."""
    settings = gateway.settings
    return Edge(
        routes_app(gateway, health),
        largest_body=settings.largest_body,
        largest_upload=settings.largest_body + MOST_BYTES,
        secure=settings.secure,
    )


class _Static(StaticFiles):
    """Files whose address holds the mark of their content, to be kept for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """See StaticFiles."""
        response = await super().get_response(path, scope)
        marked = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = (
            f"public, max-age={_YEAR_SECONDS}, immutable" if marked else "public, max-age=300"
        )
        return response
