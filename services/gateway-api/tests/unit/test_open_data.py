import json
from datetime import UTC, datetime
from xml.etree import ElementTree

from gateway_api.domain.open_data import calendar, geojson, rss
from icalendar import Calendar
from kommunepuls_events import Kind, Point

AT = datetime(2026, 7, 4, 18, tzinfo=UTC)
NASTY = 'Åpen dag <script>alert(1)</script> & "kake"; semikolon, komma\x07'


def _feed(items: list) -> ElementTree.Element:
    return ElementTree.fromstring(
        rss.feed(
            items,
            title="Fjordvik",
            description="Fjordvik",
            language="nb",
            self_url="https://puls.example/open-data/items.rss?area=a&kind=event",
            public_url="https://puls.example",
            built_at=AT,
        )
    )


def test_geojson_has_a_feature_an_item_with_its_position_or_null(make_item) -> None:
    items = [make_item("1", geometry=Point(coordinates=(10.05, 59.07))), make_item("2")]
    document = json.loads(geojson.feature_collection([(one, ["a"]) for one in items], "https://puls.example"))
    assert document["type"] == "FeatureCollection"
    assert [one["geometry"] for one in document["features"]] == [
        {"type": "Point", "coordinates": [10.05, 59.07]},
        None,
    ]
    properties = document["features"][0]["properties"]
    assert properties["url"] == "https://puls.example/items/NO-9901%2Ffacebook%2F1"
    assert properties["areas"] == ["a"]


def test_rss_escapes_what_strangers_wrote(make_item) -> None:
    channel = _feed([make_item(title=NASTY, summary=NASTY, geometry=Point(coordinates=(10.05, 59.07)))])[0]
    entry = channel.find("item")
    assert entry is not None
    assert entry.findtext("title") == NASTY.replace("\x07", "")
    # The description is HTML: read as such, the script is text.
    assert "&lt;script&gt;" in entry.findtext("description", "")
    assert entry.findtext("guid") == "NO-9901/facebook/1#1"
    assert entry.findtext("{http://www.georss.org/georss}point") == "59.070000 10.050000"
    assert entry.findtext("pubDate", "").endswith("+0000")


def test_a_calendar_holds_what_has_a_beginning_and_reads_back(make_item) -> None:
    items = [
        make_item(
            "1", kind=Kind.EVENT, title=NASTY, starts_at=AT, place_name="Parken\r\nATTACH:x", revision=3
        ),
        make_item("2", kind=Kind.EVENT),
    ]
    raw = calendar.calendar(items, name="Fjordvik", timezone="Europe/Oslo", public_url="https://puls.example")
    whole = Calendar.from_ical(raw)
    events = list(whole.walk("VEVENT"))
    assert len(events) == 1
    event = events[0]
    assert str(event["summary"]) == " ".join(NASTY.replace("\x07", "").split())
    assert (event["uid"], event["sequence"], event.decoded("dtstart")) == ("NO-9901/facebook/1", 2, AT)
    assert "ATTACH" not in event
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))


def test_an_empty_calendar_is_still_a_valid_one() -> None:
    raw = calendar.calendar([], name="Fjordvik", timezone="Europe/Oslo", public_url="https://puls.example")
    assert [part.name for part in Calendar.from_ical(raw).subcomponents] == ["VTIMEZONE"]
