"""Gateways as processes of their own, and what stands on their topics."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from aiokafka import AIOKafkaConsumer
from gateway_api.settings import Settings
from kommunepuls_chassis.producer import EventProducer
from kommunepuls_chassis.sealing import unseal
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import Event


@dataclass
class Process:
    """One gateway process and a client to it."""

    process: asyncio.subprocess.Process
    log: list[str] = field(default_factory=list)
    port: int = 0

    def client(self) -> httpx.AsyncClient:
        """A client of this process."""
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=20)

    async def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


@dataclass
class Stage:
    """Broker, producer, and what starts gateways."""

    settings: Settings
    producer: EventProducer
    key: str

    @asynccontextmanager
    async def gateway(self, name: str = "one") -> AsyncIterator[Process]:
        """A gateway process, ready, ended at the end."""
        held = self.settings
        environment = {name: value for name, value in os.environ.items() if not name.startswith("KP_")} | {
            "KP_KAFKA_BOOTSTRAP": held.kafka_bootstrap,
            "KP_KAFKA_SESSION_SECONDS": "6",
            "KP_DATA_DIR": str(held.data_dir),
            "KP_TOWN_FILES": held.town_files,
            "KP_PUBLIC_URL": held.public_url,
            "KP_LINK_KEY": held.link_key.get_secret_value(),
            "KP_PEPPER": held.pepper.get_secret_value(),
            "KP_CONTACT_PUBLIC_KEY": held.contact_public_key,
            "KP_VAPID_PUBLIC_KEY": held.vapid_public_key,
            "KP_OPERATOR_TOKENS": held.operator_tokens.get_secret_value(),
            "KP_INSTANCE": name,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway_api", env=environment, stderr=asyncio.subprocess.PIPE
        )
        gateway = Process(process)
        reading = asyncio.create_task(_read(gateway))
        try:
            await eventually(lambda: gateway.port or process.returncode is not None, what="a port")

            async def ready() -> bool:
                assert process.returncode is None, "".join(gateway.log)
                async with gateway.client() as client:
                    return (await client.get("/health/ready")).status_code == 200

            await eventually(ready, within=30, what="readiness")
            yield gateway
        finally:
            if process.returncode is None:
                process.terminate()
                await asyncio.wait_for(process.wait(), 15)
            await reading

    async def records(self, topic: str) -> list:
        """Everything on a topic, in order within each partition."""
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=self.settings.kafka_bootstrap, group_id=None)
        await consumer.start()
        try:
            parts = list(consumer.assignment())
            ends = await consumer.end_offsets(parts)
            await consumer.seek_to_beginning(*parts)
            found = []
            while any([await consumer.position(part) < ends[part] for part in parts]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
            return found
        finally:
            await consumer.stop()

    async def link(self) -> str:
        """The token of the newest sign-in link, as the notifier reads it."""

        async def newest() -> str | None:
            links = [
                unseal(event.data.sealed, self.key, subscriber=event.data.subscriber)["link"]
                for record in await self.records("contact-commands.v1")
                if (event := Event.decode(record.value, record.headers)).data.action == "send-link"
            ]
            return links[-1].rpartition("/")[2] if links else None

        return await eventually(newest, what="a link")


async def _read(gateway: Process) -> None:
    assert gateway.process.stderr
    async for line in gateway.process.stderr:
        text = line.decode()
        gateway.log.append(text)
        if match := re.search(r'"port": (\d+), "event": "http_listening"', text):
            gateway.port = int(match[1])
