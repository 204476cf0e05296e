"""Polling a portal's CSV or JSON file with the town's column mapping."""

import asyncio
from pathlib import Path
from typing import Any

from kommunepuls_chassis.errors import RejectedInput, TransientError
from kommunepuls_chassis.web import Fetcher

from ingest_permits.adapters.answers import check_cells, read_json, rows_of_csv, rows_of_json
from ingest_permits.adapters.files import fetch_file, hash_of
from ingest_permits.adapters.socrata import ANSWER, ROW, table_candidate
from ingest_permits.case_intake import Candidate, CaseIntake
from ingest_permits.domain.cases import Document
from ingest_permits.domain.mapping import Row, check_columns
from ingest_permits.sources import PortalFileSource

_ROWS_AT_ONCE = 500


class PortalFilePoll:
    """A file as a source. Position: its ETag and SHA-256, and the stamp of what cases are located with."""

    def __init__(
        self, fetcher: Fetcher, source: PortalFileSource, cases: CaseIntake, folder: Path, places: str
    ) -> None:
        self._fetcher = fetcher
        self._source = source
        self._cases = cases
        self._folder = folder
        self._places = places

    async def poll(self) -> dict:
        """Take the file if it, the mapping or the town's places changed; returns the new position.

        A file that was taken in part only is taken again from its start, which changes nothing for the
        rows that were taken.

        Raises:
            TransientError: the file is broken; it was rejected and is asked for again later.
            PermanentError, ThrottledError: see :func:`fetch_file`.
        """
        setting = f"{self._places}|{hash_of(self._source.mapping.model_dump_json())}"
        position = self._cases.intake.position
        remembered = position.get("file", {}) if position.get("setting") == setting else {}
        fetched = await fetch_file(self._fetcher, self._source.url, self._folder, remembered)
        if fetched.body is not None:
            await self._take(fetched.body)
        return {"setting": setting, "file": fetched.remembered}

    async def take_again(self, entry: str, raw: bytes) -> None:
        """Take a row, or a whole file, that an operator sent back.

        Raises:
            RejectedInput: if it is still no table.
        """
        if entry == ANSWER:
            rows = await asyncio.to_thread(self._rows, raw)
            await self._cases.take(ROW, [self._candidate(row) for row in rows], again=True)
        else:
            # A row is kept as JSON: the number of its cells was settled when it was read.
            row = table_candidate(read_json(raw), self._source.mapping, self._cases)
            await self._cases.take(ROW, [row], again=True)

    async def _take(self, body: bytes) -> None:
        try:
            rows = await asyncio.to_thread(self._rows, body)
        except RejectedInput as rejected:
            await self._cases.reject(ANSWER, body, rejected)
            raise TransientError(str(rejected), reason=rejected.reason) from None
        present: set[str] = set()
        rejected_before = sum(self._cases.tally.rejected.values())
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = rows[start : start + _ROWS_AT_ONCE]
            present |= await self._cases.take(ROW, [self._candidate(row) for row in part])
        if self._source.lists_everything and sum(self._cases.tally.rejected.values()) == rejected_before:
            # A row that cannot be read may be one of those that seem to be missing.
            await self._cases.withdraw_missing(present)

    def _rows(self, body: bytes) -> list[Any]:
        csv_file = self._format() == "csv"
        if csv_file:
            rows = rows_of_csv(body, self._source.encoding, self._source.delimiter)
        else:
            rows = rows_of_json(body, self._source.records)
        if rows and isinstance(rows[0], dict):
            check_columns(Row(rows[0]), self._source.mapping, optional=not csv_file)
        return rows

    def _format(self) -> str:
        return self._source.format or ("csv" if self._source.url.lower().endswith(".csv") else "json")

    def _candidate(self, row: Any) -> Candidate:
        table = table_candidate(row, self._source.mapping, self._cases)
        if self._format() != "csv":
            return table

        def make() -> Document | None:
            check_cells(row)
            return table.make()

        return Candidate(table.raw, make)
