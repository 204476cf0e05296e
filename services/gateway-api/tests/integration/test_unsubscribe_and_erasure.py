"""Leaving: one click, and without a trace."""

import pytest
from kommunepuls_chassis.links import sign
from kommunepuls_events import (
    Channel,
    ContactCommandV1,
    DeliveryState,
    DeliveryV1,
    SubscriberProfileV1,
)
from kommunepuls_events.base import utc_now

pytestmark = pytest.mark.integration


def _token(subscriber: str, scope: str = "email", **claims: object) -> str:
    claims = {"subscriber": subscriber, "purpose": "unsubscribe", "scope": scope} | claims
    return sign(claims, "a-link-key-of-the-tests")


async def _leave_signed_out(town) -> str:
    subscriber = await town.sign_in()
    town.client.cookies.clear()
    del town.client.headers["X-CSRF-Token"]
    return subscriber


async def _channels(town) -> tuple:
    profiles = [one for one in await town.published() if isinstance(one, SubscriberProfileV1)]
    return profiles[-1].channels


async def test_opening_the_link_changes_nothing_and_says_what_would_stop(town) -> None:
    token = _token(await _leave_signed_out(town))
    page = await town.client.get(f"/unsubscribe/{token}")
    assert page.status_code == 200
    assert "Dette stopper: E-post" in page.text
    assert await _channels(town) == (Channel.EMAIL, Channel.PUSH)


async def test_one_click_of_a_mail_program_stops_it_without_cookies(town) -> None:
    token = _token(await _leave_signed_out(town))
    answer = await town.client.post(
        f"/unsubscribe/{token}",
        content="List-Unsubscribe=One-Click",
        headers={"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 200
    assert await _channels(town) == (Channel.PUSH,)
    again = await town.client.post(f"/unsubscribe/{token}")
    assert again.status_code == 200
    assert await _channels(town) == (Channel.PUSH,)


async def test_it_can_be_undone(town) -> None:
    token = _token(await _leave_signed_out(town), "all")
    await town.client.post(f"/unsubscribe/{token}")
    assert await _channels(town) == ()
    undone = await town.client.post(f"/unsubscribe/{token}/undo")
    assert "påmeldt igjen" in undone.text
    assert await _channels(town) == (Channel.EMAIL, Channel.PUSH)


async def test_a_changed_token_or_one_for_something_else_does_nothing(town) -> None:
    subscriber = await _leave_signed_out(town)
    good = _token(subscriber)
    for token in (good[:-2], good + "x", _token(subscriber, purpose="sign-in"), "x.y"):
        assert (await town.client.get(f"/unsubscribe/{token}")).status_code == 410
        assert (await town.client.post(f"/unsubscribe/{token}")).status_code == 410
    assert await _channels(town) == (Channel.EMAIL, Channel.PUSH)


async def test_erasure_leaves_nothing_and_tells_kafka_and_the_notifier(
    town, make_item, make_match, settings
) -> None:
    subscriber = await town.sign_in()
    item = make_item()
    read_model, collections = town.running.read_model, town.running.gateway.collections
    delivery = DeliveryV1(
        subscriber=subscriber, item=item.id, revision=1, channel=Channel.EMAIL,
        state=DeliveryState.SENT, at=utc_now(),
    )  # fmt: skip
    await read_model.take_match(make_match(item, subscriber))
    await read_model.take_deliveries([delivery])
    await town.published()
    answer = await town.client.request("DELETE", "/api/v1/subscriber")
    assert answer.status_code == 200
    assert answer.json()["deleted"] == {
        "profile": 1, "sessions": 1, "links": 1, "addresses": 1, "feed": 1, "reads": 0, "messages": 1,
    }  # fmt: skip
    assert (await town.client.get("/api/v1/profile")).status_code == 401
    published = await town.published()
    assert town.producer.raw == [("profiles.v1", subscriber, None, [])]
    assert (published[-1].action, published[-1].subscriber) == ("erase", subscriber)
    # What comes late from the topics does not bring them back.
    await read_model.take_match(make_match(make_item("2"), subscriber))
    await read_model.take_deliveries([delivery])
    assert await collections.subscribers.get(subscriber) is None
    for collection in (collections.feed, collections.messages, collections.sessions, collections.links):
        assert await collection.count({"subscriber": subscriber}) == 0
    assert await collections.addresses.count({}) == 0


async def test_what_waited_to_be_published_is_dropped_with_the_erasure(town) -> None:
    subscriber = await town.sign_in()
    await town.published()
    before = len(town.producer.messages)
    for interest in ("music", "culture"):
        await town.client.put("/api/v1/profile", json={"interests": [interest]})
    await town.client.request("DELETE", "/api/v1/subscriber")
    after = (await town.published())[before:]
    assert [type(one) for one in after] == [ContactCommandV1]
    assert town.producer.raw[-1][:3] == ("profiles.v1", subscriber, None)


async def test_the_page_erases_when_the_box_is_ticked(town) -> None:
    await town.sign_in()
    csrf = {"csrf_token": town.client.headers["X-CSRF-Token"]}
    unsure = await town.client.post("/data/erase", data=csrf)
    assert unsure.status_code == 422
    sure = await town.client.post("/data/erase", data=csrf | {"sure": "yes"})
    assert "Alt om deg er slettet" in sure.text
    assert "Logg inn" in sure.text
    assert (await town.client.get("/feed")).headers["location"] == "/sign-in"


async def test_a_link_mailed_before_the_erasure_does_not_bring_the_profile_back(town) -> None:
    subscriber = await town.sign_in()
    token = await town.link()
    await town.client.request("DELETE", "/api/v1/subscriber")
    assert (await town.client.post("/api/v1/sessions", json={"token": token})).status_code == 410
    del town.client.headers["X-CSRF-Token"]
    assert await town.sign_in() != subscriber


async def test_unsubscribing_after_the_erasure_says_that_nothing_is_kept(town) -> None:
    subscriber = await town.sign_in()
    await town.client.request("DELETE", "/api/v1/subscriber")
    answer = await town.client.post(f"/unsubscribe/{_token(subscriber)}")
    assert answer.status_code == 200
    assert "Du er allerede slettet" in answer.text


async def test_the_export_holds_everything_and_no_address(town, make_item, make_match) -> None:
    subscriber = await town.sign_in()
    await town.running.read_model.take_match(make_match(make_item(), subscriber))
    for path in ("/api/v1/export", "/data/export"):
        answer = await town.client.get(path)
        assert "attachment" in answer.headers["content-disposition"]
        held = answer.json()
        assert held["profile"]["subscriber"] == subscriber
        assert held["feed"][0]["reasons"] == [{"type": "area", "area": "NO-9901/havna"}]
        assert "kari@" not in answer.text
