"""The embedded broker as a process of its own: started, killed and started again by tests and supervisors."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 30.0
_READY = "ready "


class BrokerProcess:
    """Starts in the constructor and blocks until the broker is ready; the port stays the same over restarts.

    Raises RuntimeError with what the broker said when it does not get ready.
    """

    def __init__(self, data_directory: Path, *options: str, port: int = 0) -> None:
        self._data_directory = data_directory
        self._options = options
        self._log_path = data_directory.with_name(data_directory.name + ".log")
        self.address = f"127.0.0.1:{port}"
        self._start()

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        """What the broker has logged, over all its starts."""
        return self._log_path.read_text()

    def _start(self) -> None:
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "kommunepuls_devbroker",
                    "--data",
                    str(self._data_directory),
                    "--port",
                    str(self.port),
                    *self._options,
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        line = self._read_ready_line()
        if not line.startswith(_READY):
            self.kill()
            raise RuntimeError(f"the embedded broker did not start: {self.log.strip()}")
        self.address = line.removeprefix(_READY).strip()

    def _read_ready_line(self) -> str:
        assert self._process.stdout is not None
        deadline = time.monotonic() + START_SECONDS
        readable, _, _ = select.select([self._process.stdout], [], [], deadline - time.monotonic())
        return self._process.stdout.readline().decode() if readable else ""

    def kill(self) -> None:
        """`kill -9`; returns when the process is gone."""
        self._process.send_signal(signal.SIGKILL)
        self._wait()

    def stop(self) -> None:
        """An orderly end; returns when the process is gone."""
        self._process.send_signal(signal.SIGTERM)
        self._wait()

    def _wait(self) -> None:
        self._process.wait(timeout=START_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def restart(self) -> None:
        """Starts it again on the same port and data; kills it first if it still runs."""
        if self._process.poll() is None:
            self.kill()
        self._start()

    def close(self) -> None:
        """Ends the process if it runs."""
        if self._process.poll() is None:
            self.stop()


@contextmanager
def broker_process(data_directory: Path, *options: str) -> Iterator[BrokerProcess]:
    """A broker on a free port for the length of the context; blocking, for code without an event loop."""
    process = BrokerProcess(data_directory, *options)
    try:
        yield process
    finally:
        process.close()
