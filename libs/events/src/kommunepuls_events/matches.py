"""Matches: an item, and the residents it concerns with the reasons for each."""

from pydantic import Field

from kommunepuls_events.base import Identifier, Instant, Message, Slug
from kommunepuls_events.content import ContentItemV1
from kommunepuls_events.sensors import SensorReadingV1
from kommunepuls_events.vocabulary import Direction, ReasonType


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
    recipients: tuple[Recipient, ...] = Field(max_length=1000)
    matched_at: Instant
