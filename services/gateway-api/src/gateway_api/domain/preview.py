"""What a choice would have brought: the matcher's own rules, asked of the items of the last weeks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from kommunepuls_events import ContentItemV1, Reason, ReasonType, SubscriberProfileV1
from kommunepuls_geography import Geography
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.reference import reasons_of

WINDOW = timedelta(days=60)

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class RecentItem:
    """An item's newest revision with what matching works out of it once.

    Attributes:
        concern: as the matcher takes it. An item that was told to nobody because it was old when its
            source was first read counts as news here: it would have come to who was there.
        told: how many of its revisions were news, so many messages it was.
    """

    concern: Concern
    told: int = 1

    @property
    def item(self) -> ContentItemV1:
        """The newest revision."""
        return self.concern.item


@dataclass(frozen=True, slots=True)
class Recent:
    """The items of a municipality of the last weeks, the newest first, and the time that they span."""

    items: tuple[RecentItem, ...]
    geography: Geography
    window: timedelta = WINDOW

    def a_week(self, messages: int) -> float:
        """How many a week so many messages in the window are."""
        return messages / (self.window / _WEEK)


@dataclass(frozen=True, slots=True)
class Received:
    """An item that a profile would have received, and why, the best reason first."""

    item: ContentItemV1
    reasons: tuple[Reason, ...]
    told: int


def as_news(item: ContentItemV1) -> ContentItemV1:
    """The revision as one that is told, whatever became of it when it came."""
    if item.lifecycle.news:
        return item
    return item.model_copy(update={"lifecycle": item.lifecycle.model_copy(update={"news": True})})


def would_have_received(profile: SubscriberProfileV1, recent: Recent) -> list[Received]:
    """The items that this profile would have received, the newest first."""
    found = (
        Received(one.item, reasons_of(one.concern, profile, recent.geography), one.told)
        for one in recent.items
    )
    return [one for one in found if one.reasons]


def messages_in(received: Iterable[Received]) -> int:
    """How many messages that would have been: an item whose change was news is told of again."""
    return sum(one.told for one in received)


def interest_counts(profile: SubscriberProfileV1, recent: Recent, interests: Sequence[str]) -> Counter[str]:
    """How many items each interest would have brought to the areas and places of a profile."""
    curious = profile.model_copy(update={"interests": tuple(interests), "organisers": ()})
    return Counter(
        reason.interest
        for one in would_have_received(curious, recent)
        for reason in one.reasons
        if reason.type is ReasonType.INTEREST and reason.interest
    )


_SUBSCRIBED = (
    (ReasonType.INTEREST, "interests", "interest"),
    (ReasonType.AREA, "areas", "area"),
    (ReasonType.PLACE, "places", "place"),
    (ReasonType.ORGANISER, "organisers", "organiser"),
)


def by_subscription(received: Iterable[Received]) -> Counter[tuple[str, str]]:
    """How many messages each subscription had a part in: by the field of the choices and the id there."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in received:
        for reason in one.reasons:
            for kind, what, name in _SUBSCRIBED:
                if reason.type is kind and getattr(reason, name):
                    counts[what, getattr(reason, name)] += one.told
    return counts


def organiser_counts(recent: Recent) -> Counter[str]:
    """How many items each organiser published."""
    return Counter(one.item.organiser.id for one in recent.items if one.item.organiser)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a choice would have brought in the window, and how many messages a week that is."""

    received: tuple[Received, ...]
    messages: int
    a_week: float


def outlook(profile: SubscriberProfileV1, recent: Recent) -> Outlook:
    """Ask the items of the window."""
    received = tuple(would_have_received(profile, recent))
    messages = messages_in(received)
    return Outlook(received, messages, recent.a_week(messages))
