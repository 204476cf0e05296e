"""From an entry of a municipality's journal to a document of a case."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.texts import plain_text

from ingest_permits.domain.cases import Document, File
from ingest_permits.domain.dates import ISO, read_date
from ingest_permits.domain.privacy import without_names
from ingest_permits.domain.relevance import interests_of
from ingest_permits.domain.rows import checked_link
from ingest_permits.domain.stages import stage_of
from ingest_permits.domain.titles import take_apart

DATE_FORMATS = ("%d.%m.%Y", ISO)

LONGEST_TITLE = 2000
"""Characters of a title that are read; nobody's is longer."""

_LONGEST_FIELD = 20_000
_CASE_IN_LINK = re.compile(r"/details/(a-[^/?#]+)(?:/(d-[^/?#]+))?")
_IDENTIFIER = re.compile(r"^[a-z]+-(?:[0-9a-f]{4,}(?:__[0-9a-f]+){4}-)?(?P<number>[^!]+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal entry as the upstream tells it; texts still hold names."""

    document_id: str
    case_id: str
    title: str
    date: str
    type: str = ""
    case_title: str = ""
    case_number: str = ""
    url: str = ""
    files: tuple[tuple[str, str], ...] = ()
    known_before: bool = False


def archive_number(identifier: str) -> str:
    """The archive's own number within an ACOS identifier.

    ``a-6965376f__8677__47ea__a757__23e14c179149-2020018447!BPE1v6`` is entity, archive and number, then a
    signature; only the number identifies. An identifier of another shape stays as it is, without signature.
    """
    found = _IDENTIFIER.match(identifier)
    return (found["number"] if found else identifier.partition("!")[0]).strip()


def case_in_link(link: str) -> str | None:
    """The case's number in the address of a page of the archive, None if there is none."""
    found = _CASE_IN_LINK.search(link)
    return archive_number(found[1]) if found else None


def document_of_entry(
    entry: Entry, *, zone: ZoneInfo, now: datetime, assume_building: bool = False
) -> Document | None:
    """The document that an entry makes; None if it is no news about building or planning.

    The sender or receiver is not looked at at all.

    Raises:
        RejectedInput: ``missing-id``, ``missing-title``, ``missing-date``, ``unreadable-date``,
            ``date-out-of-range``, ``bad-link``.
    """
    if not entry.document_id or not entry.case_id:
        raise RejectedInput("missing-id", "the entry names no document or no case")
    text = plain_text(entry.title)[:LONGEST_TITLE]
    if not text:
        raise RejectedInput("missing-title", "the entry has no title")
    title, case_title = take_apart(text), take_apart(plain_text(entry.case_title)[:LONGEST_TITLE])
    stage = stage_of(title, entry.type)
    interests = interests_of(title, case_title=case_title.text, assumed=assume_building)
    if stage is None or not interests:
        return None
    if not entry.date.strip():
        raise RejectedInput("missing-date", "the entry has no date")
    written, shown = without_names(text), without_names(title.text)
    shown_case = without_names(case_title.text)
    return Document(
        case=entry.case_id,
        id=entry.document_id,
        title=shown,
        dated=read_date(entry.date, DATE_FORMATS, zone, now),
        stage=stage,
        interests=interests,
        type=plain_text(entry.type),
        case_title=shown_case,
        case_number=plain_text(entry.case_number),
        properties=title.property_names or case_title.property_names,
        locate=f"{written} | {shown_case}" if shown_case else written,
        written=written,
        url=checked_link(entry.url),
        files=tuple(
            File(link, without_names(plain_text(name)))
            for address, name in entry.files
            if (link := checked_link(address))
        ),
        known_before=entry.known_before,
    )


def entry_of_journal_row(row: Any) -> Entry:
    """A row of a journal scraped from an ACOS portal, in any of its three schemas.

    Fields as in the public data of ``mariusbjo/strand-postliste``: ``tittel``, ``dato`` (DD.MM.YYYY) with
    ``dato_iso`` or ``parsed_date``, ``dokumentID``, ``dokumenttype``, ``detalj_link`` or ``journal_link``
    (which holds the case), ``filer`` with ``tekst`` and ``url``. ``avsender_mottaker`` is left alone.

    Raises:
        RejectedInput: ``not-a-row``, ``missing-id``.
    """
    if not isinstance(row, Mapping):
        raise RejectedInput("not-a-row", f"an entry is an object, this is {type(row).__name__}")
    link = text_of(row.get("detalj_link")) or text_of(row.get("journal_link"))
    case = case_in_link(link)
    if case is None:
        raise RejectedInput("missing-id", "the entry's link names no case")
    files = row.get("filer")
    return Entry(
        document_id=text_of(row.get("dokumentID")),
        case_id=case,
        title=text_of(row.get("tittel")),
        date=next(
            (text for name in ("dato_iso", "parsed_date", "dato") if (text := text_of(row.get(name)))), ""
        ),
        type=text_of(row.get("dokumenttype")),
        url=link,
        files=tuple(
            (text_of(file.get("url")), text_of(file.get("tekst")))
            for file in (files if isinstance(files, list) else ())
            if isinstance(file, Mapping)
        ),
    )


def text_of(value: Any) -> str:
    """A text field, empty if it is missing.

    Raises:
        RejectedInput: ``wrong-type`` if it is neither text nor number.
    """
    if value is None:
        return ""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return str(value)[:_LONGEST_FIELD].strip()
    raise RejectedInput("wrong-type", f"text was expected, this is {type(value).__name__}")
