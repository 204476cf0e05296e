"""What is done with a sending now: sent, held, digested, suppressed or waited for."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from kommunepuls_events import Cadence, ContentItemV1, SubscriberProfileV1

from notifier.domain.attention import CAUSE
from notifier.domain.local_time import is_quiet, next_digest, quiet_until, zone_of
from notifier.domain.sendings import Sending
from notifier.domain.standing import Standing, over_at, says_it_is_over

PATIENCE = timedelta(minutes=2)
"""How long a sending waits for a profile or endpoint that may still be on its way in another topic."""
CHANNEL_OFF = "channel-off"
_LOOK_AGAIN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Send:
    """Send it now."""


@dataclass(frozen=True, slots=True)
class Suppress:
    """Do not send it, and say why."""

    cause: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Look at it again then, and say that it is held."""

    until: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class Digest:
    """Put it into the digest that is due then."""

    due_at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Look at it again then; nothing to say yet."""

    until: datetime


Decision = Send | Suppress | Hold | Digest | Wait


@dataclass(frozen=True, slots=True)
class DigestTimes:
    """When digests are sent, on each resident's own clock."""

    at: time = time(7, 0)
    weekday: int = 5


def decide_item(
    sending: Sending,
    item: ContentItemV1,
    standing: Standing | None,
    profile: SubscriberProfileV1 | None,
    endpoints: int,
    has_any_endpoint: bool,
    times: DigestTimes,
    now: datetime,
) -> Decision:
    """What to do with a message about an item.

    Args:
        item: in its newest wording, see :meth:`~notifier.domain.standing.Standing.wording_of`.
        standing: of the item; None if content.v1 never told of it (a resident's own sensor threshold).
        endpoints: active ones on the sending's channel that do not have the message yet.
        has_any_endpoint: on any channel, retired ones included.
    """
    if item.exercise:
        return Suppress("exercise")
    if standing is not None and (cause := standing.allows(sending.revision)):
        return Suppress(cause)
    if profile is None:
        return _wait_or(sending, now, "no-profile")
    if sending.channel not in profile.channels:
        return Suppress(CHANNEL_OFF)
    if not endpoints:
        # A new resident's endpoints come one by one: the mail's being there says nothing about the push's.
        settled = has_any_endpoint and profile.changed_at + PATIENCE < sending.created_at
        return Suppress("no-endpoint") if settled else _wait_or(sending, now, "no-endpoint")
    if item.emergency:
        return Send()
    if cause := _not_worth_telling(sending, item, profile, now):
        return Suppress(cause)
    if profile.cadence is not Cadence.IMMEDIATELY:
        return Digest(next_digest_for(profile, times, now), f"{profile.cadence}-digest")
    return hold_for_quiet(profile, now) or Send()


def decide_digested(
    sending: Sending,
    item: ContentItemV1,
    standing: Standing | None,
    profile: SubscriberProfileV1,
    now: datetime,
) -> Send | Suppress:
    """Whether an item is still worth a place in the digest that it was put into."""
    if standing is not None and (cause := standing.allows(sending.revision)):
        return Suppress(cause)
    if cause := _not_worth_telling(sending, item, profile, now):
        return Suppress(cause)
    return Send()


def next_digest_for(profile: SubscriberProfileV1, times: DigestTimes, now: datetime) -> datetime:
    """When this resident's next digest is due, in UTC.

    Who hears of things at once gets one every morning for what their attention budget had no place for.
    """
    cadence = Cadence.WEEKLY if profile.cadence is Cadence.WEEKLY else Cadence.DAILY
    return next_digest(now, cadence, times.at, times.weekday, zone_of(profile.timezone))


def over_budget(profile: SubscriberProfileV1, times: DigestTimes, now: datetime) -> Digest:
    """What becomes of a message for which the attention budget has no place."""
    return Digest(next_digest_for(profile, times, now), CAUSE)


def another_rhythm(before: SubscriberProfileV1, after: SubscriberProfileV1) -> bool:
    """Whether a change of the profile moves what waits for its digests."""
    return (before.cadence, before.timezone, before.channels) != (
        after.cadence, after.timezone, after.channels,
    )  # fmt: skip


def hold_for_quiet(profile: SubscriberProfileV1, now: datetime) -> Hold | None:
    """A hold until the quiet hours end; None if it is not quiet now."""
    zone = zone_of(profile.timezone)
    if profile.quiet_hours is None or not is_quiet(now, profile.quiet_hours, zone):
        return None
    return Hold(quiet_until(now, profile.quiet_hours, zone), "quiet-hours")


def _wait_or(sending: Sending, now: datetime, cause: str) -> Decision:
    if now < sending.created_at + PATIENCE:
        return Wait(now + _LOOK_AGAIN)
    return Suppress(cause)


def _muted(item: ContentItemV1, profile: SubscriberProfileV1) -> bool:
    muted = profile.muted
    return (
        item.source in muted.sources
        or item.id in muted.items
        or (item.organiser is not None and item.organiser.id in muted.organisers)
        or (bool(item.interests) and set(item.interests) <= set(muted.interests))
    )


def _not_worth_telling(
    sending: Sending, item: ContentItemV1, profile: SubscriberProfileV1, now: datetime
) -> str | None:
    """Why an ordinary item need not be told any more; None if it is to be told.

    What is over is told to those alone who heard of it before and do not know yet.
    """
    if profile.paused_until is not None and profile.paused_until > now:
        return "paused"
    if _muted(item, profile):
        return "muted"
    if not item.withdrawn and over_at(item, now) and not (sending.follow_up and says_it_is_over(item)):
        return "expired"
    return None
