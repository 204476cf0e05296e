"""The HTTP port of a service: its own routes, health and metrics, served by uvicorn inside the loop."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.metrics import COMPONENT_READY

LIVE, READY, METRICS = "/health/live", "/health/ready", "/metrics"


def operations_routes(health: Health) -> list[Route]:
    """Liveness, readiness and metrics, to be mounted beside a service's own routes."""

    async def live(_request: Request) -> Response:
        return JSONResponse({"live": health.live, "components": health.report()}, 200 if health.live else 503)

    async def ready(_request: Request) -> Response:
        return JSONResponse(
            {"ready": health.ready, "components": health.report()}, 200 if health.ready else 503
        )

    async def metrics(_request: Request) -> Response:
        COMPONENT_READY.clear()
        for name, state in health.report().items():
            COMPONENT_READY.labels(name).set(state["ready"] and state["live"])
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route(LIVE, live), Route(READY, ready), Route(METRICS, metrics)]


def operations_app(health: Health) -> Starlette:
    """An application of nothing but health and metrics, for services without routes of their own."""
    return Starlette(routes=operations_routes(health))


class _Server(uvicorn.Server):
    def capture_signals(self) -> AbstractContextManager[None]:
        """Signals belong to the process, which stops its parts in order."""
        return nullcontext()


@asynccontextmanager
async def serve_http(app: ASGIApp, host: str, port: int) -> AsyncIterator[int]:
    """Serve an application while inside; yields the port it listens on.

    Raises:
        OperatorError: if the port is taken or the address is not ours.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise OperatorError(f"port {port} on {host} {why}; set KP_HTTP_PORT to another") from None
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=3,
            h11_max_incomplete_event_size=65_536,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        if task.done():
            await task
        await asyncio.sleep(0.005)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()
