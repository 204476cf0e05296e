"""What becomes of a sending after an attempt at each of its endpoints."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kommunepuls_events import Permanence

from notifier.domain.sendings import Sending, State, last_chance, retry_at


@dataclass(frozen=True, slots=True)
class Reached:
    """The provider has taken it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It never will take it; with `gone` the endpoint is of no use any more."""

    cause: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class NotNow:
    """It may take it later; `delay` is what it asks for."""

    cause: str
    delay: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Busy:
    """We did not ask: too many are waiting for that provider already. No attempt; again after `delay`."""

    delay: timedelta = timedelta(seconds=2)


Outcome = Reached | Refused | NotNow | Busy


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The sending as it is from now on (`due_at` None: it is over), and whether that is to be told."""

    sending: Sending
    news: bool


def conclude(sending: Sending, outcomes: Mapping[str, Outcome], now: datetime) -> Conclusion:
    """Take the outcomes of one attempt in, by endpoint id.

    A person is told when one endpoint has it; the others go on being tried by themselves.
    """
    reached = [name for name, outcome in outcomes.items() if isinstance(outcome, Reached)]
    refused = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, Refused)}
    later = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, NotNow)}
    busy = {name: outcome.delay for name, outcome in outcomes.items() if isinstance(outcome, Busy)}
    after = replace(
        sending,
        attempt=sending.attempt + (1 if reached or refused or later else 0),
        reached=(*sending.reached, *reached),
        lost=(*sending.lost, *refused),
        due_at=_next(sending, later, busy, now),
    )
    if after.reached:
        first = reached[0] if reached else sending.endpoint
        news = not sending.reached
        done = replace(after, state=State.SENT, cause=None, endpoint=first, told=not news)
        return Conclusion(done, news)
    if after.due_at is not None:
        cause = next(iter(later.values())).cause if later else sending.cause
        return Conclusion(replace(after, state=State.RESERVED, cause=cause), False)
    if later or busy:
        name, cause = next(
            ((n, o.cause) for n, o in later.items()), (next(iter(busy), None), "provider-busy")
        )
        permanence = Permanence.TRANSIENT
    else:
        name, cause = next(((n, o.cause) for n, o in refused.items()), (None, "no-endpoint"))
        permanence = Permanence.PERMANENT
    failed = replace(
        after, state=State.FAILED, cause=cause, permanence=str(permanence), endpoint=name, told=False
    )
    return Conclusion(failed, True)


def _next(
    sending: Sending, later: Mapping[str, NotNow], busy: Mapping[str, timedelta], now: datetime
) -> datetime | None:
    """When to try the endpoints that are left; None if there are none or it is too late."""
    moments = []
    if later:
        delays = [outcome.delay for outcome in later.values() if outcome.delay is not None]
        moments.append(
            retry_at(replace(sending, attempt=sending.attempt + 1), now, min(delays, default=None))
        )
    if busy and (again := now + min(busy.values())) <= last_chance(sending):
        moments.append(again)
    return min((moment for moment in moments if moment is not None), default=None)
