"""Waking the senders of a queue when something was put into it, instead of letting them find out."""

import asyncio
from collections.abc import Iterable

from kommunepuls_events import Channel

from notifier.domain.sendings import Lane, Sending
from notifier.records.ledger import queue_of

QUEUES = tuple(queue_of(channel, lane) for channel in Channel for lane in Lane)


class Wakes:
    """An event a queue."""

    def __init__(self) -> None:
        self._events = {queue: asyncio.Event() for queue in QUEUES}
        self.waves = {lane: asyncio.Event() for lane in Lane}
        """Set when a wave was reserved in that lane."""

    def wake(self, sendings: Iterable[Sending]) -> None:
        """Wake those who serve these sendings' queues."""
        for queue in {queue_of(sending.channel, sending.lane) for sending in sendings}:
            self._events[queue].set()

    def event(self, queue: str) -> asyncio.Event:
        """The event of a queue; whoever waits for it clears it."""
        return self._events[queue]
