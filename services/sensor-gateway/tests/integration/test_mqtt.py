"""Uplinks by MQTT from Mosquitto, and from a broker that knows the old protocol alone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import httpx
import pytest
from amqtt.broker import Broker
from kommunepuls_chassis.testing import RecordingProducer, eventually
from kommunepuls_events import SensorReadingV1
from sensor_gateway.app import compose
from sensor_gateway.settings import Settings
from sensor_gateway.testing import NOT_HERE, PASSWORD, USER, mosquitto, running_mosquitto

pytestmark = pytest.mark.integration
TOPIC = "v3/soel@ttn/devices/bade-1/up"
UPLINKS = 300


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KP_PASSWORD_MQTT", PASSWORD)


def sources(port: int, more: str = "") -> str:
    return f"""
  - id: lora
    type: lorawan-mqtt
    network: tts
    application: soel@ttn
    host: 127.0.0.1
    port: {port}
    username: {USER}
    password_env: KP_PASSWORD_MQTT
    devices: [{{id: bade-1, type: elsys-ers2}}]
{more}"""


@pytest.fixture
def mqtt_port(helpers) -> int:
    return helpers.free_port()


@pytest.fixture
async def broker(tmp_path: Path, mqtt_port: int) -> AsyncIterator[int]:
    """Mosquitto; its port."""
    if mosquitto() is None:
        pytest.skip(NOT_HERE)
    async with running_mosquitto(tmp_path, port=mqtt_port) as port:
        yield port


@pytest.fixture
def settings(tmp_path: Path, mqtt_port: int, helpers) -> Settings:
    town = helpers.write_town(tmp_path, sources(mqtt_port))
    return Settings(town_files=str(town), data_dir=tmp_path / "data", mqtt_longest_backoff_seconds=1)


async def send(port: int, *payloads: bytes, **login: str) -> None:
    login = login or {"username": USER, "password": PASSWORD}
    async with aiomqtt.Client("127.0.0.1", port, identifier="network-server", **login) as client:
        for payload in payloads:
            await client.publish(TOPIC, payload, qos=1)


async def subscribed(running: object) -> None:
    """Wait until the source says that it is at work."""
    intake = running.gateway._intake("NO-3907/lora").intake
    await eventually(lambda: intake.status.last_success_at is not None, within=20, what="a subscription")


async def test_uplinks_become_readings_and_bad_ones_block_nothing(broker, settings, helpers):
    recorder = RecordingProducer()
    async with compose(settings, producer=recorder) as running:
        await subscribed(running)
        await send(broker, helpers.tts_uplink(1), b"{broken", helpers.tts_uplink(1), helpers.tts_uplink(2))
        await eventually(lambda: len(recorder.of(SensorReadingV1)) == 2)
        assert [letter.reason for letter in recorder.rejects] == ["invalid-json"]
        assert running.gateway._intake("NO-3907/lora").intake.status.items == 2


async def test_what_was_not_published_is_not_acknowledged_and_comes_again(
    broker, settings, helpers, monkeypatch, tmp_path
):
    recorder, attempts = RecordingProducer(), []

    async def away(*messages):
        attempts.append(messages)
        raise ConnectionError

    with monkeypatch.context() as broken:
        async with compose(settings, producer=recorder) as running:
            await subscribed(running)
            broken.setattr(recorder, "publish", away)
            await send(broker, helpers.tts_uplink(1), helpers.tts_uplink(2))
            await eventually(lambda: len(attempts) > 1, what="a second attempt to publish")
    assert not recorder.of(SensorReadingV1)
    # Another store: what comes now can come from the broker alone.
    after = RecordingProducer()
    async with compose(settings.model_copy(update={"data_dir": tmp_path / "other"}), producer=after):
        await eventually(lambda: len(after.of(SensorReadingV1)) == 2)
    # Now they are acknowledged, and come no more.
    last = RecordingProducer()
    async with compose(
        settings.model_copy(update={"data_dir": tmp_path / "third"}), producer=last
    ) as running:
        await subscribed(running)
        await send(broker, helpers.tts_uplink(3))
        await eventually(lambda: len(last.of(SensorReadingV1)) == 1)
    assert [one.sequence for one in last.of(SensorReadingV1)] == [3]


async def test_uplinks_sent_while_the_service_is_away_are_kept_by_the_broker(broker, settings, helpers):
    first = RecordingProducer()
    async with compose(settings, producer=first) as running:
        await subscribed(running)
    await send(broker, *(helpers.tts_uplink(count) for count in range(1, 6)))
    second = RecordingProducer()
    async with compose(settings, producer=second):
        await eventually(lambda: len(second.of(SensorReadingV1)) == 5)
    assert {one.sequence for one in second.of(SensorReadingV1)} == {1, 2, 3, 4, 5}


async def test_a_broker_that_comes_back_is_subscribed_to_again(mqtt_port, settings, helpers, tmp_path):
    if mosquitto() is None:
        pytest.skip(NOT_HERE)
    recorder = RecordingProducer()
    async with compose(settings, producer=recorder) as running:
        intake = running.gateway._intake("NO-3907/lora").intake
        for count in (1, 2):
            async with running_mosquitto(tmp_path, port=mqtt_port):
                before = intake.status.last_success_at
                await eventually(lambda before=before: intake.status.last_success_at != before, within=20)
                await send(mqtt_port, helpers.tts_uplink(count))
                await eventually(lambda count=count: len(recorder.of(SensorReadingV1)) == count)


async def test_a_wrong_password_is_told_to_operators(broker, settings, monkeypatch):
    monkeypatch.setenv("KP_PASSWORD_MQTT", "wrong")
    async with compose(settings, producer=RecordingProducer()) as running:
        intake = running.gateway._intake("NO-3907/lora").intake
        await eventually(lambda: intake.status.error is not None)
        assert "refuses us" in intake.status.error


async def test_uplinks_come_from_a_broker_of_version_3(mqtt_port, helpers, tmp_path):
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{mqtt_port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    town = helpers.write_town(tmp_path, sources(mqtt_port, "    mqtt_version: 3.1.1\n"))
    recorder = RecordingProducer()
    try:
        async with compose(
            Settings(town_files=str(town), data_dir=tmp_path / "data"), producer=recorder
        ) as running:
            await subscribed(running)
            await send(mqtt_port, helpers.tts_uplink(1))
            await eventually(lambda: len(recorder.of(SensorReadingV1)) == 1)
    finally:
        await broker.shutdown()


async def test_a_broker_that_refuses_version_5_is_asked_again_in_its_own(mqtt_port, settings):
    asked = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(2):
            packet = await reader.readexactly(head[1])
            if head[0] == 0x10:
                asked.append(packet[6])
                if packet[6] == 5:
                    # MQTT 3.1.1 section 3.1.2.2: unacceptable protocol level
                    writer.write(b"\x20\x02\x00\x01")
                    break
                writer.write(b"\x20\x02\x00\x00")
            elif head[0] == 0x82:
                writer.write(b"\x90\x03" + packet[:2] + b"\x01")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", mqtt_port)
    async with compose(settings, producer=RecordingProducer()) as running:
        await subscribed(running)
    server.close()
    assert asked == [5, 4]


async def readings_of(port: int) -> float:
    """How many readings a process says it has published."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    lines = [line for line in text.splitlines() if "readings_total{" in line]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


async def test_two_processes_share_the_uplinks_and_a_killed_one_s_share_is_taken_up(
    broker, kafka, helpers, tmp_path
):
    town = helpers.write_town(tmp_path, sources(broker, "    shared_by: gateways\n    shared_sessions: 4\n"))
    common = {"KP_MQTT_LEASE_SECONDS": "3", "KP_PASSWORD_MQTT": PASSWORD}
    variables = [
        helpers.environment(kafka, town, tmp_path, helpers.free_port()) | common | {"KP_INSTANCE": name}
        for name in ("one", "two")
    ]
    async with (
        helpers.service_process(variables[0]) as one,
        helpers.service_process(variables[1]) as two,
    ):
        sent = 0

        async def more(count: int) -> None:
            nonlocal sent
            await send(broker, *(helpers.tts_uplink(number) for number in range(sent, sent + count)))
            sent += count

        async def both_have_some() -> bool:
            await more(8)
            return min([await readings_of(one.port), await readings_of(two.port)]) > 0

        await eventually(both_have_some, within=60, what="both are given uplinks")
        before = await readings_of(two.port)
        sending = asyncio.create_task(more(UPLINKS))

        async def in_the_middle() -> bool:
            return await readings_of(two.port) > before + 5

        await eventually(in_the_middle, within=40, every=0.01, what="the second is at work")
        await asyncio.to_thread(two.kill)
        await sending
        await more(20)

        async def all_are_there() -> bool:
            return {event.data.sequence for event in await helpers.published(kafka, SensorReadingV1)} == set(
                range(sent)
            )

        await eventually(all_are_there, within=60, every=0.5, what="every uplink on the topic")
        events = await helpers.published(kafka, SensorReadingV1)
    assert len({event.id for event in events}) == sent
    contents = {}
    for event in events:
        contents.setdefault(event.id, set()).add(event.data.value)
    assert all(len(values) == 1 for values in contents.values())
