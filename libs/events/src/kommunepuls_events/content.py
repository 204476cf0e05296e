"""Content items: what a municipality, a club or a neighbour has to tell."""

import hashlib
import re
from typing import Annotated

from pydantic import Field, HttpUrl, StringConstraints, model_validator

from kommunepuls_events.base import (
    Identifier,
    Instant,
    LanguageTag,
    Message,
    MunicipalityCode,
    Slug,
    SourceId,
)
from kommunepuls_events.geometry import Geometry
from kommunepuls_events.vocabulary import Kind, LifecycleState, Severity

_UNSAFE = re.compile(r"[\s\x00-\x1f\x7f#]+")
_LONGEST_NATIVE = 200

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Summary = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]


def item_id(source: str, native_id: str) -> str:
    """The stable id of an item: its source and the id the upstream gives it.

    Whitespace, control characters and ``#`` become ``_``; a native id longer than 200 characters
    (an address used as guid) ends in a SHA-256 prefix, so that different ids stay different.
    """
    native = _UNSAFE.sub("_", native_id.strip())
    if native != native_id.strip() or len(native) > _LONGEST_NATIVE:
        digest = hashlib.sha256(native_id.encode()).hexdigest()[:16]
        native = f"{native[: _LONGEST_NATIVE - 17]}~{digest}"
    return f"{source}/{native}"


class Organiser(Message):
    """Who stands behind an item; residents can follow an organiser."""

    id: Identifier
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Link(Message):
    """A page where more is told."""

    url: HttpUrl
    title: str | None = None


class Picture(Message):
    """A picture at its source; ``alternative_text`` is empty when the upstream has none."""

    url: HttpUrl
    alternative_text: str = ""
    width: int | None = Field(default=None, description="pixels", gt=0)
    height: int | None = Field(default=None, description="pixels", gt=0)


class Translation(Message):
    """An item's texts in another language."""

    title: Title
    summary: Summary = ""
    body: str = ""


class Change(Message):
    """One field that this revision changed, as a reader would see it."""

    field: str
    before: str | None = None
    after: str | None = None


class Lifecycle(Message):
    """Where the item stands, and whether this revision is news to a reader."""

    state: LifecycleState = LifecycleState.PUBLISHED
    changes: tuple[Change, ...] = ()
    news: bool = Field(default=True, description="false: the revision is kept but nobody is told")


class RuleTrace(Message):
    """Which of the municipality's content rules changed an item, and what it was before."""

    rules: tuple[Slug, ...]
    interests: tuple[Slug, ...] = ()
    areas: tuple[Identifier, ...] = ()
    severity: Severity = Severity.UNKNOWN


class ContentItemV1(Message):
    """One revision of one item, as published to ``content.v1``."""

    id: Identifier = Field(description="source + '/' + the upstream's own id, see item_id()")
    revision: int = Field(ge=1, description="1 for the first, one more for each change")
    municipality: MunicipalityCode
    source: SourceId
    native_id: str = Field(min_length=1, description="the id as the upstream gives it")
    organiser: Organiser | None = None
    kind: Kind
    stage: str | None = Field(default=None, description="of a permit: received, amended, decided, withdrawn")
    interests: tuple[Slug, ...] = Field(default=(), description="slugs of the shared taxonomy")
    areas: tuple[Identifier, ...] = Field(default=(), description="ids of the areas that it concerns")
    geometry: Geometry | None = Field(default=None, description="WGS84, longitude first")
    place_name: str | None = Field(default=None, description="the place in words")
    severity: Severity = Severity.UNKNOWN
    audience: tuple[Slug, ...] = Field(default=(), description="life stages; empty means everybody")
    title: Title
    summary: Summary = Field(default="", description="plain text")
    body: str = Field(default="", max_length=100_000, description="sanitised HTML")
    language: LanguageTag = "nb"
    translations: dict[LanguageTag, Translation] = Field(default_factory=dict)
    links: tuple[Link, ...] = ()
    pictures: tuple[Picture, ...] = ()
    published_at: Instant = Field(description="when the upstream published it")
    observed_at: Instant = Field(description="when this revision was seen by the ingest service")
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    starts_at: Instant | None = Field(default=None, description="of an event")
    ends_at: Instant | None = Field(default=None, description="of an event")
    confidence: float | None = Field(default=None, ge=0, le=1, description="of a derived condition")
    exercise: bool = Field(default=False, description="a test or exercise: never reaches a resident as real")
    lifecycle: Lifecycle = Lifecycle()
    changed_by: RuleTrace | None = Field(
        default=None, description="content rules that changed interests, areas or severity"
    )

    @model_validator(mode="after")
    def _id_belongs_to_its_source(self) -> "ContentItemV1":
        if self.id != item_id(self.source, self.native_id):
            raise ValueError("id is not item_id(source, native_id)")
        if not self.source.startswith(self.municipality + "/"):
            raise ValueError("the source belongs to another municipality")
        if self.starts_at and self.ends_at and self.ends_at < self.starts_at:
            raise ValueError("ends_at lies before starts_at")
        return self

    @property
    def withdrawn(self) -> bool:
        """Whether this revision takes the item back."""
        return self.lifecycle.state is LifecycleState.WITHDRAWN

    @property
    def announced(self) -> bool:
        """Whether residents are told of this revision."""
        return self.lifecycle.news or self.withdrawn

    @property
    def emergency(self) -> bool:
        """A real warning that concerns everybody in its area, whatever they follow."""
        return (
            self.kind is Kind.ALERT
            and not self.exercise
            and self.severity in (Severity.SEVERE, Severity.EXTREME)
        )
