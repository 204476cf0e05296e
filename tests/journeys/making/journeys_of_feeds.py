"""Journeys that begin in a feed: warnings and calendars."""

from dataclasses import dataclass

from journey_recorded import hours_from_now, moved_calendar, moved_cap, recorded
from journey_world import World
from kommunepuls_events import LifecycleState

_CAP = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>{id}</identifier><sender>varsel@strand.example</sender><sent>{sent}</sent>
<status>{status}</status><msgType>Alert</msgType><scope>Public</scope>
<info><language>no</language><category>Met</category><event>Stormflo</event><urgency>Immediate</urgency>
<severity>Severe</severity><certainty>Likely</certainty><onset>{sent}</onset><expires>{expires}</expires>
<headline>Stormflo ved Jørpeland</headline><description>Vannet stiger to meter over normalt.</description>
<area><areaDesc>Jørpeland</areaDesc><polygon>59.01,6.02 59.01,6.08 59.04,6.08 59.04,6.02 59.01,6.02</polygon></area>
</info></alert>"""


@dataclass(frozen=True, slots=True)
class Warning:
    """A severe warning: its document, and an area and a point (longitude, latitude) that it concerns."""

    document: str
    area: str
    point: tuple[float, float]


def recorded_warning() -> Warning:
    """MET Norway's forest fire warning for Hordaland of 2019, raised from moderate to severe."""
    text = moved_cap(recorded("content/cap/no_met_forestfire_2019.cap.xml"))
    return Warning(text.replace("Moderate</severity>", "Severe</severity>"), "NO-1130/fjellet", (6.15, 60.35))


def made_up_warning(name: str = "stormflo-1", status: str = "Actual") -> Warning:
    """A storm surge at Jørpeland."""
    text = _CAP.format(
        id=name, status=status, sent=hours_from_now(-0.01).isoformat(), expires=hours_from_now(5).isoformat()
    )
    return Warning(text, "NO-1130/jorpeland", (6.05, 59.02))


def cancellation_of(document: str) -> str:
    """The message that cancels a warning: as the warning, with another id and a reference (CAP 3.2.1)."""

    def part(name: str) -> str:
        return document.split(f"<{name}>")[1].split(f"</{name}>")[0]

    first = part("identifier")
    cancelled = document.replace(f"<identifier>{first}<", f"<identifier>{first}-cancel<")
    for kind in ("Alert", "Update"):
        cancelled = cancelled.replace(f"<msgType>{kind}<", "<msgType>Cancel<")
    if "<references>" in cancelled:
        cancelled = cancelled.replace(f"<references>{part('references')}</references>", "")
    reference = f"<references>{part('sender')},{first},{part('sent')}</references>"
    return cancelled.replace("</scope>", f"</scope>{reference}", 1)


async def a_warning(world: World, variant: str, warning: Warning) -> None:
    """A severe warning reaches everybody in its polygon whatever they follow, and so does its end."""
    longitude, latitude = warning.point
    home = {
        "id": "home",
        "label": "Heime",
        "longitude": longitude,
        "latitude": latitude,
        "radius_metres": 300,
    }
    away = {"id": "home", "label": "Hjemme", "longitude": 5.94, "latitude": 59.07, "radius_metres": 300}
    inside = await world.resident("inside", language="nn", places=[home], interests=["library"])
    follower = await world.resident("follower", areas=[warning.area])
    muted = await world.resident("muted", areas=[warning.area], muted={"interests": ["weather-warnings"]})
    outside = await world.resident("outside", places=[away], interests=["weather-warnings"])
    elsewhere = await world.resident("elsewhere", areas=["NO-1130/tau"], interests=["weather-warnings"])
    everybody = (inside, follower, muted, outside, elsewhere)

    world.upstream.feeds[f"varsel-{variant}.xml"] = warning.document.encode()
    item = await world.published(f"NO-1130/varsel-{variant}")
    assert item.emergency
    mail, push = await world.told(inside, item, because=("det er eit varsel til alle i området",))
    assert mail.headers["content-language"] == push.language == "nn"
    assert "det gjeld staden din «Heime»" in push.reasons
    assert mail.headers["importance"] == push.headers["urgency"] == "high"
    for one in (follower, muted):
        await world.told(one, item, because=("det er en advarsel til alle i området",))
    await world.nobody_but({inside: 1, follower: 1, muted: 1}, item, everybody)
    assert world.topics.reasons(item.id, 1, inside.subscriber) == ["emergency", "place"]
    world.shows_one_trace(item)

    world.upstream.feeds[f"varsel-{variant}.xml"] = cancellation_of(warning.document).encode()
    ended = await world.published(item.source, lambda one: one.id == item.id and one.withdrawn)
    mail, push = await world.told(inside, ended, times=2, because=("vi har fortalt deg om dette før",))
    assert mail.subject.startswith("Trekt tilbake")
    assert push.title.startswith("Trekt tilbake")
    mail, _ = await world.told(follower, ended, times=2, because=("vi har fortalt deg om dette før",))
    assert "Det vi fortalte deg tidligere, gjelder ikke lenger." in mail.text
    await world.nobody_but({inside: 2, follower: 2, muted: 2}, ended, everybody)
    world.shows_one_trace(ended)


async def an_exercise(world: World, variant: str, document: bytes) -> None:
    """An exercise is published, marked as such, and told to nobody, not even as a correction."""
    resident = await world.resident(
        "awaiting", areas=["NO-1130", "NO-1130/jorpeland"], interests=["weather-warnings", "emergencies"]
    )
    world.upstream.feeds[f"varsel-{variant}.xml"] = document
    item = await world.published(f"NO-1130/varsel-{variant}", lambda one: one.exercise)
    await world.nobody_but({}, item, (resident,))
    assert not world.topics.recipients(item.id, item.revision)


def recorded_exercise() -> bytes:
    """The quarterly test of Sweden's public warnings of December 2025."""
    return recorded("content/se_vma_2025-12-01T130351Z_alert_f96a4f8.json")


def made_up_exercise() -> bytes:
    """A storm surge that is an exercise."""
    return made_up_warning("ovelse-1", "Exercise").document.encode()


def recorded_calendar() -> bytes:
    """An evening of a programmers' group of 2012, from a calendar that names its time zone."""
    return moved_calendar(recorded("content/ics/issue_53_description_parsed_properly.ics"), days_ahead=7)


def made_up_calendar() -> bytes:
    """A concert."""
    starts = hours_from_now(24 * 7).strftime("%Y%m%dT180000")
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Strand//Prove//NB", "BEGIN:VEVENT", "UID:konsert-1@strand",
        f"DTSTAMP:{hours_from_now(-1):%Y%m%dT%H%M%SZ}", f"DTSTART;TZID=Europe/Oslo:{starts}",
        f"DTEND;TZID=Europe/Oslo:{starts[:8]}T200000", "SUMMARY:Konsert i kulturhuset",
        "DESCRIPTION:Korpset spiller\\, alle er velkomne.", "LOCATION:Torget", "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def one_hour_later(calendar: bytes) -> bytes:
    """The calendar with its first event beginning and ending an hour later."""
    head, event = calendar.split(b"BEGIN:VEVENT", 1)
    lines = event.split(b"\r\n" if b"\r\n" in event else b"\n")
    for index, line in enumerate(lines):
        if line.startswith((b"DTSTART", b"DTEND")):
            stamp, time = line.rsplit(b"T", 1)
            lines[index] = stamp + b"T%02d" % (int(time[:2]) + 1) + time[2:]
    return head + b"BEGIN:VEVENT" + b"\r\n".join(lines)


async def a_calendar_event(world: World, variant: str, calendar: bytes) -> None:
    """An event reaches who follows area and interest, or the organiser; its new time and its end do too."""
    source = f"NO-1130/kalender-{variant}"
    visitor = await world.resident(
        "visitor", language="en", areas=["NO-1130/jorpeland"], interests=["culture"]
    )
    friend = await world.resident("friend", language="sv", organisers=[f"NO-1130/kulturhus-{variant}"])
    bored = await world.resident("bored", areas=["NO-1130/jorpeland"], interests=["football"])
    elsewhere = await world.resident("elsewhere", areas=["NO-1130/tau"], interests=["culture"])
    everybody = (visitor, friend, bored, elsewhere)

    world.upstream.feeds[f"kalender-{variant}.ics"] = calendar
    item = await world.published(source)
    mail, _ = await world.told(
        visitor, item, because=("you follow the area Jørpeland", "you follow the topic Culture")
    )
    assert mail.subject == item.title
    await world.told(friend, item, because=("du följer Strand kulturhus",))
    await world.nobody_but({visitor: 1, friend: 1}, item, everybody)
    world.shows_one_trace(item)

    world.upstream.feeds[f"kalender-{variant}.ics"] = one_hour_later(calendar)
    moved = await world.published(source, lambda one: one.id == item.id and one.revision == 2)
    assert (moved.starts_at - item.starts_at).total_seconds() == 3600
    mail, _ = await world.told(visitor, moved, times=2, because=("we told you about this before",))
    assert mail.subject.startswith("Corrected")
    assert "Begins: " in mail.text
    await world.nobody_but({visitor: 2, friend: 2}, moved, everybody)

    del world.upstream.feeds[f"kalender-{variant}.ics"]
    gone = await world.published(
        source, lambda one: one.id == item.id and one.lifecycle.state is LifecycleState.WITHDRAWN
    )
    await world.told(visitor, gone, times=3, because=("we told you about this before",))
    await world.nobody_but({visitor: 3, friend: 3}, gone, everybody)
