"""Taking documents in: folded into their cases, located, offered to the journal; rejects kept once."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from kommunepuls_chassis.errors import RejectedInput, TransientError
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.store import DocumentStore, Index
from kommunepuls_events import item_id
from kommunepuls_events.base import utc_now

from ingest_permits.domain.cases import Case, Document, is_news
from ingest_permits.domain.drafts import Located, Publisher, documents_of, draft_of

Locate = Callable[[Document], Located]
"""Where a document's case lies; must not block."""

_BELIEVABLE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something an upstream said: how to make a document of it, and its bytes in case that fails."""

    raw: bytes
    make: Callable[[], Document | None]


def refused(raw: bytes, rejected: RejectedInput) -> Candidate:
    """A candidate that was found wanting before it could be made."""

    def make() -> Document | None:
        raise rejected

    return Candidate(raw, make)


@dataclass(slots=True)
class Tally:
    """What came of the input since the process started."""

    read: int = 0
    left_out: int = 0
    documents: int = 0
    revisions: int = 0
    announced: int = 0
    unchanged: int = 0
    rejected: dict[str, int] = field(default_factory=dict)


class CaseIntake:
    """The cases of one source."""

    def __init__(
        self,
        intake: SourceIntake,
        journal: ItemJournal,
        store: DocumentStore,
        locate: Locate,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        town, config = intake.town, intake.config
        self.intake = intake
        self.now = now
        self.zone = ZoneInfo(town.timezone)
        self.country = town.code[:2]
        self.language = config.language or town.language
        self.tally = Tally()
        self._journal = journal
        self._store = store
        self._locate = locate
        self._publisher = Publisher(
            municipality=town.code,
            source=intake.id,
            organiser=town.organiser_of(config),
            language=self.language,
            zone=self.zone,
            interests=config.interests,
            areas=config.areas,
        )

    async def open(self) -> "CaseIntake":
        """Make the collections ready."""
        self._cases = await self._store.collection(
            "cases", indexes=[Index("source"), Index("document_ids", array=True)]
        )
        self._rejected = await self._store.collection("rejected")
        return self

    async def take(
        self, entry: str, candidates: Iterable[Candidate], *, counted: bool = True, again: bool = False
    ) -> set[str]:
        """Take what one answer holds, each case once; returns the native ids of the cases it tells of.

        What cannot be taken is rejected by itself, the rest is taken.

        Args:
            entry: how a reject is taken again (see :meth:`SourceIntake.reject`).
            candidates: in any order; of two for one document the later counts.
            counted: whether they are input of their own.
            again: an operator sent them back; see :meth:`reject`.
        """
        cases: dict[str, dict[str, tuple[Document, bytes]]] = {}
        for candidate in candidates:
            self.tally.read += counted
            try:
                document = candidate.make()
            except RejectedInput as rejected:
                await self.reject(entry, candidate.raw, rejected, again=again)
                continue
            if document is None:
                self.tally.left_out += counted
                continue
            self.tally.documents += counted
            cases.setdefault(document.case, {})[document.id] = (document, candidate.raw)
        for case_id, documents in cases.items():
            try:
                await self._take_case(case_id, [document for document, _ in documents.values()])
            except RejectedInput as rejected:
                for _, raw in documents.values():
                    await self.reject(entry, raw, rejected, again=again)
        return set(cases)

    async def known(self, document_id: str) -> Document | None:
        """A document taken earlier."""
        case = await self._case_of_document(document_id)
        return case.document(document_id) if case else None

    async def forget(self, document_id: str) -> None:
        """Take a document out of its case: it is corrected to something that is no news. An empty case is withdrawn."""
        case = await self._case_of_document(document_id)
        if case is not None:
            await self._without(case, document_id)

    async def withdraw_missing(self, present: set[str]) -> None:
        """Withdraw the cases of an upstream that lists everything and no longer lists them.

        Raises:
            TransientError: if more than half were missing; that is rather a broken file.
        """
        ids = {item_id(self.intake.id, native) for native in present}
        missing = await self._journal.missing(self.intake.id, ids)
        if len(missing) > _BELIEVABLE_SHARE * (len(ids) + len(missing)):
            raise TransientError(
                f"{len(missing)} of {len(ids) + len(missing)} cases are missing; that is not believed",
                reason="mostly-missing",
            )
        for missing_id in missing:
            await self.intake.withdraw(missing_id)

    async def reject(self, entry: str, raw: bytes, rejected: RejectedInput, *, again: bool = False) -> None:
        """Keep what cannot be taken, once: an upstream shows the same bad row at every poll.

        Args:
            entry, raw, rejected: see :meth:`SourceIntake.reject`.
            again: an operator sent it back, so it is to be seen that it still cannot be taken.
        """
        key = hashlib.sha256(b"\0".join((self.intake.id.encode(), entry.encode(), raw))).hexdigest()
        if not again and await self._rejected.get(key):
            return
        await self.intake.reject(entry, raw, rejected)
        self.tally.rejected[rejected.reason] = self.tally.rejected.get(rejected.reason, 0) + 1
        await self._rejected.put(key, {"source": self.intake.id, "reason": rejected.reason})

    async def _take_case(self, case_id: str, documents: Sequence[Document]) -> None:
        before = await self._case(case_id)
        after = before or Case(case_id)
        for document in documents:
            if after.document(document.id) is None:
                await self._leave_other_case(document)
            after = after.with_document(document)
        await self._offer(before, after)

    async def _offer(self, before: Case | None, after: Case, *, quiet: bool = False) -> None:
        now = self.now()
        within = timedelta(hours=self.intake.config.announce_within_hours)
        news = not quiet and is_news(before, after, now, within)
        draft = draft_of(after, self._publisher, self._locate(after.milestone), now, news=news)
        seen = await self.intake.take(draft)
        if seen.item is None:
            self.tally.unchanged += 1
        else:
            self.tally.revisions += 1
            self.tally.announced += seen.item.announced
        if after != before:
            # After the journal has it: a crash in between takes the same step again and finds it done.
            await self._cases.put(self._key(after.id), self._stored(after))

    async def _leave_other_case(self, document: Document) -> None:
        other = await self._case_of_document(document.id)
        if other is not None and other.id != document.case:
            await self._without(other, document.id)

    async def _without(self, case: Case, document_id: str) -> None:
        left = Case(case.id, tuple(one for one in case.documents if one.id != document_id))
        if left.documents:
            await self._offer(case, left, quiet=True)
            return
        await self.intake.withdraw(item_id(self.intake.id, case.id))
        await self._cases.delete(self._key(case.id))

    async def _case(self, case_id: str) -> Case | None:
        stored = await self._cases.get(self._key(case_id))
        return Case(case_id, documents_of(stored.document["documents"])) if stored else None

    async def _case_of_document(self, document_id: str) -> Case | None:
        found = await self._cases.find({"document_ids": f"{self.intake.id}|{document_id}"}, limit=1)
        return (
            Case(found[0].document["case"], documents_of(found[0].document["documents"])) if found else None
        )

    def _key(self, case_id: str) -> str:
        return hashlib.sha256(f"{self.intake.id}|{case_id}".encode()).hexdigest()

    def _stored(self, case: Case) -> dict:
        return {
            "source": self.intake.id,
            "case": case.id,
            "document_ids": [f"{self.intake.id}|{one.id}" for one in case.documents],
            "documents": [one.to_store() for one in case.documents],
        }
