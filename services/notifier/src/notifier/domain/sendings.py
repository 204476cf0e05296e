"""A sending: one message to one person on one channel, from its reservation to its end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kommunepuls_events import Channel, ContentItemV1, Reason
from kommunepuls_events.vocabulary import ReasonType

from notifier.domain.attention import Contender, importance_of
from notifier.domain.identity import digest_key, item_key


class Kind(StrEnum):
    """What is sent."""

    ITEM = "item"
    DIGEST = "digest"
    LINK = "link"
    TEST = "test"


class State(StrEnum):
    """Where it stands. All but the first and the last are states of the contract's deliveries too."""

    RESERVED = "reserved"
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    HELD = "held"
    DIGESTED = "digested"
    IN_WAVE = "in-wave"
    """It is one of many that the ledger has a single entry for."""


class Lane(StrEnum):
    """Who waits for whom: each lane has senders of its own, so that the first never waits."""

    FIRST = "first"
    """Emergencies, and the links somebody is waiting for in front of a screen."""
    ORDINARY = "ordinary"


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending.

    Attributes:
        key: the same when worked out again; Message-ID and push topic follow from it.
        item, revision: of a sending about an item.
        reasons: why the item reached the resident.
        attempt: how often a provider was asked.
        reached, lost: ids of endpoints that have it, and of those given up.
        importance: of its item, see :func:`~notifier.domain.attention.importance_of`.
        budget_day: day (ISO 8601, on the resident's clock) whose attention budget was spent when it came.
        digest: key of the digest that has gathered it; None while it waits for one.
        endpoint: the endpoint that the state is about; of a test the one it is for.
        permanence: of a failure.
        told: whether deliveries.v1 has been told of the state.
        sealed: the sealed address and link of a link mail; never opened before it is sent.
        language: of a link mail or test, which need no profile.
        expires_at: a link not sent by then is dropped.
        observed_at: when the item was seen by the ingest service.
        trace: W3C traceparent of the match.
        due_at: when somebody should look at it next; None when it is over.
    """

    key: str
    kind: Kind
    subscriber: str
    channel: Channel
    lane: Lane
    created_at: datetime
    due_at: datetime | None
    item: str | None = None
    revision: int | None = None
    reasons: tuple[Reason, ...] = ()
    importance: int = 0
    budget_day: str | None = None
    state: State = State.RESERVED
    cause: str | None = None
    attempt: int = 0
    reached: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    digest: str | None = None
    endpoint: str | None = None
    permanence: str | None = None
    told: bool = False
    sealed: str | None = None
    language: str = "nb"
    expires_at: datetime | None = None
    observed_at: datetime | None = None
    trace: str | None = None

    @property
    def follow_up(self) -> bool:
        """Whether the resident was told of an earlier revision."""
        return any(reason.type is ReasonType.FOLLOW_UP for reason in self.reasons)


FOLLOW_UP = Reason(type=ReasonType.FOLLOW_UP)


def lane_of(item: ContentItemV1) -> Lane:
    """The lane that a message about an item takes."""
    return Lane.FIRST if item.emergency else Lane.ORDINARY


def about(
    item: ContentItemV1,
    subscriber: str,
    channel: Channel,
    reasons: tuple[Reason, ...],
    now: datetime,
    trace: str | None,
) -> Sending:
    """The reservation of a message about an item."""
    return Sending(
        key=item_key(subscriber, item.id, item.revision, channel),
        kind=Kind.ITEM,
        subscriber=subscriber,
        channel=channel,
        lane=lane_of(item),
        created_at=now,
        due_at=now,
        item=item.id,
        revision=item.revision,
        reasons=reasons,
        importance=importance_of(item, follow_up=FOLLOW_UP in reasons),
        observed_at=item.observed_at,
        trace=trace,
    )


def contender(sending: Sending) -> Contender:
    """A sending about an item as it asks for a place of the attention budget."""
    return Contender(f"{sending.item}#{sending.revision}", sending.importance, sending.created_at)


def with_follow_up(reasons: tuple[Reason, ...], told_before: bool) -> tuple[Reason, ...]:
    """The reasons, and that an earlier revision was sent, if it was."""
    return (*reasons, FOLLOW_UP) if told_before else reasons


DIGEST_GRACE = timedelta(days=1)
"""What waits for a digest is looked at again so long after it was due: it may have come a moment too late for it."""


def digest_of(sending: Sending, due_at: datetime, now: datetime) -> Sending:
    """The digest that a sending goes into.

    It is looked at a minute late, so that what was put into it in the last moment is in the store by then.
    """
    return Sending(
        key=digest_key(sending.subscriber, sending.channel, due_at),
        kind=Kind.DIGEST,
        subscriber=sending.subscriber,
        channel=sending.channel,
        lane=Lane.ORDINARY,
        created_at=now,
        due_at=due_at + timedelta(minutes=1),
    )


_FIRST_DELAY = timedelta(seconds=15)
_LONGEST_DELAY = timedelta(hours=1)
_GIVE_UP_AFTER = timedelta(hours=48)
_MOST_ATTEMPTS = 30
_LONGEST_DIGEST_WAIT = timedelta(days=8)


def retry_at(sending: Sending, now: datetime, asked_delay: timedelta | None = None) -> datetime | None:
    """When to try again after a failure that may pass; None when it is given up.

    Waits 15 s, doubling to an hour; what the provider asks for counts if it is longer. An ordinary message
    is given up after 48 hours or 30 attempts, a link when it expires.
    """
    delay = min(_FIRST_DELAY * 2 ** min(max(sending.attempt, 1) - 1, 10), _LONGEST_DELAY)
    if asked_delay is not None:
        delay = max(delay, asked_delay)
    at = now + delay
    return at if at <= last_chance(sending) and sending.attempt < _MOST_ATTEMPTS else None


def last_chance(sending: Sending) -> datetime:
    """After this it is not tried again. A digest may wait a week before it is due."""
    begun = sending.created_at
    if sending.kind is Kind.DIGEST:
        begun += _LONGEST_DIGEST_WAIT
    last = begun + _GIVE_UP_AFTER
    return min(last, sending.expires_at) if sending.expires_at is not None else last
