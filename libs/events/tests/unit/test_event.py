"""Decoding records of strangers."""

import json

import pytest
from kommunepuls_events import Event, MalformedEvent, event_for, item_id
from kommunepuls_events.dead_letters import DeadLetter, original_headers
from kommunepuls_events.examples import examples

ITEM = examples()["kommunepuls.content-item.v1"]
EVENT = event_for(ITEM, producer="test")


def changed(**fields: object) -> bytes:
    return json.dumps(json.loads(EVENT.value()) | fields).encode()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b'{"id": "NO-9901', "invalid-json"),
        (b"[]", "invalid-message"),
        (b"\xff\xfe", "invalid-json"),
        (None, "tombstone"),
        (changed(published_at="2026-11-20T12:00:00"), "invalid-message"),
        (changed(published_at="0001-01-01T00:00:00+01:00"), "invalid-message"),
        (changed(geometry={"type": "Point", "coordinates": [569832.1, 6557120.4]}), "invalid-message"),
        (changed(geometry={"type": "Point", "coordinates": [59.13, 110.2, 1, 2]}), "invalid-message"),
        (changed(source="NO-0301/innsyn"), "invalid-message"),
        (changed(revision="one"), "invalid-message"),
        (changed(title="  "), "invalid-message"),
        (changed(confidence=float("nan")), "invalid-message"),
    ],
)
def test_a_bad_value_is_refused_with_its_reason(value: bytes | None, reason: str) -> None:
    with pytest.raises(MalformedEvent) as refused:
        Event.decode(value, EVENT.headers())
    assert refused.value.reason == reason


def test_five_megabytes_of_text_are_refused_and_not_kept_in_the_error() -> None:
    with pytest.raises(MalformedEvent) as refused:
        Event.decode(changed(body="x" * 5_000_000), EVENT.headers())
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("name", ["ce_id", "ce_source", "ce_type", "ce_time", "ce_subject"])
def test_a_missing_attribute_is_named(name: str) -> None:
    headers = [pair for pair in EVENT.headers() if pair[0] != name]
    with pytest.raises(MalformedEvent, match=name):
        Event.decode(EVENT.value(), headers)


def test_an_unknown_version_is_refused() -> None:
    headers = [*EVENT.headers(), ("ce_type", b"kommunepuls.content-item.v9")]
    with pytest.raises(MalformedEvent) as refused:
        Event.decode(EVENT.value(), headers)
    assert refused.value.reason == "unknown-type"


def test_a_field_of_a_newer_minor_version_is_ignored() -> None:
    assert Event.decode(changed(mood="sunny"), EVENT.headers()).data == ITEM


def test_times_are_normalised_to_utc() -> None:
    data = Event.decode(changed(published_at="2026-11-20T13:00:00+01:00"), EVENT.headers()).data
    assert data.published_at == ITEM.published_at
    assert data.published_at.utcoffset().total_seconds() == 0


def test_an_items_id_is_safe_and_different_ids_stay_different() -> None:
    assert item_id("NO-3907/feed", "2026/12 a") != item_id("NO-3907/feed", "2026/12_a")
    assert "\n" not in item_id("NO-3907/feed", "a\nb")
    long = [item_id("NO-3907/feed", "https://kommune.example/" + "x" * 300 + end) for end in "ab"]
    assert long[0] != long[1]
    assert len(long[0]) < 230


def test_a_dead_letter_keeps_the_original_headers_and_gives_them_back() -> None:
    letter = DeadLetter("invalid-json", "not JSON", "notifier", 3, EVENT.time, "content.v1", 2, 41)
    headers = letter.headers(EVENT.headers())
    assert DeadLetter.from_headers(headers) == letter
    assert original_headers(headers) == EVENT.headers()
    again = DeadLetter("handler-error", "again", "notifier").headers(headers)
    assert DeadLetter.from_headers(again).reason == "handler-error"


def test_a_reading_without_a_value_survives_the_way_through_kafka() -> None:
    reading = examples()["kommunepuls.sensor-reading.v1"].model_copy(
        update={"value": None, "name": "Storøya"}
    )
    event = event_for(reading, producer="test")
    assert Event.decode(event.value(), event.headers()).data == reading
