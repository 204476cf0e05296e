from datetime import timedelta

from gateway_api.domain import outbox
from gateway_api.domain.subscribers import command, erased_document
from kommunepuls_events import ContactAction
from kommunepuls_events.base import utc_now

NOW = utc_now()


def _entry(endpoint: str) -> outbox.Entry:
    return outbox.entry_for(command("s-1", ContactAction.RETIRE, NOW, endpoint=endpoint))


def test_entries_stay_in_the_order_they_were_written() -> None:
    document = outbox.with_entries({"state": "active"}, [_entry("a"), _entry("b")], NOW)
    document = outbox.with_entries(document, [_entry("c")], NOW)
    assert [entry.message().endpoint for entry in outbox.entries_of(document)] == ["a", "b", "c"]
    assert document["state"] == "active"


def test_a_change_leaves_the_lease_of_the_publisher_at_work() -> None:
    document = outbox.with_entries({}, [_entry("a")], NOW)
    leased = document | {outbox.DUE_FIELD: NOW + timedelta(seconds=30)}
    changed = outbox.with_entries(leased, [_entry("b")], NOW + timedelta(seconds=1))
    assert changed[outbox.DUE_FIELD] == NOW + timedelta(seconds=30)


def test_what_was_added_while_publishing_is_due_at_once() -> None:
    first, second = _entry("a"), _entry("b")
    document = outbox.with_entries({}, [first, second], NOW)
    left = outbox.without(document, {first.id}, NOW)
    assert [entry.id for entry in outbox.entries_of(left)] == [second.id]
    assert left[outbox.DUE_FIELD] == NOW
    assert outbox.without(left, {second.id}, NOW)[outbox.DUE_FIELD] is None


def test_an_erasure_waits_for_the_publisher_at_work_and_drops_what_waited() -> None:
    leased_until = NOW + timedelta(seconds=20)
    before = outbox.with_entries({"profile": "{}"}, [_entry("a")], NOW) | {outbox.DUE_FIELD: leased_until}
    document = erased_document(before, "s-1", NOW)
    kinds = [entry.kind for entry in outbox.entries_of(document)]
    assert kinds == [outbox.EntryKind.TOMBSTONE, outbox.EntryKind.COMMAND]
    assert document[outbox.DUE_FIELD] == leased_until
    assert "profile" not in document
    assert erased_document({}, "s-1", NOW)[outbox.DUE_FIELD] == NOW
