"""Deliveries: what became of a message to one resident on one channel."""

from pydantic import Field

from kommunepuls_events.base import Identifier, Instant, Message, Slug
from kommunepuls_events.vocabulary import Channel, DeliveryState, Permanence


class DeliveryV1(Message):
    """One state of one delivery, as published to ``deliveries.v1``."""

    subscriber: Identifier
    item: Identifier
    revision: int = Field(ge=1)
    channel: Channel
    state: DeliveryState
    permanence: Permanence | None = Field(default=None, description="of a failure")
    cause: Slug | None = Field(
        default=None,
        description="why held, failed or suppressed: quiet-hours, hard-bounce, endpoint-gone, exercise…",
    )
    endpoint: Identifier | None = Field(default=None, description="id of the endpoint, never its address")
    attempt: int = Field(default=1, ge=1)
    at: Instant
