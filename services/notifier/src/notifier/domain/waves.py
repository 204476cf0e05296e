"""A wave: one item on its way to many at once, with one entry for all of them instead of one for each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kommunepuls_events import Channel, Reason

from notifier.domain.identity import item_key
from notifier.domain.sendings import FOLLOW_UP, Kind, Lane, Sending, State

RESERVED, SENT, TOLD, LEFT = b"rstx"
"""Where one of its messages stands: reserved; taken by a provider; deliveries.v1 has been told of that; no part of the
wave any more, but a sending of its own, or nothing."""


@dataclass(slots=True, eq=False)
class Wave:
    """An item to many subscribers over web push.

    Attributes:
        importance: of its item; a follow-up's is one more.
        reasons: the different sets of reasons.
        subscribers, why: of each message, for whom, and which of the reasons.
        states: of each message, see above.
        fresh: nobody has held it before; else some of its messages may have left it since it was written.
    """

    key: str
    item: str
    revision: int
    lane: Lane
    created_at: datetime
    observed_at: datetime | None
    importance: int
    trace: str | None
    reasons: tuple[tuple[Reason, ...], ...]
    subscribers: Sequence[str]
    why: Sequence[int]
    states: bytearray
    fresh: bool = True
    samples: dict[int, Sending] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether nothing is left to do with it."""
        return RESERVED not in self.states and SENT not in self.states

    def places(self, state: int) -> list[int]:
        """Those that stand there."""
        return [place for place, one in enumerate(self.states) if one == state]

    def sample(self, why: int) -> Sending:
        """A sending to nobody, for these reasons: for what is the same for all."""
        if why not in self.samples:
            self.samples[why] = self._sending("", "", why)
        return self.samples[why]

    def sending(self, place: int) -> Sending:
        """The message as a sending of its own."""
        subscriber = self.subscribers[place]
        key = item_key(subscriber, self.item, self.revision, Channel.PUSH)
        return self._sending(key, subscriber, self.why[place])

    def _sending(self, key: str, subscriber: str, why: int) -> Sending:
        return Sending(
            key=key,
            kind=Kind.ITEM,
            subscriber=subscriber,
            channel=Channel.PUSH,
            lane=self.lane,
            created_at=self.created_at,
            due_at=None,
            item=self.item,
            revision=self.revision,
            reasons=self.reasons[why],
            importance=self.importance + (FOLLOW_UP in self.reasons[why]),
            state=State.RESERVED,
            observed_at=self.observed_at,
            trace=self.trace,
        )
