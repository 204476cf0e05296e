"""What becomes of a sending after an attempt."""

from dataclasses import replace
from datetime import timedelta

from kommunepuls_events import Channel
from notifier.domain.outcomes import Busy, NotNow, Reached, Refused, conclude
from notifier.domain.sendings import Sending, State, about, retry_at
from notifier.testing import AREA, NOON, item


def sending(**fields: object) -> Sending:
    return replace(about(item(), "s-1", Channel.PUSH, (AREA,), NOON, None), **fields)


def test_one_endpoint_reached_is_a_person_told() -> None:
    conclusion = conclude(sending(), {"a": Reached(), "b": Refused("http-400")}, NOON)
    after = conclusion.sending
    assert (after.state, after.endpoint, after.due_at, conclusion.news) == (State.SENT, "a", None, True)


def test_the_rest_is_tried_by_itself_and_told_of_no_more() -> None:
    first = conclude(sending(), {"a": Reached(), "b": NotNow("timeout")}, NOON).sending
    assert first.state is State.SENT
    assert first.due_at == NOON + timedelta(seconds=15)
    second = conclude(first, {"b": Reached()}, NOON)
    assert (second.news, second.sending.due_at, second.sending.told) == (False, None, True)
    assert second.sending.reached == ("a", "b")


def test_waiting_for_a_busy_provider_is_no_attempt() -> None:
    after = conclude(sending(), {"a": Busy()}, NOON).sending
    assert (after.attempt, after.state, after.due_at) == (0, State.RESERVED, NOON + timedelta(seconds=2))


def test_a_provider_that_stays_busy_is_given_up_after_two_days() -> None:
    conclusion = conclude(sending(), {"a": Busy()}, NOON + timedelta(days=2, seconds=1))
    assert (conclusion.sending.state, conclusion.sending.cause) == (State.FAILED, "provider-busy")
    assert conclusion.news


def test_refused_everywhere_is_a_permanent_failure_with_its_cause() -> None:
    after = conclude(sending(), {"a": Refused("endpoint-gone", gone=True)}, NOON).sending
    assert (after.state, after.permanence, after.cause) == (State.FAILED, "permanent", "endpoint-gone")


def test_delays_double_and_stop_at_an_hour() -> None:
    delays = [retry_at(sending(attempt=n), NOON) - NOON for n in range(1, 12)]
    assert delays[:4] == [timedelta(seconds=seconds) for seconds in (15, 30, 60, 120)]
    assert max(delays) == timedelta(hours=1)


def test_a_link_is_not_tried_after_it_has_expired() -> None:
    expiring = sending(attempt=1, expires_at=NOON + timedelta(seconds=10))
    assert retry_at(expiring, NOON) is None
