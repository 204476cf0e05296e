"""Asking the attention budget for messages that would be sent now, many at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from kommunepuls_events import SubscriberProfileV1

from notifier.domain.attention import Contender, Verdict, judge, local_day
from notifier.domain.sendings import Sending, contender
from notifier.records.attention import Attention, Day, Place
from notifier.records.ledger import Ledger
from notifier.service.clock import Clock


@dataclass(frozen=True, slots=True)
class Wish:
    """A message about an item that nothing else holds back, and how many a day there may be."""

    sending: Sending
    profile: SubscriberProfileV1
    limit: int


class Budget:
    """Gives out the places of residents' days. What it gives is in the store before it says so."""

    def __init__(self, ledger: Ledger, attention: Attention, clock: Clock, lease: timedelta) -> None:
        """`lease` says how far ahead in time a sending is due that somebody has in hand."""
        self._ledger = ledger
        self._attention = attention
        self._clock = clock
        self._lease = lease

    async def ask(self, wishes: Sequence[Wish]) -> list[Verdict]:
        """The verdict on each. Wishes for one message (over two channels) have one limit."""
        now = self._clock.now()
        subjects = [_Subject.of(wish, local_day(wish.profile, now)) for wish in wishes]
        others = await self._ledger.contenders({one.day.subscriber for one in subjects}, now + self._lease)
        # The same message over two channels is asked for once.
        open_subjects = {one.key: one for one in sorted(subjects, key=lambda one: one.wanting.rank)}
        verdicts: dict[tuple[Day, str], Verdict] = {}
        while open_subjects:
            verdicts |= await self._round(list(open_subjects.values()), others)
            # Who lost a place to another process asks again: there is one place less.
            open_subjects = {key: one for key, one in open_subjects.items() if key not in verdicts}
        return [verdicts[one.key] for one in subjects]

    async def _round(
        self, subjects: Sequence["_Subject"], others: Mapping[str, Sequence[Contender]]
    ) -> dict[tuple[Day, str], Verdict]:
        taken = await self._attention.taken({one.day for one in subjects})
        judged: dict[tuple[Day, str], Verdict] = {}
        wanted: list[tuple[_Subject, Place]] = []
        for one in subjects:
            places = taken[one.day]
            verdict = judge(one.limit, places.values(), one.wanting, others.get(one.day.subscriber, ()))
            if verdict is not Verdict.GRANTED or one.wanting.subject in places.values():
                judged[one.key] = verdict
                continue
            number = next(number for number in range(len(places) + 1) if number not in places)
            places[number] = one.wanting.subject
            wanted.append((one, Place(one.day, number, one.wanting.subject)))
        won = await self._attention.take([place for _, place in wanted], self._clock.now()) if wanted else []
        return judged | {
            one.key: Verdict.GRANTED for (one, _), is_ours in zip(wanted, won, strict=True) if is_ours
        }


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is asked for: a place of a day for a message."""

    day: Day
    wanting: Contender
    limit: int

    @classmethod
    def of(cls, wish: Wish, day: date) -> "_Subject":
        return cls(Day(wish.sending.subscriber, day), contender(wish.sending), wish.limit)

    @property
    def key(self) -> tuple[Day, str]:
        return self.day, self.wanting.subject
