"""Helpers for tests of services."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from kommunepuls_events import Event, Topic
from kommunepuls_events.base import Message
from kommunepuls_events.dead_letters import DeadLetter
from kommunepuls_events.event import Headers

from kommunepuls_chassis.producer import Encoded


@dataclass
class RecordingProducer:
    """A :class:`~kommunepuls_chassis.producer.Producer` that keeps what was published."""

    messages: list[Message] = field(default_factory=list)
    raw: list[tuple[str, str, bytes | None, Headers]] = field(default_factory=list)

    async def publish(self, *messages: Message, traces: Sequence[str | None] | None = None) -> None:
        """Keep messages."""
        self.messages.extend(messages)

    async def publish_raw(
        self,
        topic: str,
        key: str,
        value: bytes | None,
        headers: Headers = (),
        *,
        partition: int | None = None,
    ) -> None:
        """Keep bytes."""
        self.raw.append((topic, key, value, list(headers)))

    async def look_up(self, topic: Topic, keys: Iterable[str]) -> None:
        """Nothing to work out."""

    async def publish_many(self, topic: Topic, records: Iterable[Encoded]) -> None:
        """Keep the messages that these say."""
        for record in records:
            event = Event.decode(record.value, record.headers)
            assert topic.key_of is None or topic.key_of(event.data).encode() == record.key
            self.messages.append(event.data)

    def of(self, contract: type[Message]) -> list[Message]:
        """The messages of one contract, in order."""
        return [message for message in self.messages if isinstance(message, contract)]

    @property
    def rejects(self) -> list[DeadLetter]:
        """The rejects and dead letters, in order."""
        return [
            DeadLetter.from_headers(headers)
            for _, _, _, headers in self.raw
            if any(n == "dl_reason" for n, _ in headers)
        ]


Value = TypeVar("Value")


async def eventually(
    probe: Callable[[], Value | Awaitable[Value]],
    *,
    within: float = 20.0,
    every: float = 0.05,
    what: str = "",
) -> Value:
    """Poll until the probe returns something true, and return it; fail with what was waited for."""
    until = time.monotonic() + within
    last: object = None
    while time.monotonic() < until:
        last = probe()
        if isinstance(last, Awaitable):
            last = await last
        if last:
            return last
        await asyncio.sleep(every)
    raise AssertionError(f"not within {within:g} s: {what or probe}; last seen: {last!r:.500}")
