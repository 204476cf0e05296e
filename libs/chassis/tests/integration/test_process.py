"""A service as a process: starts, is healthy, stops in order, says in one line what is wrong."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from kommunepuls_chassis.testing import eventually

pytestmark = pytest.mark.integration

SERVICE = """
import asyncio
from contextlib import asynccontextmanager
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.http import operations_app, serve_http
from kommunepuls_chassis.process import run_service
from kommunepuls_chassis.settings import ServiceSettings

class Running:
    def __init__(self, health): self.part = health.component("loop", stale_after=0)
    async def run(self):
        self.part.beat(ready=True)
        await asyncio.Event().wait()

@asynccontextmanager
async def compose(settings):
    health = Health()
    async with serve_http(operations_app(health), settings.http_host, settings.http_port) as port:
        print("port", port, flush=True)
        yield Running(health)
        print("left in order", flush=True)

run_service("example", ServiceSettings, compose)
"""


@asynccontextmanager
async def started(tmp_path: Path, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    script = tmp_path / "service.py"
    script.write_text(SERVICE)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_service_is_healthy_while_it_runs_and_stops_in_order(tmp_path: Path) -> None:
    async with started(tmp_path) as process:
        port = int((await asyncio.wait_for(process.stdout.readline(), 30)).split()[1])

        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

            async def ready() -> bool:
                return (await client.get("/health/ready")).status_code == 200

            await eventually(ready)
            assert (await client.get("/health/live")).json()["live"]
            assert "process_resident_memory_bytes" in (await client.get("/metrics")).text
        process.send_signal(signal.SIGTERM)
        out, _ = await asyncio.wait_for(process.communicate(), 20)
    assert out.decode().strip() == "left in order"
    assert process.returncode == 0


@pytest.mark.parametrize("fault", ["port", "setting"])
async def test_what_is_wrong_is_one_line_without_a_traceback(tmp_path: Path, fault: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        async with started(tmp_path, KP_HTTP_PORT=port if fault == "port" else "x") as process:
            _, error = await asyncio.wait_for(process.communicate(), 30)
    lines = [line for line in error.decode().splitlines() if not line.startswith("{")]
    assert process.returncode == 2
    assert len(lines) == 1
    assert "KP_HTTP_PORT" in lines[0]
