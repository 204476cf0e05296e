"""iCalendar (RFC 5545) events. A series is one item that shows its next date."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.journal import NEWS_FIELDS
from kommunepuls_chassis.texts import clean_html, html_of_plain_text, plain_text, shortened
from kommunepuls_chassis.town import Town
from kommunepuls_events import ContentItemV1, Kind, Lifecycle, LifecycleState
from kommunepuls_events.geometry import Point

from ingest_feeds.domain.drafts import areas_of, draft, interests_of, links_of, point
from ingest_feeds.domain.sources import CalendarSource

SERIES_NEWS_FIELDS = NEWS_FIELDS - {"starts_at", "ends_at"}
"""That the next date of a series is now a week later is no news."""

LONGEST_EVENT = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """An event with its coming occurrence; ``series`` says whether it recurs."""

    uid: str
    component: icalendar.Event
    series: bool


def parse_calendar(
    body: bytes, *, now: datetime, days_ahead: int
) -> tuple[list[CalendarEvent], list[tuple[str, RejectedInput]]]:
    """The coming and running events of a calendar, and what was refused with the UID it has.

    Raises:
        RejectedInput: ``not-a-calendar`` if it cannot be read as a whole.
    """
    try:
        calendars = icalendar.Calendar.from_ical(body.removeprefix(b"\xef\xbb\xbf"), multiple=True)
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise RejectedInput("not-a-calendar", f"not readable as iCalendar: {str(error)[:200]}") from None
    if not calendars:
        raise RejectedInput("not-a-calendar", "holds neither a calendar nor an event")
    groups: dict[str, list[icalendar.Event]] = defaultdict(list)
    refused = []
    for component in (event for one in calendars for event in one.walk("VEVENT")):
        uid = str(component.get("UID", "")).strip()
        if uid:
            groups[uid].append(component)
        else:
            refused.append(("", RejectedInput("no-id", "the event has no UID")))
    found = []
    for uid, components in groups.items():
        try:
            if event := _coming(uid, components, now, now + timedelta(days=days_ahead)):
                found.append(event)
        except RejectedInput as problem:
            refused.append((uid, problem))
        except Exception as error:  # whatever a stranger's recurrence rule brings a library to raise
            refused.append((uid, RejectedInput("bad-event", f"{type(error).__name__}: {str(error)[:200]}")))
    return found, refused


def _coming(
    uid: str, components: list[icalendar.Event], now: datetime, until: datetime
) -> CalendarEvent | None:
    if any(component.get("DTSTART") is None for component in components):
        raise RejectedInput("no-start", "the event has no DTSTART")
    if any(
        str(component.get("CLASS", "")).upper() in ("PRIVATE", "CONFIDENTIAL") for component in components
    ):
        return None
    series = len(components) > 1 or any(name in components[0] for name in ("RRULE", "RDATE"))
    if not series:
        return CalendarEvent(uid, components[0], False)
    whole = icalendar.Calendar()
    for component in components:
        whole.add_component(component)
    for occurrence in recurring_ical_events.of(whole).between(now - timedelta(hours=12), until):
        return CalendarEvent(uid, occurrence, True)
    return None


def item_of(
    event: CalendarEvent, town: Town, source: CalendarSource, *, now: datetime, first_seen: datetime | None
) -> ContentItemV1 | None:
    """The draft of an event; None if it begins too far ahead. See :func:`ingest_feeds.domain.rss.item_of`."""
    component, zone = event.component, ZoneInfo(town.timezone)
    starts, all_day = _moment(component.decoded("DTSTART"), zone)
    ends = _end(component, starts, all_day, zone)
    if ends < starts or ends - starts > LONGEST_EVENT:
        raise RejectedInput("bad-times", f"from {starts.isoformat()} to {ends.isoformat()}")
    if starts > now + timedelta(days=source.days_ahead):
        return None
    title = plain_text(str(component.get("SUMMARY", "")))
    if not title:
        raise RejectedInput("no-text", "the event has no SUMMARY")
    described = str(component.get("DESCRIPTION", ""))
    looks_like_html = "</" in described or "<br" in described.lower()
    text = plain_text(described, is_html=looks_like_html)
    place = plain_text(str(component.get("LOCATION", "")), is_html=False)
    cancelled = str(component.get("STATUS", "")).upper() == "CANCELLED"
    return draft(
        town,
        source,
        native_id=event.uid,
        kind=Kind.EVENT,
        now=now,
        title=shortened(title, 300),
        summary=shortened(text, 600),
        body=clean_html(described)[:100_000] if looks_like_html else html_of_plain_text(text)[:100_000],
        interests=interests_of(source, _categories(component), source.categories),
        areas=areas_of(source, f"{title}\n{place}\n{text}"),
        geometry=_geometry(component),
        place_name=shortened(place, 200) or None,
        links=links_of((str(component.get("URL", "")), None)),
        published_at=_stamp(component, "CREATED") or first_seen or _stamp(component, "LAST-MODIFIED") or now,
        starts_at=starts,
        ends_at=ends,
        lifecycle=Lifecycle(state=LifecycleState.WITHDRAWN if cancelled else LifecycleState.PUBLISHED),
    )


def _moment(value: date | datetime, zone: ZoneInfo) -> tuple[datetime, bool]:
    """A time with zone, and whether it was a date. A floating time is the town's (RFC 5545 section 3.3.5)."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time(), zone), True
    return (value if value.tzinfo else value.replace(tzinfo=zone)), False


def _end(component: icalendar.Event, starts: datetime, all_day: bool, zone: ZoneInfo) -> datetime:
    if component.get("DTEND") is not None:
        ends = _moment(component.decoded("DTEND"), zone)[0]
        # DTEND is the first day that is free again; many write the last day of the event instead.
        return starts + timedelta(days=1) if all_day and ends == starts else ends
    if component.get("DURATION") is not None:
        return starts + component.decoded("DURATION")
    return starts + timedelta(days=1) if all_day else starts


def _stamp(component: icalendar.Event, name: str) -> datetime | None:
    if component.get(name) is None:
        return None
    value = component.decoded(name)
    return value if isinstance(value, datetime) and value.tzinfo else None


def _categories(component: icalendar.Event) -> list[str]:
    found = component.get("CATEGORIES") or []
    groups = found if isinstance(found, list) else [found]
    return [str(word) for group in groups for word in getattr(group, "cats", [group])]


def _geometry(component: icalendar.Event) -> Point | None:
    where = component.get("GEO")
    return point(float(where.longitude), float(where.latitude)) if where is not None else None
