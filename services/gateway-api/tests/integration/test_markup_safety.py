"""Texts of strangers show as text or safe markup, wherever they come in and wherever they are shown."""

import json
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from gateway_api.domain.organisers.texts import body_of, summary_of
from icalendar import Calendar
from kommunepuls_chassis.testing_payloads import EVALUATED, PAYLOADS, what_runs
from kommunepuls_chassis.texts import clean_html
from kommunepuls_events import (
    Change,
    Channel,
    DeliveryState,
    DeliveryV1,
    Kind,
    Lifecycle,
    LifecycleState,
    Link,
    Organiser,
    Picture,
    Reason,
    ReasonType,
)
from kommunepuls_events.base import utc_now
from pydantic import ValidationError

pytestmark = pytest.mark.integration


def test_the_look_sees_each_of_the_payloads_that_a_browser_would_run() -> None:
    assert len(PAYLOADS) >= 60
    # The rest runs in no page by itself: templates, encodings, attributes without a tag, Markdown, mail headers.
    assert len([one for one in PAYLOADS if what_runs(one)]) >= len(PAYLOADS) - 22


def addressed(text: str, form: str) -> str | None:
    """An address with the payload in it, as far as the contract takes one."""
    try:
        return str(Picture(url=form.format(text)).url)
    except ValidationError:
        return None


@pytest.fixture
async def poisoned(town, make_item, make_match, make_reading):
    """Every payload in every text of an item, an organiser's text, a sensor and a resident's own choices."""
    items = []
    for number, payload in enumerate(PAYLOADS):
        picture = addressed(payload, "https://example.no/{}.jpg") or "https://example.no/x.jpg"
        link = addressed(payload, "https://example.no/?{}") or "https://example.no/"
        common = {
            "title": f"T{number} {payload}"[:300],
            "place_name": payload,
            "stage": payload,
            "organiser": Organiser(id=f"NO-9901/{payload}"[:500].strip(), name=payload[:200]),
            "links": (Link(url=link, title=payload),),
            "pictures": (Picture(url=picture, alternative_text=payload),),
            "starts_at": utc_now(),
        }
        post = make_item(
            f"post-{number}-{payload}", kind=Kind.EVENT, summary=payload, body=f"<p>text</p>{payload}",
            lifecycle=Lifecycle(
                state=LifecycleState.UPDATED,
                changes=(Change(field=payload, before=payload, after=payload), Change(field="body", before=payload * 9, after=payload * 9)),
            ),
            **common,
        )  # fmt: skip
        written = make_item(
            f"written-{number}", kind=Kind.VOLUNTEER_NEED, summary=summary_of(payload), body=body_of(payload),
            **common,
        )  # fmt: skip
        items += [post, written]
    read_model = town.running.read_model
    await read_model.take_items(items)
    readings = [
        make_reading(20, sensor=f"NO-9901/x/{n}", name=one, unit=one[:20])
        for n, one in enumerate(PAYLOADS[:8])
    ]
    await read_model.take_readings(readings)
    subscriber = await town.sign_in()
    places = [
        {
            "id": one[:100].strip(),
            "label": one[:40].strip(),
            "longitude": 10.05,
            "latitude": 59.07,
            "radius_metres": 9,
        }
        for one in PAYLOADS[4:12]
    ]
    answer = await town.client.put("/api/v1/profile", json={"areas": ["NO-9901/havna"], "places": places})
    assert answer.status_code == 200, answer.text
    for item in items:
        reasons = (
            Reason(type=ReasonType.PLACE, place=places[0]["id"], distance_metres=3),
            Reason(type=ReasonType.ORGANISER, organiser=item.organiser.id),
        )
        await read_model.take_match(make_match(item, subscriber, reasons=reasons))
    await read_model.take_deliveries(
        [
            DeliveryV1(subscriber=subscriber, item=one.id, revision=1, channel=Channel.PUSH, state=DeliveryState.SENT, at=utc_now())
            for one in items
        ]
    )  # fmt: skip
    return items


async def test_no_text_of_a_stranger_runs_or_loads_anything_on_any_page(town, poisoned) -> None:
    paths = ["/", "/choices", "/messages", "/open-data", "/data", "/embed/events?limit=100"]
    paths += [f"/feed?page={number}" for number in range(1, len(poisoned) // 10 + 2)]
    paths += [f"/items/{quote(one.id, safe='')}" for one in poisoned]
    seen = ""
    for path in paths:
        page = await town.client.get(path)
        assert page.status_code == 200, path
        assert what_runs(page.text) == [], path
        assert EVALUATED not in page.text, path
        seen += page.text
    for number in range(len(PAYLOADS)):
        assert f"T{number} " in seen, f"payload {number} is not shown at all"


async def test_no_text_of_a_stranger_breaks_out_of_the_open_data(town, poisoned) -> None:
    feed = ElementTree.fromstring((await town.client.get("/open-data/items.rss")).content)
    entries = feed.findall("./channel/item")
    assert len(entries) == len(poisoned)
    for entry in entries:
        assert what_runs(entry.findtext("description") or "") == []
        assert (entry.findtext("link") or "").startswith("http://gateway.example/items/")
    features = json.loads((await town.client.get("/open-data/items.geojson")).content)["features"]
    assert len(features) == len(poisoned)
    calendar = Calendar.from_ical((await town.client.get("/open-data/items.ics")).content)
    assert len(calendar.walk("VEVENT")) == len(PAYLOADS)
    assert {one.name for one in calendar.walk()} <= {
        "VCALENDAR",
        "VEVENT",
        "VTIMEZONE",
        "STANDARD",
        "DAYLIGHT",
    }


@pytest.mark.parametrize("payload", PAYLOADS)
def test_cleaned_markup_is_safe_and_cleaning_it_again_changes_nothing(payload: str) -> None:
    once = clean_html(f"<p>text</p>{payload}")
    assert what_runs(once) == []
    assert clean_html(once) == once


async def test_harmless_markup_stays(town, make_item) -> None:
    body = (
        '<p>Møt opp <strong>lørdag</strong></p><ul><li>kl. 12</li></ul><a href="https://example.no">mer</a>'
    )
    await town.running.read_model.take_items([make_item(body=body)])
    page = (await town.client.get("/items/NO-9901%2Ffacebook%2F1")).text
    assert "<strong>lørdag</strong>" in page
    assert '<a href="https://example.no" rel="noopener noreferrer nofollow">mer</a>' in page
