"""Revisions: what is new, changed, unchanged, news, withdrawn."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kommunepuls_chassis.journal import ItemJournal, Outcome
from kommunepuls_chassis.store import open_store
from kommunepuls_chassis.testing import RecordingProducer
from kommunepuls_events import ContentItemV1, Kind, Lifecycle, LifecycleState, Link, Picture, item_id

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SOURCE = "NO-9901/test"


def draft(**changes: object) -> ContentItemV1:
    fields = {
        "id": item_id(SOURCE, "1"),
        "revision": 1,
        "municipality": "NO-9901",
        "source": SOURCE,
        "native_id": "1",
        "kind": Kind.NOTICE,
        "title": "Trenere søkes",
        "summary": "Laget trenger trener.",
        "published_at": NOW - timedelta(hours=1),
        "observed_at": NOW,
    }
    return ContentItemV1(**(fields | changes))


class Town:
    def __init__(self, journal: ItemJournal, producer: RecordingProducer) -> None:
        self.journal = journal
        self.producer = producer


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    producer = RecordingProducer()
    async with open_store(f"sqlite:///{tmp_path / 'journal.db'}") as store:
        journal = ItemJournal(store, producer, now=lambda: NOW)
        await journal.open()
        yield Town(journal, producer)


async def test_a_new_item_is_revision_one_and_news(town: Town) -> None:
    seen = await town.journal.observe(draft(), announce_within=timedelta(hours=72))
    assert seen.outcome is Outcome.PUBLISHED
    assert (seen.item.revision, seen.item.lifecycle.news) == (1, True)
    assert town.producer.messages == [seen.item]


async def test_the_same_again_publishes_nothing(town: Town) -> None:
    await town.journal.observe(draft())
    seen = await town.journal.observe(draft(observed_at=NOW + timedelta(hours=1)))
    assert seen.outcome is Outcome.UNCHANGED
    assert len(town.producer.messages) == 1


async def test_white_space_alone_is_no_change(town: Town) -> None:
    await town.journal.observe(draft())
    assert (
        await town.journal.observe(draft(summary="Laget  trenger\n trener."))
    ).outcome is Outcome.UNCHANGED


async def test_a_re_signed_picture_is_no_change_and_another_picture_is(town: Town) -> None:
    address = "https://cdn.example/v/1.jpg?oh=signature-{}&oe=1"
    await town.journal.observe(draft(pictures=(Picture(url=address.format("a")),)))
    again = await town.journal.observe(draft(pictures=(Picture(url=address.format("b")),)))
    assert again.outcome is Outcome.UNCHANGED
    other = await town.journal.observe(draft(pictures=(Picture(url="https://cdn.example/v/2.jpg"),)))
    assert (other.outcome, other.item.lifecycle.news) == (Outcome.UPDATED, False)


async def test_a_new_text_is_news_and_says_what_changed(town: Town) -> None:
    await town.journal.observe(draft())
    seen = await town.journal.observe(draft(title="Trener funnet"))
    assert (seen.item.revision, seen.item.lifecycle.state) == (2, LifecycleState.UPDATED)
    assert seen.item.lifecycle.news
    assert [(one.field, one.before, one.after) for one in seen.item.lifecycle.changes] == [
        ("title", "Trenere søkes", "Trener funnet")
    ]


async def test_a_new_link_is_a_revision_that_is_not_announced(town: Town) -> None:
    await town.journal.observe(draft())
    seen = await town.journal.observe(draft(links=(Link(url="https://klubb.example/"),)))
    assert seen.outcome is Outcome.UPDATED
    assert not seen.item.lifecycle.news


async def test_a_field_that_loses_its_value_is_a_change(town: Town) -> None:
    await town.journal.observe(draft())
    seen = await town.journal.observe(draft(summary=""))
    assert [one.field for one in seen.item.lifecycle.changes] == ["summary"]


async def test_what_is_old_or_over_when_first_seen_is_shown_but_not_announced(town: Town) -> None:
    old = draft(published_at=NOW - timedelta(days=30))
    assert not (await town.journal.observe(old, announce_within=timedelta(hours=72))).item.lifecycle.news
    over = draft(id=item_id(SOURCE, "2"), native_id="2", ends_at=NOW - timedelta(hours=1))
    assert not (await town.journal.observe(over, announce_within=timedelta(hours=72))).item.lifecycle.news


async def test_a_deleted_item_is_withdrawn_once_and_news_if_it_comes_back(town: Town) -> None:
    await town.journal.observe(draft())
    gone = await town.journal.withdraw(draft().id)
    assert (gone.outcome, gone.item.revision, gone.item.withdrawn) == (Outcome.WITHDRAWN, 2, True)
    assert (await town.journal.withdraw(draft().id)).outcome is Outcome.UNCHANGED
    back = await town.journal.observe(draft())
    assert (back.item.revision, back.item.withdrawn, back.item.lifecycle.news) == (3, False, True)


async def test_withdrawing_what_nobody_was_told_of_says_nothing(town: Town) -> None:
    cancelled = draft(lifecycle=Lifecycle(state=LifecycleState.WITHDRAWN))
    assert (await town.journal.observe(cancelled)).outcome is Outcome.UNCHANGED
    assert (await town.journal.withdraw("NO-9901/test/unknown")).outcome is Outcome.UNCHANGED
    assert town.producer.messages == []


async def test_what_was_written_down_and_not_published_is_published_after_a_restart(tmp_path: Path) -> None:
    class Dying(RecordingProducer):
        async def publish(self, *messages: object) -> None:
            raise ConnectionError("the process dies here")

    address = f"sqlite:///{tmp_path / 'journal.db'}"
    async with open_store(address) as store:
        journal = ItemJournal(store, Dying(), now=lambda: NOW)
        await journal.open()
        with pytest.raises(ConnectionError):
            await journal.observe(draft())
    producer = RecordingProducer()
    async with open_store(address) as store:
        journal = ItemJournal(store, producer, now=lambda: NOW + timedelta(minutes=5))
        await journal.open()
        assert [(item.id, item.revision) for item in producer.messages] == [(draft().id, 1)]
        assert (await journal.observe(draft())).outcome is Outcome.UNCHANGED


async def test_missing_items_are_told_but_not_those_that_the_list_may_have_dropped(town: Town) -> None:
    await town.journal.observe(draft())
    await town.journal.observe(
        draft(id=item_id(SOURCE, "2"), native_id="2"), listed_until=NOW - timedelta(days=1)
    )
    await town.journal.observe(draft(id=item_id(SOURCE, "3"), native_id="3"))
    assert await town.journal.missing(SOURCE, [item_id(SOURCE, "3")]) == [item_id(SOURCE, "1")]


class Unreachable(RecordingProducer):
    """Kafka that does not answer at first."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    async def publish(self, *messages: ContentItemV1) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        await super().publish(*messages)


async def test_what_could_not_be_published_is_published_when_it_is_seen_again(tmp_path: Path) -> None:
    producer = Unreachable(failures=1)
    async with open_store(f"sqlite:///{tmp_path / 'journal.db'}") as store:
        journal = ItemJournal(store, producer, now=lambda: NOW)
        await journal.open()
        with pytest.raises(ConnectionError):
            await journal.observe(draft())
        assert producer.messages == []
        await journal.observe(draft())
        await journal.observe(draft())
        assert [item.revision for item in producer.messages] == [1]


async def test_what_could_not_be_published_goes_before_its_withdrawal(tmp_path: Path) -> None:
    producer = Unreachable(failures=1)
    async with open_store(f"sqlite:///{tmp_path / 'journal.db'}") as store:
        journal = ItemJournal(store, producer, now=lambda: NOW)
        await journal.open()
        with pytest.raises(ConnectionError):
            await journal.observe(draft())
        await journal.withdraw(draft().id)
        assert [(item.revision, item.withdrawn) for item in producer.messages] == [(1, False), (2, True)]
