"""Polling an ACOS archive: days are swept page by page; a sweep that breaks off goes on where it stood."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from kommunepuls_chassis.errors import PermanentError, RejectedInput, TransientError
from kommunepuls_chassis.logs import get_logger

from ingest_permits.adapters.acos_api import AcosArchive, read_item, read_overview
from ingest_permits.adapters.answers import raw_of, read_json
from ingest_permits.case_intake import Candidate, CaseIntake, refused
from ingest_permits.domain.cases import Document
from ingest_permits.domain.journal_entries import Entry, document_of_entry
from ingest_permits.sources import AcosSource

ITEM, ANSWER = "acos-item", "answer"

_MOST_PAGES = 2000


class AcosPoll:
    """One archive as a source. Position: ``through`` (day swept to) and, within a sweep, ``sweep``."""

    def __init__(self, archive: AcosArchive, source: AcosSource, cases: CaseIntake) -> None:
        self._archive = archive
        self._source = source
        self._cases = cases
        self._log = get_logger().bind(source=cases.intake.id)

    async def poll(self) -> dict:
        """Sweep from the last day swept (less the overlap) to today; returns the new position.

        The position is saved after each page, so that a restart goes on with the next.

        Raises:
            TransientError: if an answer is broken; it was rejected and is asked for again later.
            PermanentError, ThrottledError: see :class:`AcosArchive`.
        """
        position = dict(self._cases.intake.position)
        sweep = position.get("sweep") or self._new_sweep(position)
        await self._archive.open_session()
        while True:
            pages = await self._page(sweep)
            if sweep["page"] >= min(pages, _MOST_PAGES):
                return {"through": sweep["to"]}
            sweep = {**sweep, "page": sweep["page"] + 1}
            await self._cases.intake.save(position={**position, "sweep": sweep}, attempted=False)

    def _new_sweep(self, position: dict) -> dict[str, Any]:
        today = self._cases.now().astimezone(self._cases.zone).date()
        if through := position.get("through"):
            first = date.fromisoformat(through) - timedelta(days=self._source.overlap_days)
        else:
            first = today - timedelta(days=self._source.first_days)
        return {"from": first.isoformat(), "to": today.isoformat(), "page": 1}

    async def _page(self, sweep: dict[str, Any]) -> int:
        body = await self._archive.overview(sweep["from"], sweep["to"], sweep["page"])
        try:
            overview = read_overview(body)
        except RejectedInput as rejected:
            await self._cases.reject(ANSWER, body, rejected)
            raise TransientError(str(rejected), reason=rejected.reason) from None
        await self._cases.take(ITEM, [await self._candidate(item) for item in overview.items])
        return overview.pages

    async def take_again(self, entry: str, raw: bytes) -> None:
        """Take an item, or a whole answer, that an operator sent back.

        Raises:
            RejectedInput: if it is still no JSON.
        """
        items = read_overview(raw).items if entry == ANSWER else (read_json(raw),)
        await self._cases.take(ITEM, [await self._candidate(item) for item in items], again=True)

    async def _candidate(self, item: Any) -> Candidate:
        """The item, with its case and files asked for if it is news that we do not have."""
        raw = raw_of(item)
        try:
            entry = read_item(item, self._source.page)
            document = self._document(entry)
            if document is not None and self._source.details:
                entry = await self._with_details(entry, item, document)
        except RejectedInput as rejected:
            return refused(raw, rejected)
        return Candidate(raw, lambda: self._document(entry))

    def _document(self, entry: Entry) -> Document | None:
        return document_of_entry(
            entry,
            zone=self._cases.zone,
            now=self._cases.now(),
            assume_building=self._source.only_building,
        )

    async def _with_details(self, entry: Entry, item: dict[str, Any], document: Document) -> Entry:
        known = await self._cases.known(document.id)
        if known is not None and known.case_title:
            # Asked for once: files that are published later come with the case's page all the same.
            return replace(entry, case_title=known.case_title, case_number=known.case_number)
        try:
            title, number = await self._archive.case(item["parentIdentifier"])
            files = await self._archive.files(item["identifier"])
        except (PermanentError, RejectedInput) as error:
            # Some documents' pages are closed or odd; what the overview says is enough for an item.
            self._log.info("details_not_available", document=document.id, error=str(error))
            return entry
        return replace(entry, case_title=title, case_number=number or entry.case_number, files=files)
