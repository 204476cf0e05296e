"""Uplinks by MQTT: one session, or a share of several that processes divide among themselves."""

import asyncio
import random
import re
from collections.abc import Sequence

from gmqtt.mqtt.constants import MQTTv50, MQTTv311
from kommunepuls_chassis.errors import PermanentError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.store.errors import StoreError
from kommunepuls_chassis.tracing import span

from sensor_gateway.adapters.mqtt_session import Disconnected, OldBroker, hold_session
from sensor_gateway.leases import SessionLeases
from sensor_gateway.sensors import SensorIntake
from sensor_gateway.sources import LorawanMqtt

FIRST_BACKOFF_SECONDS = 1.0


class MqttSubscriber:
    """Takes one source's uplinks from its broker until cancelled."""

    def __init__(
        self, intake: SensorIntake, health: Health, leases: SessionLeases, longest_backoff: float
    ) -> None:
        self._sensors = intake
        self._config: LorawanMqtt = intake.config
        self._health = health.component(f"mqtt {intake.intake.id}", stale_after=0)
        self._leases = leases
        self._longest_backoff = longest_backoff
        self._first_version = MQTTv50 if self._config.mqtt_version == "5" else MQTTv311
        self._version = self._first_version
        self._log = get_logger().bind(source=intake.intake.id)

    @property
    def client_id(self) -> str:
        """What the broker knows the session by; of a share, with the session's number behind it."""
        return self._config.client_id or re.sub(
            r"[^A-Za-z0-9]", "-", f"kommunepuls-{self._sensors.intake.id}"
        )

    async def run(self) -> None:
        """Hold the session, or this process's part of the sessions."""
        # The service can work while a broker is away: its other sources do.
        self._health.beat(ready=True)
        if self._config.shared_by is None:
            await self._hold(self.client_id)
        else:
            await self._share()

    async def _share(self) -> None:
        source, holding = self._sensors.intake.id, {}
        try:
            while True:
                try:
                    share = await self._leases.tend(source, self._config.shared_sessions)
                except StoreError as error:
                    # What is held goes on: whoever took it up meanwhile has ended our connection to it.
                    self._log.warning("store_unavailable", error=str(error))
                else:
                    for number in share.held - holding.keys():
                        self._log.info("mqtt_session_taken", session=number)
                        holding[number] = asyncio.create_task(self._hold(f"{self.client_id}-{number}"))
                    given_up = holding.keys() - share.held
                    await _ended([holding.pop(number) for number in given_up])
                    await self._leases.give_up(source, share.surplus)
                await asyncio.sleep(self._leases.renew_seconds)
        finally:
            await _ended(holding.values())
            await self._leases.leave(source, holding.keys())

    async def _hold(self, client_id: str) -> None:
        """Connect, take messages, connect again."""
        failures = 0

        async def subscribed() -> None:
            nonlocal failures
            failures = 0
            await self._sensors.intake.save(error=None)
            self._log.info("mqtt_subscribed", filter=self._config.filter, session=client_id)

        while True:
            try:
                await hold_session(self._config, client_id, self._take, subscribed, version=self._version)
            except OldBroker:
                self._log.info("mqtt_broker_without_version_5")
                self._version = MQTTv311
            except (Disconnected, PermanentError, OSError) as error:
                failures += 1
                delay = min(FIRST_BACKOFF_SECONDS * 2 ** min(failures - 1, 10), self._longest_backoff)
                delay *= random.uniform(0.5, 1.0)
                text = str(error)
                if not isinstance(error, PermanentError):
                    text = f"the MQTT broker at {self._config.host}:{self._config.port} is away: {error}"
                self._log.warning("mqtt_disconnected", error=str(error), delay_seconds=round(delay, 1))
                await self._sensors.intake.save(error=text)
                await asyncio.sleep(delay)
                self._version = self._first_version if failures > 1 else self._version

    async def _take(self, payloads: Sequence[bytes]) -> None:
        failures = 0
        while True:
            try:
                with span():
                    await self._sensors.take_many(payloads)
                return
            except Exception as error:
                # Kafka or the store is away: these messages are held, not acknowledged, and those behind them wait.
                failures += 1
                delay = min(FIRST_BACKOFF_SECONDS * 2 ** min(failures - 1, 10), self._longest_backoff)
                self._log.exception("uplinks_not_published", error=type(error).__name__, delay_seconds=delay)
                await asyncio.sleep(delay)


async def _ended(tasks: Sequence[asyncio.Task]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
