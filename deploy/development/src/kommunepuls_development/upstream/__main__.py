"""``python -m kommunepuls_development.upstream``: the demo town's upstreams, each speaking its own protocol."""

import argparse
import asyncio
import logging
import os
import sys
from datetime import UTC, datetime

from amqtt.broker import Broker
from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.http import operations_routes, serve_http
from kommunepuls_chassis.process import run_together
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kommunepuls_development.town import read_addresses, read_roads
from kommunepuls_development.upstream.archive import archive_routes
from kommunepuls_development.upstream.feeds import feed_routes
from kommunepuls_development.upstream.graph import graph_routes
from kommunepuls_development.upstream.pictures import picture_routes
from kommunepuls_development.upstream.sensors import Addresses, plough, send_temperatures
from kommunepuls_development.upstream.story import Story


def _now() -> datetime:
    return datetime.now(UTC)


def _mqtt_config(port: int) -> dict:
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }


async def serve(http_port: int, mqtt_port: int, gateway: str, token: str, secret: str) -> None:
    """Tell the story until cancelled, from when ``POST /story/begin`` is asked."""
    listed = read_addresses()
    addresses = {(one.street, one.number): one for one in listed}
    roads = read_roads()
    story = Story(sorted({one.street for one in listed}))
    begun = asyncio.Event()
    health = Health()

    async def begin(_request: Request) -> Response:
        story.begin(_now())
        begun.set()
        return Response(status_code=204)

    routes = [
        *graph_routes(story, token, _now),
        *archive_routes(story, addresses, _now),
        *feed_routes(story, _now),
        *picture_routes(),
        Route("/story/begin", begin, methods=["POST"]),
        *operations_routes(health),
    ]
    to = Addresses(
        f"{gateway}/webhooks/NO-9901/badetemperatur",
        f"{gateway}/webhooks/NO-9901/broyting",
        secret,
        mqtt_port,
    )
    broker = Broker(_mqtt_config(mqtt_port))
    await broker.start()
    try:
        async with serve_http(Starlette(routes=routes), "127.0.0.1", http_port):
            health.component("story", stale_after=0).beat(ready=True)
            await begun.wait()
            await run_together(
                lambda: send_temperatures(to, story.began, _now), lambda: plough(to, roads, story.began, _now)
            )
    finally:
        await broker.shutdown()


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description="The demo town's upstreams; for development.")
    parser.add_argument("--http", type=int, required=True, help="port of the HTTP upstreams")
    parser.add_argument("--mqtt", type=int, required=True, help="port of the MQTT broker")
    parser.add_argument("--gateway", required=True, help="address of the sensor-gateway that is pushed to")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    try:
        asyncio.run(
            serve(
                arguments.http,
                arguments.mqtt,
                arguments.gateway,
                os.environ.get("KP_TOKEN_FACEBOOK", ""),
                os.environ.get("KP_WEBHOOK_SECRET", ""),
            )
        )
    except OperatorError as error:
        print(f"upstream: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
