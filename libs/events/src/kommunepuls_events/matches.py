"""Matches: an item, and the residents it concerns with the reasons for each."""

from collections.abc import Iterator, Sequence
from itertools import chain, repeat

from pydantic import Field, NonNegativeFloat, NonNegativeInt, model_validator

from kommunepuls_events.base import Identifier, Instant, Message, Slug
from kommunepuls_events.content import ContentItemV1
from kommunepuls_events.sensors import SensorReadingV1
from kommunepuls_events.vocabulary import Direction, ReasonType

MOST_RECIPIENTS = 1000
"""In one chunk."""


class Reason(Message):
    """One reason; the fields that belong to its type are set."""

    type: ReasonType
    area: Identifier | None = None
    interest: Slug | None = None
    organiser: Identifier | None = None
    place: Identifier | None = Field(default=None, description="id of a place in the profile")
    distance_metres: float | None = Field(default=None, ge=0, description="from that place to the item")
    sensor: Identifier | None = None
    threshold: float | None = None
    value: float | None = None
    direction: Direction | None = None


class Recipient(Message):
    """One resident."""

    subscriber: Identifier
    reasons: tuple[Reason, ...] = Field(min_length=1)


class OfferV1(Message):
    """What the personaliser offers to each of its own partitions: an item or a reading."""

    item: ContentItemV1 | None = None
    reading: SensorReadingV1 | None = None
    offered_at: Instant


class MatchV1(Message):
    """A chunk of recipients of one revision of one item, as published to ``matches.v1``."""

    id: Identifier = Field(description="item, revision, shard and chunk: the same when worked out again")
    item: ContentItemV1
    shard: int = Field(ge=0, description="partition of profiles.v1 the recipients belong to")
    chunk: int = Field(ge=0)
    recipients: tuple[Recipient, ...] = Field(max_length=MOST_RECIPIENTS)
    matched_at: Instant

    def each(self) -> Iterator[tuple[str, tuple[Reason, ...]]]:
        """Each recipient with the reasons."""
        return ((one.subscriber, one.reasons) for one in self.recipients)


class RecipientGroup(Message):
    """Residents of a chunk whom the item concerns for the same reasons."""

    because: tuple[NonNegativeInt, ...] = Field(
        min_length=1, description="which of the chunk's reasons, counted from 0; best first"
    )
    subscribers: tuple[Identifier, ...] = Field(min_length=1)
    distances_metres: tuple[NonNegativeFloat, ...] | None = Field(
        default=None,
        description="for each subscriber in turn the distance from each place among the reasons that says none",
    )


class MatchV2(Message):
    """A chunk of the recipients of one revision of one item, as published to ``matches.v2``: each reason is said once.

    The only thing that is a resident's own is how far their places are away: a reason of type place that says no
    distance has one for each subscriber, in the group's ``distances_metres``.
    """

    id: Identifier = Field(description="item, revision, shard and chunk: the same when worked out again")
    item: ContentItemV1
    shard: int = Field(ge=0, description="partition of profiles.v1 the recipients belong to")
    chunk: int = Field(ge=0)
    reasons: tuple[Reason, ...] = Field(min_length=1)
    groups: tuple[RecipientGroup, ...] = Field(
        min_length=1,
        max_length=MOST_RECIPIENTS,
        description=f"together of at most {MOST_RECIPIENTS} subscribers, each of whom is in one of them",
    )
    matched_at: Instant

    @model_validator(mode="after")
    def _says_what_it_refers_to(self) -> "MatchV2":
        if (count := sum(len(group.subscribers) for group in self.groups)) > MOST_RECIPIENTS:
            raise ValueError(f"{count} recipients in a chunk, at most {MOST_RECIPIENTS} are taken")
        for group in self.groups:
            if max(group.because) >= len(self.reasons):
                raise ValueError(f"a group refers to reason {max(group.because)} of {len(self.reasons)}")
            if (given := group.distances_metres) is not None:
                wanted = len(_unmeasured(self._reasons_of(group))) * len(group.subscribers)
                if len(given) != wanted:
                    raise ValueError(f"{len(given)} distances in a group where {wanted} are wanted")
        return self

    def _reasons_of(self, group: RecipientGroup) -> tuple[Reason, ...]:
        return tuple([self.reasons[number] for number in group.because])

    def each(self) -> Iterator[tuple[str, tuple[Reason, ...]]]:
        """Each recipient with the reasons: one and the same object for all of a group without distances of their own."""
        return chain.from_iterable(
            each_with(self._reasons_of(group), group.subscribers, group.distances_metres or ())
            for group in self.groups
        )


def each_with(
    reasons: tuple[Reason, ...], subscribers: Sequence[str], distances: Sequence[float]
) -> Iterator[tuple[str, tuple[Reason, ...]]]:
    """Each subscriber with reasons that are the same for all but for ``distances``, as in :class:`RecipientGroup`."""
    if not distances:
        return zip(subscribers, repeat(reasons))
    return _each_how_far(reasons, subscribers, iter(distances))


def _each_how_far(
    reasons: tuple[Reason, ...], subscribers: Sequence[str], distances: Iterator[float]
) -> Iterator[tuple[str, tuple[Reason, ...]]]:
    unmeasured = _unmeasured(reasons)
    for subscriber in subscribers:
        theirs = list(reasons)
        for place in unmeasured:
            theirs[place] = theirs[place].model_copy(update={"distance_metres": next(distances)})
        yield subscriber, tuple(theirs)


def _unmeasured(reasons: Sequence[Reason]) -> list[int]:
    return [
        place
        for place, reason in enumerate(reasons)
        if reason.type is ReasonType.PLACE and reason.distance_metres is None
    ]


Match = MatchV1 | MatchV2
"""What a consumer may find while both versions are kept."""
