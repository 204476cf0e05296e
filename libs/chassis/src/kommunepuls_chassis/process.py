"""A service as a process: settings, logs, signals, ordered shutdown, errors an operator can read."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import uvloop

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.logs import configure_logging, get_logger
from kommunepuls_chassis.settings import ServiceSettings, SettingsClass, load_settings

_OBJECTS_BEFORE_COLLECTING = 50_000
"""A batch of records is many thousand objects, none of them in a cycle: Python's 700 would look at all of them over and
over while it is decoded."""


class Service(Protocol):
    """What an ``app.py`` yields."""

    async def run(self) -> None:
        """Work until cancelled."""


def run_service(
    name: str,
    settings_class: type[SettingsClass],
    compose: Callable[[SettingsClass], AbstractAsyncContextManager[Service]],
) -> None:
    """Run a service until SIGTERM or SIGINT, then leave its contexts in order; ends the process.

    Exit codes: 0 stopped as asked, 1 failed, 2 wrong settings (one line on stderr).
    """
    if len(sys.argv) > 1:
        print(
            f"{name}: takes no arguments, is set by environment variables (see its README)", file=sys.stderr
        )
        sys.exit(0 if sys.argv[1] in ("-h", "--help") else 2)
    try:
        settings = load_settings(settings_class)
        configure_logging(name, level=settings.log_level, text=settings.log_format == "text")
        gc.set_threshold(_OBJECTS_BEFORE_COLLECTING, 20, 20)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_main(name, settings, compose))
    except OperatorError as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(2)


async def _main(name: str, settings: ServiceSettings, compose: Callable) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log = get_logger()
    async with compose(settings) as service:
        log.info("service_started", instance=settings.instance)
        work = asyncio.create_task(service.run())
        asked = asyncio.create_task(stop.wait())
        await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if work.done():
            await work  # a service ends by itself only by failing: let the error out
            raise OperatorError("the service ended by itself")
        log.info("service_stopping")
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    log.info("service_stopped")


async def run_together(*parts: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run coroutine functions until cancelled; the first that fails ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part())
    except BaseExceptionGroup as failed:
        # One error that says what happened, not a group of one.
        raise failed.exceptions[0] from None
