"""Calendars of strangers as items."""

from datetime import UTC, datetime

import pytest
from ingest_feeds.domain.calendars import item_of, parse_calendar
from ingest_feeds.domain.sources import CalendarSource
from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.town import Town
from kommunepuls_events import ContentItemV1

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TOWN = Town(code="NO-9901", name="Fjordvik")
SOURCE = CalendarSource(id="kultur", type="ical", url="https://fjordvik.example/ics", interests=("culture",))


def calendar(*events: str) -> bytes:
    inner = "".join(f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{inner}END:VCALENDAR\r\n".encode()


def items(body: bytes) -> tuple[list[ContentItemV1 | None], list[str]]:
    events, refused = parse_calendar(body, now=NOW, days_ahead=120)
    drafts = []
    for event in events:
        try:
            drafts.append(item_of(event, TOWN, SOURCE, now=NOW, first_seen=None))
        except RejectedInput as problem:
            refused.append((event.uid, problem))
    return drafts, [problem.reason for _, problem in refused]


def test_a_floating_time_is_the_towns_time() -> None:
    ((item,), _) = items(
        calendar(
            "UID:1\r\nSUMMARY:Konsert\r\nDTSTART:20261205T180000\r\nDTEND:20261205T200000\r\nLOCATION:Fjordvik kirke"
        )
    )
    assert item.starts_at == datetime(2026, 12, 5, 17, 0, tzinfo=UTC)
    assert (item.ends_at - item.starts_at).seconds == 7200
    assert item.place_name == "Fjordvik kirke"


def test_a_day_is_a_day_in_the_town_also_when_its_end_is_written_as_its_start() -> None:
    for end in ("", "\r\nDTEND;VALUE=DATE:20261205", "\r\nDTEND;VALUE=DATE:20261206"):
        ((item,), _) = items(calendar(f"UID:1\r\nSUMMARY:Marked\r\nDTSTART;VALUE=DATE:20261205{end}"))
        assert (item.starts_at, item.ends_at) == (
            datetime(2026, 12, 4, 23, tzinfo=UTC),
            datetime(2026, 12, 5, 23, tzinfo=UTC),
        )


def test_a_series_is_one_item_that_shows_its_next_date_without_what_was_left_out() -> None:
    event = "UID:1\r\nSUMMARY:Åpen kirke\r\nDTSTART:20260901T100000Z\r\nDTEND:20260901T110000Z\r\nRRULE:FREQ=WEEKLY\r\nEXDATE:20261124T100000Z"
    ((item,), _) = items(calendar(event))
    assert item.starts_at == datetime(2026, 12, 1, 10, tzinfo=UTC)


def test_a_series_that_is_over_and_a_private_event_are_not_shown() -> None:
    over = "UID:1\r\nSUMMARY:x\r\nDTSTART:20200901T100000Z\r\nRRULE:FREQ=WEEKLY;COUNT=3"
    private = "UID:2\r\nSUMMARY:x\r\nDTSTART:20261201T100000Z\r\nCLASS:PRIVATE"
    assert items(calendar(over, private)) == ([], [])


def test_a_cancelled_event_is_withdrawn() -> None:
    ((item,), _) = items(calendar("UID:1\r\nSUMMARY:x\r\nDTSTART:20261201T100000Z\r\nSTATUS:CANCELLED"))
    assert item.withdrawn


def test_escapes_and_folded_lines_are_read_and_html_is_cleaned() -> None:
    event = "UID:1\r\nSUMMARY:Kaffe\\, vafler\\; og\r\n  prat\r\nDESCRIPTION:<p>Hei</p><script>x</script>\r\nDTSTART:20261201T100000Z"
    ((item,), _) = items(calendar(event))
    assert (item.title, item.body) == ("Kaffe, vafler; og prat", "<p>Hei</p>")


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("SUMMARY:x\r\nDTSTART:20261201T100000Z", "no-id"),
        ("UID:1\r\nSUMMARY:x", "no-start"),
        ("UID:1\r\nDTSTART:20261201T100000Z", "no-text"),
        ("UID:1\r\nSUMMARY:x\r\nDTSTART:20261202T100000Z\r\nDTEND:20261201T100000Z", "bad-times"),
        ("UID:1\r\nSUMMARY:x\r\nDTSTART:20261201T100000Z\r\nGEO:6557120;569832", "bad-coordinates"),
    ],
)
def test_a_bad_event_is_refused_alone(event: str, reason: str) -> None:
    good = "UID:9\r\nSUMMARY:God\r\nDTSTART:20261201T100000Z"
    drafts, reasons = items(calendar(event, good))
    assert [item.title for item in drafts] == ["God"]
    assert reasons == [reason]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1", b"\xff\xfe\x00"]
)
def test_what_is_no_calendar_is_refused(body: bytes) -> None:
    with pytest.raises(RejectedInput) as refused:
        parse_calendar(body, now=NOW, days_ahead=120)
    assert refused.value.reason == "not-a-calendar"
