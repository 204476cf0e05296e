"""A draft as the item that residents get, and what a change of it is to them."""

from collections.abc import Sequence
from datetime import datetime

from kommunepuls_chassis.texts import plain_text, shortened
from kommunepuls_events import (
    Change,
    ContentItemV1,
    Kind,
    Lifecycle,
    LifecycleState,
    Link,
    Organiser,
    Picture,
    item_id,
)
from kommunepuls_events.geometry import Point

from gateway_api.domain.organisers.content import Content
from gateway_api.domain.organisers.drafts import Draft
from gateway_api.domain.organisers.texts import body_of, summary_of

SOURCE = "organisers"
_SHOWN = 200

NEWS = frozenset({"kind", "starts_at", "ends_at", "place_name", "position"})
"""What residents who were told want to hear of by itself: that it is another day, or elsewhere."""


def source_of(municipality: str) -> str:
    """The source of everything that organisers write in a municipality."""
    return f"{municipality}/{SOURCE}"


def item_of(
    draft: Draft, organiser: Organiser, areas: Sequence[str], public_url: str, now: datetime, *, tell: bool
) -> ContentItemV1:
    """The next revision. ``tell`` says whether it is news to those who got the one before.

    Args:
        draft: with content that lacks nothing.
        organiser: who stands behind it.
        areas: those of its place, worked out; empty where it has none, and then it concerns the whole town.
        public_url: what a picture's address begins with.
        now: when it is published.
        tell: of a change; the first revision is always news.
    """
    content, before = draft.content, draft.item
    source = source_of(draft.municipality)
    of_notice = content.kind is Kind.NOTICE
    item = ContentItemV1(
        id=item_id(source, draft.id),
        revision=before.revision + 1 if before else 1,
        municipality=draft.municipality,
        source=source,
        native_id=draft.id,
        organiser=organiser,
        kind=content.kind,
        interests=content.interests,
        areas=tuple(areas),
        geometry=_point(content),
        place_name=content.place_name or None,
        title=content.title,
        summary=summary_of(content.text),
        body=body_of(content.text),
        language=content.language,
        links=(Link(url=content.link),) if content.link else (),  # type: ignore[arg-type]
        pictures=_pictures(content, public_url),
        published_at=before.published_at if before else now,
        observed_at=now,
        starts_at=None if of_notice else content.starts_at,
        ends_at=None if of_notice else content.ends_at,
        valid_until=content.ends_at if of_notice else None,
    )
    if before is None:
        return item
    lifecycle = Lifecycle(state=LifecycleState.UPDATED, changes=changes_between(before, item), news=tell)
    return item.model_copy(update={"lifecycle": lifecycle})


def withdrawal_of(item: ContentItemV1, now: datetime) -> ContentItemV1:
    """The revision that takes an item back."""
    lifecycle = Lifecycle(state=LifecycleState.WITHDRAWN, news=True)
    return item.model_copy(update={"revision": item.revision + 1, "lifecycle": lifecycle, "observed_at": now})


def is_news(before: Content | None, after: Content) -> bool:
    """Whether a change had better be told; the writer may decide otherwise."""
    return before is None or any(getattr(before, name) != getattr(after, name) for name in NEWS)


def changes_between(before: ContentItemV1, after: ContentItemV1) -> tuple[Change, ...]:
    """What a reader sees changed, field by field."""
    shown = [(field, _shown(before, field), _shown(after, field)) for field in _FIELDS]
    return tuple(Change(field=field, before=old, after=new) for field, old, new in shown if old != new)


_FIELDS = ("kind", "title", "body", "starts_at", "ends_at", "valid_until", "place_name", "geometry", "links",
           "pictures")  # fmt: skip


def _shown(item: ContentItemV1, field: str) -> str | None:
    value = getattr(item, field)
    if field == "body":
        return shortened(plain_text(value), _SHOWN) or None
    if field == "geometry":
        return ", ".join(f"{part:.5f}" for part in reversed(value.coordinates)) if value else None
    if field == "links":
        return ", ".join(str(link.url) for link in value) or None
    if field == "pictures":
        return ", ".join(picture.alternative_text or str(picture.url) for picture in value) or None
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if value else None


def geometry_of(content: Content) -> dict | None:
    """The place as GeoJSON; None for none."""
    point = _point(content)
    return point.model_dump(mode="json") if point else None


def _point(content: Content) -> Point | None:
    if content.position is None:
        return None
    return Point(type="Point", coordinates=(content.position.longitude, content.position.latitude))


def _pictures(content: Content, public_url: str) -> tuple[Picture, ...]:
    shown = content.picture
    if shown is None:
        return ()
    return (
        Picture(
            url=f"{public_url}{shown.address}",  # type: ignore[arg-type]
            alternative_text=shown.alternative_text,
            width=shown.width,
            height=shown.height,
        ),
    )
