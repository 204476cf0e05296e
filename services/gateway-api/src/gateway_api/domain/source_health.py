"""How each source is doing, as operators see it: what is behind, and what needs a hand."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kommunepuls_events import SourceStatusV1

_PATIENCE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """A source with a word on it: ``well``, ``late`` or ``failing``; ``behind`` is how late it is."""

    status: SourceStatusV1
    word: str
    behind: timedelta | None

    @property
    def rejected(self) -> int:
        """How much of it could not be taken."""
        return sum(self.status.rejects.values())


def health_of(statuses: Iterable[SourceStatusV1], now: datetime) -> list[SourceHealth]:
    """All sources, those that need a hand first."""
    found = []
    for status in statuses:
        due = status.next_attempt_at
        behind = now - due if due is not None and now - due > _PATIENCE else None
        word = "failing" if status.error else "late" if behind else "well"
        found.append(SourceHealth(status, word, behind))
    order = ("failing", "late", "well")
    return sorted(found, key=lambda one: (order.index(one.word), one.status.source))
