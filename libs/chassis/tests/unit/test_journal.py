"""Revisions: what is new, changed, unchanged, news, withdrawn."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord
from kommunepuls_chassis.consumer import Received
from kommunepuls_chassis.errors import PermanentError
from kommunepuls_chassis.journal import ItemJournal, Outcome
from kommunepuls_chassis.replays import replay_handler
from kommunepuls_chassis.store import open_store
from kommunepuls_chassis.testing import RecordingProducer
from kommunepuls_events import (
    ContentItemV1,
    ContentRule,
    Judged,
    Kind,
    Lifecycle,
    LifecycleState,
    Link,
    Picture,
    RuleCondition,
    RuleEffect,
    Severity,
    as_sent,
    item_id,
    judge,
)
from kommunepuls_events.dead_letters import DeadLetter
from kommunepuls_events.topics import REPLAYS

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


class _Edited:
    """Rules that an editor changes while the journal is at work."""

    def __init__(self) -> None:
        self.rules: tuple[ContentRule, ...] = ()

    async def judge(self, item: ContentItemV1) -> Judged:
        return judge(item, self.rules)


@pytest.fixture
async def ruled(tmp_path: Path) -> AsyncIterator[tuple[ItemJournal, RecordingProducer, _Edited]]:
    producer, rules = RecordingProducer(), _Edited()
    async with open_store(f"sqlite:///{tmp_path / 'journal.db'}") as store:
        journal = ItemJournal(store, producer, rules=rules, now=lambda: NOW)
        await journal.open()
        yield journal, producer, rules


def a_rule(**then: object) -> ContentRule:
    when = RuleCondition(words=("trener*",))
    return ContentRule(id="r", name="Trenere", when=when, then=RuleEffect(**then))


async def test_a_rule_changes_what_is_published_and_what_it_was_goes_along(ruled) -> None:
    journal, producer, rules = ruled
    rules.rules = (a_rule(set_interests=("football",)),)
    await journal.observe(draft(interests=("sports",)))
    (item,) = producer.messages
    assert item.interests == ("football",)
    assert as_sent(item).interests == ("sports",)


async def test_a_change_of_the_rules_makes_no_revision_but_counts_for_the_next(ruled) -> None:
    journal, producer, rules = ruled
    await journal.observe(draft())
    rules.rules = (a_rule(severity=Severity.MODERATE, add_interests=("football",)),)
    assert (await journal.observe(draft())).outcome is Outcome.UNCHANGED
    seen = await journal.observe(draft(links=(Link(url="https://klubb.example/"),)))
    assert seen.item.interests == ("football",)
    assert seen.item.severity is Severity.MODERATE
    assert not seen.item.lifecycle.news
    assert len(producer.messages) == 2


async def test_what_a_rule_sets_stays_set_when_the_upstream_says_something_else(ruled) -> None:
    journal, _, rules = ruled
    rules.rules = (a_rule(severity=Severity.MODERATE),)
    await journal.observe(draft(severity=Severity.UNKNOWN))
    seen = await journal.observe(draft(severity=Severity.MINOR))
    assert (seen.item.severity, seen.item.lifecycle.news) == (Severity.MODERATE, False)
    assert seen.item.lifecycle.changes == ()


async def test_a_dropped_item_is_told_once_and_again_when_it_changes(ruled) -> None:
    journal, producer, rules = ruled
    rules.rules = (a_rule(drop=True),)
    seen = await journal.observe(draft())
    assert (seen.outcome, seen.item, seen.dropped_by.id) == (Outcome.DROPPED, None, "r")
    # Not noted: who was to show it died before it was shown, so it is told again.
    assert (await journal.observe(draft())).outcome is Outcome.DROPPED
    await journal.note_dropped(draft())
    assert (await journal.observe(draft())).outcome is Outcome.UNCHANGED
    assert (await journal.observe(draft(summary="Ny trener søkes."))).outcome is Outcome.DROPPED
    assert producer.messages == []


async def test_a_rule_that_is_turned_off_lets_the_next_look_publish_what_it_dropped(ruled) -> None:
    journal, producer, rules = ruled
    rules.rules = (a_rule(drop=True),)
    await journal.observe(draft())
    await journal.note_dropped(draft())
    rules.rules = ()
    assert (await journal.observe(draft())).outcome is Outcome.PUBLISHED
    assert len(producer.messages) == 1


async def test_who_was_told_of_an_item_hears_of_its_corrections_though_a_rule_would_drop_it_now(
    ruled,
) -> None:
    journal, producer, rules = ruled
    await journal.observe(draft())
    rules.rules = (a_rule(drop=True),)
    assert (await journal.observe(draft(title="Trener funnet"))).outcome is Outcome.UPDATED
    assert (await journal.withdraw(draft().id)).outcome is Outcome.WITHDRAWN
    assert [one.revision for one in producer.messages] == [1, 2, 3]


async def test_an_editor_can_let_a_dropped_item_through(ruled) -> None:
    journal, producer, rules = ruled
    rules.rules = (a_rule(drop=True),)
    raw = draft().to_json()
    letter = DeadLetter(reason="dropped-by-rule", detail="r", service="one", source=SOURCE, entry="dropped")
    taken: list[str] = []

    async def take_again(_source: str, entry: str, _raw: bytes) -> None:
        taken.append(entry)

    def received(service: str, value: bytes) -> Received:
        headers = replace(letter, service=service).headers()
        record = ConsumerRecord("replays.v1", 0, 0, 0, 0, b"k", value, None, 0, len(value), headers)
        return Received("replays.v1", 0, 0, "k", None, record)

    handle = replay_handler("one", take_again, journal)[REPLAYS]
    await handle([received("another", raw), received("one", raw), received("one", raw)])
    assert [item.title for item in producer.messages] == ["Trenere søkes"]
    assert taken == []
    with pytest.raises(PermanentError):
        await handle([received("one", b"{}")])
