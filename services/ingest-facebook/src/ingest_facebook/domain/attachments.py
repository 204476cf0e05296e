"""Links and pictures of a post."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from kommunepuls_events import Link, Picture
from pydantic import ValidationError

from ingest_facebook.domain.graph_objects import Attachment, Post
from ingest_facebook.domain.wording import readable

MOST = 20
"""Links, and pictures, that are kept of one post."""
_SHIMS = re.compile(r"^(?:l|lm)\.(?:facebook|instagram)\.com$")
_FACEBOOK = re.compile(r"https?://(?:[\w-]+\.)?facebook\.com(?:/|$)")
_TRACKING = frozenset({"fbclid", "__cft__[0]", "__tn__", "__xts__[0]"})
_LINKED_TAGS = frozenset({"page", "event", "group", "place"})


def direct(url: str) -> str:
    """Where a link really leads: without Facebook's redirect and without its click id."""
    try:
        parts = urlsplit(url.strip())
        if _SHIMS.match(parts.netloc.lower()) and (inner := parse_qs(parts.query).get("u")):
            parts = urlsplit(inner[0])
    except ValueError:
        return url
    if not any(name in parts.query for name in _TRACKING):
        return urlunsplit(parts)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in _TRACKING]
    return urlunsplit(parts._replace(query=urlencode(query)))


def links_of(post: Post, parts: Iterable[Attachment]) -> tuple[Link, ...]:
    """The post itself, what it links to, and pages and events it names; never a person's profile."""
    found: dict[str, Link] = {}
    _add(found, post.permalink_url, None)
    for part in parts:
        address = part.unshimmed_url or part.url or (part.target.url if part.target else None)
        if not _is_own_picture(part, address):
            _add(found, address, part.title)
    for tag in post.message_tags:
        if tag.type in _LINKED_TAGS:
            _add(found, f"https://www.facebook.com/{tag.id}", tag.name)
    return tuple(found.values())[:MOST]


def pictures_of(post: Post, parts: Iterable[Attachment]) -> tuple[Picture, ...]:
    """The pictures with what Facebook knows as their description, each once."""
    found: dict[str, Picture] = {}
    for part in parts:
        image = part.media.image if part.media else None
        if image is None:
            continue
        try:
            address = original_picture(image.src)
            picture = Picture(
                url=address,
                alternative_text=_alternative_text(part, post),
                width=image.width if image.width and image.width > 0 else None,
                height=image.height if image.height and image.height > 0 else None,
            )
        except ValueError:
            continue
        found.setdefault(_which(address), picture)
    if not found and post.full_picture:
        with suppress(ValidationError, ValueError):
            found[""] = Picture(url=original_picture(post.full_picture))
    return tuple(found.values())[:MOST]


def parts_of(post: Post) -> tuple[Attachment, ...]:
    """All attachments in one row, an album's or carousel's parts after it."""
    parts = list(_flat(post.attachments))
    parts += [
        Attachment.model_validate(
            {
                "title": card.name,
                "description": card.description,
                "unshimmed_url": card.link,
                "media": {"image": {"src": card.picture}} if card.picture else None,
            }
        )
        for card in post.child_attachments
    ]
    if post.link and not post.attachments:
        parts.append(Attachment(title=post.name, description=post.description, unshimmed_url=post.link))
    return tuple(parts)


def original_picture(url: str) -> str:
    """The picture itself where Facebook answers its resizing proxy with the original inside."""
    parts = urlsplit(url)
    inner = parse_qs(parts.query).get("url", [""])[0] if parts.path.endswith("/safe_image.php") else ""
    return inner if inner.startswith(("https://", "http://")) else url


def _which(address: str) -> str:
    """What tells pictures apart: the file's name, as host, size folder and signature change."""
    return urlsplit(address).path.rpartition("/")[2] or address


def _flat(attachments: Iterable[Attachment], depth: int = 0) -> Iterator[Attachment]:
    for attachment in attachments:
        yield attachment
        if depth < 3:
            yield from _flat(attachment.subattachments, depth + 1)


def _is_own_picture(part: Attachment, address: str | None) -> bool:
    """A photo's or video's page on Facebook tells nothing that the post does not."""
    kind = part.media_type or part.type or ""
    own = kind in ("photo", "album", "video") or part.type in ("photo", "album", "video_inline")
    return own and _FACEBOOK.match(address or "") is not None


def _alternative_text(part: Attachment, post: Post) -> str:
    text = readable(part.description or "")
    # A photo's description is the message again; that describes no picture.
    if text and text != readable(post.message or ""):
        return text[:1000]
    return readable(part.title or "")[:300]


def _add(found: dict[str, Link], address: str | None, title: str | None) -> None:
    if not address:
        return
    try:
        link = Link(url=direct(address), title=readable(title)[:300] if title else None)
    except ValidationError:
        return
    found.setdefault(str(link.url), link)
