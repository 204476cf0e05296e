"""Polling upstreams: each source on its own schedule, patient with limits, loud about what needs a hand."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

from kommunepuls_events.base import utc_now

from kommunepuls_chassis.errors import (
    OperatorError,
    PermanentError,
    RejectedInput,
    ThrottledError,
    TransientError,
)
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import SOURCE_POLLS
from kommunepuls_chassis.tracing import span

Poll = Callable[[], Awaitable[dict | None]]
"""Asks the upstream once; returns the new position, or None to keep the old one."""

LONGEST_BACKOFF_SECONDS = 1800.0
PERMANENT_RETRY_SECONDS = 900.0
"""A dead token is tried again now and then: an operator may have mended it on the other side."""


class SourcePoller:
    """Polls one source until cancelled."""

    def __init__(self, intake: SourceIntake, poll: Poll, health: Health) -> None:
        self._intake = intake
        self._poll = poll
        self._health = health.component(f"source {intake.id}", stale_after=0)
        self._failures = 0
        self._log = get_logger().bind(source=intake.id)

    async def run(self) -> None:
        """Poll, wait, poll."""
        self._health.beat(ready=True)
        while True:
            try:
                delay = await self.poll_once()
            except OperatorError:
                raise
            except Exception:
                # Its state could not be written or published: the store or Kafka does not answer now.
                self._log.exception("poll_not_recorded")
                self._failures += 1
                delay = self._backoff(self._intake.config.poll_seconds)
            self._health.beat()
            await asyncio.sleep(delay)

    async def poll_once(self) -> float:
        """Poll once, write down how it went, and return the seconds to wait."""
        interval = self._intake.config.poll_seconds
        position, error, outcome = None, None, "ok"
        try:
            with span():
                position = await self._poll()
            self._failures = 0
            delay = interval * random.uniform(0.95, 1.05)
        except ThrottledError as throttled:
            delay, error, outcome = max(throttled.delay_seconds, interval), str(throttled), "throttled"
        except PermanentError as permanent:
            delay, error, outcome = max(PERMANENT_RETRY_SECONDS, interval), str(permanent), "permanent"
        except (TransientError, RejectedInput) as failed:
            self._failures += 1
            delay, error, outcome = self._backoff(interval), str(failed), "transient"
        except OperatorError:
            raise
        except Exception as failed:
            # A fault of ours in one source must not stop the others.
            self._failures += 1
            self._log.exception("poll_failed")
            delay, error, outcome = self._backoff(interval), f"{type(failed).__name__}: {failed}", "error"
        SOURCE_POLLS.labels(self._intake.id, outcome).inc()
        if error:
            self._log.warning("poll_not_ok", outcome=outcome, error=error, delay_seconds=round(delay, 1))
        await self._intake.save(
            position=position, error=error, next_attempt_at=utc_now() + timedelta(seconds=delay)
        )
        return delay

    def _backoff(self, interval: float) -> float:
        longest = max(interval, min(interval * 2**self._failures, LONGEST_BACKOFF_SECONDS))
        return random.uniform(interval / 2, longest)
