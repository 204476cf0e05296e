"""Doing together what many ask for one by one, without making the first of them wait."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

Given = TypeVar("Given")
Result = TypeVar("Result")


class Batches(Generic[Given, Result]):
    """Calls `work` with what has come together while it was at work before.

    With nothing to wait for, a batch of one begins at once, or after lingering for company. A batch that fails is done again one by one, so
    that the error comes to whom it belongs; `work` must allow for that.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Given]], Awaitable[Sequence[Result]]],
        *,
        most: int = 500,
        linger_seconds: float = 0.0,
    ) -> None:
        """
        Args:
            most: size of the largest batch.
            linger_seconds: how long the first of a batch waits for others. It pays where many are on their way
                and the cost of a batch is large against that of one more in it.
        """
        self._work = work
        self._linger_seconds = linger_seconds
        self._most = most
        self._waiting: list[tuple[Given, asyncio.Future[Result]]] = []
        self._working: asyncio.Task | None = None

    async def __call__(self, given: Given) -> Result:
        """Have it done; its own result or error. Who is cancelled meanwhile leaves it to be done."""
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((given, answer))
        if self._working is None:
            # In a context of its own: what it logs and publishes belongs to no single asker.
            self._working = asyncio.create_task(self._drain(), context=Context())
        return await answer

    async def _drain(self) -> None:
        try:
            while self._waiting:
                if self._linger_seconds and len(self._waiting) < self._most:
                    await asyncio.sleep(self._linger_seconds)
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._do(batch)
        finally:
            self._working = None

    async def _do(self, batch: list[tuple[Given, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._work([given for given, _ in batch])
        except Exception as error:
            if len(batch) > 1:
                for one in batch:
                    await self._do([one])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for (_, answer), result in zip(batch, results, strict=True):
            if not answer.done():
                answer.set_result(result)
