"""``python -m notifier.crowd``: a process that tells many the same, started by the notifier (see crowd_processes)."""

import asyncio
import gc
import json
import os
import signal
import sys
from functools import partial

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.process import run_service

from notifier.__main__ import OBJECTS_BETWEEN_COLLECTIONS
from notifier.adapters.crowd_processes import SHARE
from notifier.app import Crowd, compose_crowd
from notifier.records.waves import SHARDS
from notifier.settings import Settings

_SAY_SECONDS = 1.0


def main() -> None:
    """Serve the shards named in the environment until standard input closes."""
    try:
        number, count = (int(part) for part in os.environ.get(SHARE, "").split("/"))
    except ValueError:
        print("notifier-crowd: is started by the notifier (KP_PUSH_PROCESSES), not by hand", file=sys.stderr)
        sys.exit(2)
    shards = [shard for shard in range(SHARDS) if shard % count == number]
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    run_service("notifier-crowd", Settings, partial(compose_crowd, shards=shards, talk=talk))


async def talk(crowd: Crowd) -> None:
    """Be woken by the parent, and say how it goes."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    saying = asyncio.create_task(_say(crowd))
    try:
        while await reader.readline():
            for wake in crowd.wakes.waves.values():
                wake.set()
        # The parent is gone or wants us to go: as if it had asked with a signal.
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()
    finally:
        saying.cancel()


async def _say(crowd: Crowd) -> None:
    while True:
        sent, seconds = crowd.reporter.since_last()
        try:
            print(json.dumps({"sent": sent, "seconds": seconds}), flush=True)
        except BrokenPipeError:
            raise OperatorError("the notifier that started this process is gone") from None
        await asyncio.sleep(_SAY_SECONDS)


if __name__ == "__main__":
    main()
