"""Signs mails in processes of their own."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import cycle

from kommunepuls_chassis.errors import TransientError
from kommunepuls_chassis.logs import get_logger

from notifier.adapters.dkim import Seal, with_signature
from notifier.adapters.dkim_keys import DkimKey
from notifier.adapters.dkim_worker import COUNT, DIGEST
from notifier.service.batches import Batches

_MOST_AT_ONCE = 32
_PATIENCE_SECONDS = 10.0
_WORKER = ("-m", "notifier.adapters.dkim_worker")


class DkimSigners:
    """Makes the signatures that seals ask for."""

    def __init__(self, workers: Sequence["_Worker"]) -> None:
        self._sign = cycle([Batches(worker.sign, most=_MOST_AT_ONCE) for worker in workers])

    async def fields(self, seals: Sequence[Seal]) -> bytes:
        """The DKIM-Signature fields of a mail.

        Raises:
            TransientError: reason `not-signed`; the processes do not answer.
        """
        signatures = await next(self._sign)(seals)
        return b"".join(
            with_signature(seal.field, signature) for seal, signature in zip(seals, signatures, strict=True)
        )


@asynccontextmanager
async def open_signers(keys: Sequence[DkimKey], processes: int) -> AsyncIterator[DkimSigners]:
    """So many signing processes, started when the first mail is to be signed; they end on leaving."""
    workers = [_Worker(keys) for _ in range(processes)]
    try:
        yield DkimSigners(workers)
    finally:
        await asyncio.gather(*(worker.close() for worker in workers))


class _Worker:
    """One process; a new one takes its place when it has died."""

    def __init__(self, keys: Sequence[DkimKey]) -> None:
        ders = [key.der for key in keys]
        self._greeting = COUNT.pack(len(ders)) + b"".join(COUNT.pack(len(der)) + der for der in ders)
        self._octets = [key.octets for key in keys]
        self._process: asyncio.subprocess.Process | None = None

    async def sign(self, mails: Sequence[Sequence[Seal]]) -> list[list[bytes]]:
        """The signatures of some mails."""
        seals = [seal for mail in mails for seal in mail]
        try:
            made = await self._asked(seals)
        except (OSError, EOFError, TimeoutError):
            await self.close()
            try:
                made = await self._asked(seals)
            except (OSError, EOFError, TimeoutError) as error:
                await self.close()
                get_logger().warning("dkim_process_lost", error=type(error).__name__)
                raise TransientError("the mail could not be signed", reason="not-signed") from None
        signatures, at = [], 0
        for seal in seals:
            signatures.append(made[at : at + self._octets[seal.key]])
            at += self._octets[seal.key]
        each = iter(signatures)
        return [[next(each) for _ in mail] for mail in mails]

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.stdin.close()
        with suppress(TimeoutError, ProcessLookupError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await process.wait()
                return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def _asked(self, seals: Sequence[Seal]) -> bytes:
        """Their signatures, one behind the other."""
        asked = COUNT.pack(len(seals)) + b"".join(DIGEST.pack(seal.key, seal.digest) for seal in seals)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            if self._process is None:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, *_WORKER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
                )
                self._process.stdin.write(self._greeting)
            process = self._process
            process.stdin.write(asked)
            await process.stdin.drain()
            return await process.stdout.readexactly(sum(self._octets[seal.key] for seal in seals))
