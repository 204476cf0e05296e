"""A process that takes uplinks from MQTT: what `sensors.py` starts, once or twice.

Holds a session as the sensor gateway does (`gateway`), or reads as is usual with aiomqtt and pydantic (`usual`), and
takes each uplink through as many stages as asked for: ``mqtt``, ``decode``, ``quality``, ``thresholds``. Says that it is
ready, waits for a line, and takes what the broker has kept for its session; when nothing more comes it prints one line
of JSON: how many, when it connected and when the last was taken, the processor's seconds in between, and how many
thresholds were passed.
"""

import asyncio
import base64
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import uvloop
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.store import DocumentStore, open_store
from kommunepuls_chassis.testing import RecordingProducer
from kommunepuls_chassis.town import Town
from kommunepuls_events import Direction, Quality, SensorReadingV1, SensorThreshold
from kommunepuls_geography import AreaTree
from personaliser.domain.thresholds import Observation, ThresholdIndex
from pydantic import BaseModel
from sensor_gateway.adapters.mqtt_session import Disconnected, hold_session
from sensor_gateway.domain.decoders import decode
from sensor_gateway.domain.measurements import Device, Packet
from sensor_gateway.domain.places import Places
from sensor_gateway.domain.readings import Origin, readings_of
from sensor_gateway.packet_log import SERVICE, Asked, PacketLog
from sensor_gateway.sensors import SensorIntake
from sensor_gateway.sources import LorawanMqtt
from sensor_gateway.testing import PASSWORD, USER

SENSORS, RESIDENTS = 200, 1000
STAGES = ("mqtt", "decode", "quality", "thresholds")
_IDLE_SECONDS = 3.0
TOWN = Town(code="NO-9901", name="Fjordvik")


def device(number: int) -> str:
    """The id of a sensor."""
    return f"sensor-{number % SENSORS}"


def thresholds(seed: int) -> ThresholdIndex:
    """A thousand residents, with one to three thresholds each on temperatures."""
    drawn, index = random.Random(seed), ThresholdIndex()
    for resident in range(RESIDENTS):
        index.put(
            f"s-{resident}",
            [
                SensorThreshold(
                    id=f"t-{resident}-{number}",
                    sensor=f"NO-9901/lora/{device(drawn.randrange(SENSORS))}",
                    observed_property="air-temperature",
                    direction=drawn.choice(list(Direction)),
                    value=round(drawn.uniform(-10, 30), 1),
                    hysteresis=0.5,
                )
                for number in range(drawn.randint(1, 3))
            ],
        )
    return index


class Counting:
    """Notes what came, and when."""

    def __init__(self, expected: int, seed: int) -> None:
        self._expected = expected
        self._index = thresholds(seed)
        self._first: tuple[float, float] = (0.0, 0.0)
        self._last: tuple[float, float] = (0.0, 0.0)
        self.taken = 0
        self.readings = 0
        self.crossings = 0
        self.subscribed = asyncio.Event()

    async def finished(self) -> None:
        """Wait until all is taken, or nothing more comes."""
        await self.subscribed.wait()
        seen, idle = -1, 0.0
        while self.taken < self._expected and idle < _IDLE_SECONDS:
            await asyncio.sleep(0.1)
            idle = idle + 0.1 if self.taken == seen else 0.0
            seen = self.taken

    def begin(self) -> None:
        """From now on time counts: before the connection, since a client may read much before it hands over one."""
        self._first = time.monotonic(), time.process_time()

    def end(self, count: int) -> None:
        """So many were taken."""
        self.taken += count
        self._last = time.monotonic(), time.process_time()

    def judge(self, readings: Sequence[SensorReadingV1]) -> None:
        """Let good values pass by the residents' thresholds."""
        self.readings += len(readings)
        for one in readings:
            if one.quality is Quality.GOOD:
                seen = Observation(one.sensor, one.observed_property, one.observed_at, one.value)
                self.crossings += len(self._index.read(seen))

    def told(self) -> dict:
        """The result."""
        return {
            "taken": self.taken, "readings": self.readings, "crossings": self.crossings,
            "began": self._first[0], "ended": self._last[0], "processor": self._last[1] - self._first[1],
        }  # fmt: skip


async def sensor_intake(store: DocumentStore, config: LorawanMqtt) -> SensorIntake:
    """The gateway's own intake of a source; what it would publish is left out."""
    producer = RecordingProducer()
    journal = ItemJournal(store, producer)
    await journal.open()
    intake = await SourceIntake(SERVICE, TOWN, config, journal, producer, store).open()
    devices = {device(number): Device(device(number), "elsys-ers2") for number in range(SENSORS)}
    return SensorIntake(
        intake, config, devices, Places(AreaTree([])), PacketLog(store, producer, timedelta(days=1))
    )


async def gateway(config: LorawanMqtt, client_id: str, stage: int, counting: Counting) -> None:
    """As the service does."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_store(f"sqlite:///{Path(folder) / 'sensors.db'}") as store:
            sensors = await sensor_intake(store, config)

            async def take(payloads: Sequence[bytes]) -> None:
                received_at = datetime.now(UTC)
                for raw in payloads if stage else ():
                    for asked, _ in sensors.read(raw, received_at):
                        if stage > 1 and isinstance(asked, Asked):
                            readings = asked.read()
                            if stage > 2:
                                counting.judge(readings)
                counting.end(len(payloads))

            async def subscribed() -> None:
                counting.subscribed.set()

            counting.begin()
            holding = asyncio.create_task(hold_session(config, client_id, take, subscribed))
            await counting.finished()
            # What was taken last is acknowledged before the session is left.
            await asyncio.sleep(0.5)
            holding.cancel()
            with suppress(asyncio.CancelledError, Disconnected):
                await holding


class _Ids(BaseModel):
    device_id: str


class _Measured(BaseModel):
    f_port: int
    f_cnt: int
    frm_payload: str
    received_at: datetime
    session_key_id: str
    rx_metadata: list[dict]
    settings: dict


class _Message(BaseModel):
    end_device_ids: _Ids
    uplink_message: _Measured


async def usual(config: LorawanMqtt, client_id: str, counting: Counting) -> None:
    """A loop over aiomqtt's messages with a pydantic model: the same decoders, quality and thresholds."""
    origin = Origin("NO-9901", "NO-9901/lora", timedelta(hours=3))
    devices = {device(number): Device(device(number)) for number in range(SENSORS)}
    datastreams = origin.datastreams()
    counting.begin()
    async with aiomqtt.Client(
        config.host, config.port, identifier=client_id, clean_session=False, username=USER, password=PASSWORD
    ) as client:
        await client.subscribe(config.filter, qos=1)
        counting.subscribed.set()
        async for message in client.messages:
            said = _Message.model_validate_json(message.payload)
            uplink, name = said.uplink_message, said.end_device_ids.device_id
            found = decode("elsys-ers2", base64.b64decode(uplink.frm_payload), uplink.f_port, {})
            packet = Packet(name, found.measurements, uplink.received_at, "", uplink.f_cnt)
            readings = readings_of(packet, devices[name], origin, datetime.now(UTC), (), datastreams)
            counting.judge(readings)
            counting.end(1)


async def main(given: dict) -> None:
    """Do as asked, and tell."""
    config = LorawanMqtt(
        id="lora", type="lorawan-mqtt", network="tts", host="127.0.0.1", port=given["port"], username=USER,
        password_env="KP_PASSWORD_MQTT", shared_by=given.get("shared_by"),
    )  # fmt: skip
    counting = Counting(given["expected"], given["seed"])
    stage = STAGES.index(given["stage"])
    print(json.dumps({"ready": True}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    if given["how"] == "usual":
        working = asyncio.create_task(usual(config, given["client_id"], counting))
        await counting.finished()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    else:
        await gateway(config, given["client_id"], stage, counting)
    print(json.dumps(counting.told()), flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(json.loads(sys.argv[1])))
