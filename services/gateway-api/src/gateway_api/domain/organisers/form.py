"""The form an organiser writes in, read into content: every control of it works without JavaScript."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from kommunepuls_events import Kind
from pydantic import ValidationError

from gateway_api.domain.errors import Fault, Invalid
from gateway_api.domain.forms import number, one
from gateway_api.domain.organisers.content import LONGEST_TEXT, Content, Position

Fields = Mapping[str, Sequence[str]]
"""A submitted form: each name with its values."""


def content_from(fields: Fields, before: Content, timezone: str) -> tuple[Content, list[Fault]]:
    """The content that a form says, and what in it cannot be read; what has no control stays as it was.

    Times are the town's own, without a zone, as ``<input type="datetime-local">`` gives them.
    """
    faults: list[Fault] = []
    starts_at = _moment(fields, "starts_at", timezone, faults)
    ends_at = _moment(fields, "ends_at", timezone, faults)
    picture = before.picture
    if picture is not None and "picture_text" in fields:
        picture = picture.model_copy(update={"alternative_text": one(fields, "picture_text")[:300]})
    given = {
        "kind": _kind(one(fields, "kind", before.kind)),
        "title": one(fields, "title")[:300],
        # Browsers end lines in CR LF (HTML, section 4.10.22.4); a little too long is kept and told.
        "text": one(fields, "text").replace("\r\n", "\n")[: 2 * LONGEST_TEXT],
        "language": one(fields, "language", before.language),
        "interests": tuple(dict.fromkeys(fields.get("interests", ()))),
        "place_name": one(fields, "place_name")[:300],
        "position": _position(fields, faults),
        "starts_at": starts_at,
        "ends_at": ends_at,
        "link": one(fields, "link")[:1_000],
        "picture": picture,
    }
    try:
        return Content.model_validate(given), faults
    except ValidationError as error:
        wrong = {str(fault["loc"][0]): str(fault["msg"]) for fault in error.errors()}
        kept = given | {name: getattr(before, name) for name in wrong}
        return Content.model_validate(kept), [
            *faults,
            *(Fault(f"/{name}", text) for name, text in wrong.items()),
        ]


def wants_looking_up(fields: Fields, content: Content) -> bool:
    """Whether the place in words must be looked up: it has no position yet, or the position is another place's."""
    if not content.place_name:
        return False
    return content.position is None or one(fields, "place_found", content.place_name) != content.place_name


def local_time(moment: datetime | None, timezone: str) -> str:
    """A time as ``<input type="datetime-local">`` shows it."""
    return moment.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%dT%H:%M") if moment else ""


def _kind(text: str) -> Kind:
    return Kind(text) if text in list(Kind) else Kind.NOTICE


def _position(fields: Fields, faults: list[Fault]) -> Position | None:
    try:
        longitude, latitude = number(fields, "longitude"), number(fields, "latitude")
        if longitude is None or latitude is None:
            return None
        return Position(longitude=longitude, latitude=latitude)
    except (Invalid, ValidationError):
        faults.append(Fault("/position", "is not longitude and latitude in degrees"))
        return None


def _moment(fields: Fields, name: str, timezone: str, faults: list[Fault]) -> datetime | None:
    text = one(fields, name)
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone))
    except ValueError:
        faults.append(Fault(f"/{name}", "is not a date and a time such as 2026-12-24 18:00"))
        return None
