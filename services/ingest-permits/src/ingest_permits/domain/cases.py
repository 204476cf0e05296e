"""A case as its documents tell it, and what of a change is news."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from ingest_permits.domain.stages import Stage

MOST_DOCUMENTS = 100
"""Documents of a case that are kept; a case that is never closed gathers thousands."""

_MOST_ADDED = 0.34
_SAME_WORD = 0.75
_NUMBERS = re.compile(r"\d+\s?[a-zæøå]?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    """A public file of a document."""

    url: str
    title: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document or register row that brings a case to a stage. Free of names of private persons.

    Attributes:
        case: the case's id in the archive; the item's native id.
        id: the document's own id.
        title: for readers, without property numbers in front.
        type: the kind of document as the archive names it.
        dated: journal date, issue date…; UTC.
        stage: that it brings the case to.
        interests: slugs.
        case_title, case_number: of the case, where the upstream tells them.
        properties: property numbers (58/62).
        description: plain text for the summary.
        place: the place in words, where a column holds it.
        locate: the text to look for places in.
        written: a journal's title in full, as it was written but for names.
        point: longitude and latitude, where a column holds them.
        url: of its page.
        files: public files.
        known_before: it was there before we first looked, so nobody is told of it.
    """

    case: str
    id: str
    title: str
    dated: datetime
    stage: Stage
    interests: tuple[str, ...]
    type: str = ""
    case_title: str = ""
    case_number: str = ""
    properties: tuple[str, ...] = ()
    description: str = ""
    place: str = ""
    locate: str = ""
    written: str = ""
    point: tuple[float, float] | None = None
    url: str | None = None
    files: tuple[File, ...] = ()
    known_before: bool = False

    def to_store(self) -> dict[str, Any]:
        """As a document of the store."""
        return {
            **asdict(self),
            "stage": self.stage.value,
            "interests": list(self.interests),
            "properties": list(self.properties),
            "point": list(self.point) if self.point else None,
            "files": [asdict(file) for file in self.files],
        }

    @classmethod
    def from_store(cls, stored: Mapping[str, Any]) -> "Document":
        """Read it back."""
        return cls(
            **{
                **stored,
                "stage": Stage(stored["stage"]),
                "interests": tuple(stored["interests"]),
                "properties": tuple(stored["properties"]),
                "point": tuple(stored["point"]) if stored["point"] else None,
                "files": tuple(File(**file) for file in stored["files"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Case:
    """All documents of a case that bring it forward, oldest first."""

    id: str
    documents: tuple[Document, ...] = ()

    def with_document(self, document: Document) -> "Case":
        """The case after a document was seen; one of the same id is replaced.

        What an upstream no longer tells (the case's title) stays as it was.
        """
        others = [one for one in self.documents if one.id != document.id]
        if known := self.document(document.id):
            document = replace(
                document,
                case_title=document.case_title or known.case_title,
                case_number=document.case_number or known.case_number,
                files=document.files or known.files,
                known_before=known.known_before and document.known_before,
            )
        kept = sorted([*others, document], key=lambda one: (one.dated, one.stage.rank, one.id))
        return Case(self.id, tuple(kept[-MOST_DOCUMENTS:]))

    def document(self, document_id: str) -> Document | None:
        """The document of that id."""
        return next((one for one in self.documents if one.id == document_id), None)

    @property
    def milestone(self) -> Document:
        """The newest document: it says where the case stands."""
        return self.documents[-1]

    @property
    def interests(self) -> tuple[str, ...]:
        """Those of all documents."""
        return tuple(dict.fromkeys(slug for one in reversed(self.documents) for slug in one.interests))


def is_news(before: Case | None, after: Case, now: datetime, within: timedelta) -> bool:
    """Whether a reader wants to hear of the change.

    A new milestone is news if it is fresh. A correction of the known milestone is news if it moves the
    case to another stage or place or says something else; a link, a date, a spelling is not.
    """
    milestone = after.milestone
    if before is None or not before.documents or before.milestone.id != milestone.id:
        return not milestone.known_before and milestone.dated >= now - within
    known = before.milestone
    if known.stage is not milestone.stage or known.properties != milestone.properties:
        return True
    if known.point != milestone.point and known.point is not None and milestone.point is not None:
        return True
    return says_something_else(_without_properties(known), _without_properties(milestone))


def _without_properties(document: Document) -> str:
    """The title without its property numbers, which archives move about; they are compared by themselves."""
    title = document.title
    for number in document.properties:
        title = title.replace(number, " ")
    return title


def says_something_else(before: str, after: str) -> bool:
    """Whether two titles differ in more than spelling.

    They do if a number (a house, a plan) or a word is another one, or more than a third of the words were
    added or left out.
    """
    old, new = (re.findall(r"\w+", title.casefold()) for title in (before, after))
    if sorted(_NUMBERS.findall(before.casefold())) != sorted(_NUMBERS.findall(after.casefold())):
        return True
    added = 0
    for kind, first, end, other_first, other_end in SequenceMatcher(
        a=old, b=new, autojunk=False
    ).get_opcodes():
        if kind == "replace":
            pairs = zip_longest(old[first:end], new[other_first:other_end], fillvalue="")
            if any(not _same_word(one, other) for one, other in pairs):
                return True
        elif kind != "equal":
            added += max(end - first, other_end - other_first)
    return added > _MOST_ADDED * max(1, len(old), len(new))


def _same_word(one: str, other: str) -> bool:
    return SequenceMatcher(a=one, b=other, autojunk=False).ratio() >= _SAME_WORD
