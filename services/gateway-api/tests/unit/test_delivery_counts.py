from datetime import UTC, date, datetime, timedelta

import pytest
from gateway_api.domain.columns_chart import columns_chart
from gateway_api.domain.delivery_counts import DayKey, by_day, counted, period_of
from gateway_api.domain.gains import gains
from gateway_api.domain.source_health import health_of
from hypothesis import given
from hypothesis import strategies as st
from kommunepuls_events import Channel, DeliveryState, DeliveryV1, SourceStatusV1

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def a_delivery(at: datetime = NOON, state: DeliveryState = DeliveryState.SENT, **fields) -> DeliveryV1:
    given_fields = {"channel": Channel.EMAIL, "item": "NO-9901/nyheter/1", "revision": 1, "subscriber": "s-1"}
    return DeliveryV1(state=state, at=at, **(given_fields | fields))


def _taken(documents: dict, partition: int, told: list[tuple[int, DeliveryV1]]) -> None:
    for key, some in by_day(partition, told).items():
        after = counted(documents.get(key), key, some)
        if after is not None:
            documents[key] = after


_DELIVERIES = st.lists(
    st.builds(
        a_delivery,
        at=st.integers(0, 72).map(lambda hours: NOON + timedelta(hours=hours)),
        state=st.sampled_from(DeliveryState),
        channel=st.sampled_from(Channel),
        cause=st.sampled_from([None, "daily", "hard-bounce"]),
        item=st.sampled_from(["NO-9901/a/1", "SE-1761/b/2"]),
    ),
    max_size=30,
)


@given(_DELIVERIES, st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6))
def test_however_often_a_partition_is_read_again_each_delivery_counts_once(deliveries, again) -> None:
    told = list(enumerate(deliveries))
    once: dict = {}
    _taken(once, 0, told)
    often: dict = {}
    for offset, one in told:
        _taken(often, 0, [(offset, one)])
        # A consumer that was killed goes back some way and reads on.
        for back, length in again:
            _taken(often, 0, told[max(offset - back, 0) : min(offset - back + length, offset + 1)])
    assert often == once
    assert sum(number for one in once.values() for *_, number in one["counts"]) == len(deliveries)


def test_partitions_are_counted_apart_and_put_together() -> None:
    documents: dict = {}
    _taken(documents, 0, [(5, a_delivery())])
    _taken(documents, 1, [(5, a_delivery())])
    assert set(documents) == {DayKey("NO-9901", date(2026, 11, 20), partition) for partition in (0, 1)}
    period = period_of(documents.values(), NOON + timedelta(minutes=5), timedelta(days=1), "Europe/Oslo")
    assert period.rows == (("email", "sent", "", 2),)


def test_a_day_is_shown_by_hours_and_a_week_by_the_days_of_the_town() -> None:
    documents: dict = {}
    late = datetime(2026, 11, 19, 23, 30, tzinfo=UTC)
    told = [a_delivery(late), a_delivery(NOON), a_delivery(NOON, DeliveryState.FAILED, cause="hard-bounce")]
    _taken(documents, 0, list(enumerate(told)))
    day = period_of(documents.values(), NOON, timedelta(days=1), "Europe/Oslo")
    assert len(day.columns) == 24
    assert [(at.hour, dict(numbers)) for at, numbers in day.columns if numbers] == [
        (0, {"email": 1}),
        (13, {"email": 1}),
    ]
    week = period_of(documents.values(), NOON, timedelta(days=7), "Europe/Oslo")
    assert len(week.columns) == 7
    # Half past eleven in UTC is after midnight in Oslo.
    assert [(at.day, dict(numbers)) for at, numbers in week.columns if numbers] == [(20, {"email": 2})]
    assert (week.total(state="sent"), week.total(state="failed"), week.total()) == (2, 1, 3)


@pytest.mark.parametrize(
    "now", [datetime(2026, 3, 29, 10, tzinfo=UTC), datetime(2026, 10, 25, 10, tzinfo=UTC)]
)
def test_days_of_23_and_25_hours_are_days(now) -> None:
    documents: dict = {}
    _taken(documents, 0, [(hour, a_delivery(now - timedelta(hours=hour))) for hour in range(20)][::-1])
    week = period_of(documents.values(), now, timedelta(days=7), "Europe/Oslo")
    assert [at.hour for at, _ in week.columns] == [0] * 7
    assert sum(sum(numbers.values()) for _, numbers in week.columns) == week.total()


def test_what_is_saved_is_what_every_message_would_have_cost_more() -> None:
    worked = gains({"email": 900, "push": 100}, digital=3, others={"phone": 40, "desk": 80, "letter": 110})
    assert (worked.sent, worked.cost) == (1000, 3000)
    assert [(way.way, way.saved) for way in worked.ways] == [
        ("phone", 37_000), ("desk", 77_000), ("letter", 107_000),
    ]  # fmt: skip


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["email", "push"]), st.integers(0, 100_000)), min_size=1, max_size=40
    )
)
def test_columns_are_as_high_as_their_numbers_and_stay_inside(numbers) -> None:
    columns = [(NOON + timedelta(hours=hour), one) for hour, one in enumerate(numbers)]
    chart = columns_chart(columns, ["email", "push"])
    if not any(sum(one.values()) for one in numbers):
        assert chart is None
        return
    assert chart is not None
    (bottom, _), (top, highest) = chart.values[0], chart.values[-1]
    assert highest >= max(sum(one.values()) for one in numbers)
    for part in chart.columns:
        assert chart.left <= part.x <= part.x + part.width <= chart.right
        assert top - 0.2 <= part.y <= part.y + part.height <= bottom + 0.2
    for name in ("email", "push"):
        drawn = sum(part.height for part in chart.columns if part.series == name)
        wanted = sum(one.get(name, 0) for one in numbers) * (bottom - top) / highest
        assert drawn == pytest.approx(wanted, abs=0.1 * len(numbers) + 0.1)


def test_sources_that_need_a_hand_come_first_and_say_how_late_they_are() -> None:
    def status(name: str, **fields) -> SourceStatusV1:
        return SourceStatusV1(
            source=f"NO-9901/{name}",
            municipality="NO-9901",
            service="ingest-feeds",
            type="rss",
            at=NOON,
            **fields,
        )

    told = health_of(
        [
            status("well", next_attempt_at=NOON + timedelta(minutes=5)),
            status("pushes"),
            status("late", next_attempt_at=NOON - timedelta(minutes=30), rejects={"no-id": 2, "no-text": 1}),
            status("failing", error="the token is dead: make a new one"),
        ],
        NOON,
    )
    assert [(one.status.source.partition("/")[2], one.word) for one in told] == [
        ("failing", "failing"), ("late", "late"), ("pushes", "well"), ("well", "well"),
    ]  # fmt: skip
    assert (told[1].behind, told[1].rejected) == (timedelta(minutes=30), 3)
