"""Posts and events as the Graph API answers them, as far as they are read.

Who wrote to the page, commented or reacted is not asked for and not read: of ``from`` the id alone, to tell
the page's own posts from visitors'.

Source: https://developers.facebook.com/docs/graph-api/reference/page/feed/ and .../reference/event/
"""

from datetime import datetime
from typing import Annotated, Any, TypeVar

from kommunepuls_chassis.errors import RejectedInput
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from ingest_facebook.domain.times import instant_of

_ATTACHMENT = "title,description,media,media_type,type,url,unshimmed_url,target"
POST_FIELDS = (
    "id,message,story,created_time,permalink_url,is_published,is_hidden,is_expired,scheduled_publish_time,"
    "status_type,full_picture,message_tags,place,from{id},"
    f"attachments{{{_ATTACHMENT},subattachments{{{_ATTACHMENT}}}}}"
)
EVENT_FIELDS = (
    "id,name,description,start_time,end_time,timezone,place,event_times,is_canceled,is_draft,is_online,"
    "ticket_uri,cover"
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


Part = TypeVar("Part", bound=_Part)


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _listed(value: object) -> list:
    """The parts of an edge: a list, ``{"data": list}``, or the older ``{offset: list}`` of tags."""
    if isinstance(value, dict):
        inner = value.get("data")
        if isinstance(inner, list):
            return inner
        return [part for parts in value.values() if isinstance(parts, list) for part in parts]
    return value if isinstance(value, list) else []


def _those_that_fit(model: type[Part]) -> BeforeValidator:
    """A part of a post that is not as expected is left out; the post is good without it."""

    def keep(value: object) -> tuple[Part, ...]:
        return tuple(part for raw in _listed(value) if (part := _fitting(model, raw)) is not None)

    return BeforeValidator(keep)


def _if_it_fits(model: type[Part]) -> BeforeValidator:
    return BeforeValidator(lambda value: _fitting(model, value))


def _fitting(model: type[Part], value: object) -> Part | None:
    try:
        return model.model_validate(value)
    except ValidationError:
        return None


GraphId = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(pattern=r"^[A-Za-z0-9]+(_[A-Za-z0-9]+)*$", max_length=120),
]
GraphTime = Annotated[datetime, BeforeValidator(instant_of)]


class Author(_Part):
    """Who posted; the id alone."""

    id: GraphId


class Image(_Part):
    """A picture's address; signed anew at every answer."""

    src: str
    width: int | None = None
    height: int | None = None


class Media(_Part):
    """What an attachment shows."""

    image: Annotated[Image | None, _if_it_fits(Image)] = None


class Target(_Part):
    """What an attachment leads to."""

    url: str | None = None


class Attachment(_Part):
    """A picture, link, video or album; ``subattachments`` are an album's parts."""

    title: str | None = None
    description: str | None = None
    media: Annotated[Media | None, _if_it_fits(Media)] = None
    media_type: str | None = None
    type: str | None = None
    url: str | None = None
    unshimmed_url: str | None = None
    target: Annotated[Target | None, _if_it_fits(Target)] = None
    subattachments: Annotated[
        tuple["Attachment", ...], BeforeValidator(lambda value: _subattachments(value))
    ] = ()


def _subattachments(value: object) -> tuple[Attachment, ...]:
    return tuple(part for raw in _listed(value) if (part := _fitting(Attachment, raw)) is not None)


class ChildAttachment(_Part):
    """A card of a carousel as older versions answer it."""

    name: str | None = None
    description: str | None = None
    link: str | None = None
    picture: str | None = None


class Tag(_Part):
    """Somebody or something named in the message."""

    id: GraphId
    name: str
    type: str | None = None


class Location(_Part):
    """Where a place is; WGS84 degrees as far as Facebook knows them."""

    street: str | None = None
    city: str | None = None
    zip: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class GraphPlace(_Part):
    """A place by its name, at times with its location."""

    name: str | None = None
    location: Annotated[Location | None, _if_it_fits(Location)] = None


class Post(_Part):
    """One post of a page."""

    id: GraphId
    message: str | None = None
    story: str | None = None
    created_time: GraphTime | None = None
    permalink_url: str | None = None
    is_published: bool | None = None
    is_hidden: bool | None = None
    is_expired: bool | None = None
    scheduled_publish_time: GraphTime | None = None
    full_picture: str | None = None
    attachments: Annotated[tuple[Attachment, ...], _those_that_fit(Attachment)] = ()
    child_attachments: Annotated[tuple[ChildAttachment, ...], _those_that_fit(ChildAttachment)] = ()
    message_tags: Annotated[tuple[Tag, ...], _those_that_fit(Tag)] = ()
    place: Annotated[GraphPlace | None, _if_it_fits(GraphPlace)] = None
    author: Annotated[Author | None, _if_it_fits(Author)] = Field(default=None, alias="from")
    # Before version 3.3 a shared link stood in the post itself.
    link: str | None = None
    name: str | None = None
    description: str | None = None


class EventTime(_Part):
    """One occurrence of a recurring event."""

    start_time: str
    end_time: str | None = None


class Cover(_Part):
    """An event's picture."""

    source: str


class PageEvent(_Part):
    """One event of a page."""

    id: GraphId
    name: str
    description: str | None = None
    start_time: str
    end_time: str | None = None
    timezone: str | None = None
    place: Annotated[GraphPlace | None, _if_it_fits(GraphPlace)] = None
    event_times: Annotated[tuple[EventTime, ...], _those_that_fit(EventTime)] = ()
    is_canceled: bool = False
    is_draft: bool = False
    is_online: bool = False
    ticket_uri: str | None = None
    cover: Annotated[Cover | None, _if_it_fits(Cover)] = None


def read_post(raw: Any) -> Post:
    """A post from its JSON value.

    Raises:
        RejectedInput: ``invalid-post``, naming the first field that is wrong.
    """
    return _read(Post, raw, "invalid-post")


def read_event(raw: Any) -> PageEvent:
    """An event from its JSON value.

    Raises:
        RejectedInput: ``invalid-event``, naming the first field that is wrong.
    """
    return _read(PageEvent, raw, "invalid-event")


def _read(model: type[Part], raw: Any, reason: str) -> Part:
    try:
        return model.model_validate(_mended(raw))
    except RecursionError:
        raise RejectedInput(reason, "nested too deep") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the object"
        raise RejectedInput(reason, f"{where}: {first['msg'].removeprefix('Value error, ')}") from None


def _mended(value: Any) -> Any:
    """The value with half characters replaced: JSON can escape one half of a surrogate pair, no text can hold it."""
    if isinstance(value, str):
        return (
            value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )
    if isinstance(value, dict):
        return {_mended(name): _mended(part) for name, part in value.items()}
    return [_mended(part) for part in value] if isinstance(value, list) else value
