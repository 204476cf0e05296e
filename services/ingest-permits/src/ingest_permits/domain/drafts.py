"""From a case to the item that residents read."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.texts import shortened
from kommunepuls_events import ContentItemV1, Kind, Lifecycle, Link, Organiser, item_id
from kommunepuls_events.geometry import Geometry
from pydantic import ValidationError

from ingest_permits.domain.cases import Case, Document
from ingest_permits.domain.privacy import for_readers
from ingest_permits.domain.rules import data

_MOST_LINKS = 20


@dataclass(frozen=True, slots=True)
class Publisher:
    """Whose items these are."""

    municipality: str
    source: str
    organiser: Organiser
    language: str
    zone: ZoneInfo
    interests: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Located:
    """Where a case lies, as far as it is known. Geometry in WGS84; ``areas`` most specific first."""

    geometry: Geometry | None = None
    areas: tuple[str, ...] = ()
    name: str | None = None


def draft_of(
    case: Case, publisher: Publisher, located: Located, now: datetime, *, news: bool
) -> ContentItemV1:
    """The item of a case; its revision is set by the journal.

    Raises:
        RejectedInput: ``not-an-item`` if the contract does not take what the upstream says.
    """
    milestone = case.milestone
    try:
        return ContentItemV1(
            id=item_id(publisher.source, case.id),
            revision=1,
            municipality=publisher.municipality,
            source=publisher.source,
            native_id=case.id,
            organiser=publisher.organiser,
            kind=Kind.PERMIT,
            stage=milestone.stage.value,
            interests=tuple(dict.fromkeys((*publisher.interests, *case.interests))),
            areas=located.areas or publisher.areas,
            geometry=located.geometry,
            place_name=located.name or _place(milestone, publisher.language),
            title=_title(milestone),
            summary=_summary(milestone, publisher.language),
            body=_body(case, publisher.zone),
            language=publisher.language,
            links=_links(case),
            published_at=milestone.dated,
            observed_at=now,
            lifecycle=Lifecycle(news=news),
        )
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise RejectedInput("not-an-item", f"{where}: {problem['msg']}") from None


def _title(milestone: Document) -> str:
    title = for_readers(milestone.title)
    about = for_readers(milestone.case_title)
    if about and not _tells_already(title, about):
        title = f"{title}: {about}"
    return shortened(title, 300)


def _tells_already(title: str, about: str) -> bool:
    told, wanted = set(title.casefold().split()), set(about.casefold().split())
    return len(wanted & told) >= 0.5 * len(wanted)


def _summary(milestone: Document, language: str) -> str:
    phrases = data("phrases").get(language) or data("phrases")["en"]
    parts = [phrases["stages"][milestone.stage.value] + "."]
    if milestone.case_number:
        parts.append(f"{phrases['case']} {milestone.case_number}.")
    if milestone.description:
        parts.append(milestone.description)
    return shortened(" ".join(parts), 1000)


def _place(milestone: Document, language: str) -> str | None:
    if milestone.place:
        return shortened(milestone.place, 300)
    if milestone.properties:
        phrases = data("phrases").get(language) or data("phrases")["en"]
        return f"{phrases['property']} {', '.join(milestone.properties)}"
    return None


def _body(case: Case, zone: ZoneInfo) -> str:
    rows = [
        f"<li>{one.dated.astimezone(zone):%d.%m.%Y}: {html.escape(for_readers(one.title))}</li>"
        for one in reversed(case.documents)
    ]
    return f"<ul>{''.join(rows)}</ul>" if len(rows) > 1 else ""


def _links(case: Case) -> tuple[Link, ...]:
    links: list[Link] = []
    if case.milestone.url:
        links.append(_link(case.milestone.url, None))
    for document in reversed(case.documents):
        links += [_link(file.url, shortened(file.title, 200) or None) for file in document.files]
    return tuple(links[:_MOST_LINKS])


def _link(url: str, title: str | None) -> Link:
    return Link(url=url, title=title)


def documents_of(stored: Sequence[dict]) -> tuple[Document, ...]:
    """Documents as they were stored."""
    return tuple(Document.from_store(one) for one in stored)
