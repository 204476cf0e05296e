"""Socrata data sets, SODA 2.x (dev.socrata.com/docs: queries, paging, system-fields, app-tokens).

``$select=:*,*`` adds the system fields ``:id`` and ``:updated_at``; order is stated, since without it
pages overlap; 429 asks for patience; 202 means that the answer is still being made.
"""

import os
from typing import Any

from kommunepuls_chassis.errors import PermanentError, RejectedInput, TransientError
from kommunepuls_chassis.web import Fetcher

from ingest_permits.adapters.answers import raw_of, read_json, rows_of_json
from ingest_permits.case_intake import Candidate, CaseIntake
from ingest_permits.domain.mapping import ColumnMapping, Row, check_columns
from ingest_permits.domain.rows import document_of_row
from ingest_permits.sources import SocrataSource

ROW, ANSWER = "row", "answer"


def table_candidate(row: Any, mapping: ColumnMapping, cases: CaseIntake) -> Candidate:
    """A row of a table, to be taken under a mapping."""
    return Candidate(
        raw_of(row),
        lambda: document_of_row(
            row, mapping, country=cases.country, language=cases.language, zone=cases.zone, now=cases.now()
        ),
    )


class SocrataPoll:
    """A data set as a source, read in the order of its watermark column.

    Position: ``from`` (value of the watermark column reached), ``id`` (the last row's ``:id``) and ``same``
    (how many rows of that very value were read). A page goes on behind the last row read, so that nothing
    is lost when rows change meanwhile and move to the end, as would happen with ``$offset``.
    """

    def __init__(self, fetcher: Fetcher, source: SocrataSource, cases: CaseIntake) -> None:
        self._fetcher = fetcher
        self._source = source
        self._cases = cases

    async def poll(self) -> dict:
        """Read all rows that changed since the last poll; returns the new position.

        Raises:
            TransientError: a broken answer (rejected, asked for again later), or one still being made.
            PermanentError: the data set lacks a column that is needed, or refuses.

        """
        position = {"from": None, "id": None, "same": 0, **self._cases.intake.position}
        while True:
            rows = await self._page(position)
            position = self._after(position, rows)
            if len(rows) < self._source.page_size:
                break
            await self._cases.intake.save(position=position, attempted=False)
        if position["same"] > self._source.page_size:
            return position  # a bulk load gave one time to more rows than are worth reading again
        return {**position, "id": None, "same": 0}

    async def take_again(self, entry: str, raw: bytes) -> None:
        """Take a row, or a whole answer, that an operator sent back.

        Raises:
            RejectedInput: if it is still no JSON.
        """
        rows = rows_of_json(raw) if entry == ANSWER else [read_json(raw)]
        await self._cases.take(
            ROW, [table_candidate(row, self._source.mapping, self._cases) for row in rows], again=True
        )

    async def _page(self, position: dict[str, Any]) -> list[Any]:
        body = await self._ask(position)
        try:
            rows = rows_of_json(body)
            if rows and isinstance(rows[0], dict):
                check_columns(Row(rows[0]), self._source.mapping, optional=True)
        except RejectedInput as rejected:
            await self._cases.reject(ANSWER, body, rejected)
            raise TransientError(str(rejected), reason=rejected.reason) from None
        await self._cases.take(ROW, [table_candidate(row, self._source.mapping, self._cases) for row in rows])
        return rows

    async def _ask(self, position: dict[str, Any]) -> bytes:
        column = self._source.watermark
        since = self._since(position)
        answer = await self._fetcher.get(
            self._source.url,
            params={
                "$select": ":*,*",
                "$where": f"({self._source.where}) AND {since}" if self._source.where else since,
                "$order": f"{column},:id",
                "$limit": str(self._source.page_size),
                "$offset": str(position["same"] if self._source.paging == "offset" else 0),
            },
            headers=self._headers(),
        )
        if answer.status == 202:
            raise TransientError("the data set is still making its answer (202)", reason="http-202")
        return answer.body

    def _since(self, position: dict[str, Any]) -> str:
        column, reached, last = self._source.watermark, position["from"], position["id"]
        if not reached:
            return f"{column} IS NOT NULL"
        value = _quoted(reached)
        if not last or self._source.paging == "offset":
            return f"{column} >= {value}"
        return f"({column} > {value} OR ({column} = {value} AND :id > {_quoted(last)}))"

    def _headers(self) -> dict[str, str]:
        name = self._source.app_token_env
        if name is None:
            return {}
        token = os.environ.get(name, "")
        if not token:
            raise PermanentError(f"the app token is missing: set {name}", reason="missing-token")
        return {"X-App-Token": token}

    def _after(self, position: dict[str, Any], rows: list[Any]) -> dict[str, Any]:
        if not rows:
            return position
        values = [row.get(self._source.watermark) for row in rows if isinstance(row, dict)]
        if not values or not isinstance(values[-1], str):
            raise PermanentError(
                f"the data set's rows have no {self._source.watermark}", reason="missing-watermark"
            )
        last = values[-1]
        same = sum(value == last for value in values)
        return {
            "from": last,
            "id": next((row.get(":id") for row in reversed(rows) if isinstance(row, dict)), None),
            "same": same + (position["same"] if last == position["from"] else 0),
        }


def _quoted(text: str) -> str:
    """A SoQL string."""
    return "'" + text.replace("'", "''") + "'"
