"""RSS 2.0, iCalendar (RFC 5545) and CAP 1.2 of the demo town."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kommunepuls_development.upstream.story import Channel, Happening, Story

_LOCAL = ZoneInfo("Europe/Oslo")
_WHOLE_TOWN = "59.205,9.99 59.205,10.17 59.075,10.17 59.075,9.99 59.205,9.99"


def feed_routes(story: Story, now: Callable[[], datetime]) -> list[Route]:
    """``/feeds/news.xml``, ``/feeds/calendar.ics`` and ``/feeds/warnings.xml`` (an RSS list of CAP files)."""

    async def news(request: Request) -> Response:
        base = str(request.base_url).rstrip("/")
        items = [_news_item(story, one, base) for one in story.told(Channel.NEWS, now())[:40]]
        return _rss("Nytt fra Fjordvik", base, items)

    async def calendar(_request: Request) -> Response:
        shown = Calendar()
        shown.add("prodid", "-//Fjordvik//Kulturkalender//NB")
        shown.add("version", "2.0")
        for one in story.told(Channel.CALENDAR, now()):
            shown.add_component(_event(story, one))
        return Response(shown.to_ical(), media_type="text/calendar; charset=utf-8")

    async def warnings(request: Request) -> Response:
        base = str(request.base_url).rstrip("/")
        items = []
        for one in story.told(Channel.WARNING, now()):
            items.append(_link_item(one.title, f"{base}/feeds/cap/{one.key}.xml", story.time_of(one)))
        for one in story.gone(Channel.WARNING, now()):
            ended = story.began + timedelta(seconds=one.gone_at)
            items.append(
                _link_item(f"Avsluttet: {one.title}", f"{base}/feeds/cap/{one.key}-cancel.xml", ended)
            )
        return _rss("Farevarsler for Fjordvik", base, items)

    async def cap(request: Request) -> Response:
        key, cancelled = request.path_params["key"], False
        if key.endswith("-cancel"):
            key, cancelled = key.removesuffix("-cancel"), True
        told = story.gone(Channel.WARNING, now()) if cancelled else story.told(Channel.WARNING, now())
        for one in told:
            if one.key == key:
                return Response(_cap(story, one, cancelled=cancelled), media_type="application/cap+xml")
        return Response("not found", 404)

    return [
        Route("/feeds/news.xml", news),
        Route("/feeds/calendar.ics", calendar),
        Route("/feeds/warnings.xml", warnings),
        Route("/feeds/cap/{key}.xml", cap),
    ]


def _rss(title: str, link: str, items: list[str]) -> Response:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
        f"<title>{escape(title)}</title><link>{escape(link)}</link><description>{escape(title)}</description>"
        f"<language>nb</language>{''.join(items)}</channel></rss>"
    )
    return Response(text, media_type="application/rss+xml")


def _news_item(story: Story, one: Happening, base: str) -> str:
    return (
        f"<item><title>{escape(one.title)}</title><link>{base}/news/{one.key}</link>"
        f'<guid isPermaLink="false">{one.key}</guid><category>{escape(one.get("category"))}</category>'
        f"<pubDate>{format_datetime(story.time_of(one))}</pubDate><description>{escape(one.text)}</description></item>"
    )


def _link_item(title: str, link: str, at: datetime) -> str:
    return (
        f"<item><title>{escape(title)}</title><link>{escape(link)}</link><guid>{escape(link)}</guid>"
        f"<pubDate>{format_datetime(at)}</pubDate></item>"
    )


def _event(story: Story, one: Happening) -> Event:
    day = (story.time_of(one) + timedelta(days=int(one.get("days")))).astimezone(_LOCAL)
    starts = day.replace(hour=int(one.get("hour")), minute=0, second=0, microsecond=0)
    event = Event()
    event.add("uid", f"{one.key}@fjordvik.example")
    event.add("dtstamp", story.time_of(one))
    event.add("created", story.time_of(one))
    event.add("summary", one.title)
    event.add("description", one.text)
    event.add("location", one.get("place"))
    event.add("categories", [one.get("categories")])
    event.add("dtstart", starts)
    event.add("dtend", starts + timedelta(hours=int(one.get("hours"))))
    return event


def _cap(story: Story, one: Happening, *, cancelled: bool) -> str:
    sent = story.time_of(one)
    sender, identifier = "varsel@fjordvik.example", f"fjordvik-{one.key}"
    head = f"<identifier>{identifier}</identifier><sender>{sender}</sender><sent>{_cap_time(sent)}</sent>"
    references = ""
    if cancelled:
        ended = story.began + timedelta(seconds=one.gone_at)
        references = f"<references>{sender},{identifier},{_cap_time(sent)}</references>"
        head = f"<identifier>{identifier}-cancel</identifier><sender>{sender}</sender><sent>{_cap_time(ended)}</sent>"
    kind = "Cancel" if cancelled else "Alert"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">'
        f"{head}<status>Actual</status><msgType>{kind}</msgType><scope>Public</scope>{references}"
        f"<info><language>no</language><category>Met</category><event>{escape(one.get('event'))}</event>"
        f"<urgency>Expected</urgency><severity>{one.get('severity')}</severity><certainty>Likely</certainty>"
        f"<effective>{_cap_time(sent)}</effective><onset>{_cap_time(sent + timedelta(hours=1))}</onset>"
        f"<expires>{_cap_time(sent + timedelta(hours=int(one.get('hours'))))}</expires>"
        f"<senderName>Fjordvik kommune</senderName><headline>{escape(one.title)}</headline>"
        f"<description>{escape(one.text)}</description><instruction>Hold deg innendørs hvis du kan.</instruction>"
        f"<area><areaDesc>Fjordvik</areaDesc><polygon>{_WHOLE_TOWN}</polygon></area></info></alert>"
    )


def _cap_time(moment: datetime) -> str:
    return moment.astimezone(_LOCAL).isoformat(timespec="seconds")
