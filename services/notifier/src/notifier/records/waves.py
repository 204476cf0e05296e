"""Waves in the store: one entry with the states of many messages, one with whom they are for, and a mark for each.

The mark stands in the ledger's collection under the key that a sending of its own would have, so that nothing that is in
a wave is reserved again elsewhere, and the other way round. It does not change while the wave is on its way; a message
that leaves the wave gets its sending in the mark's place.
"""

import uuid
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kommunepuls_chassis.store.conditions import any_of, below
from kommunepuls_chassis.store.documents import Document
from kommunepuls_chassis.store.errors import VersionConflict
from kommunepuls_chassis.store.port import Collection, DocumentStore, Index, Stored
from kommunepuls_events import Channel, ContentItemV1, Reason

from notifier.domain.attention import importance_of
from notifier.domain.identity import item_keys
from notifier.domain.sendings import Lane, Sending, State
from notifier.domain.waves import LEFT, RESERVED, SENT, TOLD, Wave

SHARDS = 4
"""Parts that subscribers are divided into. A process serves some of them, so that it can make keys ahead for its own."""
MOST_IN_WAVE = 1250
"""What is reserved together, 5,000, makes one wave a shard: each wave costs some reads and writes of its own."""
SMALLEST_CROWD = 32
"""Fewer than these are told one by one."""
_FORMED = 2
"""Version of a wave that was put and formed. A claim is the next."""
_PAGE = 20


@dataclass(frozen=True, slots=True)
class Recipients:
    """Whom one revision of an item is for, with their reasons."""

    item: ContentItemV1
    lane: Lane
    trace: str | None
    reasons: Sequence[tuple[str, tuple[Reason, ...]]]


def shard_of(subscriber: str) -> int:
    """The part that a subscriber belongs to: the same in every process, and in every version."""
    return sum(subscriber.encode()) % SHARDS


class Waves:
    """Waves by key."""

    def __init__(self, waves: Collection, lists: Collection, sendings: Collection) -> None:
        self._waves = waves
        self._lists = lists
        self._sendings = sendings

    @classmethod
    async def open(cls, store: DocumentStore, sendings: Collection) -> "Waves":
        """The waves in that store, with their marks among the sendings."""
        indexes = [Index("queue", "due_at"), Index("item"), Index("created_at")]
        return cls(
            await store.collection("waves", indexes=indexes),
            await store.collection("wave_lists", indexes=[Index("created_at")]),
            sendings,
        )

    async def reserve(self, recipients: Recipients, now: datetime, lease: timedelta) -> int:
        """Reserve a message to each; returns to how many there was none yet.

        The entries are there before the marks that lead to them: who dies in between leaves a wave that is due when the
        lease ends, and whose messages are those that have marks.
        """
        shards: dict[int, list[tuple[str, tuple[Reason, ...]]]] = {}
        for one in recipients.reasons:
            shards.setdefault(shard_of(one[0]), []).append(one)
        parts = {
            uuid.uuid4().hex: (shard, members[start : start + MOST_IN_WAVE])
            for shard, members in shards.items()
            for start in range(0, len(members), MOST_IN_WAVE)
        }
        await self._lists.insert_many((key, _list(members, now)) for key, (_, members) in parts.items())
        await self._waves.insert_many(
            (key, _entry(recipients, shard, len(members), now, now + lease))
            for key, (shard, members) in parts.items()
        )
        new = iter(await self._sendings.insert_many(_marks(recipients.item, parts)))
        reserved = 0
        formed: list[tuple[str, Document]] = []
        for key, (_, members) in parts.items():
            ours = [next(new) for _ in members]
            reserved += sum(ours)
            if any(ours):
                states = "".join("r" if one else "x" for one in ours)
                formed.append((key, {"states": states, "due_at": now}))
            else:
                await self._waves.delete(key)
                await self._lists.delete(key)
        await self._waves.patch_many(formed)
        return reserved

    async def claim(
        self, lane: Lane, shards: Iterable[int], now: datetime, lease: timedelta, limit: int
    ) -> list[Wave]:
        """Take waves that are due, as :meth:`~notifier.records.ledger.Ledger.claim` takes sendings."""
        found = await self._waves.claim(
            {"queue": any_of(queue_of(lane, shard) for shard in shards)},
            due_field="due_at",
            now=now,
            lease_seconds=lease.total_seconds(),
            limit=limit,
        )
        waves = await self._with_lists(found)
        for wave in waves:
            if not wave.fresh:
                await self._leave_out(wave)
        return waves

    async def _leave_out(self, wave: Wave) -> None:
        """Of a wave that somebody held before: what has left it since its states were written."""
        reserved = wave.places(RESERVED)
        keys = item_keys(
            (wave.subscribers[place] for place in reserved), wave.item, wave.revision, Channel.PUSH
        )
        marks = await self._sendings.get_many(keys)
        for place, key in zip(reserved, keys, strict=True):
            mark = marks.get(key)
            if mark is None or (mark.document.get("wave"), mark.document["state"]) != (
                wave.key,
                State.IN_WAVE,
            ):
                wave.states[place] = LEFT

    async def keep(self, waves: Sequence[Wave]) -> None:
        """Write down where the messages of these stand; what is over is not due any more."""
        await self._waves.patch_many(
            (
                wave.key,
                {"states": wave.states.decode()} | ({"due_at": None, "queue": None} if wave.over else {}),
            )
            for wave in waves
        )

    async def sent_of(self, item: str, before_revision: int) -> AsyncIterator[list[Sending]]:
        """Pages of what waves have brought of an item's earlier revisions."""
        async for stored in self._of(item, before_revision):
            for wave in await self._with_lists([stored]):
                yield [_sent(wave, place) for place in wave.places(SENT) + wave.places(TOLD)]

    async def _of(self, item: str, before_revision: int) -> AsyncIterator[Stored]:
        after = None
        while page := await self._waves.find({"item": item}, limit=_PAGE, after=after):
            after = page[-1].position()
            for stored in page:
                if stored.document["revision"] < before_revision:
                    yield stored

    async def sent_before(self, item: str, before_revision: int, subscribers: Iterable[str]) -> set[str]:
        """Whom of these a wave has brought an earlier revision."""
        revisions: set[int] = set()
        async for wave in self._of(item, before_revision):
            revisions.add(wave.document["revision"])
        told: set[str] = set()
        asked = list(subscribers)
        for revision in revisions:
            keys = dict(zip(item_keys(asked, item, revision, Channel.PUSH), asked, strict=True))
            marks = {key: found.document for key, found in (await self._sendings.get_many(keys)).items()}
            in_wave = {key: mark for key, mark in marks.items() if mark["state"] == State.IN_WAVE}
            waves = await self._waves.get_many({mark["wave"] for mark in in_wave.values()})
            told |= {
                keys[key]
                for key, mark in in_wave.items()
                if mark["wave"] in waves and waves[mark["wave"]].document["states"][mark["place"]] in "st"
            }
        return told

    async def sending(self, mark: Document) -> Sending | None:
        """The message that a mark stands for."""
        found = await self._waves.get(mark["wave"])
        for wave in await self._with_lists([found] if found else []):
            place = mark["place"]
            return _sent(wave, place) if wave.states[place] in (SENT, TOLD) else wave.sending(place)
        return None

    async def erase(self, subscriber: str) -> None:
        """Take a subscriber out of every wave. The marks are the ledger's to erase, after this."""
        for mark in await self._sendings.find({"subscriber": subscriber}):
            if mark.document["state"] == State.IN_WAVE:
                await self._erase(mark.document["wave"], mark.document["place"])

    async def _erase(self, wave: str, place: int) -> None:
        while (stored := await self._lists.get(wave)) is not None:
            stored.document["subscribers"][place] = ""
            try:
                await self._lists.put(wave, stored.document, expected_version=stored.version)
            except VersionConflict:
                continue  # another of this wave was erased meanwhile
            return

    async def purge(self, before: datetime) -> None:
        """Forget what is older, marks included."""
        while page := await self._waves.find({"created_at": below(before)}, limit=_PAGE):
            for wave in await self._with_lists(page):
                await self._purge_marks(wave)
            for stored in page:
                await self._waves.delete(stored.key)
        await self._lists.delete_where({"created_at": below(before)})

    async def _purge_marks(self, wave: Wave) -> None:
        keys = item_keys(wave.subscribers, wave.item, wave.revision, Channel.PUSH)
        for key, mark in (await self._sendings.get_many(keys)).items():
            if mark.document.get("wave") == wave.key:
                await self._sendings.delete(key)

    async def _with_lists(self, found: Sequence[Stored]) -> list[Wave]:
        lists = await self._lists.get_many(one.key for one in found)
        return [_wave(one, lists[one.key].document) for one in found if one.key in lists]


def queue_of(lane: Lane, shard: int) -> str:
    """The queue in which a wave waits."""
    return f"{lane}-{shard}"


def _list(members: Sequence[tuple[str, tuple[Reason, ...]]], now: datetime) -> Document:
    # The very same reasons are often those of many: only others are compared by what they say.
    places: dict[int, int] = {}
    kinds: dict[tuple, tuple[int, tuple[Reason, ...]]] = {}
    why = []
    for _, reasons in members:
        place = places.get(id(reasons))
        if place is None:
            place, _ = kinds.setdefault(_values(reasons), (len(kinds), reasons))
            places[id(reasons)] = place
        why.append(place)
    return {
        "subscribers": [subscriber for subscriber, _ in members],
        "reasons": [[_plain(reason) for reason in reasons] for _, reasons in kinds.values()],
        "why": why,
        "created_at": now,
    }


def _entry(recipients: Recipients, shard: int, size: int, now: datetime, due_at: datetime) -> Document:
    item = recipients.item
    return {
        "queue": queue_of(recipients.lane, shard),
        "due_at": due_at,
        "item": item.id,
        "revision": item.revision,
        "lane": str(recipients.lane),
        "importance": importance_of(item, follow_up=False),
        "observed_at": item.observed_at,
        "trace": recipients.trace,
        "created_at": now,
        "states": "r" * size,
    }


def _marks(
    item: ContentItemV1, parts: Mapping[str, tuple[int, Sequence[tuple[str, tuple[Reason, ...]]]]]
) -> Iterator[tuple[str, Document]]:
    """As little as can be: there is one for everybody."""
    state = str(State.IN_WAVE)
    for wave, (_, members) in parts.items():
        subscribers = [subscriber for subscriber, _ in members]
        keys = item_keys(subscribers, item.id, item.revision, Channel.PUSH)
        for place, (key, subscriber) in enumerate(zip(keys, subscribers, strict=True)):
            yield key, {"wave": wave, "place": place, "subscriber": subscriber, "state": state}


def _sent(wave: Wave, place: int) -> Sending:
    return replace(wave.sending(place), state=State.SENT, told=True, attempt=1)


def _values(reasons: tuple[Reason, ...]) -> tuple:
    """What reasons say, which is compared in a fifth of the time that they themselves take."""
    return tuple([tuple(reason.__dict__.values()) for reason in reasons])


def _plain(reason: Reason) -> Document:
    return reason.model_dump(mode="json", exclude_none=True)


def _wave(stored: Stored, members: Document) -> Wave:
    document = stored.document
    states = bytearray(document["states"].encode())
    for place, subscriber in enumerate(members["subscribers"]):
        if not subscriber:  # erased
            states[place] = LEFT
    return Wave(
        key=stored.key,
        item=document["item"],
        revision=document["revision"],
        lane=Lane(document["lane"]),
        created_at=document["created_at"],
        observed_at=document["observed_at"],
        importance=document["importance"],
        trace=document["trace"],
        reasons=tuple(
            tuple(Reason.model_validate(reason) for reason in reasons) for reasons in members["reasons"]
        ),
        subscribers=members["subscribers"],
        why=members["why"],
        states=states,
        fresh=stored.version == _FORMED + 1,
    )
