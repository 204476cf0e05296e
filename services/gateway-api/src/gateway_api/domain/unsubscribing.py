"""What an unsubscribe link stops, and how that is undone."""

from collections.abc import Collection
from datetime import datetime

from kommunepuls_events import Channel, SubscriberProfileV1

ALL = "all"


def channels_of(scope: str) -> tuple[Channel, ...]:
    """The channels that a link's scope names; everything when it names none that we know."""
    return (Channel(scope),) if scope in tuple(Channel) else tuple(Channel)


def stopped(profile: SubscriberProfileV1, scope: str, now: datetime) -> SubscriberProfileV1 | None:
    """The profile without what the link stops; None when that is stopped already."""
    stop = channels_of(scope)
    return _with_channels(profile, tuple(one for one in profile.channels if one not in stop), now)


def resumed(
    profile: SubscriberProfileV1, scope: str, before: Collection[Channel], now: datetime
) -> SubscriberProfileV1 | None:
    """The profile with what was stopped; None when nothing is.

    Args:
        before: the channels that were stopped last. Only these come back, so that an undo gives nobody a
            channel that they did not have; where none is known, those that the scope names.
    """
    named = channels_of(scope)
    back = [one for one in named if one in before] or named
    wanted = {*profile.channels, *back}
    return _with_channels(profile, tuple(one for one in Channel if one in wanted), now)


def _with_channels(
    profile: SubscriberProfileV1, channels: tuple[Channel, ...], now: datetime
) -> SubscriberProfileV1 | None:
    if channels == profile.channels:
        return None
    return profile.model_copy(
        update={"channels": channels, "revision": profile.revision + 1, "changed_at": now}
    )
