"""`python -m kommunepuls_devbroker`: runs the embedded broker until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

import uvloop

from kommunepuls_devbroker.app import serving_broker
from kommunepuls_devbroker.errors import BrokerStartError
from kommunepuls_devbroker.settings import BrokerSettings, FsyncPolicy

EXIT_CANNOT_START = 2


def read_arguments(arguments: list[str] | None = None) -> BrokerSettings:
    parser = argparse.ArgumentParser(
        prog="kommunepuls_devbroker",
        description="An embedded Kafka-protocol broker for laptops, demos and tests; never production.",
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIRECTORY", help="where everything is kept"
    )
    parser.add_argument("--host", default=BrokerSettings.host, help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", type=int, default=BrokerSettings.port, help="port; 0 takes a free one (%(default)s)"
    )
    parser.add_argument(
        "--fsync",
        type=FsyncPolicy,
        choices=list(FsyncPolicy),
        default=BrokerSettings.fsync,
        help="when data is forced to the disk; a kill loses nothing under any of them (%(default)s)",
    )
    parser.add_argument(
        "--fsync-interval", type=float, default=BrokerSettings.fsync_interval, metavar="SECONDS"
    )
    parser.add_argument(
        "--auto-create-topics", action="store_true", help="create unknown topics when a client names them"
    )
    parser.add_argument(
        "--auto-create-partitions", type=int, default=BrokerSettings.auto_create_partitions, metavar="NUMBER"
    )
    parser.add_argument(
        "--housekeeping-interval",
        type=float,
        default=BrokerSettings.housekeeping_interval,
        metavar="SECONDS",
        help="how often retention and compaction look for work (%(default)s)",
    )
    parser.add_argument(
        "--initial-rebalance-delay",
        type=float,
        default=BrokerSettings.initial_rebalance_delay,
        metavar="SECONDS",
        help="how long an empty group waits for further members (%(default)s)",
    )
    parser.add_argument(
        "--minimum-session-timeout-ms",
        type=int,
        default=BrokerSettings.minimum_session_timeout_ms,
        metavar="MILLISECONDS",
        help="the shortest session that a consumer may ask for, as in Kafka (%(default)s)",
    )
    options = vars(parser.parse_args(arguments))
    return BrokerSettings(data_directory=options.pop("data"), **options)


async def run(settings: BrokerSettings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with serving_broker(settings) as address:
        # The one line on standard output: whoever started us on port 0 reads the address from it.
        print(f"ready {address}", flush=True)
        await stopped.wait()


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s devbroker: %(message)s", stream=sys.stderr)
    settings = read_arguments()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings))
    except BrokerStartError as problem:
        print(f"devbroker: {problem}", file=sys.stderr)
        return EXIT_CANNOT_START
    return 0


if __name__ == "__main__":
    sys.exit(main())
