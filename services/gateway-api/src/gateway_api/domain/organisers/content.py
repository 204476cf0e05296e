"""What an organiser writes, and what is still missing before it can be published."""

from collections.abc import Set
from datetime import datetime, timedelta
from typing import Annotated

from kommunepuls_events import Kind
from kommunepuls_events.base import Instant, LanguageTag, Slug
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway_api.domain.errors import Fault
from gateway_api.domain.organisers.organiser import is_link

KINDS = (Kind.NOTICE, Kind.EVENT, Kind.VOLUNTEER_NEED)
MOST_INTERESTS = 6
LONGEST_TITLE = 120
LONGEST_TEXT = 8_000
LONGEST_AHEAD = timedelta(days=2 * 366)

_Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Position(_Part):
    """A point, WGS84 degrees."""

    longitude: float = Field(ge=-180, le=180)
    latitude: float = Field(ge=-90, le=90)


class DraftPicture(_Part):
    """A picture that was taken in. ``address`` is its path at our own address; width and height are pixels."""

    address: str = Field(max_length=200)
    alternative_text: _Line = ""
    width: int = Field(gt=0)
    height: int = Field(gt=0)


class Content(_Part):
    """A draft's content; it may be as unfinished as its writer leaves it.

    ``starts_at`` and ``ends_at`` are of an event or of what volunteers are wanted for; of a notice
    ``ends_at`` is until when it holds.
    """

    kind: Kind = Kind.NOTICE
    title: _Line = ""
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)] = ""
    language: LanguageTag = "nb"
    interests: tuple[Slug, ...] = Field(default=(), max_length=200)
    place_name: _Line = ""
    position: Position | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    link: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000)] = ""
    picture: DraftPicture | None = None


def missing(content: Content, interests: Set[str], now: datetime) -> list[Fault]:
    """Everything that must be mended before residents see it; ``interests`` are those of the town."""
    faults = []
    if content.kind not in KINDS:
        faults.append(Fault("/kind", "is a notice, an event or a call for volunteers"))
    if not 3 <= len(content.title) <= LONGEST_TITLE:
        faults.append(Fault("/title", f"has 3 to {LONGEST_TITLE} characters"))
    if not 3 <= len(content.text) <= LONGEST_TEXT:
        faults.append(Fault("/text", f"has 3 to {LONGEST_TEXT} characters"))
    if not content.interests:
        faults.append(Fault("/interests", "choose at least one, by which residents find it"))
    elif len(content.interests) > MOST_INTERESTS:
        faults.append(Fault("/interests", f"choose at most {MOST_INTERESTS}"))
    elif not set(content.interests) <= interests:
        faults.append(Fault("/interests", "is no interest of this municipality"))
    if content.link and not is_link(content.link):
        faults.append(Fault("/link", "is an address such as https://www.example.no"))
    if content.picture and not content.picture.alternative_text:
        faults.append(Fault("/picture_text", "say what the picture shows, for those who cannot see it"))
    return [*faults, *_of_time(content, now)]


def presentable(content: Content) -> Content:
    """The content as far as it can be shown, before it is finished."""
    over = content.starts_at and content.ends_at and content.ends_at < content.starts_at
    return content.model_copy(
        update={
            "title": content.title or "…",
            "link": content.link if is_link(content.link) else "",
            "ends_at": None if over else content.ends_at,
        }
    )


def _of_time(content: Content, now: datetime) -> list[Fault]:
    starts, ends = content.starts_at, content.ends_at
    if content.kind is Kind.NOTICE:
        return [Fault("/ends_at", "is over already")] if ends and ends <= now else []
    faults = []
    if content.kind is Kind.EVENT and starts is None:
        faults.append(Fault("/starts_at", "say when it begins"))
    if starts and ends and ends <= starts:
        faults.append(Fault("/ends_at", "lies before the beginning"))
    elif (ends or starts) and (ends or starts) <= now:
        faults.append(Fault("/starts_at", "is over already"))
    if starts and starts > now + LONGEST_AHEAD:
        faults.append(Fault("/starts_at", "is more than two years away"))
    return faults
