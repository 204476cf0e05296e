"""How fast one token may ask, as the usage headers of its answers say."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from kommunepuls_chassis.errors import ThrottledError
from kommunepuls_chassis.logs import get_logger

from ingest_facebook.domain.usage import Usage, usage_of


class Pace:
    """Shared by all that ask with the same token."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._usage = Usage()
        self._paused_until: datetime | None = None
        self._log = get_logger()

    @property
    def factor(self) -> float:
        """How many times longer than usual to wait between polls."""
        return self._usage.factor

    def check(self) -> None:
        """Raises:
        ThrottledError: while asking is paused, with the seconds that are left.
        """
        if self._paused_until is None:
            return
        left = (self._paused_until - self._now()).total_seconds()
        if left > 0:
            raise ThrottledError(
                f"the allowance at Facebook is used up: asking again in {left:.0f} s", delay_seconds=left
            )
        self._paused_until = None

    def note(self, headers: Mapping[str, str]) -> Usage:
        """Take the usage headers of an answer into account."""
        usage = usage_of(headers)
        if usage.factor != self._usage.factor:
            self._log.info("allowance_used", percent=usage.percent, slower_by=round(usage.factor, 2))
        self._usage = usage
        if usage.pause_seconds:
            self.pause(usage.pause_seconds)
        return usage

    def pause(self, seconds: float) -> None:
        """Ask nothing for so long, or as long as was said before if that is longer."""
        until = self._now() + timedelta(seconds=seconds)
        if self._paused_until is None or until > self._paused_until:
            self._paused_until = until
            self._log.warning("asking_paused", seconds=round(seconds))
