"""An event of a page becomes a content item."""

from contextlib import suppress
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.texts import shortened
from kommunepuls_events import ContentItemV1, Kind, Lifecycle, LifecycleState, Link, Picture, item_id
from pydantic import ValidationError

from ingest_facebook.domain.attachments import direct
from ingest_facebook.domain.graph_objects import PageEvent
from ingest_facebook.domain.page import Page
from ingest_facebook.domain.posts import Drafted
from ingest_facebook.domain.times import event_time, is_date
from ingest_facebook.domain.wording import body_of, readable, summary_of

_OVER_AFTER = timedelta(hours=12)
"""When an event without an end counts as over; one that names a date alone after a day and a half."""
_DATES = {"nb": "Datoer", "nn": "Datoar", "sv": "Datum", "en": "Dates"}
_MOST_DATES = 30


def over_at(event: PageEvent, town_timezone: str) -> datetime:
    """When an event is over, as far as can be said.

    Raises:
        RejectedInput: ``invalid-time``.
    """
    starts, ends = _span(event, town_timezone)
    return ends or starts + _OVER_AFTER + timedelta(days=1 if is_date(event.start_time) else 0)


def draft_of_event(
    event: PageEvent, page: Page, *, now: datetime, first_seen: datetime | None = None
) -> Drafted:
    """The item of an event, revision 1; one that was cancelled is a withdrawal.

    Args:
        event: no draft of the organiser's.
        page: where it comes from.
        now: when it was seen.
        first_seen: when the item was seen first: Facebook does not say when an event was published.

    Raises:
        RejectedInput: ``no-text`` without a name, ``invalid-time``, ``invalid-item``.
    """
    title = shortened(readable(event.name), 200)
    if not any(sign.isalnum() for sign in title):
        raise RejectedInput("no-text", "the event has no name")
    starts, ends = _span(event, page.timezone)
    text = readable(event.description or "")
    language = page.language_of(f"{title}\n{text}")
    content = page.content_of(f"{title}\n{text}")
    where = page.places.of_place(event.place, language)
    if not where.areas and where.geometry is None and not where.place_name:
        where = page.places.in_text(f"{title}\n{text}", language)
    dates = _dates(event, page.timezone, language)
    over = over_at(event, page.timezone) < now
    try:
        item = ContentItemV1(
            id=item_id(page.source, event.id),
            revision=1,
            municipality=page.municipality,
            source=page.source,
            native_id=event.id,
            organiser=page.organiser,
            kind=Kind.EVENT,
            interests=content.interests,
            areas=page.areas_of(where),
            geometry=where.geometry,
            place_name=where.place_name,
            audience=content.audience,
            title=title,
            summary=summary_of(text, title),
            body=body_of("\n\n".join(part for part in (text, dates) if part)),
            language=language,
            links=_links(event),
            pictures=_pictures(event),
            published_at=first_seen or now,
            observed_at=now,
            starts_at=starts,
            ends_at=ends,
            lifecycle=Lifecycle(
                state=LifecycleState.WITHDRAWN if event.is_canceled else LifecycleState.PUBLISHED,
                news=not over,
            ),
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise RejectedInput("invalid-item", first["msg"].removeprefix("Value error, ")) from None
    return Drafted(item, where.remark)


def _span(event: PageEvent, town_timezone: str) -> tuple[datetime, datetime | None]:
    try:
        starts = event_time(event.start_time, event.timezone, town_timezone)
        ends = event_time(event.end_time, event.timezone, town_timezone) if event.end_time else None
    except ValueError as error:
        raise RejectedInput("invalid-time", str(error)) from None
    if ends is not None and ends < starts:
        raise RejectedInput("invalid-time", "the event ends before it starts")
    return starts, ends


def _dates(event: PageEvent, town_timezone: str, language: str) -> str:
    """When a recurring event takes place; its start and end are those of the whole series."""
    zone = ZoneInfo(town_timezone)
    starts = []
    for one in event.event_times:
        try:
            starts.append(event_time(one.start_time, event.timezone, town_timezone).astimezone(zone))
        except ValueError:
            continue
    if len(starts) < 2:
        return ""
    lines = [f"{moment:%d.%m.%Y %H:%M}" for moment in sorted(starts)[:_MOST_DATES]]
    return "\n".join([f"{_DATES.get(language, _DATES['nb'])}:", *lines])


def _links(event: PageEvent) -> tuple[Link, ...]:
    links = [Link(url=f"https://www.facebook.com/events/{event.id}/")]
    if event.ticket_uri:
        with suppress(ValidationError):
            links.append(Link(url=direct(event.ticket_uri)))
    return tuple(links)


def _pictures(event: PageEvent) -> tuple[Picture, ...]:
    if event.cover is None:
        return ()
    try:
        return (Picture(url=event.cover.source),)
    except ValidationError:
        return ()
