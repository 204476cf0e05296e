"""The attention budget: which messages of a day arrive at once, and which wait for a digest.

A resident's day has so many places. A message takes one before it is sent and keeps it, so that what is tried
again, or sent over a second channel, takes no other. Where more come together than there are places, the more
important go first.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from kommunepuls_events import ContentItemV1, Kind, SubscriberProfileV1

from notifier.domain.local_time import zone_of

CAUSE = "attention-budget"


class Verdict(StrEnum):
    """What the budget says of a message."""

    GRANTED = "granted"
    """It has a place of that day."""
    OUTRANKED = "outranked"
    """More important ones are about to be decided on, and there may be no place left: look again."""
    SPENT = "spent"
    """There is no place left on that day."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A message that wants to arrive at once.

    Attributes:
        subject: item and revision: the same over all channels.
        importance: see :func:`importance_of`.
        since: when it was reserved.
    """

    subject: str
    importance: int
    since: datetime

    @property
    def rank(self) -> tuple[int, datetime, str]:
        """Sorts the most important first, then the oldest."""
        return (-self.importance, self.since, self.subject)


def importance_of(item: ContentItemV1, follow_up: bool) -> int:
    """Severity first; of equal severity warnings, then what corrects or takes back what was told."""
    return item.severity.rank * 4 + (2 if item.kind is Kind.ALERT else 0) + (1 if follow_up else 0)


def limit_for(item: ContentItemV1, profile: SubscriberProfileV1) -> int | None:
    """How many messages a day may arrive at once if this is one of them; None if nothing holds it back."""
    return None if item.emergency else profile.messages_a_day


def local_day(profile: SubscriberProfileV1, now: datetime) -> date:
    """The day that it is where the resident lives."""
    return now.astimezone(zone_of(profile.timezone)).date()


def judge(limit: int, taken: Collection[str], wanting: Contender, others: Iterable[Contender]) -> Verdict:
    """Whether a message gets a place.

    Args:
        taken: subjects that hold places of that day; more than `limit` where the resident has lowered it.
        others: messages to the same resident that are to be decided on now.
    """
    if wanting.subject in taken:
        return Verdict.GRANTED
    left = limit - len(taken)
    if left <= 0:
        return Verdict.SPENT
    ahead = {other.subject for other in others if other.rank < wanting.rank} - {*taken, wanting.subject}
    return Verdict.GRANTED if len(ahead) < left else Verdict.OUTRANKED
