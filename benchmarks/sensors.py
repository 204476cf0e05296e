"""Sensor uplinks over MQTT at QoS 1 from a real Mosquitto: `python benchmarks/sensors.py`.

Mosquitto (Debian's) is started on a free port and ended by this. Uplinks are The Things Stack's messages of 2.2 kB from
200 sensors; they wait in the broker, for sessions that were made before, so that whoever sends them takes no
processor from what is measured. Then one or two processes (`sensors_worker.py`) take them through the gateway's own
session, decoding and quality and past the thresholds of 1,000 residents, and each is acknowledged after that.

The peer of the same run is a loop over aiomqtt's messages with a pydantic model, past the same thresholds.
"""

import asyncio
import base64
import json
import os
import random
import struct
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_devbroker.testing import running_broker
from mqtt_line import drain, make_session, publish
from sensor_gateway.testing import NOT_HERE, PASSWORD, USER, free_port, mosquitto, running_mosquitto
from sensors_worker import RESIDENTS, SENSORS, STAGES, device
from surroundings import process, processor_seconds
from table import Part, run_part

WORKER = str(Path(__file__).with_name("sensors_worker.py"))
GOAL = 8_000
MOST_SECONDS = 120.0


@dataclass(frozen=True)
class Sizes:
    """Uplinks for each measurement."""

    stage: int
    whole: int
    peer: int
    service: int


FULL, QUICK = Sizes(20_000, 30_000, 5_000, 10_000), Sizes(3_000, 6_000, 1_000, 1_000)
RUNS = 3
"""Of what has a goal: on a machine that is shared, the same work takes half as long again a minute later."""


def uplinks(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Topics and messages: temperatures that wander, humidity, the battery."""
    drawn, moment = random.Random(seed), datetime.now(UTC)
    at = [drawn.uniform(-10, 30) for _ in range(SENSORS)]
    heard = [
        {
            "gateway_ids": {"gateway_id": f"gateway-{number}", "eui": f"58A0CBFFFE80{number:04X}"},
            "time": "2026-01-30T12:00:00.1Z", "timestamp": 2463457 + number, "rssi": -60 - number, "snr": 9.5,
            "channel_rssi": -60 - number, "uplink_token": base64.b64encode(drawn.randbytes(72)).decode(),
            "location": {"latitude": 59.13, "longitude": 10.2, "altitude": 12, "source": "SOURCE_REGISTRY"},
        }
        for number in range(4)
    ]  # fmt: skip
    for number in range(count):
        which, name = number % SENSORS, device(number)
        at[which] += drawn.gauss(0, 0.4)
        payload = struct.pack(">BhBBBH", 1, round(at[which] * 10), 2, 40 + number % 50, 7, 3600)
        received = f"{moment:%Y-%m-%dT%H:%M:%S}.{number % 1_000_000:06d}789Z"
        message = {
            "end_device_ids": {
                "device_id": name, "application_ids": {"application_id": "soel"},
                "dev_eui": f"A81758FFFE{which:06X}", "join_eui": "70B3D57ED0000000", "dev_addr": "260B1234",
            },
            "correlation_ids": ["as:up:01F5S1V5GZ", "gs:conn:01F5RV3K5A", "ns:uplink:01F5S1V56Q"],
            "received_at": received,
            "uplink_message": {
                "session_key_id": "AXlQ8T3vVqGHKS0iwBnYzw==", "f_port": 5, "f_cnt": number // SENSORS,
                "frm_payload": base64.b64encode(payload).decode(), "rx_metadata": heard,
                "settings": {"data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}},
                             "coding_rate": "4/5", "frequency": "868300000", "timestamp": 2463457},
                "received_at": received, "consumed_airtime": "0.056576s",
            },
        }  # fmt: skip
        yield f"v3/soel@ttn/devices/{name}/up", json.dumps(message).encode()


def feed(port: int, count: int, seed: int) -> None:
    """Publish uplinks; blocks until Mosquitto has them."""
    publish(port, uplinks(count, seed), count)


def _broker_seconds() -> float:
    """Processor time of the Mosquitto that was started last."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    brokers = [pid for pid in map(int, children) if b"mosquitto" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return processor_seconds(brokers[-1])


@dataclass(frozen=True)
class Measured:
    """What processes took together.

    Attributes:
        clock: uplinks a second, from the first connection to the last uplink.
        processor: seconds of processor time for an uplink.
        broker: the same of Mosquitto's.
    """

    taken: int
    clock: float
    processor: float
    broker: float
    readings: int
    crossings: int
    each: tuple[int, ...]


async def measured(port: int, expected: int, seed: int, **given: object) -> Measured:
    """Let one or two processes take so many uplinks."""
    how = {"how": "gateway", "stage": STAGES[-1], "port": port, "seed": seed, "processes": 1} | given
    names = [f"bench-{number}" for number in range(how.pop("processes"))]
    group = f"$share/{how['shared_by']}/" if "shared_by" in how else ""
    for name in names:
        await asyncio.to_thread(make_session, port, name, f"{group}v3/+/devices/+/up")
    await asyncio.to_thread(feed, port, expected, seed)
    together, broker = asyncio.Barrier(len(names)), _broker_seconds()
    told = await asyncio.gather(
        *(_worked(how | {"client_id": name, "expected": expected}, together) for name in names)
    )
    taken = sum(one["taken"] for one in told)
    clock = max(one["ended"] for one in told) - min(one["began"] for one in told)
    if taken != expected:
        raise SystemExit(f"{taken} of {expected} uplinks came")
    return Measured(
        taken, taken / clock, sum(one["processor"] for one in told) / taken, (_broker_seconds() - broker) / taken,
        sum(one["readings"] for one in told), sum(one["crossings"] for one in told),
        tuple(one["taken"] for one in told),
    )  # fmt: skip


async def repeated(port: int, expected: int, seed: int, **given: object) -> tuple[Measured, str]:
    """The quickest of some runs; in words, the quickest and the slowest on the clock, and the quickest a core."""
    runs = [await measured(port, expected, seed, **given) for _ in range(RUNS)]
    best = max(runs, key=lambda one: one.clock)
    slowest = min(one.clock for one in runs)
    return best, f"{best.clock:,.0f}/s (slowest {slowest:,.0f}; {1 / best.processor:,.0f}/s a core)"


async def _worked(given: dict, together: asyncio.Barrier) -> dict:
    """Start a process, let it go when the others are ready, too, and return what it tells."""
    async with process(WORKER, json.dumps(given), environment={"KP_PASSWORD_MQTT": PASSWORD}) as worker:
        for _ in range(2):
            line = await asyncio.wait_for(worker.stdout.readline(), MOST_SECONDS)
            if not line:
                raise SystemExit("a process that takes uplinks has failed")
            told = json.loads(line)
            if "ready" in told:
                await asyncio.wait_for(together.wait(), MOST_SECONDS)
            worker.stdin.write(b"go\n")
        return told


async def path_rows(part: Part, sizes: Sizes, folder: Path) -> None:
    """From the broker past the thresholds: stage by stage, by one process, by two."""
    async with running_mosquitto(folder) as port:
        one = await one_process_rows(part, sizes, port)
    # Brokers of their own: a session made before would go on getting everything.
    async with running_mosquitto(folder) as port:
        await ceiling_row(part, sizes, port)
    async with running_mosquitto(folder) as port:
        two, said = await repeated(port, sizes.whole, part.seed, processes=2, shared_by="bench")
    part.row(
        "the same by two processes on a shared subscription", f"{2 * GOAL:,}/s", said,
        f"{two.clock / one.clock:.2f} x one process", met=two.clock >= 2 * GOAL,
    )  # fmt: skip
    part.row("  uplinks that each took", "", " + ".join(f"{one:,}" for one in two.each))
    both = two.processor + two.broker
    part.row(
        "  processor time of an uplink: theirs, Mosquitto's", "",
        f"{two.processor * 1e6:.0f} + {two.broker * 1e6:.0f} µs, so that {os.cpu_count()} cores bear"
        f" {os.cpu_count() / both:,.0f}/s",
    )  # fmt: skip


async def ceiling_row(part: Part, sizes: Sizes, port: int) -> None:
    """What Mosquitto itself gives, to a reader that does nothing but acknowledge."""
    await asyncio.to_thread(make_session, port, "reader", "v3/+/devices/+/up")
    await asyncio.to_thread(feed, port, sizes.whole, part.seed)
    before = _broker_seconds()
    clock = await asyncio.to_thread(drain, port, "reader", sizes.whole)
    part.row(
        "  Mosquitto to a reader that only acknowledges", "",
        f"{sizes.whole / clock:,.0f}/s ({sizes.whole / (_broker_seconds() - before):,.0f}/s a core)",
    )  # fmt: skip


async def one_process_rows(part: Part, sizes: Sizes, port: int) -> Measured:
    """One process, and the peer."""
    before = 0.0
    for stage in STAGES[:-1]:
        one = await measured(port, sizes.stage, part.seed, stage=stage)
        part.row(
            f"  {stage}, a second of processor time",
            "",
            f"{1 / one.processor:,.0f} ({(one.processor - before) * 1e6:.0f} µs each)",
        )
        before = one.processor
    peer, _ = await repeated(port, sizes.peer, part.seed, how="usual")
    one, said = await repeated(port, sizes.whole, part.seed)
    part.row(
        f"uplinks from Mosquitto past {RESIDENTS:,} residents' thresholds, best of {RUNS}", f"{GOAL:,}/s", said,
        f"{peer.processor / one.processor:.1f} x aiomqtt + pydantic", met=one.clock >= GOAL,
    )  # fmt: skip
    part.row("  readings, thresholds passed", "", f"{one.readings:,}, {one.crossings:,}")
    return one


async def service_rows(part: Part, sizes: Sizes, port: int, folder: Path) -> None:
    """Through the service: written down, on sensor-readings.v1, acknowledged to Mosquitto."""
    listed = "".join(f"      - {{id: {device(number)}, type: elsys-ers2}}\n" for number in range(SENSORS))
    (folder / "town.yaml").write_text(
        "code: NO-9901\nname: Fjordvik\nsources:\n  - id: lora\n    type: lorawan-mqtt\n    network: tts\n"
        f"    host: 127.0.0.1\n    port: {port}\n    username: {USER}\n    password_env: KP_PASSWORD_MQTT\n"
        f"    devices:\n{listed}",
        encoding="utf-8",
    )
    async with running_broker(folder / "kafka") as broker:
        await ensure_topics(ServiceSettings(kafka_bootstrap=broker.address))
        http = free_port()
        environment = {
            "KP_KAFKA_BOOTSTRAP": broker.address, "KP_TOWN_FILES": str(folder / "town.yaml"),
            "KP_DATA_DIR": str(folder / "data"), "KP_HTTP_PORT": str(http), "KP_PASSWORD_MQTT": PASSWORD,
        }  # fmt: skip
        async with (
            process("-m", "sensor_gateway", environment=environment) as service,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{http}") as client,
        ):
            await asyncio.to_thread(feed, port, 1, part.seed + 1)
            while not await _published(client):
                await asyncio.to_thread(feed, port, 1, part.seed + 1)
                await asyncio.sleep(0.3)
            before, processor, began = (
                await _published(client),
                processor_seconds(service.pid),
                time.monotonic(),
            )
            await asyncio.to_thread(feed, port, sizes.service, part.seed)
            until = began + MOST_SECONDS
            while await _published(client) < before + 3 * (sizes.service - 1):
                if time.monotonic() > until:
                    raise SystemExit("the service did not publish all readings in time")
                await asyncio.sleep(0.05)
            clock = time.monotonic() - began
            used = processor_seconds(service.pid) - processor
    part.row(
        "uplinks through the service: ledger, Kafka, acknowledged", "",
        f"{sizes.service / clock:,.0f}/s ({sizes.service / used:,.0f}/s a core)",
    )  # fmt: skip


async def _published(client: httpx.AsyncClient) -> float:
    try:
        text = (await client.get("/metrics")).text
    except httpx.HTTPError:
        return 0.0
    lines = [line for line in text.splitlines() if "readings_total{" in line]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


async def _measure(part: Part) -> None:
    sizes = QUICK if part.quick else FULL
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        await path_rows(part, sizes, home)
        async with running_mosquitto(Path(folder)) as port:
            await service_rows(part, sizes, port, Path(folder))


def measure(part: Part) -> None:
    """All rows of this part."""
    if mosquitto() is None:
        part.row("uplinks from Mosquitto", f"{GOAL:,}/s", NOT_HERE)
        return
    asyncio.run(_measure(part))


if __name__ == "__main__":
    run_part(__doc__, measure)
