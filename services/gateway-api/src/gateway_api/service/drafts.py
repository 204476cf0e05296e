"""What organisers write: kept, approved, published through the outbox of the draft itself."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from kommunepuls_chassis.logs import get_logger
from kommunepuls_events import ContentItemV1
from kommunepuls_events.base import utc_now
from kommunepuls_events.interests import INTERESTS

from gateway_api.domain import outbox
from gateway_api.domain.errors import Conflict, Fault, Invalid, NotAllowed, NotFound
from gateway_api.domain.organisers import drafts
from gateway_api.domain.organisers.content import Content, missing, presentable
from gateway_api.domain.organisers.drafts import Draft, State
from gateway_api.domain.organisers.publishing import geometry_of, item_of, withdrawal_of
from gateway_api.domain.staff import Staff
from gateway_api.service.audit import Audit
from gateway_api.service.changes import change
from gateway_api.service.clubs import Clubs
from gateway_api.service.collections import Collections
from gateway_api.service.content_rules import RuleVersions
from gateway_api.service.towns import Towns, TownView

MOST_LISTED = 200


class Drafts:
    """Drafts of all organisers.

    A revision is written into the draft's document together with the draft's new state, and published from
    there by :class:`gateway_api.service.outbox.OutboxPublisher`: killed in between, the very same revision goes
    out later.
    """

    def __init__(
        self,
        collections: Collections,
        towns: Towns,
        clubs: Clubs,
        rules: RuleVersions,
        audit: Audit,
        public_url: str,
        wake: Callable[[], None],
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._kept = collections.drafts
        self._towns = towns
        self._clubs = clubs
        self._rules = rules
        self._audit = audit
        self._public_url = public_url
        self._wake = wake
        self._now = now
        self._log = get_logger()

    async def begin(self, writer: Staff, organiser: str, content: Content) -> Draft:
        """A new draft.

        Raises:
            NotFound, NotAllowed: if they do not write for that organiser, or it is closed.
        """
        club = self._clubs.get(organiser)
        now = self._now()
        draft = Draft(secrets.token_hex(8), club.municipality, club.id, writer.name, content, now, now)
        if not drafts.may_write(writer, draft):
            raise NotAllowed("you do not write for this organiser")
        if not club.approved:
            raise NotAllowed("the organiser is closed")
        await self._kept.insert(draft.id, draft.fields() | outbox.fields((), None))
        return draft

    async def get(self, writer: Staff, draft: str) -> Draft:
        """A draft that they may read.

        Raises:
            NotFound: if there is none, or it is none of theirs.
        """
        stored = await self._kept.get(draft)
        found = Draft.of(stored.key, stored.document) if stored else None
        if found is None or not drafts.may_write(writer, found):
            raise NotFound("there is no such draft")
        return found

    async def of_organisers(self, organisers: Iterable[str]) -> list[Draft]:
        """The drafts of some organisers, what was changed last first."""
        found = await asyncio.gather(
            *(
                self._kept.find({"organiser": one}, order_by="changed_at", descending=True, limit=MOST_LISTED)
                for one in organisers
            )
        )
        listed = [Draft.of(stored.key, stored.document) for some in found for stored in some]
        return sorted(listed, key=lambda one: one.changed_at, reverse=True)[:MOST_LISTED]

    async def waiting(self, municipality: str) -> list[Draft]:
        """What waits for approval, the longest first."""
        found = await self._kept.find(
            {"municipality": municipality, "state": str(State.WAITING)}, order_by="changed_at"
        )
        return [Draft.of(stored.key, stored.document) for stored in found]

    async def save(self, writer: Staff, draft: str, content: Content) -> Draft:
        """Keep other content.

        Raises:
            NotFound, NotAllowed, Conflict.
        """
        return await self._change(
            draft, lambda known: (drafts.saved(known, content, writer, self._now()), None)
        )

    async def hand_in(self, writer: Staff, draft: str, edition: int, *, tell: bool = True) -> Draft:
        """Publish what is written, or have it wait for the editor where that is asked for.

        Raises:
            Invalid: with each fault of the content.
            NotFound, NotAllowed, Conflict.
        """
        known = await self.get(writer, draft)
        club = self._clubs.get(known.organiser)
        if not club.approved:
            raise NotAllowed("the organiser is closed")
        drafts.publishable(known, edition, writer)
        if club.asks and not drafts.may_decide(writer, known):
            await self._complete(known)
            await self._note(writer, "item-handed-in", known)
            after = await self._change(
                draft,
                lambda held: (drafts.submitted(held, edition, writer, self._now(), tell=tell), None),
            )
            self._log.info("draft_waits_for_approval", draft=draft, organiser=known.organiser)
            return after
        return await self._publish(
            writer, known, tell=tell, check=lambda held: drafts.publishable(held, edition, writer)
        )

    async def approve(self, writer: Staff, draft: str, edition: int) -> Draft:
        """Publish what waits.

        Raises:
            Invalid, NotFound, NotAllowed, Conflict.
        """
        known = await self.get(writer, draft)
        drafts.decidable(known, edition, writer)
        return await self._publish(
            writer, known, tell=known.tell, check=lambda held: drafts.decidable(held, edition, writer)
        )

    async def send_back(self, writer: Staff, draft: str, edition: int, word: str) -> Draft:
        """Send back what waits.

        Raises:
            NotFound, NotAllowed, Conflict; Invalid: without a word.
        """
        if not word.strip():
            raise Invalid([Fault("/word", "say what must be mended")])
        known = await self.get(writer, draft)
        drafts.decidable(known, edition, writer)
        await self._note(writer, "item-sent-back", known)
        return await self._change(
            draft, lambda known: (drafts.sent_back(known, edition, writer, word.strip(), self._now()), None)
        )

    async def withdraw(self, writer: Staff, draft: str) -> Draft:
        """Take back what was published.

        Raises:
            NotFound, NotAllowed, Conflict.
        """

        known = await self.get(writer, draft)
        if not known.live:
            raise Conflict("it is not published")
        await self._note(writer, "item-withdrawn", known)

        def taken_back(known: Draft) -> tuple[Draft, ContentItemV1]:
            if known.item is None or not known.live:
                raise Conflict("it is not published")
            item = withdrawal_of(known.item, self._now())
            return drafts.withdrawn(known, item, writer, self._now()), item

        after = await self._change(draft, taken_back)
        self._log.info("draft_withdrawn", draft=draft, by=writer.name)
        return after

    async def delete(self, writer: Staff, draft: str) -> None:
        """Delete what nobody has seen.

        Raises:
            NotFound, NotAllowed, Conflict.
        """
        await self.get(writer, draft)
        # Closed first, so that nobody publishes what is about to go.
        await self._change(draft, lambda known: (drafts.closed(known, writer, self._now()), None))
        await self._kept.delete(draft)

    async def faults(self, draft: Draft) -> list[Fault]:
        """Everything that must be mended before it can be published."""
        town = self._towns.of(draft.municipality)
        faults = missing(draft.content, {*INTERESTS, *town.town.interests}, self._now())
        if (geometry := geometry_of(draft.content)) is not None:
            areas = await asyncio.to_thread(town.geography.area_ids_of, geometry)
            if not any(one == town.code or one.startswith(f"{town.code}/") for one in areas):
                faults.append(Fault("/position", "lies outside of the municipality"))
        return faults

    async def item(self, draft: Draft, content: Content | None = None) -> ContentItemV1:
        """What residents would get of a draft now, as far as it goes; of other content, if that is given."""
        town = self._towns.of(draft.municipality)
        shown = replace(draft, content=presentable(content or draft.content), item=None)
        return (await self._rules.judge(town, await self._item(town, shown, tell=True))).item

    async def _item(self, town: TownView, draft: Draft, *, tell: bool) -> ContentItemV1:
        areas: Sequence[str] = ()
        geometry = geometry_of(draft.content)
        if geometry is not None:
            areas = await asyncio.to_thread(town.geography.area_ids_of, geometry)
        club = self._clubs.get(draft.organiser)
        return item_of(draft, club.contract, areas, self._public_url, self._now(), tell=tell)

    async def _publish(
        self, writer: Staff, read: Draft, *, tell: bool, check: Callable[[Draft], None]
    ) -> Draft:
        town = self._towns.of(read.municipality)
        await self._complete(read)
        judged = await self._rules.judge(town, await self._item(town, read, tell=tell))
        # As with every source: who was told of an item hears of its corrections.
        if judged.dropped_by is not None and read.item is None:
            raise Conflict(
                f"a rule of the municipality keeps this back: {judged.dropped_by.name}",
                slug="dropped-by-rule",
            )
        item = judged.item
        await self._note(writer, "item-published", read)

        def out(held: Draft) -> tuple[Draft, ContentItemV1]:
            check(held)
            return drafts.published(held, item, writer, self._now()), item

        after = await self._change(read.id, out)
        self._log.info("draft_published", item=item.id, revision=item.revision, by=writer.name)
        return after

    async def _note(self, writer: Staff, action: str, draft: Draft) -> None:
        organiser = self._clubs.get(draft.organiser).name
        await self._audit.note(writer, action, draft.municipality, draft.content.title, organiser=organiser)

    async def _complete(self, draft: Draft) -> None:
        if faults := await self.faults(draft):
            raise Invalid(faults)

    async def _change(
        self, draft: str, decide: Callable[[Draft], tuple[Draft, ContentItemV1 | None]]
    ) -> Draft:
        """Apply a decision, with what it publishes, in one step."""

        def decided(document: dict) -> tuple[dict, list]:
            after, item = decide(Draft.of(draft, document))
            return after.fields(), [outbox.entry_for(item)] if item else []

        document = await change(self._kept, draft, decided, self._now())
        if document is None:
            raise NotFound("there is no such draft")
        self._wake()
        return Draft.of(draft, document)
