"""The vault of contact endpoints. What is retired loses its contact detail and keeps its id and cause."""

import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import ENDPOINTS_RETIRED
from kommunepuls_chassis.store.conditions import any_of
from kommunepuls_chassis.store.documents import Document
from kommunepuls_chassis.store.port import Collection, DocumentStore, Index, Stored
from kommunepuls_events import Channel

from notifier.domain.bounces import SOFT_BOUNCE_DAYS, SOFT_BOUNCES_THAT_COUNT
from notifier.domain.contacts import Contact, kept_contact
from notifier.records.push_memory import PushMemory
from notifier.records.vault_keys import KeyRing

ACTIVE, RETIRED = "active", "retired"
_PAGE = 200
_CHANNELS = {str(channel): channel for channel in Channel}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One way to one person. `repr` and logs show its id alone."""

    id: str
    subscriber: str
    channel: Channel
    contact: Contact

    def __repr__(self) -> str:
        return f"Endpoint({self.id}, {self.channel})"


class Vault:
    """Endpoints by id."""

    def __init__(self, endpoints: Collection, keys: KeyRing, memory: PushMemory[Endpoint]) -> None:
        self._endpoints = endpoints
        self._keys = keys
        self._memory = memory
        self._log = get_logger()

    @classmethod
    async def open(cls, store: DocumentStore, keys: KeyRing, *, most_in_memory: int = 0) -> "Vault":
        """The vault in that store; so many push endpoints stay open in memory (ADR 0013)."""
        # Who is told of an alert is asked of the first index alone, by `active_push`.
        indexes = [Index("subscriber", "state", "channel", "stamp"), Index("lookup"), Index("key_id")]
        return cls(await store.collection("endpoints", indexes=indexes), keys, PushMemory(most_in_memory))

    async def register(self, endpoint: Endpoint, now: datetime) -> None:
        """Keep an endpoint, in place of what its id stood for; a new address starts without bounces."""
        await self.register_many([endpoint], now)

    async def register_many(self, endpoints: Iterable[Endpoint], now: datetime) -> None:
        """`register` for each, in one go."""
        await self._endpoints.put_many((endpoint.id, self._document(endpoint, now)) for endpoint in endpoints)

    def _document(self, endpoint: Endpoint, now: datetime) -> Document:
        key_id, sealed = self._keys.encrypt(endpoint.contact.content(), bound_to=_bound_to(endpoint))
        return {
            "subscriber": endpoint.subscriber,
            "channel": str(endpoint.channel),
            "state": ACTIVE,
            "key_id": key_id,
            "sealed": sealed,
            "lookup": self._keys.lookup(endpoint.contact.lookup_text),
            "stamp": secrets.token_hex(8),
            "registered_at": now,
            "soft_bounces": [],
        }

    async def retire(self, endpoint: str, cause: str, now: datetime) -> bool:
        """Forget an endpoint's contact detail and never use it again; False if it was not in use."""
        changes = {"state": RETIRED, "cause": cause, "retired_at": now, "sealed": None, "lookup": None}
        stored = await self._endpoints.get(endpoint)
        if stored is None or not await self._endpoints.patch(endpoint, changes, where={"state": ACTIVE}):
            return False
        ENDPOINTS_RETIRED.labels(stored.document["channel"], cause).inc()
        self._log.info("endpoint_retired", id=endpoint, cause=cause)
        return True

    async def count_soft_bounce(self, endpoint: str, now: datetime) -> bool:
        """Write a soft bounce down; True if it is one too many, and the endpoint should be retired."""
        stored = await self._endpoints.get(endpoint)
        if stored is None or stored.document["state"] != ACTIVE:
            return False
        recent = [at for at in stored.document["soft_bounces"] if at > now - timedelta(days=SOFT_BOUNCE_DAYS)]
        recent = [*recent, now][-SOFT_BOUNCES_THAT_COUNT:]
        await self._endpoints.patch(endpoint, {"soft_bounces": recent})
        return len(recent) >= SOFT_BOUNCES_THAT_COUNT

    async def active(self, subscribers: Iterable[str]) -> dict[str, list[Endpoint]]:
        """The endpoints in use of these subscribers, in the order of their ids."""
        found = await self._endpoints.find({"subscriber": any_of(subscribers), "state": ACTIVE})
        endpoints: dict[str, list[Endpoint]] = {}
        for stored in found:
            endpoints.setdefault(stored.document["subscriber"], []).append(self._opened(stored))
        return endpoints

    async def active_push(self, subscribers: Iterable[str]) -> dict[str, list[Endpoint]]:
        """The push endpoints in use of these subscribers, in the order of their ids.

        What is in memory is not read again: the stamp shows that it is the same.
        """
        asked = list(subscribers)
        where = {"subscriber": any_of(asked), "state": ACTIVE, "channel": str(Channel.PUSH)}
        held = await self._endpoints.values(where, "subscriber", "stamp")
        found, missing = self._memory.known(asked, held)
        for stored in (await self._endpoints.get_many(missing)).values() if missing else ():
            # Meanwhile it may have been retired or registered anew.
            endpoint = self._push_endpoint(stored)
            if endpoint is not None and endpoint.subscriber == held[endpoint.id][0]:
                found.setdefault(endpoint.subscriber, []).append(endpoint)
        for endpoints in found.values():
            if len(endpoints) > 1:
                endpoints.sort(key=lambda endpoint: endpoint.id)
        return found

    async def all_push(self, mine: Callable[[str], bool]) -> AsyncIterator[list[Endpoint]]:
        """Pages of all push endpoints in use of the subscribers that are `mine`.

        They take the place of what was in memory, as far as there is room: nothing stays there from one time to the next.
        """
        self._memory.clear()
        after = None
        while page := await self._endpoints.find({}, limit=_PAGE, after=after):
            opened = [self._push_endpoint(stored) for stored in page if mine(stored.document["subscriber"])]
            yield [endpoint for endpoint in opened if endpoint is not None]
            after = page[-1].position()

    @property
    def memory_is_full(self) -> bool:
        """Whether no more push endpoints stay in memory."""
        return self._memory.full

    def forget(self, subscribers: Iterable[str]) -> None:
        """Have nothing of these subscribers in memory."""
        self._memory.forget(subscribers)

    def _push_endpoint(self, stored: Stored) -> Endpoint | None:
        """A push endpoint in use, which is kept in memory."""
        document = stored.document
        if (document["state"], document["channel"]) != (ACTIVE, Channel.PUSH):
            return None
        endpoint = self._opened(stored)
        self._memory.keep(endpoint, document.get("stamp"))
        return endpoint

    async def known(self, subscribers: Iterable[str]) -> dict[str, list[Endpoint]]:
        """Who of these has or had an endpoint on any channel, with those in use: both as of one moment."""
        found = await self._endpoints.find({"subscriber": any_of(subscribers)})
        endpoints: dict[str, list[Endpoint]] = {}
        for stored in found:
            of_one = endpoints.setdefault(stored.document["subscriber"], [])
            if stored.document["state"] == ACTIVE:
                of_one.append(self._opened(stored))
        return endpoints

    async def get(self, endpoint: str) -> Endpoint | None:
        """An endpoint in use."""
        stored = await self._endpoints.get(endpoint)
        return self._opened(stored) if stored and stored.document["state"] == ACTIVE else None

    async def at_address(self, address: str) -> list[str]:
        """Ids of the endpoints in use with that address."""
        found = await self._endpoints.find({"lookup": any_of(self._keys.lookups(address))})
        return [stored.key for stored in found if stored.document["state"] == ACTIVE]

    async def erase(self, subscriber: str) -> int:
        """Forget all of one subscriber; returns how many there were."""
        return await self._endpoints.delete_where({"subscriber": subscriber})

    async def renew_encryption(self) -> int:
        """Encrypt with the newest key what an older one holds, and what an older version kept without a stamp; returns
        how many there were."""
        renewed = 0
        async for stored in self._all():
            document = stored.document
            is_new = document["key_id"] == self._keys.current and document.get("stamp") is not None
            if document["state"] != ACTIVE or is_new:
                continue
            endpoint = self._opened(stored)
            key_id, sealed = self._keys.encrypt(endpoint.contact.content(), bound_to=_bound_to(endpoint))
            where = {"key_id": document["key_id"]}
            lookup = self._keys.lookup(endpoint.contact.lookup_text)
            stamp = secrets.token_hex(8)
            changes = {"key_id": key_id, "sealed": sealed, "lookup": lookup, "stamp": stamp}
            if await self._endpoints.patch(stored.key, changes, where=where):
                renewed += 1
        return renewed

    async def _all(self) -> AsyncIterator[Stored]:
        after = None
        while page := await self._endpoints.find({}, limit=_PAGE, after=after):
            for stored in page:
                yield stored
            after = page[-1].position()

    def _opened(self, stored: Stored) -> Endpoint:
        document = stored.document
        channel = _CHANNELS[document["channel"]]
        bound_to = f"{document['subscriber']}|{stored.key}|{channel}"
        content = self._keys.decrypt(document["key_id"], document["sealed"], bound_to=bound_to)
        return Endpoint(stored.key, document["subscriber"], channel, kept_contact(channel, content))


def _bound_to(endpoint: Endpoint) -> str:
    return f"{endpoint.subscriber}|{endpoint.id}|{endpoint.channel}"
