"""Trace context goes on in the same trace, or begins a new one."""

from kommunepuls_chassis.tracing import current_traceparent, new_traceparent, span, trace_id

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_child_stays_in_the_trace_with_a_span_of_its_own() -> None:
    child = new_traceparent(PARENT)
    assert trace_id(child) == trace_id(PARENT)
    assert child != PARENT


def test_a_malformed_parent_begins_a_new_trace() -> None:
    for bad in (None, "", "00-zz", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", PARENT.upper()):
        assert trace_id(new_traceparent(bad)) not in (None, trace_id(PARENT), "0" * 32)


def test_the_current_span_is_known_inside_and_unknown_outside() -> None:
    with span(PARENT) as traceparent:
        assert current_traceparent() == traceparent
    assert current_traceparent() is None
