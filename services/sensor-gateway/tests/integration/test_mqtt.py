"""Uplinks by MQTT from a real broker."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest
from amqtt.broker import Broker
from kommunepuls_chassis.testing import RecordingProducer, eventually
from kommunepuls_events import SensorReadingV1
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sensor_gateway.app import compose
from sensor_gateway.settings import Settings

pytestmark = pytest.mark.integration
PASSWORD = "password-of-the-gateway"
TOPIC = "v3/soel@ttn/devices/bade-1/up"


def sources(port: int) -> str:
    return f"""
  - id: lora
    type: lorawan-mqtt
    network: tts
    application: soel@ttn
    host: 127.0.0.1
    port: {port}
    username: gateway
    password_env: KP_PASSWORD_MQTT
    devices: [{{id: bade-1, type: elsys-ers2}}]
"""


@pytest.fixture
def mqtt_port(helpers) -> int:
    return helpers.free_port()


@pytest.fixture
def passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Users of the broker: it keeps no session for somebody who has no name."""
    monkeypatch.setenv("KP_PASSWORD_MQTT", PASSWORD)
    path = tmp_path / "passwords"
    path.write_text(f"gateway:{PasswordHash((Argon2Hasher(),)).hash(PASSWORD)}\n")
    return path


async def start_broker(port: int, passwords: Path) -> Broker:
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(passwords)}},
        }
    )
    await broker.start()
    return broker


@pytest.fixture
async def broker(mqtt_port: int, passwords: Path) -> AsyncIterator[Broker]:
    started = await start_broker(mqtt_port, passwords)
    yield started
    await started.shutdown()


@pytest.fixture
def settings(tmp_path: Path, mqtt_port: int, passwords: Path, helpers) -> Settings:
    town = helpers.write_town(tmp_path, sources(mqtt_port))
    return Settings(town_files=str(town), data_dir=tmp_path / "data", mqtt_longest_backoff_seconds=1)


async def send(port: int, *payloads: bytes, topic: str = TOPIC) -> None:
    async with aiomqtt.Client(
        "127.0.0.1", port, identifier="network-server", username="gateway", password=PASSWORD
    ) as client:
        for payload in payloads:
            await client.publish(topic, payload, qos=1)


def subscribed(broker: Broker) -> bool:
    return any("soel@ttn" in topic for topic in broker.subscriptions)


async def test_uplinks_become_readings_and_bad_ones_block_nothing(broker, mqtt_port, settings, helpers):
    recorder = RecordingProducer()
    async with compose(settings, producer=recorder):
        await eventually(lambda: subscribed(broker), what="a subscription")
        await send(mqtt_port, helpers.tts_uplink(1), b"{broken", helpers.tts_uplink(1), helpers.tts_uplink(2))
        await eventually(lambda: len(recorder.of(SensorReadingV1)) == 2)
        assert [letter.reason for letter in recorder.rejects] == ["invalid-json"]


async def test_what_a_process_did_not_publish_the_next_one_does(
    broker, mqtt_port, settings, helpers, monkeypatch
):
    recorder, attempts = RecordingProducer(), []

    async def away(*messages):
        attempts.append(messages)
        raise ConnectionError

    with monkeypatch.context() as broken:
        async with compose(settings, producer=recorder):
            await eventually(lambda: subscribed(broker), what="a subscription")
            broken.setattr(recorder, "publish", away)
            await send(mqtt_port, helpers.tts_uplink(1))
            await eventually(lambda: attempts, what="an attempt to publish")
    # The process ended before it could publish; what it had written down is published by the next one.
    # (Whether the broker sends the uplink again too is its own affair; it would be a repeat.)
    after = RecordingProducer()
    async with compose(settings, producer=after) as running:
        await eventually(lambda: len(after.of(SensorReadingV1)) == 1)
        intake = running.gateway._intake("NO-3907/lora")
        await send(mqtt_port, helpers.tts_uplink(2))
        await eventually(lambda: len(after.of(SensorReadingV1)) == 2)
        assert intake.intake.status.items == 1


async def test_uplinks_sent_while_the_service_is_away_are_kept_by_the_broker(
    broker, mqtt_port, settings, helpers
):
    first = RecordingProducer()
    async with compose(settings, producer=first):
        await eventually(lambda: subscribed(broker), what="a subscription")
    await send(mqtt_port, *(helpers.tts_uplink(count) for count in range(1, 6)))
    second = RecordingProducer()
    async with compose(settings, producer=second):
        await eventually(lambda: len(second.of(SensorReadingV1)) == 5)
    assert {one.sequence for one in second.of(SensorReadingV1)} == {1, 2, 3, 4, 5}


async def test_a_broker_that_comes_back_is_subscribed_to_again(mqtt_port, passwords, settings, helpers):
    recorder = RecordingProducer()
    async with compose(settings, producer=recorder):
        for count in (1, 2):
            broker = await start_broker(mqtt_port, passwords)
            await eventually(lambda broker=broker: subscribed(broker), what="a subscription")
            await send(mqtt_port, helpers.tts_uplink(count))
            await eventually(lambda count=count: len(recorder.of(SensorReadingV1)) == count)
            await broker.shutdown()
            await asyncio.sleep(0)


def unacknowledged(broker: Broker) -> int:
    """Messages that the broker has sent to the service and still waits for."""
    return sum(
        session.inflight_out_count
        for session, _ in broker.sessions.values()
        if (session.client_id or "").startswith("kommunepuls")
    )


async def test_a_message_is_acknowledged_only_when_what_it_led_to_is_published(
    broker, mqtt_port, settings, helpers, monkeypatch
):
    recorder, attempts = RecordingProducer(), []

    async def away(*arguments, **_):
        attempts.append(arguments)
        raise ConnectionError

    async with compose(settings, producer=recorder):
        await eventually(lambda: subscribed(broker), what="a subscription")
        with monkeypatch.context() as broken:
            broken.setattr(recorder, "publish", away)
            broken.setattr(recorder, "publish_raw", away)
            await send(mqtt_port, b"{broken", helpers.tts_uplink(1))
            await eventually(lambda: len(attempts) > 1, what="a second attempt to publish")
            assert unacknowledged(broker) == 2
        await eventually(lambda: unacknowledged(broker) == 0, what="the acknowledgements")
        assert [letter.reason for letter in recorder.rejects] == ["invalid-json"]
        assert len(recorder.of(SensorReadingV1)) == 1
