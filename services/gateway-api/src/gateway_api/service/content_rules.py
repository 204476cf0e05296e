"""Content rules of all municipalities: changed by editors, kept version by version, published, applied.

A version is one document that is inserted once, with what it announces: so nobody can change rules unseen, and
of two who change them at once one is told so.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from kommunepuls_chassis.logs import get_logger
from kommunepuls_events import ContentItemV1, ContentRulesV1, Judged, judge
from kommunepuls_events.base import utc_now

from gateway_api.domain import outbox
from gateway_api.domain.content_rules import KeptRule, Version, in_force, message_of
from gateway_api.domain.errors import Conflict, NotFound
from gateway_api.domain.staff import Staff
from gateway_api.service.audit import Audit
from gateway_api.service.collections import Collections
from gateway_api.service.towns import Towns, TownView

Decide = Callable[[Version], tuple[KeptRule, ...]]
"""From the rules as they are to those that follow."""


class RuleVersions:
    """The versions, to be read."""

    def __init__(self, collections: Collections, towns: Towns) -> None:
        self._kept = collections.rule_versions
        self._towns = towns

    async def current(self, municipality: str) -> Version:
        """The rules as they are; none before the first change."""
        found = await self.history(municipality, limit=1)
        return found[0] if found else Version(municipality, 0)

    async def history(self, municipality: str, *, limit: int) -> list[Version]:
        """The versions, the newest first."""
        stored = await self._kept.find(
            {"municipality": municipality}, order_by="revision", descending=True, limit=limit
        )
        return [Version.of(one.document) for one in stored]

    async def version(self, municipality: str, revision: int) -> Version:
        """One version.

        Raises:
            NotFound: if there is none of that number.
        """
        stored = await self._kept.get(_key(municipality, revision))
        if stored is None:
            raise NotFound("there is no such version of the rules")
        return Version.of(stored.document)

    async def message(self, municipality: str) -> ContentRulesV1 | None:
        """What is to stand on the topic now; None if there never were rules."""
        town = self._towns.get(municipality)
        return message_of(await self.current(municipality), inside(town) if town else lambda _: ())

    async def judge(self, town: TownView, item: ContentItemV1) -> Judged:
        """What the rules in force make of an item that is written here."""
        current = await self.current(town.code)
        return judge(item, in_force(current.rules, inside(town)))


class ContentRules:
    """The versions, to be added to."""

    def __init__(
        self,
        collections: Collections,
        versions: RuleVersions,
        audit: Audit,
        wake: Callable[[], None],
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._kept = collections.rule_versions
        self.versions = versions
        self._audit = audit
        self._wake = wake
        self._now = now
        self._log = get_logger()

    async def change(
        self, town: TownView, revision: int, decide: Decide, by: Staff, deed: str, subject: str
    ) -> Version:
        """Change the rules of a town; what is on counts within a second, everywhere.

        Args:
            town: whose.
            revision: the version that the editor had before them.
            decide: what follows from it.
            by: who changes it.
            deed, subject: what is done, and to which rule, for the history.

        Raises:
            Conflict: if somebody else has changed them since.
            Invalid, NotFound: from ``decide``.
        """
        before = await self.versions.current(town.code)
        if before.revision != revision:
            raise Conflict("the rules were changed meanwhile")
        after = Version(
            town.code, revision + 1, decide(before), self._now(), by.name, deed=deed, subject=subject
        )
        # Written down first; of two at once, the one who loses leaves a line and no change.
        await self._audit.note(by, deed, town.code, subject, version=after.revision)
        document = outbox.with_entries(after.fields(), [outbox.rules_of(town.code)], self._now())
        if not await self._kept.insert(_key(town.code, after.revision), document):
            raise Conflict("the rules were changed meanwhile")
        self._wake()
        self._log.info(
            "content_rules_changed",
            municipality=town.code,
            revision=after.revision,
            deed=deed,
            on=sum(one.on for one in after.rules),
        )
        return after

    async def restore(self, town: TownView, revision: int, wanted: int, by: Staff) -> Version:
        """Go back to a version, as the next one.

        Raises:
            NotFound, Conflict.
        """
        held = await self.versions.version(town.code, wanted)
        return await self.change(town, revision, lambda _: held.rules, by, "rules-restored", str(wanted))


def inside(town: TownView) -> Callable[[str], list[str]]:
    """The areas inside an area of a town; inside the municipality are all."""
    return partial(_inside, town)


def _inside(town: TownView, area: str) -> list[str]:
    if area == town.code:
        return [one.id for one in town.tree]
    return [one.id for one in town.tree.descendants(area)] if area in town.tree else []


def _key(municipality: str, revision: int) -> str:
    return f"{municipality}#{revision:08d}"
