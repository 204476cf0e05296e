"""The ledger of sendings: reserved before anything is sent, claimed by lease, never sent by two at once."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import fields
from datetime import datetime, timedelta

from kommunepuls_chassis.store.conditions import any_of, below
from kommunepuls_chassis.store.documents import Document
from kommunepuls_chassis.store.port import Collection, DocumentStore, Index
from kommunepuls_events import Channel, Reason

from notifier.domain.attention import Contender
from notifier.domain.sendings import Kind, Lane, Sending, State
from notifier.records.waves import Waves

_PAGE = 500
_PLAIN = [
    field.name
    for field in fields(Sending)
    if field.name not in ("kind", "channel", "lane", "state", "reasons", "reached", "lost")
]

_STILL_WAITING = {"digest": None, "state": str(State.DIGESTED)}
_CHANGING = ("due_at", "cause", "attempt", "budget_day", "digest", "endpoint", "permanence", "told", "sealed")


class Ledger:
    """Sendings by key."""

    def __init__(self, sendings: Collection, waves: Waves) -> None:
        self._sendings = sendings
        self.waves = waves
        """What goes to many at once; whoever asks the ledger need not know."""

    @classmethod
    async def open(cls, store: DocumentStore) -> "Ledger":
        """The ledger in that store."""
        sendings = await store.collection(
            "sendings",
            indexes=[
                Index("queue", "due_at", sparse=True),
                Index("item", "state", sparse=True),
                Index("digest", sparse=True),
                Index("subscriber"),
                Index("open_for", sparse=True),
                Index("created_at", sparse=True),
            ],
        )
        return cls(sendings, await Waves.open(store, sendings))

    async def reserve(self, sendings: Sequence[Sending]) -> list[bool]:
        """Reserve each; False for one that was reserved before, which stays as it is."""
        return await self._sendings.insert_many((one.key, _document(one)) for one in sendings)

    async def claim(self, queue: str, now: datetime, lease: timedelta, limit: int) -> list[Sending]:
        """Take what is due in a queue, longest due first. Nobody else gets it before the lease ends."""
        found = await self._sendings.claim(
            {"queue": queue},
            due_field="due_at",
            now=now,
            lease_seconds=lease.total_seconds(),
            limit=limit,
        )
        return [_sending(one.key, one.document) for one in found]

    async def keep(self, sending: Sending) -> bool:
        """Write down where it stands; False if it was erased meanwhile."""
        return await self._sendings.patch(sending.key, _standing(sending))

    async def keep_many(self, sendings: Sequence[Sending]) -> list[bool]:
        """`keep` for each, in one go."""
        return await self._sendings.patch_many((one.key, _standing(one)) for one in sendings)

    async def get(self, key: str) -> Sending | None:
        """The sending of that key."""
        found = await self._sendings.get(key)
        if found is None:
            return None
        if found.document["state"] == State.IN_WAVE:
            return await self.waves.sending(found.document)
        return _sending(key, found.document)

    async def leave_wave(self, sendings: Sequence[Sending]) -> list[bool]:
        """Let messages of a wave be sendings of their own; False for one that was erased meanwhile."""
        return await self._sendings.patch_many(
            (one.key, _document(one) | {"wave": None, "place": None}) for one in sendings
        )

    async def drop(self, key: str) -> None:
        """Forget one."""
        await self._sendings.delete(key)

    async def in_digest(self, digest: str) -> list[Sending]:
        """What a digest has gathered and nothing became of yet, oldest first."""
        found = await self._sendings.find({"digest": digest, "state": State.DIGESTED})
        gathered = [_sending(one.key, one.document) for one in found]
        return sorted(gathered, key=lambda one: (one.created_at, one.item or ""))

    async def waiting(self, subscriber: str) -> list[Sending]:
        """What waits for a digest of a subscriber and is gathered by none, on any channel."""
        found = await self._sendings.find({"open_for": subscriber, "state": State.DIGESTED})
        return [_sending(one.key, one.document) for one in found if one.document["digest"] is None]

    async def gather(self, digest: Sending) -> list[Sending]:
        """Everything that waits on a digest's channel, oldest first. It belongs to that digest from now on.

        A digest gathers once: if it was sent and nobody knows, it looks the same when it is sent again.
        """
        if gathered := await self.in_digest(digest.key):
            return gathered
        waiting = [one for one in await self.waiting(digest.subscriber) if one.channel is digest.channel]
        belonging: Document = {"digest": digest.key, "due_at": None, "queue": None, "open_for": None}
        await asyncio.gather(
            *(self._sendings.patch(one.key, belonging, where=_STILL_WAITING) for one in waiting)
        )
        return await self.in_digest(digest.key)

    async def put_by(self, sending: Sending) -> bool:
        """Let a sending wait for a digest; False if something became of it meanwhile in other hands."""
        undecided = {"state": any_of((State.RESERVED, State.HELD))}
        return await self._sendings.patch(sending.key, _standing(sending), where=undecided)

    async def take_back(self, sending: Sending) -> bool:
        """Let a sending wait for a digest no longer; False if one has gathered it, or it was erased."""
        return await self._sendings.patch(sending.key, {"state": State.RESERVED}, where=_STILL_WAITING)

    async def look_at(self, sendings: Iterable[Sending], now: datetime) -> None:
        """Let sendings that wait for a digest be decided on anew."""
        await asyncio.gather(
            *(self._sendings.patch(one.key, {"due_at": now}, where=_STILL_WAITING) for one in sendings)
        )

    async def contenders(self, subscribers: Iterable[str], until: datetime) -> dict[str, list[Contender]]:
        """The ordinary messages about items that are to be decided on by then and were not tried yet."""
        found = await self._sendings.find({"open_for": any_of(subscribers)})
        contenders: dict[str, list[Contender]] = {}
        for one in found:
            held = one.document
            if (
                (held["kind"], held["lane"]) == (Kind.ITEM, Lane.ORDINARY)
                and held["state"] in (State.RESERVED, State.HELD)
                and not held["attempt"]
                and held["due_at"] <= until
            ):
                wanting = Contender(
                    f"{held['item']}#{held['revision']}", held.get("importance", 0), held["created_at"]
                )
                contenders.setdefault(held["subscriber"], []).append(wanting)
        return contenders

    async def told_of(self, item: str, before_revision: int) -> AsyncIterator[list[Sending]]:
        """Pages of what was sent of an item's earlier revisions."""
        after = None
        while True:
            page = await self._sendings.find({"item": item, "state": State.SENT}, limit=_PAGE, after=after)
            sent = [_sending(one.key, one.document) for one in page]
            yield [one for one in sent if one.revision < before_revision]
            if len(page) < _PAGE:
                break
            after = page[-1].position()
        async for sent in self.waves.sent_of(item, before_revision):
            yield sent

    async def told_before(
        self, item: str, before_revision: int, subscribers: Iterable[str]
    ) -> set[tuple[str, Channel]]:
        """Who of these was sent an earlier revision, and on which channel."""
        asked = set(subscribers)
        found = await self._sendings.find({"item": item, "state": State.SENT, "subscriber": any_of(asked)})
        sent = [_sending(one.key, one.document) for one in found]
        by_wave = await self.waves.sent_before(item, before_revision, asked)
        return {(one.subscriber, one.channel) for one in sent if one.revision < before_revision} | {
            (subscriber, Channel.PUSH) for subscriber in by_wave
        }

    async def erase(self, subscriber: str) -> int:
        """Forget all of one subscriber; returns how many there were."""
        await self.waves.erase(subscriber)
        return await self._sendings.delete_where({"subscriber": subscriber})

    async def purge(self, before: datetime) -> int:
        """Forget what is older; returns how many there were."""
        await self.waves.purge(before)
        return await self._sendings.delete_where({"created_at": below(before)})


def queue_of(channel: Channel, lane: Lane) -> str:
    """The queue in which a sending waits for a sender."""
    return f"{channel}-{lane}"


def _document(sending: Sending) -> Document:
    document: Document = {name: getattr(sending, name) for name in _PLAIN if name != "key"}
    return (
        document
        | {
            "kind": str(sending.kind),
            "channel": str(sending.channel),
            "lane": str(sending.lane),
            "reasons": [reason.model_dump(mode="json", exclude_none=True) for reason in sending.reasons],
        }
        | _standing(sending)
    )


def _standing(sending: Sending) -> Document:
    """What may change after the reservation; the rest need not be written again."""
    document: Document = {name: getattr(sending, name) for name in _CHANGING}
    return document | {
        "state": str(sending.state),
        "reached": list(sending.reached),
        "lost": list(sending.lost),
        "queue": queue_of(sending.channel, sending.lane) if sending.due_at is not None else None,
        "open_for": sending.subscriber if sending.due_at is not None else None,
    }


def _sending(key: str, document: Document) -> Sending:
    plain = {name: document.get(name) for name in _PLAIN if name != "key"}
    plain["importance"] = plain["importance"] or 0  # kept by an older version, which had none
    return Sending(
        key=key,
        kind=Kind(document["kind"]),
        channel=Channel(document["channel"]),
        lane=Lane(document["lane"]),
        state=State(document["state"]),
        reasons=tuple(Reason.model_validate(reason) for reason in document["reasons"]),
        reached=tuple(document["reached"]),
        lost=tuple(document["lost"]),
        **plain,
    )
