"""The read model over HTTP: pulse, items, open data, feed and messages; replaying changes nothing."""

import json
from xml.etree import ElementTree

import pytest
from icalendar import Calendar
from kommunepuls_events import (
    Change,
    Channel,
    DeliveryState,
    DeliveryV1,
    Kind,
    Lifecycle,
    LifecycleState,
    Point,
    Reason,
    ReasonType,
    Severity,
)
from kommunepuls_events.base import utc_now

pytestmark = pytest.mark.integration

HAVNA, NORDMARKA = "NO-9901/havna", "NO-9901/nordmarka"


async def _titles(town, query: str = "") -> set[str]:
    answer = await town.client.get(f"/api/v1/items{query}")
    assert answer.status_code == 200, answer.text
    return {one["item"]["title"] for one in answer.json()["items"]}


async def _everything(town) -> list:
    collections = town.running.gateway.collections
    held = [
        collections.items,
        collections.revisions,
        collections.sensors,
        collections.feed,
        collections.messages,
    ]
    return [{one.key: one.document for one in await each.find({})} for each in held]


async def test_replaying_the_topics_changes_nothing(town, make_item, make_match, make_reading) -> None:
    subscriber = await town.sign_in()
    first, second = make_item(), make_item(revision=2, title="Vannet er tilbake")
    readings = [make_reading(18 + n, utc_now()) for n in range(3)]
    deliveries = [
        DeliveryV1(
            subscriber=subscriber, item=first.id, revision=1, channel=Channel.EMAIL, state=state, at=utc_now()
        )
        for state in (DeliveryState.HELD, DeliveryState.SENT)
    ]
    matches = [make_match(first, subscriber), make_match(second, subscriber)]

    async def replay() -> None:
        await town.running.read_model.take_items([first, second])
        await town.running.read_model.take_readings(readings)
        for match in matches:
            await town.running.read_model.take_match(match)
        await town.running.read_model.take_deliveries(deliveries)

    await replay()
    before = await _everything(town)
    await replay()
    await town.running.read_model.take_items([first])
    await town.running.read_model.take_match(matches[0])
    await town.running.read_model.take_deliveries(deliveries[:1])
    assert await _everything(town) == before
    assert await _titles(town) == {"Vannet er tilbake"}


async def test_an_items_page_tells_what_happened_to_it(town, make_item) -> None:
    decided = make_item(
        kind=Kind.PERMIT, title="Garasje i Kirkeveien 3", revision=2, stage="decided",
        lifecycle=Lifecycle(
            state=LifecycleState.UPDATED, changes=(Change(field="stage", before="received", after="decided"),)
        ),
    )  # fmt: skip
    received = make_item(kind=Kind.PERMIT, title="Garasje i Kirkeveien 3", stage="received")
    await town.running.read_model.take_items([decided])
    await town.running.read_model.take_items([received])
    page = (await town.client.get("/items/NO-9901%2Ffacebook%2F1", headers={"Accept-Language": "nb"})).text
    assert page.index("Avgjort") < page.index("Mottatt")
    history = (await town.client.get("/api/v1/items/NO-9901/facebook/1")).json()
    assert [one["stage"] for one in history["revisions"]] == ["received", "decided"]
    assert history["item"]["revision"] == 2


async def test_withdrawn_items_and_exercises_leave_every_public_list(town, make_item) -> None:
    starts = utc_now()
    withdrawn = Lifecycle(state=LifecycleState.WITHDRAWN)
    await town.running.read_model.take_items([
        make_item("1", title="Gjelder", kind=Kind.EVENT, starts_at=starts),
        make_item("2", title="Trukket", kind=Kind.EVENT, starts_at=starts),
        make_item("2", title="Trukket", kind=Kind.EVENT, starts_at=starts, revision=2, lifecycle=withdrawn),
        make_item("3", title="Prøve", kind=Kind.EVENT, starts_at=starts, exercise=True),
    ])  # fmt: skip
    assert await _titles(town) == {"Gjelder"}
    for path in (
        "/",
        "/api/v1/pulse",
        "/open-data/items.geojson",
        "/open-data/items.rss",
        "/open-data/items.ics",
    ):
        text = (await town.client.get(path)).text
        assert "Gjelder" in text, path
        assert "Trukket" not in text, path
        assert "Prøve" not in text, path
    assert "Trukket tilbake" in (await town.client.get("/items/NO-9901%2Ffacebook%2F2")).text
    assert "Øvelse" in (await town.client.get("/items/NO-9901%2Ffacebook%2F3")).text


async def test_items_are_found_by_area_interest_and_kind(town, make_item) -> None:
    await town.running.read_model.take_items([
        make_item("1", title="Havna"),
        make_item("2", title="Alle", areas=(), interests=("waste",)),
        make_item("3", title="Nordmarka", areas=(NORDMARKA,), kind=Kind.EVENT, starts_at=utc_now()),
        make_item("4", title="Punkt", areas=(), geometry=Point(coordinates=(10.05, 59.07))),
    ])  # fmt: skip
    assert await _titles(town, f"?area={HAVNA}") == {"Havna", "Alle", "Punkt"}
    assert await _titles(town, f"?area={NORDMARKA}") == {"Nordmarka", "Alle"}
    assert await _titles(town, "?area=NO-9901") == {"Havna", "Alle", "Nordmarka", "Punkt"}
    assert await _titles(town, "?interest=waste") == {"Alle"}
    assert await _titles(town, "?kind=event") == {"Nordmarka"}
    assert await _titles(town, "?area=NO-9901/atlantis") == {"Alle"}
    page = (await town.client.get("/api/v1/items?limit=3")).json()
    rest = (await town.client.get(f"/api/v1/items?limit=3&cursor={page['next_cursor']}")).json()
    assert len({one["item"]["id"] for one in page["items"] + rest["items"]}) == 4
    assert "next_cursor" not in rest


async def test_open_data_is_valid_and_answers_conditional_requests(town, make_item) -> None:
    await town.running.read_model.take_items([
        make_item("1", kind=Kind.EVENT, starts_at=utc_now(), geometry=Point(coordinates=(10.05, 59.07))),
        make_item("2", title="Nordmarka", areas=(NORDMARKA,)),
    ])  # fmt: skip
    for format in ("geojson", "rss", "ics"):
        path = f"/open-data/items.{format}?area={HAVNA}"
        answer = await town.client.get(path)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        again = await town.client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        weak = await town.client.get(path, headers={"If-None-Match": f'"x", W/{answer.headers["etag"]}'})
        assert weak.status_code == 304
        assert "Nordmarka" not in answer.text
        match format:
            case "geojson":
                assert len(json.loads(answer.content)["features"]) == 1
            case "rss":
                assert len(ElementTree.fromstring(answer.content).findall(".//item")) == 1
            case "ics":
                assert len(list(Calendar.from_ical(answer.content).walk("VEVENT"))) == 1
    etag = answer.headers["etag"]
    await town.running.read_model.take_items(
        [make_item("1", kind=Kind.EVENT, starts_at=utc_now(), revision=2, title="Flyttet")]
    )
    assert (await town.client.get(path, headers={"If-None-Match": etag})).status_code == 200


async def test_the_pulse_puts_emergencies_first_and_shows_them_on_the_map(
    town, make_item, make_reading
) -> None:
    await town.running.read_model.take_items([
        make_item("1", title="Vanlig"),
        make_item("2", title="Fare", kind=Kind.ALERT, severity=Severity.EXTREME, areas=(NORDMARKA,),
                  published_at=utc_now().replace(year=2025), valid_until=utc_now().replace(year=2099)),
    ])  # fmt: skip
    await town.running.read_model.take_readings([make_reading(18, utc_now()), make_reading(19.4, utc_now())])
    pulse = (await town.client.get("/api/v1/pulse")).json()
    assert [one["item"]["title"] for one in pulse["items"]] == ["Fare", "Vanlig"]
    assert pulse["sensors"][0]["name"] == "Storøya"
    page = (await town.client.get("/")).text
    assert page.count('class="marker') == 2
    assert "19,4 °C" in page


async def test_the_feed_says_why_in_the_readers_language(town, make_item, make_match) -> None:
    subscriber = await town.sign_in()
    chosen = {"areas": [HAVNA], "interests": ["water-and-sewage"]}
    await town.client.put("/api/v1/profile", json=chosen)
    item = make_item()
    await town.running.read_model.take_items([item])
    reasons = (
        Reason(type=ReasonType.INTEREST, interest="water-and-sewage"),
        Reason(type=ReasonType.AREA, area=HAVNA),
    )
    await town.running.read_model.take_match(make_match(item, subscriber, reasons=reasons))
    for language, sentence in (
        ("nb", "Fordi du følger Havna og Vann og avløp."),
        ("nn", "Fordi du følgjer Havna og Vatn og avløp."),
        ("en", "Because you follow Havna and Water and sewage."),
    ):
        assert sentence in (await town.client.get(f"/feed?language={language}")).text
        town.client.cookies.delete("kp_language")
    feed = (await town.client.get("/api/v1/feed?language=sv")).json()
    assert [one["text"] for one in feed["entries"][0]["reasons"]] == [
        "Du följer Havna", "Du har valt intresset Vatten och avlopp",
    ]  # fmt: skip


async def test_the_message_centre_says_what_became_of_each_message_and_why(
    town, make_item, make_match
) -> None:
    subscriber = await town.sign_in()
    item = make_item()
    await town.running.read_model.take_items([item])
    await town.running.read_model.take_match(make_match(item, subscriber))
    await town.running.read_model.take_deliveries([
        DeliveryV1(subscriber=subscriber, item=item.id, revision=1, channel=Channel.PUSH,
                   state=DeliveryState.HELD, cause="quiet-hours", at=utc_now()),
        DeliveryV1(subscriber="s-somebody-else", item=item.id, revision=1, channel=Channel.PUSH,
                   state=DeliveryState.SENT, at=utc_now()),
    ])  # fmt: skip
    page = (await town.client.get("/messages")).text
    for text in ("Vannet er stengt i Havna", "Venter", "Den kom i stilletiden din", "Fordi du følger Havna"):
        assert text in page
    messages = (await town.client.get("/api/v1/messages")).json()["messages"]
    assert [(one["state"], one["cause"], one["title"]) for one in messages] == [
        ("held", "quiet-hours", "Vannet er stengt i Havna")
    ]


async def test_a_matched_item_of_which_nothing_is_kept_here_shows_from_the_match(
    town, make_item, make_match
) -> None:
    subscriber = await town.sign_in()
    item = make_item("threshold/x", title="Storøya: 20,1 °C i vannet")
    passed = Reason(type=ReasonType.SENSOR, sensor="NO-9901/bad/storoya", threshold=20, value=20.1)
    await town.running.read_model.take_match(make_match(item, subscriber, "s-unknown", reasons=(passed,)))
    assert "Storøya: 20,1 °C i vannet" in (await town.client.get("/feed")).text
    assert await town.running.gateway.collections.feed.count({}) == 1


async def test_residents_see_nothing_of_each_other(town, make_item, make_match) -> None:
    first = await town.sign_in("kari@example.no")
    await town.running.read_model.take_match(make_match(make_item(title="Bare for Kari"), first))
    town.client.cookies.clear()
    await town.sign_in("ola@example.no")
    for path in ("/feed", "/messages", "/api/v1/feed", "/api/v1/export"):
        assert "Bare for Kari" not in (await town.client.get(path)).text
