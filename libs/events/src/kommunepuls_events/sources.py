"""Source status: how each source is doing, for operators."""

from pydantic import Field

from kommunepuls_events.base import Instant, Message, MunicipalityCode, Slug, SourceId


class SourceStatusV1(Message):
    """The newest state of a source, as published to the compacted ``source-status.v1``."""

    source: SourceId
    municipality: MunicipalityCode
    service: Slug
    type: Slug = Field(description="the adapter: facebook-page, acos-innsyn, rss…")
    last_attempt_at: Instant | None = None
    last_success_at: Instant | None = None
    next_attempt_at: Instant | None = None
    last_item_at: Instant | None = None
    items: int = Field(default=0, ge=0, description="revisions published since the service first ran")
    unchanged: int = Field(default=0, ge=0, description="seen again without change")
    dropped: int = Field(default=0, ge=0, description="items that a content rule kept from being published")
    rejects: dict[str, int] = Field(default_factory=dict, description="count by reason")
    error: str | None = Field(default=None, description="in words that say what to do; None when well")
    at: Instant
