"""W3C trace context (https://www.w3.org/TR/trace-context/), carried from ingest to delivery."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

_SHAPE = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def new_traceparent(parent: str | None = None) -> str:
    """A traceparent for a new span: in the parent's trace if it is well-formed, else in a new one."""
    match = _SHAPE.match(parent or "")
    if match and match[1] != "0" * 32 and match[2] != "0" * 16:
        trace, flags = match[1], match[3]
    else:
        trace, flags = secrets.token_hex(16), "01"
    return f"00-{trace}-{secrets.token_hex(8)}-{flags}"


def trace_id(traceparent: str | None) -> str | None:
    """The trace's id, for logs."""
    match = _SHAPE.match(traceparent or "")
    return match[1] if match else None


def current_traceparent() -> str | None:
    """The traceparent of what is being worked on, None outside of a span."""
    return _current.get()


@contextmanager
def span(parent: str | None = None) -> Iterator[str]:
    """Work inside a new span; what is published and logged meanwhile carries it."""
    traceparent = new_traceparent(parent)
    token = _current.set(traceparent)
    with structlog.contextvars.bound_contextvars(trace=trace_id(traceparent)):
        try:
            yield traceparent
        finally:
            _current.reset(token)
