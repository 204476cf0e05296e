import itertools
from datetime import UTC, datetime, timedelta

import pytest
from gateway_api.domain import letters, readings
from gateway_api.domain.errors import Conflict
from gateway_api.domain.items import area_terms, happens_now, pulse_order, search_terms
from gateway_api.domain.residents_record import FeedNews, in_order, message, reasons_of
from kommunepuls_events import (
    Channel,
    DeliveryState,
    DeliveryV1,
    Kind,
    Lifecycle,
    LifecycleState,
    Match,
    MatchV2,
    Quality,
    Reason,
    ReasonType,
    RecipientGroup,
)
from kommunepuls_events.dead_letters import DeadLetter

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
_AROUND = {"brygga": ("havna", "town"), "havna": ("town",), "town": (), "nordmarka": ("town",)}


@pytest.mark.parametrize(
    ("followed", "found"),
    [
        ("havna", {"havna", "brygga", "town"}),
        ("brygga", {"havna", "brygga", "town"}),
        ("town", {"havna", "brygga", "town", "nordmarka"}),
        ("nordmarka", {"nordmarka", "town"}),
    ],
)
def test_an_area_finds_what_lies_in_it_and_what_concerns_the_areas_around(
    followed: str, found: set[str]
) -> None:
    wanted = set(search_terms(followed, _AROUND.__getitem__))
    assert {area for area in _AROUND if wanted & set(area_terms([area], _AROUND.__getitem__))} == found


def test_the_pulse_shows_what_is_new_or_goes_on(make_item) -> None:
    day = timedelta(days=1)

    def live(**fields) -> bool:
        item = make_item(**({"published_at": NOW - timedelta(hours=1)} | fields))
        return happens_now(item, NOW, window=3 * day)

    assert live()
    assert not live(published_at=NOW - 5 * day)
    assert not live(valid_until=NOW - timedelta(minutes=1))
    assert not live(exercise=True)
    assert not live(lifecycle=Lifecycle(state=LifecycleState.WITHDRAWN))
    assert live(kind=Kind.ALERT, published_at=NOW - 5 * day, valid_until=NOW + day)
    assert live(kind=Kind.EVENT, published_at=NOW - 30 * day, starts_at=NOW + day)
    assert live(kind=Kind.EVENT, published_at=NOW - 30 * day, starts_at=NOW + 6 * day)
    assert not live(kind=Kind.EVENT, starts_at=NOW + 20 * day)


def test_warnings_come_before_newer_items(make_item) -> None:
    warning = make_item("w", kind=Kind.ALERT, published_at=NOW - timedelta(hours=9))
    newer = make_item("n", published_at=NOW)
    assert sorted([newer, warning], key=pulse_order) == [warning, newer]


def test_a_sensors_history_is_the_same_in_whatever_order_readings_come(make_reading) -> None:
    some = [make_reading(18 + step, NOW + timedelta(hours=step)) for step in range(3)]
    some.append(make_reading(0.0, NOW + timedelta(hours=4), quality=Quality.BAD))
    outcomes = []
    for order in itertools.permutations(some):
        document = None
        for reading in (*order, *order[:2]):
            document = readings.merged(document, [reading])
        outcomes.append(document)
    assert all(one == outcomes[0] for one in outcomes)
    now = readings.sensor_now(outcomes[0])
    assert now is not None
    assert (now.value, len(now.history)) == (20, 3)
    assert outcomes[0]["heard_at"] == NOW + timedelta(hours=4)


def test_a_sensor_without_a_good_value_says_nothing(make_reading) -> None:
    assert readings.sensor_now(readings.merged(None, [make_reading(None, NOW)])) is None


def entry(before: dict | None, match: Match) -> dict | None:
    """The feed entry of the first recipient."""
    return FeedNews(match).entry(before, *next(match.each()))


def test_a_replayed_or_older_match_changes_nothing(make_item, make_match) -> None:
    second = make_match(make_item(revision=2), "s-1")
    kept = entry(None, second)
    assert kept is not None
    assert entry(kept, second) is None
    assert entry(kept, make_match(make_item(revision=1), "s-1")) is None
    later = entry(kept, make_match(make_item(revision=3), "s-1"))
    assert later is not None
    assert later["first_matched_at"] == kept["matched_at"]


def test_a_feed_entry_holds_no_body(make_item, make_match) -> None:
    assert "long" not in entry(None, make_match(make_item(body="<p>long</p>"), "s-1"))["snapshot"]


def test_each_resident_reads_their_own_reasons(make_item) -> None:
    home = Reason(type=ReasonType.PLACE, place="home")
    music = Reason(type=ReasonType.INTEREST, interest="music")
    item = make_item()
    match = MatchV2(
        id=f"{item.id}#1#0#0", item=item, shard=0, chunk=0, matched_at=NOW,
        reasons=(home, music),
        groups=(
            RecipientGroup(because=(1,), subscribers=("s-1", "s-2")),
            RecipientGroup(because=(0, 1), subscribers=("s-3", "s-4"), distances_metres=(80, 120.5)),
        ),
    )  # fmt: skip
    news = FeedNews(match)
    found = {name: reasons_of(news.entry(None, name, reasons)) for name, reasons in match.each()}
    assert found == {
        "s-1": [music],
        "s-2": [music],
        "s-3": [home.model_copy(update={"distance_metres": 80.0}), music],
        "s-4": [home.model_copy(update={"distance_metres": 120.5}), music],
    }


def test_messages_end_in_the_newest_state_in_whatever_order_deliveries_come() -> None:
    steps = [
        DeliveryV1(
            subscriber="s-1", item="i", revision=1, channel=Channel.EMAIL, state=state,
            at=NOW + timedelta(minutes=minute),
        )
        for minute, state in enumerate((DeliveryState.HELD, DeliveryState.FAILED, DeliveryState.SENT))
    ]  # fmt: skip
    for order in itertools.permutations(steps):
        document = None
        for delivery in (*order, *order):
            document = message(document, delivery) or document
        assert document is not None
        assert [step["state"] for step in document["steps"]] == ["held", "failed", "sent"]
        assert document["state"] == "sent"


def test_reasons_stand_with_the_weightiest_first() -> None:
    given = [
        Reason(type=ReasonType.INTEREST, interest="bathing"),
        Reason(type=ReasonType.PLACE, place="far", distance_metres=900),
        Reason(type=ReasonType.PLACE, place="near", distance_metres=20),
        Reason(type=ReasonType.EMERGENCY),
    ]
    assert [one.place or one.type for one in in_order(given)] == ["emergency", "near", "far", "interest"]


def _letter(topic: str, letter: DeadLetter, original: list[tuple[str, bytes]]) -> dict:
    headers = letter.headers(original)
    return letters.letter_document(topic=topic, key="k", value=b"raw", headers=headers, received_at=NOW)


def test_a_dead_letter_goes_back_as_it_was() -> None:
    original = [("ce_id", b"1"), ("traceparent", b"00-x")]
    document = _letter(
        "content.v1.dead",
        DeadLetter("invalid-json", "bad", "notifier", topic="content.v1", partition=3, offset=9),
        original,
    )
    out = letters.outgoing(document)
    assert (out.topic, out.key, out.value, out.headers) == ("content.v1", "k", b"raw", original)
    assert out.partition is None


def test_an_offer_goes_back_to_its_partition_which_no_key_leads_to() -> None:
    dead = DeadLetter("x", "y", "personaliser", topic="offers.v1", partition=4, offset=1)
    assert letters.outgoing(_letter("offers.v1.dead", dead, [])).partition == 4


def test_a_reject_goes_to_replays_with_its_headers() -> None:
    reject = DeadLetter("no-title", "no title", "ingest-feeds", source="NO-9901/rss", entry="item")
    out = letters.outgoing(_letter("rejects.v1", reject, []))
    assert out.topic == "replays.v1"
    assert DeadLetter.from_headers(out.headers).entry == "item"


def test_a_record_without_readable_headers_is_kept_but_cannot_be_replayed() -> None:
    document = letters.letter_document(
        topic="content.v1.dead", key="k", value=None, headers=[("dl_at", b"never")], received_at=NOW
    )
    assert document["reason"] == "unreadable-headers"
    for topic in ("rejects.v1", "nowhere.dead"):
        kept = letters.letter_document(topic=topic, key="k", value=b"", headers=[], received_at=NOW)
        with pytest.raises(Conflict):
            letters.outgoing(kept)
