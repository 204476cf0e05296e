"""The message centre: read or not, what waits for when, narrowed by what became of it."""

import re

import pytest
from kommunepuls_events import Channel, DeliveryState, DeliveryV1, Lifecycle, LifecycleState
from kommunepuls_events.base import utc_now

pytestmark = pytest.mark.integration


def delivery(item, subscriber: str, state: str = "sent", **fields) -> DeliveryV1:
    return DeliveryV1(
        **{
            "subscriber": subscriber, "item": item.id, "revision": item.revision, "channel": Channel.EMAIL,
            "state": DeliveryState(state), "at": utc_now(),
        }
        | fields
    )  # fmt: skip


@pytest.fixture
async def told(town, make_item, make_match):
    """A resident who was told of an item by mail; the subscriber and the item."""
    subscriber, item = await town.sign_in(), make_item()
    await town.running.read_model.take_items([item])
    await town.running.read_model.take_match(make_match(item, subscriber))
    await town.running.read_model.take_deliveries([delivery(item, subscriber)])
    return subscriber, item


async def unread(town, show: str = "") -> int:
    page = await town.client.get(f"/messages{f'?show={show}' if show else ''}")
    assert page.status_code == 200
    return page.text.count('class="card unread"')


async def test_a_message_is_read_when_its_item_was_opened_and_unread_again_when_there_is_news(
    town, told, make_match
) -> None:
    subscriber, item = told
    assert await unread(town) == 1
    await town.client.get("/items/NO-9901%2Ffacebook%2F1")
    assert await unread(town) == 0
    assert await unread(town, "unread") == 0
    later = item.model_copy(update={"revision": 2, "lifecycle": Lifecycle(state=LifecycleState.UPDATED)})
    await town.running.read_model.take_items([later])
    await town.running.read_model.take_deliveries([delivery(later, subscriber)])
    assert await unread(town) == 1


async def test_who_is_not_signed_in_reads_for_nobody(town, told) -> None:
    cookies = dict(town.client.cookies)
    town.client.cookies.clear()
    await town.client.get("/items/NO-9901%2Ffacebook%2F1")
    town.client.cookies.update(cookies)
    assert await unread(town) == 1


async def mark(town, **fields: str):
    page = (await town.client.get("/messages")).text
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    return await town.client.post(
        "/messages/read", data={"csrf_token": csrf, **fields}, headers={"X-CSRF-Token": ""}
    )


async def test_messages_are_marked_as_read_one_by_one_and_all_at_once(town, told, make_item) -> None:
    subscriber, item = told
    others = [make_item(str(number)) for number in range(2, 5)]
    await town.running.read_model.take_items(others)
    await town.running.read_model.take_deliveries([delivery(one, subscriber) for one in others])
    assert await unread(town) == 4
    await mark(town, item=item.id, revision="1", show="unread")
    assert await unread(town) == 3
    await mark(town, item="NO-9901/somebody/elses", revision="1")
    assert await unread(town) == 3
    await mark(town)
    assert await unread(town) == 0


async def test_the_centre_is_narrowed_by_what_became_of_a_message(town, told, make_item) -> None:
    subscriber, _ = told
    states = {"2": ("held", "quiet-hours"), "3": ("failed", "mailbox-full"), "4": ("suppressed", "muted"), "5": ("digested", "daily-digest")}  # fmt: skip
    items = {native: make_item(native, title=f"Sak {native}") for native in states}
    await town.running.read_model.take_items([*items.values()])
    await town.running.read_model.take_deliveries(
        [delivery(items[one], subscriber, state, cause=cause) for one, (state, cause) in states.items()]
    )
    for show, found in (("", 5), ("sent", 1), ("waiting", 2), ("failed", 1), ("suppressed", 1), ("odd", 5)):
        page = (await town.client.get(f"/messages?show={show}")).text
        assert page.count('<li class="card') == found, show


async def test_what_waits_for_the_digest_says_which_and_when_it_comes(town, told, make_item) -> None:
    subscriber, _ = told
    await town.client.put("/api/v1/profile", json={"areas": ["NO-9901/havna"], "cadence": "weekly"})
    item = make_item("2")
    await town.running.read_model.take_items([item])
    await town.running.read_model.take_deliveries([delivery(item, subscriber, "held", cause="weekly-digest")])
    page = (await town.client.get("/messages?show=waiting")).text
    assert "Du får en oppsummering en gang i uken." in page
    assert re.search(r"Den kommer \d+\. \w+ \d{4} kl\. 07:00\.", page)


async def test_an_erased_resident_leaves_no_marks(town, told) -> None:
    subscriber, _ = told
    await town.client.get("/items/NO-9901%2Ffacebook%2F1")
    reads = town.running.gateway.collections.reads
    assert await reads.count({}) == 1
    exported = (await town.client.get("/data/export")).json()
    assert [one["item"] for one in exported["read"]] == ["NO-9901/facebook/1"]
    await town.running.gateway.residents.erase(subscriber)
    assert await reads.count({}) == 0
    await town.running.gateway.reads.mark(subscriber, [("NO-9901/facebook/1", 1)])
    assert await reads.count({}) == 0
