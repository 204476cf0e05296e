"""Items that take place at a time as iCalendar (RFC 5545)."""

from collections.abc import Sequence
from datetime import timedelta

from icalendar import Calendar, Event, Timezone, vCategory, vText
from kommunepuls_chassis.texts import plain_text
from kommunepuls_events import ContentItemV1

from gateway_api.domain.items import anchor
from gateway_api.domain.open_data.addresses import item_url

MEDIA_TYPE = "text/calendar"
_REFRESH = timedelta(hours=1)


def calendar(items: Sequence[ContentItemV1], *, name: str, timezone: str, public_url: str) -> bytes:
    """The items with a beginning as events; those without one have no place in a calendar.

    The town's time zone goes along, for RFC 5545 section 3.6 wants at least one component.
    """
    whole = Calendar()
    whole.add("prodid", "-//Kommunepuls//gateway-api//EN")
    whole.add("version", "2.0")
    whole.add("calscale", "GREGORIAN")
    whole.add("method", "PUBLISH")
    whole.add("x-wr-calname", _line(name))
    whole.add("x-wr-timezone", timezone)
    whole.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    whole.add_component(Timezone.from_tzid(timezone))
    for item in items:
        if item.starts_at is not None:
            whole.add_component(_event(item, public_url))
    return whole.to_ical()


def _event(item: ContentItemV1, public_url: str) -> Event:
    event = Event()
    event.add("uid", vText(item.id))
    event.add("dtstamp", item.observed_at)
    event.add("last-modified", item.observed_at)
    event.add("created", item.published_at)
    event.add("sequence", item.revision - 1)
    event.add("dtstart", item.starts_at)
    if item.ends_at and item.ends_at > item.starts_at:
        event.add("dtend", item.ends_at)
    event.add("summary", _line(item.title))
    description = item.summary or plain_text(item.body)
    if description:
        event.add("description", _clean(description))
    event.add("url", item_url(public_url, item.id))
    if item.place_name:
        event.add("location", _line(item.place_name))
    if (point := anchor(item.geometry)) is not None:
        event.add("geo", (round(point[1], 6), round(point[0], 6)))
    if item.interests:
        event.add("categories", vCategory(list(item.interests)))
    event.add("status", "CONFIRMED")
    return event


def _line(text: str) -> str:
    return " ".join(_clean(text).split())


def _clean(text: str) -> str:
    """Without control characters, which RFC 5545 section 3.1 does not allow in a value."""
    return "".join(character for character in text if character in "\n\t" or character.isprintable())
