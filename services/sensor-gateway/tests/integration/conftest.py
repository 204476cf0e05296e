"""A broker, a town and the service on free ports."""

import asyncio
import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.testing import eventually
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_devbroker.testing import embedded_broker
from kommunepuls_events import Event
from kommunepuls_events.topics import topic_for

CODE = "NO-3907"
SECRET = "correct horse battery"
OPERATOR = "operator-token-1"


@pytest.fixture
async def kafka(tmp_path: Path) -> AsyncIterator[str]:
    """Address of a broker with the registry's topics."""
    async with embedded_broker(tmp_path / "broker") as address:
        await ensure_topics(ServiceSettings(kafka_bootstrap=address))
        yield address


async def published(address: str, contract: type) -> list[Event]:
    """Every event of a contract on its topic, from the beginning."""
    topic = topic_for(contract)
    consumer = AIOKafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)
    await consumer.start()
    try:
        parts = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        found = []
        await consumer.seek_to_beginning(*parts)
        wanted = sum(ends.values())
        seen = 0
        while seen < wanted:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    found.append(Event.decode(record.value, record.headers))
                    seen += 1
        return found
    finally:
        await consumer.stop()


def tts_uplink(count: int, device: str = "bade-1", temperature: float = 20.0) -> bytes:
    """An Elsys uplink as The Things Stack posts it."""
    payload = bytes([1]) + int(temperature * 10).to_bytes(2, "big", signed=True)
    return json.dumps(
        {
            "end_device_ids": {"device_id": device},
            "uplink_message": {
                "session_key_id": "s1",
                "f_port": 5,
                "f_cnt": count,
                "frm_payload": base64.b64encode(payload).decode(),
                "received_at": f"2026-01-30T12:{count // 60 % 60:02}:{count % 60:02}Z",
            },
        }
    ).encode()


def write_town(folder: Path, sources: str) -> Path:
    """A town file with a road network of three streets."""
    lines = {
        # within ETRS-TM35FIN, so that reports in that projection can be pushed
        "south": [[24.9, 60.2], [24.9035, 60.2]],
        "north": [[24.9, 60.2018], [24.9035, 60.2018]],
        "west": [[24.9, 60.2], [24.9, 60.2018]],
    }
    features = [
        {
            "type": "Feature",
            "properties": {"id": name, "area": f"{CODE}/breidablikk"},
            "geometry": {"type": "LineString", "coordinates": line},
        }
        for name, line in lines.items()
    ]
    (folder / "roads.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    path = folder / "town.yaml"
    path.write_text(f"code: {CODE}\nname: Fjordvik\nroads: roads.geojson\nsources:\n{sources}")
    return path


def environment(kafka: str, town: Path, folder: Path, port: int) -> dict[str, str]:
    """What the service's process is started with."""
    return {
        "KP_KAFKA_BOOTSTRAP": kafka,
        "KP_TOWN_FILES": str(town),
        "KP_DATA_DIR": str(folder / "data"),
        "KP_HTTP_PORT": str(port),
        "KP_SECRET_TTS": SECRET,
        "KP_OPERATOR_TOKENS": f"test:{OPERATOR}",
        "KP_TOWN_RELOAD_SECONDS": "0.2",
        "KP_MQTT_LONGEST_BACKOFF_SECONDS": "1",
        "KP_LOG_FORMAT": "text",
    }


def free_port() -> int:
    """A port that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServiceProcess:
    """``python -m sensor_gateway``."""

    def __init__(self, variables: dict[str, str]) -> None:
        self._variables = {**os.environ, **variables}
        self.port = int(variables["KP_HTTP_PORT"])
        self.process: subprocess.Popen | None = None

    async def start(self) -> None:
        """Start and wait until it takes requests."""
        self.process = await asyncio.to_thread(
            subprocess.Popen, [sys.executable, "-m", "sensor_gateway"], env=self._variables
        )

        async def answers() -> bool:
            assert self.process.poll() is None, "the service ended"
            try:
                async with httpx.AsyncClient() as client:
                    answer = await client.get(f"http://127.0.0.1:{self.port}/health/live")
            except httpx.HTTPError:
                return False
            return answer.status_code == 200

        await eventually(answers, within=40, what="the service answers")

    def kill(self) -> None:
        """``kill -9``."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """End it if it runs."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()


@asynccontextmanager
async def service_process(variables: dict[str, str]) -> AsyncIterator[ServiceProcess]:
    """A running service process."""
    process = ServiceProcess(variables)
    try:
        await process.start()
        yield process
    finally:
        await asyncio.to_thread(process.close)


@pytest.fixture
def helpers() -> SimpleNamespace:
    """The functions above: tests are not a package and cannot import them."""
    return SimpleNamespace(
        SECRET=SECRET,
        OPERATOR=OPERATOR,
        published=published,
        tts_uplink=tts_uplink,
        write_town=write_town,
        environment=environment,
        free_port=free_port,
        service_process=service_process,
    )
