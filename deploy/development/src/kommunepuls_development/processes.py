"""Processes of the stack: started with a log file each, watched, stopped by id."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

_PR_SET_PDEATHSIG = 1
# Looked up before forking: the new process must not load libraries.
_PRCTL = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None


class StartFailed(Exception):
    """A process did not become ready; the text says which, why, and where its log is."""


def _end_with_parent() -> None:
    """Runs in the new process: it is asked to stop when the stack dies, however that dies (Linux, prctl(2))."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGTERM)


class ManagedProcess:
    """One process of the stack.

    Args:
        name: for logs and messages.
        module: what ``python -m`` starts.
        arguments: command line behind the module.
        environment: variables beside ours.
        log: file that stdout and stderr are appended to.
        port: HTTP port whose ``/health/ready`` says that it is ready; None: ready when ``ready_line`` was logged.
        ready_line: what the log shows when it is ready.
    """

    def __init__(
        self,
        name: str,
        module: str,
        *,
        environment: Mapping[str, str],
        log: Path,
        arguments: Sequence[str] = (),
        port: int | None = None,
        ready_line: str | None = None,
    ) -> None:
        self.name = name
        self.port = port
        self.log = log
        self._command = [sys.executable, "-m", module, *arguments]
        self._environment = dict(environment)
        self._ready_line = ready_line
        self._process: asyncio.subprocess.Process | None = None
        self._log_began = 0

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Its process id; only while running."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it; see :meth:`wait_ready`."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._log_began = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches the stack alone, which stops its processes in order.
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=os.environ | self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

    async def wait_ready(self, *, within: float = 60.0) -> None:
        """Wait until it is ready.

        Raises:
            StartFailed: if it ends or is not ready in time; with the last line of its log.
        """
        until = time.monotonic() + within
        async with httpx.AsyncClient(timeout=2.0) as client:
            while time.monotonic() < until:
                if not self.running:
                    raise StartFailed(f"{self.name} ended: {self.last_line()} (log: {self.log})")
                if await self._is_ready(client):
                    return
                await asyncio.sleep(0.05)
        raise StartFailed(
            f"{self.name} was not ready within {within:.0f} s: {self.last_line()} (log: {self.log})"
        )

    async def _is_ready(self, client: httpx.AsyncClient) -> bool:
        if self.port is None:
            return (self._ready_line or "").encode() in self._fresh_log()
        with contextlib.suppress(httpx.HTTPError):
            return (await client.get(f"http://127.0.0.1:{self.port}/health/ready")).status_code == 200
        return False

    def _fresh_log(self) -> bytes:
        with self.log.open("rb") as log:
            log.seek(self._log_began)
            return log.read()

    def last_line(self) -> str:
        """The last line of its log since it was started."""
        lines = self._fresh_log().decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "it said nothing"

    async def stop(self, *, within: float = 10.0) -> None:
        """Ask it to stop (SIGTERM); end it if it does not in time."""
        if not self.running:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), within)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """``kill -9``."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    async def ended(self) -> int:
        """Wait until it ends; its exit code."""
        assert self._process is not None
        return await self._process.wait()
