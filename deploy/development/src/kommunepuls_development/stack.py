"""The services of Kommunepuls on one machine, each its own process, as in production."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.topics import ensure_topics

from kommunepuls_development.ports import Ports, free_port
from kommunepuls_development.processes import ManagedProcess
from kommunepuls_development.secrets_file import stack_keys

SERVICES: dict[str, str] = {
    "gateway-api": "gateway_api",
    "notifier": "notifier",
    "personaliser": "personaliser",
    "ingest-facebook": "ingest_facebook",
    "ingest-permits": "ingest_permits",
    "ingest-feeds": "ingest_feeds",
    "sensor-gateway": "sensor_gateway",
}
"""Services and their packages in starting order: who listens starts before who speaks."""

Say = Callable[[str], None]


class Stack:
    """Broker and services.

    Args:
        folder: for data, logs and keys; what is there from before is gone on with.
        ports: where everything listens.
        town_files: YAML files of the towns that are served.
        kafka: address of a broker to use; None starts the embedded one.
        services: which to run; all by default.
        environment: variables for every service, over the stack's own.
        workers: how many processes of a service, where it is more than one; the second of the notifier is
            ``notifier-2``.
        say: told what is going on, a line each.
    """

    def __init__(
        self,
        folder: Path,
        ports: Ports,
        *,
        town_files: Sequence[Path],
        kafka: str | None = None,
        services: Iterable[str] = tuple(SERVICES),
        environment: Mapping[str, str] | None = None,
        workers: Mapping[str, int] | None = None,
        say: Say = lambda line: None,
    ) -> None:
        self.folder = folder
        self.ports = ports
        self.keys = stack_keys(folder / "keys.json")
        self.bootstrap = kafka or f"127.0.0.1:{ports['kafka']}"
        self._say = say
        self.broker = None if kafka else self._broker_process()
        common = {
            "KP_KAFKA_BOOTSTRAP": self.bootstrap,
            "KP_KAFKA_SESSION_SECONDS": "6",
            "KP_DATA_DIR": str(folder / "data"),
            "KP_TOWN_FILES": os.pathsep.join(str(path) for path in town_files),
            "KP_PUBLIC_URL": ports.url("gateway-api"),
            "KP_SMTP_HOST": "127.0.0.1",
            "KP_SMTP_PORT": str(ports["smtp"]),
            "KP_SMTP_SECURITY": "none",
            "KP_MAIL_FROM": "varsel@fjordvik.example",
            # Development only: the fake push service listens on this machine, without TLS.
            "KP_PUSH_ALLOW_PRIVATE": "true",
            "KP_PUSH_PROCESSES": "0",
            # And the upstreams' pictures lie on this machine.
            "KP_PICTURES_ALLOW_PRIVATE": "true",
            **self.keys,
            **(environment or {}),
        }
        self.services: dict[str, ManagedProcess] = {}
        for name in SERVICES:
            if name not in set(services):
                continue
            self.services[name] = self._service(name, name, ports[name], common)
            for number in range(2, (workers or {}).get(name, 1) + 1):
                self.services[f"{name}-{number}"] = self._service(
                    f"{name}-{number}", name, free_port(), common
                )

    def _service(self, name: str, service: str, port: int, environment: Mapping[str, str]) -> ManagedProcess:
        return ManagedProcess(
            name,
            SERVICES[service],
            environment={**environment, "KP_HTTP_PORT": str(port), "KP_INSTANCE": name},
            log=self.folder / "logs" / f"{name}.log",
            port=port,
        )

    @property
    def operator_token(self) -> str:
        """The bearer token of the stack's operator."""
        return self.keys["KP_OPERATOR_TOKENS"].partition(":")[2]

    def _broker_process(self) -> ManagedProcess:
        return ManagedProcess(
            "broker",
            "kommunepuls_devbroker",
            arguments=[
                "--host", "127.0.0.1",
                "--port", str(self.ports["kafka"]),
                "--data", str(self.folder / "broker"),
            ],
            environment={},
            log=self.folder / "logs" / "broker.log",
            ready_line="ready ",
        )  # fmt: skip

    async def start(self) -> None:
        """Start the broker, create the topics, start all services and wait until each is ready.

        Raises:
            StartFailed: if one is not; the others are stopped by :meth:`stop`.
        """
        if self.broker:
            self._say("broker      the embedded one, for development only")
            await self.broker.start()
            await self.broker.wait_ready()
        created = await ensure_topics(ServiceSettings(kafka_bootstrap=self.bootstrap))
        self._say(
            f"topics      {len(created)} created from the registry" if created else "topics      all there"
        )
        for service in self.services.values():
            await service.start()
        for name, service in self.services.items():
            await service.wait_ready(within=90)
            self._say(f"service     {name} is ready")

    async def stop(self) -> None:
        """Stop in order: who speaks first, then who listens, the broker last."""
        for name in reversed(self.services):
            await self.services[name].stop()
        if self.broker:
            await self.broker.stop()

    async def first_that_ends(self) -> ManagedProcess:
        """Wait until a process ends by itself, and return it."""
        processes = [*self.services.values(), *([self.broker] if self.broker else [])]
        waiting = {asyncio.create_task(process.ended()): process for process in processes}
        done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        return waiting[done.pop()]


@asynccontextmanager
async def running_stack(stack: Stack) -> AsyncIterator[Stack]:
    """The stack while inside."""
    try:
        await stack.start()
        yield stack
    finally:
        await stack.stop()
