"""How the broker behaves as a program: the ready line, the warning, and what it says when it cannot start."""

from __future__ import annotations

import asyncio
import socket
import struct
import subprocess
import sys

import pytest
from kommunepuls_devbroker.probe import spoken_versions
from kommunepuls_devbroker.testing import broker_process, running_broker

pytestmark = pytest.mark.integration


def start(*arguments):
    command = [sys.executable, "-m", "kommunepuls_devbroker", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_it_says_that_it_is_not_for_production(tmp_path):
    with broker_process(tmp_path / "broker") as broker:
        assert spoken_versions(broker.address)
    assert "Never use it in production" in broker.log


def test_a_port_that_is_taken_is_one_clear_line(tmp_path):
    with broker_process(tmp_path / "first") as broker:
        second = start("--data", tmp_path / "second", "--port", broker.port)
    assert second.returncode == 2
    assert second.stdout == ""
    assert second.stderr == f"devbroker: cannot listen on 127.0.0.1:{broker.port}: the port is taken\n"


def test_a_data_directory_in_use_is_one_clear_line(tmp_path):
    with broker_process(tmp_path / "broker"):
        second = start("--data", tmp_path / "broker", "--port", 0)
    assert second.returncode == 2
    assert second.stderr == f"devbroker: another broker is using {tmp_path / 'broker'}\n"


def test_a_damaged_catalog_is_one_clear_line(tmp_path):
    (tmp_path / "catalog.json").write_text('{"format": 1, "topi')
    refused = start("--data", tmp_path, "--port", 0)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert str(tmp_path / "catalog.json") in refused.stderr


def test_it_stops_in_order_when_told_to(tmp_path):
    with broker_process(tmp_path / "broker") as broker:
        broker.stop()
        assert broker._process.returncode == 0


@pytest.mark.parametrize(
    "nonsense",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        struct.pack(">i", -1),
        struct.pack(">i", 2_000_000_000),
        struct.pack(">i", 0),
        struct.pack(">ihhih", 10, 3, 5, 1, -1),
        struct.pack(">ihhih", 10, 999, 0, 1, -1),
        struct.pack(">ihhih", 10, 3, 99, 1, -1),
        struct.pack(">ihhih", 10, 1, 11, 1, 32_000),
    ],
    ids=["http", "negative", "too-large", "empty", "no-body", "unknown-key", "unknown-version", "cut-short"],
)
async def test_nonsense_closes_its_connection_and_disturbs_nobody(tmp_path, nonsense):
    async with running_broker(tmp_path / "broker") as broker:
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
        writer.write(nonsense)
        async with asyncio.timeout(10):
            with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                await reader.readexactly(1)
        writer.close()
        assert await asyncio.to_thread(spoken_versions, broker.address)
        assert "Traceback" not in broker.log


def test_a_client_that_goes_in_the_middle_of_a_request_disturbs_nobody(tmp_path):
    with broker_process(tmp_path / "broker") as broker:
        with socket.create_connection(("127.0.0.1", broker.port)) as connection:
            connection.sendall(struct.pack(">ih", 1_000, 3))
        assert spoken_versions(broker.address)
        assert "Traceback" not in broker.log
