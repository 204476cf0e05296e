"""What delivering is measured in: processes that are ended, a town, residents in a notifier's store, and its ledger."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from kommunepuls_chassis.store.open import open_store
from kommunepuls_events import Channel
from notifier.domain.contacts import Contact
from notifier.records.knowledge import Knowledge
from notifier.records.ledger import Ledger
from notifier.records.vault import Endpoint, Vault
from notifier.records.vault_keys import KeyRing
from notifier.testing import profile

TOWN = "code: NO-9901\nname: Fjordvik kommune\n"
MOST_SECONDS = 180


@asynccontextmanager
async def process(
    *arguments: str, environment: dict[str, str] | None = None, log: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that is ended; what it says on stderr goes to the log."""
    with log.open("wb") if log is not None else tempfile.TemporaryFile() as errors:
        started = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, env={**os.environ, **(environment or {})},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors,
        )  # fmt: skip
    try:
        yield started
    finally:
        if started.returncode is None:
            started.terminate()
            try:
                await asyncio.wait_for(started.wait(), 20)
            except TimeoutError:
                started.kill()
                await started.wait()


def processor_seconds(*pids: int) -> float:
    """Processor time that processes have used (proc(5), stat)."""
    used = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / os.sysconf("SC_CLK_TCK")


async def settle(url: str, keys: KeyRing, channel: Channel, contacts: dict[str, Contact]) -> None:
    """Put residents with one endpoint each into a notifier's store."""
    now, everybody = datetime.now(UTC), list(contacts)
    async with open_store(url) as store:
        vault, knowledge = await Vault.open(store, keys), await Knowledge.open(store)
        for start in range(0, len(everybody), 1000):
            part = everybody[start : start + 1000]
            await vault.register_many(
                [Endpoint(f"e-{who}", who, channel, contacts[who]) for who in part], now
            )
            await knowledge.keep_profiles(profile(who, channels=(channel,)) for who in part)


async def ledger_closed(url: str, expected: int) -> float:
    """When all is written down as sent and told; the monotonic clock."""
    async with open_store(url) as store:
        ledger = await Ledger.open(store)
        until = time.monotonic() + MOST_SECONDS
        while time.monotonic() < until:
            if await ledger._sendings.count({"queue": None}) >= expected:
                return time.monotonic()
            await asyncio.sleep(0.1)
    raise SystemExit("the ledger was not closed in time")
