"""What each ingest service published before: turns what an upstream says now into revisions.

An upstream is asked again and again; the journal tells new from changed from unchanged, numbers the
revisions, and says what changed and whether it is news to a reader. What is to be published is written
down first, so that a process that dies in between publishes the very same revision when it comes back.

The municipality's content rules are applied here, to what the upstream says, before it is written down: so every
reader of the topic sees the same item. Changed and unchanged are told by what the upstream says alone, so a change of
the rules makes no revision and no news; it counts for what comes next.
"""

import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from kommunepuls_events import Change, ContentItemV1, ContentRule, Lifecycle, LifecycleState
from kommunepuls_events.base import utc_now

from kommunepuls_chassis.producer import Producer
from kommunepuls_chassis.rules import NoRules, Rules
from kommunepuls_chassis.store import DocumentStore, Index, Stored
from kommunepuls_chassis.texts import shortened

NEWS_FIELDS = frozenset(
    {"title", "summary", "body", "stage", "starts_at", "ends_at", "geometry", "place_name", "severity", "kind",
     "valid_from", "valid_until", "exercise"}
)  # fmt: skip
"""Fields whose change a reader wants to hear of; a change of any other is kept but not announced."""

_NOT_COMPARED = frozenset(
    {"id", "revision", "municipality", "source", "native_id", "observed_at", "lifecycle", "changed_by"}
)
_RULED = frozenset({"interests", "areas", "severity"})


class Outcome(StrEnum):
    """What became of an observation."""

    PUBLISHED = "published"
    UPDATED = "updated"
    WITHDRAWN = "withdrawn"
    UNCHANGED = "unchanged"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Observation:
    """The outcome, and the item as published (None if unchanged or dropped).

    ``dropped_by`` is the rule that keeps the item from being published, when that is seen for the first time.
    """

    outcome: Outcome
    item: ContentItemV1 | None
    dropped_by: ContentRule | None = None


class ItemJournal:
    """The journal of one service, in its own store."""

    def __init__(
        self,
        store: DocumentStore,
        producer: Producer,
        *,
        rules: Rules | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._producer = producer
        self._rules = rules or NoRules()
        self._now = now

    async def open(self) -> None:
        """Make ready, and publish what a process that died had written down but perhaps not published."""
        self._entries = await self._store.collection(
            "items", indexes=[Index("source"), Index("waiting"), Index("withdrawn"), Index("listed_until")]
        )
        self._dropped = await self._store.collection("dropped_items")
        for stored in await self._entries.find({"waiting": True}):
            await self._publish_waiting(stored)

    async def observe(
        self,
        draft: ContentItemV1,
        *,
        announce_within: timedelta | None = None,
        news_fields: Collection[str] = NEWS_FIELDS,
        listed_until: datetime | None = None,
        drop: bool = True,
    ) -> Observation:
        """Take what the upstream says of an item now; publish it if it is new or changed.

        Args:
            draft: the item; its revision and lifecycle are set here. A draft whose lifecycle state is
                withdrawn withdraws the item, with the draft's texts.
            announce_within: an item seen for the first time that was published longer ago than this, or is
                over already, is published without being news. None announces it whatever its age.
            news_fields: fields whose change is news.
            listed_until: when the upstream will have dropped it from its list (an event that is over);
                see :meth:`missing`.
            drop: False publishes it although a rule drops it. A rule drops only what was never published: who was
                told of an item hears of its corrections, too.
        """
        known = await self._entries.get(draft.id)
        before = known.document if known else None
        if known and known.document["waiting"]:
            # Written down but not published: Kafka did not answer then.
            await self._publish_waiting(known)
        fingerprints = _fingerprints(draft)
        withdrawn = draft.lifecycle.state is LifecycleState.WITHDRAWN
        if before and before["fingerprints"] == fingerprints and before["withdrawn"] == withdrawn:
            return Observation(Outcome.UNCHANGED, None)
        if before is None and withdrawn:
            # Nobody was told of it, so there is nothing to take back.
            return Observation(Outcome.UNCHANGED, None)
        judged = await self._rules.judge(draft)
        if before is None and judged.dropped_by is not None and drop:
            noted = await self._dropped.get(draft.id)
            if noted and noted.document["fingerprints"] == fingerprints:
                return Observation(Outcome.UNCHANGED, None)
            return Observation(Outcome.DROPPED, None, judged.dropped_by)
        lifecycle = self._lifecycle(
            judged.item, before, fingerprints, announce_within, news_fields, withdrawn
        )
        item = judged.item.model_copy(
            update={
                "revision": before["revision"] + 1 if before else 1,
                "lifecycle": lifecycle,
                "observed_at": self._now(),
            }
        )
        await self._publish(item, fingerprints, listed_until)
        outcome = Outcome.WITHDRAWN if withdrawn else Outcome.UPDATED if before else Outcome.PUBLISHED
        return Observation(outcome, item)

    async def note_dropped(self, draft: ContentItemV1) -> None:
        """Write down that it was told that a rule drops this item, so that it is told once."""
        await self._dropped.put(draft.id, {"fingerprints": _fingerprints(draft)})

    async def withdraw(self, item_id: str) -> Observation:
        """Take an item back that the upstream deleted; nothing happens if it is unknown or withdrawn."""
        known = await self._entries.get(item_id)
        if known and known.document["waiting"]:
            await self._publish_waiting(known)
        if known is None or known.document["withdrawn"]:
            return Observation(Outcome.UNCHANGED, None)
        last = ContentItemV1.model_validate_json(known.document["item"])
        item = last.model_copy(
            update={
                "revision": last.revision + 1,
                "lifecycle": Lifecycle(state=LifecycleState.WITHDRAWN, news=True),
                "observed_at": self._now(),
            }
        )
        await self._publish(item, known.document["fingerprints"], None)
        return Observation(Outcome.WITHDRAWN, item)

    async def last(self, item_id: str) -> ContentItemV1 | None:
        """The newest published revision of an item, None if it is unknown."""
        known = await self._entries.get(item_id)
        return ContentItemV1.model_validate_json(known.document["item"]) if known else None

    async def missing(self, source: str, present: Collection[str]) -> list[str]:
        """Ids of a source's items that are neither present, nor withdrawn, nor past ``listed_until``.

        Only for upstreams that always list everything; a sliding window loses old items without
        deleting them.
        """
        now = self._now()
        present = set(present)
        return [
            stored.key
            for stored in await self._entries.find({"source": source, "withdrawn": False})
            if stored.key not in present
            and not ((until := stored.document["listed_until"]) is not None and until < now)
        ]

    async def _publish_waiting(self, stored: Stored) -> None:
        await self._producer.publish(ContentItemV1.model_validate_json(stored.document["item"]))
        await self._entries.patch(stored.key, {"waiting": False})

    async def _publish(
        self, item: ContentItemV1, fingerprints: dict[str, str], listed_until: datetime | None
    ) -> None:
        entry = {
            "source": item.source,
            "revision": item.revision,
            "withdrawn": item.withdrawn,
            "fingerprints": fingerprints,
            "listed_until": listed_until,
            "item": item.to_json().decode(),
            "waiting": True,
        }
        await self._entries.put(item.id, entry)
        await self._producer.publish(item)
        await self._entries.patch(item.id, {"waiting": False})

    def _lifecycle(
        self,
        draft: ContentItemV1,
        before: dict | None,
        fingerprints: dict[str, str],
        announce_within: timedelta | None,
        news_fields: Collection[str],
        withdrawn: bool,
    ) -> Lifecycle:
        if before is None:
            now = self._now()
            over = min((end for end in (draft.ends_at, draft.valid_until) if end), default=None)
            fresh = announce_within is None or draft.published_at >= now - announce_within
            return Lifecycle(news=draft.lifecycle.news and fresh and not (over and over < now))
        last = ContentItemV1.model_validate_json(before["item"])
        marks = before["fingerprints"]
        changed = [
            name
            for name in {**fingerprints, **marks}
            if marks.get(name) != fingerprints.get(name)
            # What a rule sets is the same again, whatever the upstream says now.
            and not (name in _RULED and getattr(last, name) == getattr(draft, name))
        ]
        changes = tuple(
            Change(field=name, before=_shown(getattr(last, name)), after=_shown(getattr(draft, name)))
            for name in changed
        )
        if withdrawn:
            return Lifecycle(state=LifecycleState.WITHDRAWN, changes=changes)
        news = draft.lifecycle.news and (before["withdrawn"] or any(name in news_fields for name in changed))
        return Lifecycle(state=LifecycleState.UPDATED, changes=changes, news=news)


def _fingerprints(item: ContentItemV1) -> dict[str, str]:
    values = item.model_dump(mode="json", exclude=set(_NOT_COMPARED), exclude_none=True)
    # Upstreams sign picture addresses anew at every poll: only host and path tell pictures apart.
    values["pictures"] = [urlsplit(picture["url"]).path for picture in values.get("pictures", [])]
    for name in ("title", "summary", "body"):
        values[name] = " ".join(str(values.get(name, "")).split())
    return {
        name: hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]
        for name, value in values.items()
        if value not in (None, "", [], {})
    }


def _shown(value: object) -> str | None:
    if value in (None, "", (), {}):
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    return shortened(str(value), 200)
