"""Uplinks by MQTT: QoS 1, a session that outlives the connection, acknowledged after publishing.

aiomqtt acknowledges a message when it hands it over, before anybody has done anything with it. Its client
underneath (paho) can leave that to us; aiomqtt does not pass the switch on, so that the client is reached
for here, in one place. With it an uplink is acknowledged only when its readings are acknowledged by Kafka,
and what was not is sent again by the broker when the session is taken up.
"""

import asyncio
import os
import random
import re
import ssl

import aiomqtt
from kommunepuls_chassis.errors import PermanentError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.tracing import span

from sensor_gateway.sensors import SensorIntake
from sensor_gateway.sources import LorawanMqtt

FIRST_BACKOFF_SECONDS = 1.0
MOST_IN_FLIGHT = 20


class MqttSubscriber:
    """Takes one source's uplinks from its broker until cancelled."""

    def __init__(self, intake: SensorIntake, health: Health, longest_backoff: float) -> None:
        self._sensors = intake
        self._config: LorawanMqtt = intake.config
        self._health = health.component(f"mqtt {intake.intake.id}", stale_after=0)
        self._longest_backoff = longest_backoff
        self._log = get_logger().bind(source=intake.intake.id)

    @property
    def client_id(self) -> str:
        """What the broker knows the session by."""
        return self._config.client_id or re.sub(
            r"[^A-Za-z0-9]", "-", f"kommunepuls-{self._sensors.intake.id}"
        )

    async def run(self) -> None:
        """Connect, take messages, connect again."""
        failures = 0
        # The service can work while a broker is away: its other sources do.
        self._health.beat(ready=True)
        while True:
            try:
                async with self._client() as client:
                    await client.subscribe(self._config.topic, qos=1)
                    failures = 0
                    await self._sensors.intake.save(error=None)
                    self._log.info("mqtt_subscribed", topic=self._config.topic)
                    async for message in client.messages:
                        await self._take(client, message)
            except (aiomqtt.MqttError, PermanentError, OSError) as error:
                failures += 1
                delay = min(FIRST_BACKOFF_SECONDS * 2 ** min(failures - 1, 10), self._longest_backoff)
                delay *= random.uniform(0.5, 1.0)
                text = str(error)
                if not isinstance(error, PermanentError):
                    text = f"the MQTT broker at {self._config.host}:{self._config.port} is away: {error}"
                self._log.warning("mqtt_disconnected", error=str(error), delay_seconds=round(delay, 1))
                await self._sensors.intake.save(error=text)
                await asyncio.sleep(delay)

    def _client(self) -> aiomqtt.Client:
        password = None
        if self._config.password_env:
            password = os.environ.get(self._config.password_env)
            if not password:
                raise PermanentError(f"{self._config.password_env} is not set in the environment")
        client = aiomqtt.Client(
            self._config.host,
            self._config.port,
            username=self._config.username,
            password=password,
            identifier=self.client_id,
            clean_session=False,
            protocol=aiomqtt.ProtocolVersion.V311,
            tls_context=ssl.create_default_context() if self._config.tls else None,
            max_inflight_messages=MOST_IN_FLIGHT,
            timeout=10,
        )
        client._client.manual_ack_set(True)
        return client

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        failures = 0
        while True:
            try:
                with span():
                    await self._sensors.take(bytes(message.payload or b""))
                break
            except Exception as error:
                # Kafka or the store is away: this message is held, not acknowledged, and those behind it wait.
                failures += 1
                delay = min(FIRST_BACKOFF_SECONDS * 2 ** min(failures - 1, 10), self._longest_backoff)
                self._log.exception("uplink_not_published", error=type(error).__name__, delay_seconds=delay)
                await asyncio.sleep(delay)
        client._client.ack(message.mid, message.qos)
