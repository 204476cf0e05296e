"""Copies of what other topics told: profiles, the texts of items, and where items stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import orjson
from kommunepuls_chassis.store.conditions import at_least, below
from kommunepuls_chassis.store.documents import Document
from kommunepuls_chassis.store.port import Collection, DocumentStore, Index
from kommunepuls_events import Channel, ContentItemV1, SubscriberProfileV1

from notifier.domain.identity import content_key
from notifier.domain.standing import Standing

_DEFAULTS = {
    name: SubscriberProfileV1.model_fields[name].default for name in ("channels", "language", "timezone")
}


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A revision whose earlier readers are to be told."""

    item: str
    revision: int
    trace: str | None = None
    """W3C traceparent of the event that brought the revision."""


@dataclass(frozen=True, slots=True)
class Gist:
    """The little of a profile that an emergency needs, kept beside the whole."""

    channels: tuple[Channel, ...]
    language: str
    timezone: str


class Knowledge:
    """Profiles by subscriber, texts by item and revision, standings by item."""

    def __init__(self, profiles: Collection, contents: Collection, standings: Collection) -> None:
        self._profiles = profiles
        self._contents = contents
        self._standings = standings

    @classmethod
    async def open(cls, store: DocumentStore) -> "Knowledge":
        """The collections in that store."""
        return cls(
            # The gist is a field that can be read without the profile around it.
            await store.collection("profiles", indexes=[Index("erased_at", "gist", sparse=True)]),
            await store.collection("contents", indexes=[Index("kept_at")]),
            await store.collection(
                "standings", indexes=[Index("follow_up", "due_at"), Index("announced"), Index("seen_at")]
            ),
        )

    async def keep_profile(self, profile: SubscriberProfileV1) -> SubscriberProfileV1 | None:
        """Keep a profile unless a newer one is there; returns the one whose place it takes, if any."""
        before = await self._profiles.get(profile.subscriber)
        if before is not None and before.document.get("revision", 0) > profile.revision:
            return None
        await self._profiles.put(profile.subscriber, _document(profile))
        known = before.document.get("profile") if before is not None else None
        return SubscriberProfileV1.model_validate_json(known) if known else None

    async def keep_profiles(self, profiles: Iterable[SubscriberProfileV1]) -> None:
        """Keep profiles of which none is there yet."""
        await self._profiles.insert_many((one.subscriber, _document(one)) for one in profiles)

    async def profiles(self, subscribers: Iterable[str]) -> dict[str, SubscriberProfileV1]:
        """The profiles that are known."""
        found = await self._profiles.get_many(set(subscribers))
        return {
            key: SubscriberProfileV1.model_validate_json(stored.document["profile"])
            for key, stored in found.items()
            if "profile" in stored.document
        }

    async def gists(self, subscribers: Iterable[str]) -> tuple[dict[str, Gist], set[str]]:
        """What many are told by, of the profiles that are known; and who was erased lately."""
        known, erased, without = {}, set(), []
        found = await self._profiles.values_of(subscribers, "gist", "erased_at")
        for key, (gist, erased_at) in found.items():
            if gist is not None:
                known[key] = _gist(gist)
            elif erased_at is not None:
                erased.add(key)
            else:
                without.append(key)
        if without:  # kept by an older version
            for key, stored in (await self._profiles.get_many(without)).items():
                if "profile" in stored.document:
                    known[key] = _gist(_gist_of(orjson.loads(stored.document["profile"])))
        return known, erased

    async def erased_since(self, moment: datetime) -> set[str]:
        """Who was erased then or later, as far as it is remembered."""
        return set(await self._profiles.values({"erased_at": at_least(moment)}))

    async def erase_profile(self, subscriber: str, now: datetime) -> None:
        """Forget a profile and remember for a day that it was erased, for matches still on their way."""
        await self._profiles.put(subscriber, {"erased_at": now})

    async def erased(self, subscribers: Iterable[str]) -> set[str]:
        """Who of these was erased lately."""
        found = await self._profiles.get_many(set(subscribers))
        return {key for key, stored in found.items() if "erased_at" in stored.document}

    async def keep_contents(self, items: Iterable[ContentItemV1], now: datetime) -> None:
        """Keep the texts of revisions that somebody is told of."""
        await self._contents.insert_many(
            (content_key(item.id, item.revision), {"item": item.to_json().decode(), "kept_at": now})
            for item in items
        )

    async def contents(self, revisions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], ContentItemV1]:
        """The texts of these revisions."""
        keys = {content_key(*revision): revision for revision in revisions}
        found = await self._contents.get_many(keys)
        return {
            keys[key]: ContentItemV1.model_validate_json(stored.document["item"])
            for key, stored in found.items()
        }

    async def standings(self, items: Iterable[str]) -> dict[str, Standing]:
        """Where items stand that content.v1 told of."""
        found = await self._standings.get_many(set(items))
        return {key: _standing(stored.document) for key, stored in found.items()}

    async def keep_standing(
        self,
        item: str,
        standing: Standing,
        seen_at: datetime,
        follow_up_at: datetime | None,
        trace: str | None = None,
    ) -> None:
        """Keep where an item stands; with `follow_up_at`, its earlier readers are told then, in that trace."""
        document: Document = {
            "revision": standing.revision,
            "announced": standing.announced,
            "withdrawn": standing.withdrawn,
            "seen_at": seen_at,
        }
        before = await self._standings.get(item)
        if follow_up_at is not None:
            document |= {"follow_up": True, "due_at": follow_up_at, "trace": trace}
        elif before is not None and before.document.get("follow_up"):
            # A later revision that is no news does not cancel the one that is.
            kept = {name: before.document.get(name) for name in ("due_at", "trace")}
            document |= {"follow_up": True, **kept}
        await self._standings.put(item, document)

    async def claim_follow_ups(self, now: datetime, lease: timedelta, limit: int) -> list[FollowUp]:
        """Take items whose earlier readers are to be told now."""
        found = await self._standings.claim(
            {"follow_up": True},
            due_field="due_at",
            now=now,
            lease_seconds=lease.total_seconds(),
            limit=limit,
        )
        return [FollowUp(one.key, one.document["announced"], one.document.get("trace")) for one in found]

    async def follow_up_done(self, follow_up: FollowUp) -> None:
        """They were told, unless a newer revision came meanwhile."""
        changes = {"follow_up": False, "due_at": None}
        await self._standings.patch(follow_up.item, changes, where={"announced": follow_up.revision})

    async def purge(self, texts_before: datetime, erased_before: datetime) -> int:
        """Forget old texts and the memory of erasures; returns how many there were."""
        return (
            await self._contents.delete_where({"kept_at": below(texts_before)})
            + await self._standings.delete_where({"seen_at": below(texts_before)})
            + await self._profiles.delete_where({"erased_at": below(erased_before)})
        )


def _document(profile: SubscriberProfileV1) -> Document:
    content = profile.to_json()
    return {
        "revision": profile.revision,
        "profile": content.decode(),
        "gist": _gist_of(orjson.loads(content)),
    }


def _gist_of(profile: dict) -> str:
    """What `_gist` reads back: channels, language, time zone."""
    parts = [profile.get(name, default) for name, default in _DEFAULTS.items()]
    return orjson.dumps(parts).decode()


@lru_cache(maxsize=10_000)
def _gist(text: str) -> Gist:
    channels, language, timezone = orjson.loads(text)
    return Gist(tuple(Channel(name) for name in channels), language, timezone)


def _standing(document: Document) -> Standing:
    return Standing(document["revision"], document["announced"], document["withdrawn"])
