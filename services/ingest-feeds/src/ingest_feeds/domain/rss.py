"""RSS and Atom.

Source: RSS 2.0 (https://www.rssboard.org/rss-specification), RFC 4287, GeoRSS simple.
"""

import calendar
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import feedparser
from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.texts import clean_html, headline, plain_text, shortened
from kommunepuls_chassis.town import Town
from kommunepuls_events import ContentItemV1, Picture
from pydantic import ValidationError

from ingest_feeds.domain.drafts import areas_of, draft, interests_of, links_of, point
from ingest_feeds.domain.sources import RssSource


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as parsed; ``native_id`` is its guid, id or link."""

    native_id: str
    content: Any


def parse_feed(body: bytes) -> Iterator[Entry]:
    """The entries of a feed.

    Raises:
        RejectedInput: ``not-a-feed`` if it is not well-formed RSS or Atom. A feed that breaks off is
            refused whole, since what is missing cannot be told from what is gone.
    """
    parsed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=True)
    if parsed.bozo and not isinstance(parsed.bozo_exception, feedparser.CharacterEncodingOverride):
        raise RejectedInput("not-a-feed", f"not well-formed RSS or Atom: {str(parsed.bozo_exception)[:200]}")
    if not parsed.get("version"):
        raise RejectedInput("not-a-feed", "neither RSS nor Atom")
    for entry in parsed.entries:
        yield Entry(entry.get("id") or entry.get("link") or "", entry)


def item_of(
    entry: Entry, town: Town, source: RssSource, *, now: datetime, first_seen: datetime | None
) -> ContentItemV1:
    """The draft of an entry.

    Args:
        entry: as parsed.
        town, source: whose it is.
        now: when it is seen.
        first_seen: the publishing time given to an entry without date when it was first seen.

    Raises:
        RejectedInput: ``no-id``, ``no-text``, ``bad-coordinates`` or ``invalid-item``.
    """
    content = entry.content
    if not entry.native_id:
        raise RejectedInput("no-id", "the entry has neither guid, id nor link")
    bodies = [part.get("value", "") for part in content.get("content", ())]
    described = content.get("summary", "")
    body = max([*bodies, described], key=len)
    text = plain_text(body)
    title = plain_text(content.get("title", "")) or headline(text)
    if not title:
        raise RejectedInput("no-text", "the entry has neither title nor text")
    return draft(
        town,
        source,
        native_id=entry.native_id,
        kind=source.kind,
        now=now,
        title=shortened(title, 300),
        summary=shortened(plain_text(described) or text, 600),
        body=clean_html(body)[:100_000],
        interests=interests_of(
            source, [tag.get("term") or "" for tag in content.get("tags", ())], source.categories
        ),
        areas=areas_of(source, f"{title}\n{text}"),
        geometry=_geometry(content),
        links=links_of((content.get("link"), None)),
        pictures=_pictures(content),
        published_at=_time(content, "published") or _time(content, "updated") or first_seen or now,
    )


def _time(content: Any, name: str) -> datetime | None:
    parsed = content.get(f"{name}_parsed")
    if not parsed:
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _geometry(content: Any) -> object:
    where = content.get("where")
    if where and where.get("type") == "Point":
        longitude, latitude = where["coordinates"][:2]
        return point(float(longitude), float(latitude))
    return None


def _pictures(content: Any) -> tuple[Picture, ...]:
    found = []
    for part in (*content.get("media_content", ()), *content.get("enclosures", ())):
        address = part.get("url") or part.get("href")
        kind = part.get("type") or part.get("medium") or ""
        if address and kind.startswith("image"):
            try:
                found.append(Picture(url=address))
            except ValidationError:
                continue
    return tuple(found[:10])
