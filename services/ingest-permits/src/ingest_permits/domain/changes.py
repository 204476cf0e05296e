"""The change log of a journal: what was new and what was different at each look at the portal."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kommunepuls_chassis.errors import RejectedInput

from ingest_permits.domain.journal_entries import Entry, case_in_link, text_of

_FIELDS = ("tittel", "dato", "dato_iso", "dokumenttype", "detalj_link", "journal_link")


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """One event: a document that is new, or fields of it with their old and new values.

    Fields as in ``data/changes.json`` of ``mariusbjo/strand-postliste``: ``tidspunkt`` (local, no zone),
    ``type`` NEW or UPDATE, ``dokumentID``, ``tittel``, ``endringer`` with ``gammel`` and ``ny`` a field.
    """

    at: str
    new: bool
    document_id: str
    title: str
    before: Mapping[str, str]
    after: Mapping[str, str]


def read_event(raw: Any) -> ChangeEvent:
    """An event as it stands in the log.

    Raises:
        RejectedInput: ``not-a-row``, ``missing-id``, ``missing-date``, ``unknown-event``, ``wrong-type``.
    """
    if not isinstance(raw, Mapping) or not isinstance(raw.get("endringer"), Mapping):
        raise RejectedInput("not-a-row", "an event is an object with endringer")
    kind, document_id, at = (text_of(raw.get(name)) for name in ("type", "dokumentID", "tidspunkt"))
    if kind not in ("NEW", "UPDATE"):
        raise RejectedInput("unknown-event", f"{kind[:40]!r} is neither NEW nor UPDATE")
    if not document_id:
        raise RejectedInput("missing-id", "the event names no document")
    if not at:
        raise RejectedInput("missing-date", "the event has no time")
    before, after = {}, {}
    for name in _FIELDS:
        change = raw["endringer"].get(name)
        if change is None:
            continue
        if not isinstance(change, Mapping):
            raise RejectedInput("wrong-type", f"{name}: a change has gammel and ny")
        before[name], after[name] = text_of(change.get("gammel")), text_of(change.get("ny"))
    return ChangeEvent(at, kind == "NEW", document_id, text_of(raw.get("tittel")), before, after)


def entry_before(event: ChangeEvent) -> Entry | None:
    """What an update says of a document that we never saw, as it was before.

    None for a new document, and for an update that tells neither case nor date and has no news in it.

    Raises:
        RejectedInput: ``unknown-document`` if there is news in it and no field tells its case or date.
    """
    if event.new:
        return None
    fields = {**event.after, **{name: text for name, text in event.before.items() if text}}
    case, dated = case_in_link(_link(fields)), _date(fields)
    if case is None or not dated:
        if "tittel" in event.after or "dokumenttype" in event.after:
            raise RejectedInput(
                "unknown-document", "the update is of a document never seen and tells no case or no date"
            )
        return None
    return Entry(
        document_id=event.document_id,
        case_id=case,
        title=event.before.get("tittel") or event.title,
        date=dated,
        type=fields.get("dokumenttype", ""),
        url=_link(fields),
        known_before=True,
    )


def entry_after(event: ChangeEvent, known: Entry | None) -> Entry:
    """The document after the event.

    Args:
        event: of it.
        known: the document before, None for a new one.

    Raises:
        RejectedInput: ``missing-id`` if a new document's link names no case.
    """
    if known is None:
        case = case_in_link(_link(event.after))
        if case is None:
            raise RejectedInput("missing-id", "the new document's link names no case")
        known = Entry(event.document_id, case, event.title, event.at)
    link = _link(event.after)
    return replace(
        known,
        title=event.after.get("tittel") or event.title or known.title,
        case_id=(case_in_link(link) if link else None) or known.case_id,
        date=_date(event.after) or known.date,
        type=event.after.get("dokumenttype") or known.type,
        url=link or known.url,
    )


def _link(fields: Mapping[str, str]) -> str:
    return fields.get("detalj_link") or fields.get("journal_link") or ""


def _date(fields: Mapping[str, str]) -> str:
    return fields.get("dato_iso") or fields.get("dato") or ""
