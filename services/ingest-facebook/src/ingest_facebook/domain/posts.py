"""A post becomes a content item."""

from dataclasses import dataclass
from datetime import datetime

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_events import ContentItemV1, Lifecycle, item_id
from pydantic import ValidationError

from ingest_facebook.domain.attachments import links_of, parts_of, pictures_of
from ingest_facebook.domain.graph_objects import Attachment, Post
from ingest_facebook.domain.page import Page
from ingest_facebook.domain.wording import body_of, readable, summary_of, title_of


@dataclass(frozen=True, slots=True)
class Drafted:
    """The item, and what was left out of it."""

    item: ContentItemV1
    remark: str | None = None


def not_shown(post: Post, now: datetime) -> str | None:
    """Why readers do not see the post now: unpublished, hidden, expired, scheduled. None if they do."""
    if post.is_published is False:
        return "unpublished"
    if post.is_hidden:
        return "hidden"
    if post.is_expired:
        return "expired"
    scheduled = post.scheduled_publish_time
    if scheduled is not None and (scheduled > now or post.is_published is None):
        # Only what waits for its time is answered without saying whether it is published.
        return "scheduled"
    if post.created_time is not None and post.created_time > now and post.is_published is None:
        return "scheduled"
    return None


def is_own(post: Post, page_id: str) -> bool:
    """Whether the page wrote it itself; a visitor's post on the page is none of ours.

    The first half of a post's id is the page that it stands on.
    """
    return post.author is None or post.author.id in (page_id, post.id.partition("_")[0])


def draft_of_post(post: Post, page: Page, *, now: datetime, first_seen: datetime | None = None) -> Drafted:
    """The item of a post, revision 1.

    Args:
        post: one that readers see.
        page: where it comes from.
        now: when it was seen.
        first_seen: when the item was seen first, for a post that does not say when it was made.

    Raises:
        RejectedInput: ``no-text`` for a post without anything to read, ``invalid-item``.
    """
    parts = parts_of(post)
    text = readable(post.message or "") or _text_of(parts)
    if sum(sign.isalnum() for sign in text) < 3:
        raise RejectedInput("no-text", "the post has neither a message nor an attachment with words")
    title = title_of(text) if readable(post.message or "") else title_of(_title_of(parts) or text)
    attached = " ".join(readable(part.title or "") for part in parts)
    language = page.language_of(text)
    content = page.content_of(f"{text}\n{attached}")
    where = page.places.of_place(post.place, language)
    if not where.areas and where.geometry is None:
        said = page.places.in_text(text, language)
        where = said if said.areas or said.geometry else where
    try:
        item = ContentItemV1(
            id=item_id(page.source, post.id),
            revision=1,
            municipality=page.municipality,
            source=page.source,
            native_id=post.id,
            organiser=page.organiser,
            kind=content.kind,
            interests=content.interests,
            areas=page.areas_of(where),
            geometry=where.geometry,
            place_name=where.place_name,
            severity=content.severity,
            audience=content.audience,
            title=title,
            summary=summary_of(text, title),
            body=body_of(text),
            language=language,
            links=links_of(post, parts),
            pictures=pictures_of(post, parts),
            published_at=post.created_time or first_seen or now,
            observed_at=now,
            # Of unknown age: shown, but told to nobody.
            exercise=content.exercise,
            lifecycle=Lifecycle(news=post.created_time is not None),
        )
    except ValidationError as error:
        raise RejectedInput("invalid-item", _first(error)) from None
    return Drafted(item, where.remark)


def _title_of(parts: tuple[Attachment, ...]) -> str:
    return next((text for part in parts if (text := readable(part.title or ""))), "")


def _text_of(parts: tuple[Attachment, ...]) -> str:
    """What the attachments say, each once. The story ('… shared a link.') names people and tells nothing."""
    said: dict[str, None] = {}
    for part in parts:
        for text in (part.title, part.description):
            if words := readable(text or ""):
                said[words] = None
    return "\n\n".join(said)


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
