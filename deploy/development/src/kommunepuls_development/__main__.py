"""``python -m kommunepuls_development``: everything on one machine, with a demo town or with a town of one's own."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.town import TownFile

from kommunepuls_development.ports import Ports, ports_from
from kommunepuls_development.processes import ManagedProcess, StartFailed
from kommunepuls_development.residents import seed
from kommunepuls_development.stack import Stack
from kommunepuls_development.staff import MEMBERS, invite_staff
from kommunepuls_development.town import write_town_file
from kommunepuls_development.watch import Watch

DEMO_ENVIRONMENT = {"KP_FOLLOW_UP_DELAY_SECONDS": "4", "KP_PULSE_HOURS": "24"}


def say(line: str) -> None:
    """A line of progress; who stopped reading does not stop the work."""
    with contextlib.suppress(BrokenPipeError):
        print(line, flush=True)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="make run", description="Run Kommunepuls on this machine, for development. Ctrl-C stops it."
    )
    parser.add_argument("--town", type=Path, help="a town file with real sources; default: the demo town")
    parser.add_argument("--port", type=int, default=8600, help="first of the ports in a row (default 8600)")
    parser.add_argument(
        "--folder", type=Path, default=Path(".run"), help="data, logs and keys (default .run)"
    )
    parser.add_argument("--residents", type=int, default=300, help="of the demo town (default 300)")
    parser.add_argument("--for-seconds", type=float, help="stop by itself after this long")
    return parser.parse_args()


def _real_mail_server() -> dict[str, str]:
    """The mail server that the environment names, if it names one: else mails stay in the outbox."""
    if "KP_SMTP_HOST" not in os.environ:
        return {}
    mine = {name: value for name, value in os.environ.items() if name.startswith("KP_SMTP_")}
    defaults = {"KP_SMTP_PORT": "587", "KP_SMTP_SECURITY": "starttls"}
    return defaults | mine | {name: os.environ[name] for name in ("KP_MAIL_FROM",) if name in os.environ}


class Demo:
    """The stack with what stands around it: the outbox always, upstreams and residents for the demo town."""

    def __init__(self, arguments: argparse.Namespace, ports: Ports) -> None:
        self.arguments = arguments
        self.ports = ports
        self.folder = arguments.folder.resolve()
        self.own_town = arguments.town is not None
        town_file = arguments.town.resolve() if self.own_town else self._demo_town()
        TownFile(town_file)  # a faulty file is told before anything starts
        environment = _real_mail_server() if self.own_town else DEMO_ENVIRONMENT
        self.stack = Stack(self.folder, ports, town_files=[town_file], environment=environment, say=say)
        logs = self.folder / "logs"
        self.outbox = ManagedProcess(
            "outbox",
            "kommunepuls_development.outbox",
            arguments=[
                "--http",
                str(ports["outbox"]),
                "--smtp",
                str(ports["smtp"]),
                "--folder",
                str(self.folder / "mails"),
            ],
            environment={},
            log=logs / "outbox.log",
            port=ports["outbox"],
        )
        self.upstream = ManagedProcess(
            "upstream",
            "kommunepuls_development.upstream",
            arguments=[
                "--http",
                str(ports["upstream"]),
                "--mqtt",
                str(ports["mqtt"]),
                "--gateway",
                ports.url("sensor-gateway"),
            ],
            environment=self.stack.keys,
            log=logs / "upstream.log",
            port=ports["upstream"],
        )

    def _demo_town(self) -> Path:
        values = {
            "UPSTREAM": self.ports.url("upstream"),
            "MQTT_PORT": str(self.ports["mqtt"]),
            "SNOWFALL": f"'{(datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec='seconds')}'",
        }
        return write_town_file(self.folder / "town", values)

    async def run(self, stop: asyncio.Event) -> None:
        """Start all, say what is where, and watch until asked to stop."""
        began = time.monotonic()
        try:
            await self.outbox.start()
            if not self.own_town:
                say(
                    "upstreams   Graph API, innsyn, RSS, iCalendar, CAP, The Things Stack, ploughs: a made-up town"
                )
                await self.upstream.start()
            await self.stack.start()
            await self.outbox.wait_ready()
            if not self.own_town:
                await self.upstream.wait_ready()
                await self._seed()
            self._say_addresses(time.monotonic() - began)
            if not self.own_town:
                await self._begin_story()
            await self._watch(stop)
        finally:
            say("stopping")
            await self.stack.stop()
            await self.upstream.stop()
            await self.outbox.stop()

    async def _seed(self) -> None:
        token = self.stack.operator_token
        shown = 0

        def progress(made: int) -> None:
            nonlocal shown
            if made - shown >= 100:
                shown = made
                say(f"residents   {made} signed up")

        made = await seed(
            self.ports.url("gateway-api"), self.ports.url("outbox"), token, self.arguments.residents, progress
        )
        say(f"residents   {made} new" if made else "residents   all there from the last time")
        invited = await invite_staff(self.ports.url("gateway-api"), token)
        say(f"staff       {invited} invited" if invited else "staff       all there from the last time")

    async def _begin_story(self) -> None:
        async with httpx.AsyncClient() as client:
            (await client.post(f"{self.ports.url('upstream')}/story/begin")).raise_for_status()

    def _say_addresses(self, seconds: float) -> None:
        gateway = self.ports.url("gateway-api")
        services = ", ".join(f"{name} {self.ports[name]}" for name in self.stack.services)
        say("")
        say(f"ready after {seconds:.0f} s")
        say(f"  residents' page   {gateway}/")
        say(f"  API docs          {gateway}/docs")
        say(f"  what was sent     {self.ports.url('outbox')}/      (mails and push messages)")
        say(f"  metrics           http://127.0.0.1:PORT/metrics    ({services})")
        say(f"  staff's pages     {gateway}/staff/sign-in")
        if not self.own_town:
            for address, member in MEMBERS.items():
                say(
                    f"      {member['roles'][0]:<10}    {address}    (the link arrives where mails are sent, above)"
                )
        say(f"  operators         {gateway}/staff/console")
        say(f"  operator's token  {self.stack.operator_token}    (signs in there)")
        say(f"  logs              {self.folder / 'logs'}")
        say("Ctrl-C stops everything.")
        say("")

    async def _watch(self, stop: asyncio.Event) -> None:
        watch = Watch(self.ports.url("outbox"), say)
        tasks = {
            asyncio.create_task(stop.wait()): None,
            asyncio.create_task(watch.run()): None,
            asyncio.create_task(self.stack.first_that_ends()): "service",
        }
        if self.arguments.for_seconds:
            tasks[asyncio.create_task(asyncio.sleep(self.arguments.for_seconds))] = None
        done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        for task in done:
            if tasks[task] == "service":
                ended = task.result()
                raise StartFailed(f"{ended.name} ended: {ended.last_line()} (log: {ended.log})")
            task.result()


async def serve(arguments: argparse.Namespace) -> None:
    """Run until Ctrl-C."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    demo = Demo(arguments, ports_from(arguments.port))
    running = asyncio.create_task(demo.run(stop))
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not running.done():
        # Ctrl-C while still starting ends the start; afterwards the watch ends by itself.
        done, _ = await asyncio.wait({running}, timeout=1)
        if not done:
            running.cancel()
    try:
        await running
    except asyncio.CancelledError:
        return


def main() -> int:
    """Entry point."""
    arguments = parse()
    try:
        asyncio.run(serve(arguments))
    except (OperatorError, StartFailed) as error:
        print(f"run: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
