"""Drafts over the store: approved, published through the outbox, by several at once and with processes that die."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from gateway_api.domain import outbox
from gateway_api.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from gateway_api.domain.organisers.content import Content, Position
from gateway_api.domain.organisers.drafts import State
from gateway_api.domain.staff import Role, Staff
from gateway_api.service.outbox import LEASE_SECONDS, OutboxPublisher
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.testing import RecordingProducer
from kommunepuls_events import ContentItemV1
from kommunepuls_events.base import utc_now

pytestmark = pytest.mark.integration

TOWN, CLUB = "NO-9901", "NO-9901/fotball"
MARI = Staff("Mari", frozenset({Role.ORGANISER}), TOWN, frozenset({CLUB}), "w-1")
NILS = Staff("Nils", frozenset({Role.ORGANISER}), TOWN, frozenset({"NO-9901/korps"}), "w-2")
EVA = Staff("Eva", frozenset({Role.EDITOR}), TOWN, frozenset(), "w-3")
CONTENT = Content(
    title="Dugnad på banen",
    text="Ta med rake.",
    interests=("football",),
    place_name="Storbrygga",
    position=Position(longitude=10.05, latitude=59.07),
)


async def _trusted(gateway) -> None:
    await gateway.clubs.save(replace(gateway.clubs.get(CLUB), asks=False), EVA)


async def _items(town) -> list[ContentItemV1]:
    await town.published()
    return town.producer.of(ContentItemV1)


async def test_what_is_approved_is_published_with_its_areas_once(town) -> None:
    gateway = town.running.gateway
    draft = await gateway.drafts.begin(MARI, CLUB, CONTENT)
    waiting = await gateway.drafts.hand_in(MARI, draft.id, draft.edition)
    assert waiting.state is State.WAITING
    assert await _items(town) == []
    assert [one.id for one in await gateway.drafts.waiting(TOWN)] == [draft.id]
    with pytest.raises(NotAllowed):
        await gateway.drafts.approve(MARI, draft.id, draft.edition)
    with pytest.raises(NotFound):
        await gateway.drafts.get(NILS, draft.id)
    outcomes = await asyncio.gather(
        *(gateway.drafts.approve(EVA, draft.id, draft.edition) for _ in range(4)), return_exceptions=True
    )
    assert sorted(isinstance(one, Conflict) for one in outcomes) == [False, True, True, True]
    (item,) = await _items(town)
    assert (item.id, item.revision) == (f"{TOWN}/organisers/{draft.id}", 1)
    assert set(item.areas) == {"NO-9901/havna", TOWN}
    assert item.organiser is not None
    assert item.organiser.name == "Fjordvik fotball"
    noted = [line.document["action"] for line in (await gateway.audit.read(TOWN, limit=9)).documents]
    assert {"item-handed-in", "item-published"} <= set(noted)


async def test_a_trusted_organiser_publishes_changes_and_withdraws(town) -> None:
    gateway = town.running.gateway
    await _trusted(gateway)
    draft = await gateway.drafts.begin(MARI, CLUB, CONTENT)
    await gateway.drafts.hand_in(MARI, draft.id, 1)
    changed = CONTENT.model_copy(update={"title": "Dugnad på søndag"})
    assert (await gateway.drafts.save(MARI, draft.id, changed)).state is State.CHANGED
    with pytest.raises(Conflict):
        await gateway.drafts.hand_in(MARI, draft.id, 1)
    await gateway.drafts.hand_in(MARI, draft.id, 2, tell=False)
    await gateway.drafts.withdraw(MARI, draft.id)
    with pytest.raises(Conflict):
        await gateway.drafts.withdraw(MARI, draft.id)
    items = await _items(town)
    assert [(one.revision, str(one.lifecycle.state), one.announced) for one in items] == [
        (1, "published", True), (2, "updated", False), (3, "withdrawn", True),
    ]  # fmt: skip


async def test_what_lacks_something_is_neither_handed_in_nor_published(town) -> None:
    gateway = town.running.gateway
    draft = await gateway.drafts.begin(MARI, CLUB, Content(title="Dugnad"))
    for writer in (MARI, EVA):
        with pytest.raises(Invalid):
            await gateway.drafts.hand_in(writer, draft.id, 1)
    await gateway.drafts.delete(MARI, draft.id)
    with pytest.raises(NotFound):
        await gateway.drafts.get(MARI, draft.id)


async def test_a_publisher_that_dies_leaves_the_very_same_revision_to_the_next(town) -> None:
    gateway = town.running.gateway
    await _trusted(gateway)
    draft = await gateway.drafts.begin(MARI, CLUB, CONTENT)
    await gateway.drafts.hand_in(MARI, draft.id, 1)
    now = utc_now()
    # Dies after Kafka took the item and before it could note that down.
    (claimed,) = await gateway.collections.drafts.claim(
        {}, due_field=outbox.DUE_FIELD, now=now, lease_seconds=LEASE_SECONDS, limit=1
    )
    dead, next_one = RecordingProducer(), RecordingProducer()
    await dead.publish(outbox.entries_of(claimed.document)[0].message())
    now += timedelta(seconds=LEASE_SECONDS + 1)
    publisher = OutboxPublisher(
        gateway.collections, next_one, Health(), rules=gateway.rules.versions.message, now=lambda: now
    )
    while await publisher.publish_due():
        pass
    assert dead.messages == next_one.messages
    assert await gateway.collections.drafts.count({outbox.DUE_FIELD: None}) == 1


async def test_an_organiser_that_an_editor_approves_is_followable_in_every_process_and_a_closed_one_is_not(
    town,
) -> None:
    gateway = town.running.gateway
    club = await gateway.clubs.create(TOWN, "Fjordvik  Sjakklubb", EVA)
    assert club.id == "NO-9901/fjordvik-sjakklubb"
    with pytest.raises(Invalid):
        await gateway.clubs.create(TOWN, "fjordvik sjakklubb", EVA)
    listed = (await town.client.get("/api/v1/organisers")).json()
    assert {"id": club.id, "name": "Fjordvik Sjakklubb"} in listed
    # Another process finds the change by looking.
    await gateway.collections.clubs.patch(club.id, {"approved": False})
    await gateway.clubs.refresh()
    listed = (await town.client.get("/api/v1/organisers")).json()
    assert club.id not in {one["id"] for one in listed}
    with pytest.raises(NotAllowed):
        await gateway.drafts.begin(EVA, club.id, CONTENT)
