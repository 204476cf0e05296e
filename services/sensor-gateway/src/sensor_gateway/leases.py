"""Which process holds which session of a shared subscription.

A broker keeps what it has given to a session until that session comes back: MQTT lets it give the messages of a
dead one to others only when the session ends, and Mosquitto drops them then. So the sessions of a shared subscription
are few and have names, and the processes share the sessions: each holds its part by a lease in the store, and when one
dies the others take its sessions up, with all that the broker has kept for them.
"""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from kommunepuls_chassis.store import DocumentStore, Index
from kommunepuls_chassis.store.errors import VersionConflict
from kommunepuls_events.base import utc_now

_FORGOTTEN_AFTER = 10
"""Leases after which a process that died is not listed any more."""


@dataclass(frozen=True, slots=True)
class Share:
    """Sessions by number: those to hold, and those to leave to others once they are closed."""

    held: frozenset[int]
    surplus: frozenset[int]


class SessionLeases:
    """The leases of one process."""

    def __init__(
        self,
        store: DocumentStore,
        instance: str,
        lease_seconds: float,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._instance = instance
        self._lease = timedelta(seconds=lease_seconds)
        self._now = now

    @property
    def renew_seconds(self) -> float:
        """How often :meth:`tend` is to be called."""
        return self._lease.total_seconds() / 4

    async def open(self) -> None:
        """Make ready."""
        self._sessions = await self._store.collection("mqtt_sessions")
        self._processes = await self._store.collection("mqtt_processes", indexes=[Index("source")])

    async def tend(self, source: str, sessions: int) -> Share:
        """Say that this process lives, renew what it holds, and take what is free up to its part."""
        now = self._now()
        until = now + self._lease
        await self._processes.put(self._process(source), {"source": source, "until": until})
        processes = await self._processes.find({"source": source})
        living = [one for one in processes if one.document["until"] > now]
        for one in processes:
            if one.document["until"] <= now - self._lease * _FORGOTTEN_AFTER:
                await self._processes.delete(one.key)
        part = math.ceil(sessions / len(living))
        known = await self._sessions.get_many(_session(source, number) for number in range(sessions))
        held: set[int] = set()
        surplus: set[int] = set()
        mine = {
            number
            for number in range(sessions)
            if (one := known.get(_session(source, number))) and one.document["holder"] == self._instance
        }
        # Its own first, so that sessions do not wander.
        for number in [*sorted(mine), *(one for one in range(sessions) if one not in mine)]:
            one = known.get(_session(source, number))
            if number in mine and len(held) >= part:
                surplus.add(number)
            elif len(held) < part and (number in mine or one is None or one.document["until"] <= now):
                try:
                    await self._sessions.put(
                        _session(source, number),
                        {"holder": self._instance, "until": until},
                        expected_version=one.version if one else 0,
                    )
                except VersionConflict:
                    continue  # another process was quicker
                held.add(number)
        return Share(frozenset(held), frozenset(surplus))

    async def give_up(self, source: str, numbers: Collection[int]) -> None:
        """Leave sessions, which are closed, to others."""
        for number in numbers:
            one = await self._sessions.get(_session(source, number))
            if one and one.document["holder"] == self._instance:
                try:
                    await self._sessions.put(
                        one.key, {"holder": "", "until": self._now()}, expected_version=one.version
                    )
                except VersionConflict:
                    continue  # the lease had ended, and it is another's already

    async def leave(self, source: str, numbers: Collection[int]) -> None:
        """The same when this process stops: the others need not wait for its leases to end."""
        await self.give_up(source, numbers)
        await self._processes.delete(self._process(source))

    def _process(self, source: str) -> str:
        return f"{source}#{self._instance}"


def _session(source: str, number: int) -> str:
    return f"{source}#{number}"
