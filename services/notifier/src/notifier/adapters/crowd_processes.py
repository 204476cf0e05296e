"""Processes that tell many the same, as children of this one: started, woken, watched and started again.

A child is woken by a line on its standard input and ends when that closes, so that none is left behind by a parent
that was killed. It says every second on its standard output how it is.
"""

import asyncio
import json
import os
import sys

from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import DELIVERIES, EVENT_TO_SEND_SECONDS
from kommunepuls_chassis.process import run_together
from kommunepuls_events import Channel, DeliveryState

from notifier.domain.sendings import Lane
from notifier.service.wakes import Wakes

SHARE = "KP_PUSH_SHARE"
"""Environment variable of a child: which it is and of how many, `0/2`."""
_FAREWELL_SECONDS = 15.0
_PAUSE_SECONDS = 1.0


class CrowdProcesses:
    """Keeps so many children running."""

    def __init__(self, count: int, instance: str, wakes: Wakes, health: Health) -> None:
        self._count = count
        self._instance = instance
        self._wakes = wakes
        self._health = health
        self._children: dict[int, asyncio.subprocess.Process] = {}
        self._log = get_logger()

    async def run(self) -> None:
        """Work until cancelled; the children finish what is being sent then."""
        keepers = [self._keeper(number) for number in range(self._count)]
        await run_together(*keepers, *(self._waker(lane) for lane in Lane))

    def _keeper(self, number: int):
        async def keep() -> None:
            health = self._health.component(f"crowd {number}")
            while True:
                child = await self._start(number)
                try:
                    async for line in child.stdout:
                        health.beat(ready=True)
                        _count(json.loads(line))
                    health.down()
                    self._log.error("crowd_process_ended", number=number, code=await child.wait())
                finally:
                    await self._end(number, child)
                await asyncio.sleep(_PAUSE_SECONDS)

        return keep

    def _waker(self, lane: Lane):
        async def wake() -> None:
            while True:
                await self._wakes.waves[lane].wait()
                self._wakes.waves[lane].clear()
                for child in self._children.values():
                    if not child.stdin.is_closing():
                        child.stdin.write(b"\n")

        return wake

    async def _start(self, number: int) -> asyncio.subprocess.Process:
        own = {SHARE: f"{number}/{self._count}", "KP_INSTANCE": f"{self._instance}-crowd-{number}"}
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "notifier.crowd", env={**os.environ, **own},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self._children[number] = child
        self._log.info("crowd_process_started", number=number, pid=child.pid)
        return child

    async def _end(self, number: int, child: asyncio.subprocess.Process) -> None:
        self._children.pop(number, None)
        child.stdin.close()
        try:
            async with asyncio.timeout(_FAREWELL_SECONDS):
                # What it says is read to the end, or it could not say it.
                while await child.stdout.readline():
                    pass
                await child.wait()
        except (TimeoutError, asyncio.CancelledError):
            if child.returncode is None:
                child.kill()
            raise


def _count(said: dict) -> None:
    """Take a child's figures into the metrics of this process, which is the one that is asked for them."""
    if not (count := said["sent"]):
        return
    DELIVERIES.labels(Channel.PUSH, DeliveryState.SENT, "").inc(count)
    observe = EVENT_TO_SEND_SECONDS.labels(Channel.PUSH).observe
    for seconds, times in said["seconds"]:
        for _ in range(times):
            observe(seconds)
