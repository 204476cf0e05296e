"""The time, which tests may set."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kommunepuls_events.base import utc_now


@dataclass(frozen=True, slots=True)
class Clock:
    """Says what time it is."""

    now: Callable[[], datetime] = utc_now

    def after(self, seconds: float) -> datetime:
        """The time that many seconds from now."""
        return self.now() + timedelta(seconds=seconds)
