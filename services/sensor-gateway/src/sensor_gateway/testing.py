"""For tests and benchmarks: a real Mosquitto on a free port of this machine."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kommunepuls_chassis.testing import eventually

USER, PASSWORD = "gateway", "password-of-the-gateway"
NOT_HERE = "mosquitto is not installed (apt-get install mosquitto): no uplinks come from a real MQTT broker"
_PLACES = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin"
"""Debian puts it where only root looks."""


def mosquitto() -> str | None:
    """The program; None where it is not installed."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=_PLACES)


def free_port() -> int:
    """A port that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@asynccontextmanager
async def running_mosquitto(folder: Path, *, port: int = 0) -> AsyncIterator[int]:
    """A broker for :data:`USER`, ended on leaving; yields its port. What it kept ends with it."""
    port = port or free_port()
    config = await asyncio.to_thread(_configured, folder, port)
    broker = await asyncio.create_subprocess_exec(
        mosquitto(), "-c", str(config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await eventually(lambda: _listens(port), within=10, what="Mosquitto listens")
        yield port
    finally:
        broker.terminate()
        await broker.wait()


def _configured(folder: Path, port: int) -> Path:
    passwords, config = folder / "mosquitto.passwords", folder / "mosquitto.conf"
    lines = [
        f"listener {port} 127.0.0.1", f"password_file {passwords}", "allow_anonymous false",
        # More than 1,000 waiting for one session would be dropped; 20 unacknowledged are few.
        "max_queued_messages 0", "max_inflight_messages 0",
        # Started as root it would become somebody else, who cannot read the folder.
        f"user {folder.owner()}",
    ]  # fmt: skip
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    passwords.touch()
    hashing = Path(mosquitto()).parents[1] / "bin" / "mosquitto_passwd"
    subprocess.run([hashing, "-b", passwords, USER, PASSWORD], check=True, capture_output=True)
    return config


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
