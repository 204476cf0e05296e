"""From a row of a table (Socrata, a portal's file) to a document of a case."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from kommunepuls_chassis.errors import RejectedInput

from ingest_permits.domain.cases import Document
from ingest_permits.domain.dates import read_date
from ingest_permits.domain.mapping import ColumnMapping, Row, StageByTitle, StageColumn, folded, is_wanted
from ingest_permits.domain.positions import position
from ingest_permits.domain.privacy import without_contacts, without_names
from ingest_permits.domain.stages import Stage, stage_of
from ingest_permits.domain.titles import take_apart


def document_of_row(
    cells: Any, mapping: ColumnMapping, *, country: str, language: str, zone: ZoneInfo, now: datetime
) -> Document | None:
    """The document that a row makes; None if the mapping's filters leave it out.

    Args:
        cells: heading: value.
        mapping: of the source.
        country: ISO 3166 code, to tell swapped coordinates.
        language: of the texts, to tell names from words.
        zone: of the town, for dates without one.
        now: to refuse dates that have not come.

    Raises:
        RejectedInput: ``not-a-row``, ``missing-id``, ``missing-title``, ``missing-date``,
            ``unreadable-date``, ``date-out-of-range``, ``bad-coordinates``, ``bad-link``.
    """
    if not isinstance(cells, dict):
        raise RejectedInput("not-a-row", f"a row is an object of columns, this is {type(cells).__name__}")
    row = Row(cells)
    if not is_wanted(row, mapping):
        return None
    stage = _stage(row, mapping)
    if stage is None:
        return None
    row_id = row.filled(mapping.id)
    if not row_id:
        raise RejectedInput("missing-id", f"{mapping.id} is empty")
    title = without_names(row.filled(mapping.title, mapping.replace), language=language, journal=False)
    if not title:
        raise RejectedInput("missing-title", f"{mapping.title} is empty")
    place = without_contacts(row.filled(mapping.place, mapping.replace))
    point = position(row.text(mapping.x), row.text(mapping.y), mapping.crs, country) if mapping.x else None
    return Document(
        case=_case(row_id, mapping),
        id=row_id,
        title=title,
        dated=_dated(row, mapping, zone, now),
        stage=stage,
        interests=mapping.interests,
        description=without_names(
            row.filled(mapping.description, mapping.replace), language=language, journal=False
        ),
        place=place,
        locate=place or title,
        point=point,
        url=checked_link(row.filled(mapping.url)) if mapping.url else None,
    )


def _stage(row: Row, mapping: ColumnMapping) -> Stage | None:
    if isinstance(mapping.stage, StageByTitle):
        found = stage_of(take_apart(row.filled(mapping.title, mapping.replace)), "")
        return found or mapping.stage.default
    if not isinstance(mapping.stage, StageColumn):
        return mapping.stage
    return mapping.stage.values.get(folded(row.cell(mapping.stage.column)), mapping.stage.default)


def _case(row_id: str, mapping: ColumnMapping) -> str:
    if mapping.case_pattern is None:
        return row_id
    found = re.search(mapping.case_pattern, row_id)
    if not found or not found[1]:
        raise RejectedInput("missing-id", f"{row_id[:60]!r} does not fit case_pattern")
    return found[1]


def _dated(row: Row, mapping: ColumnMapping, zone: ZoneInfo, now: datetime) -> datetime:
    text = next((text for column in mapping.date if (text := row.text(column))), "")
    if not text:
        raise RejectedInput("missing-date", f"{', '.join(mapping.date)}: all empty")
    return read_date(text, mapping.date_formats, zone, now)


def checked_link(url: str) -> str | None:
    """The address, None if it is empty.

    Raises:
        RejectedInput: ``bad-link`` if it is not http or https.
    """
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc or " " in url:
        raise RejectedInput("bad-link", f"{url[:80]!r} is not an http address")
    return url
