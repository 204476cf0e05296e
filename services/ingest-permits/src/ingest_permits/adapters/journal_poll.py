"""Polling journals that were scraped from an ACOS portal, and the change log that such a scraper writes."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from kommunepuls_chassis.errors import RejectedInput, TransientError
from kommunepuls_chassis.web import Fetcher

from ingest_permits.adapters.answers import raw_of, read_json, rows_of_json
from ingest_permits.adapters.files import fetch_file, hash_of
from ingest_permits.case_intake import Candidate, CaseIntake, refused
from ingest_permits.domain.cases import Document
from ingest_permits.domain.changes import ChangeEvent, entry_after, entry_before, read_event
from ingest_permits.domain.journal_entries import Entry, document_of_entry, entry_of_journal_row
from ingest_permits.sources import JournalFileSource

ENTRY, EVENT, ANSWER = "journal-entry", "journal-event", "answer"


class JournalFilePoll:
    """Journal files as one source.

    Position: of each file (by a mark of its address) its ETag and SHA-256 and, for a log, the time reached.
    """

    def __init__(
        self, fetcher: Fetcher, source: JournalFileSource, cases: CaseIntake, folder: Path, places: str
    ) -> None:
        self._fetcher = fetcher
        self._source = source
        self._cases = cases
        self._folder = folder
        self._places = places

    async def poll(self) -> dict:
        """Take the files that changed, in their order; returns the new position.

        Raises:
            TransientError: a file is broken; it was rejected and is asked for again later.
            PermanentError, ThrottledError: see :func:`fetch_file`.
        """
        position = dict(self._cases.intake.position)
        if position.get("places") != self._places:
            position = {"places": self._places, "reached": position.get("reached", {})}
        for url in self._source.urls:
            name = hash_of(url)
            known = position.get("files", {}).get(name, {})
            fetched = await fetch_file(self._fetcher, url, self._folder, known)
            if fetched.body is not None:
                position = await self._take(url, fetched.body, position)
            position = {**position, "files": {**position.get("files", {}), name: fetched.remembered}}
            await self._cases.intake.save(position=position, attempted=False)
        return position

    async def take_again(self, entry: str, raw: bytes) -> None:
        """Take an entry, an event or a whole journal that an operator sent back.

        Raises:
            RejectedInput: if it is still no JSON.
        """
        if entry == EVENT:
            await self._take_events([(raw, read_json(raw))], again=True)
        else:
            rows = rows_of_json(raw) if entry == ANSWER else [read_json(raw)]
            await self._cases.take(ENTRY, [self._candidate(row) for row in rows], again=True)

    async def _take(self, url: str, body: bytes, position: dict) -> dict:
        try:
            rows = await asyncio.to_thread(rows_of_json, body)
        except RejectedInput as rejected:
            await self._cases.reject(ANSWER, body, rejected)
            raise TransientError(f"{url}: {rejected}", reason=rejected.reason) from None
        if not any(isinstance(row, dict) and "endringer" in row for row in rows[:100]):
            await self._cases.take(ENTRY, [self._candidate(row) for row in rows])
            return position
        name = hash_of(url)
        reached = position.get("reached", {}).get(name, "")
        for at, events in itertools.groupby(_in_order(rows), key=_time):
            # Events of the time reached are taken again: the log may have been read while it was written.
            if at and at < reached:
                continue
            await self._take_events([(raw_of(event), event) for event in events])
            position = {**position, "reached": {**position.get("reached", {}), name: at or reached}}
            await self._cases.intake.save(position=position, attempted=False)
        return position

    def _candidate(self, row: Any) -> Candidate:
        return Candidate(raw_of(row), lambda: self._document(entry_of_journal_row(row)))

    def _document(self, entry: Entry) -> Document | None:
        return document_of_entry(
            entry, zone=self._cases.zone, now=self._cases.now(), assume_building=self._source.only_building
        )

    async def _take_events(self, raws: Sequence[tuple[bytes, Any]], *, again: bool = False) -> None:
        """Take the events of one look at the portal: first what was there before, then what it became."""
        before: list[Candidate] = []
        after: list[Candidate] = []
        forgotten: list[str] = []
        entries: dict[str, Entry | None] = {}
        for raw, event in raws:
            try:
                change = read_event(event)
                if change.document_id not in entries:
                    entries[change.document_id] = await self._known(change)
                    unseen = entries[change.document_id] is None and not change.new
                    if unseen and (was := entry_before(change)) is not None:
                        entries[change.document_id] = was
                        before.append(Candidate(raw, _maker(self._document, was)))
                known = entries[change.document_id]
                if known is None and not change.new:
                    after.append(Candidate(raw, lambda: None))
                    continue
                entry = entries[change.document_id] = entry_after(change, known)
                if known is not None and self._document(entry) is None:
                    forgotten.append(change.document_id)
            except RejectedInput as rejected:
                after.append(refused(raw, rejected))
                continue
            after.append(Candidate(raw, _maker(self._document, entry)))
        await self._cases.take(EVENT, before, counted=False)
        await self._cases.take(EVENT, after, again=again)
        for document_id in forgotten:
            await self._cases.forget(document_id)

    async def _known(self, change: ChangeEvent) -> Entry | None:
        document = await self._cases.known(change.document_id)
        if document is None:
            return None
        return Entry(
            document_id=document.id,
            case_id=document.case,
            title=document.written or document.title,
            date=document.dated.isoformat(),
            type=document.type,
            url=document.url or "",
            files=tuple((file.url, file.title) for file in document.files),
        )


def _maker(make: Callable[[Entry], Document | None], entry: Entry) -> Callable[[], Document | None]:
    """Binds the entry of one turn of a loop."""
    return lambda: make(entry)


def _time(event: Any) -> str:
    at = event.get("tidspunkt") if isinstance(event, dict) else None
    return at if isinstance(at, str) else ""


def _in_order(rows: Iterable[Any]) -> list[Any]:
    return sorted(rows, key=_time)
