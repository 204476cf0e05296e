"""The form of 'my choices', read into choices: every control of it works without JavaScript."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from kommunepuls_events import Direction, Place, QuietHours, SensorThreshold
from pydantic import ValidationError

from gateway_api.domain.choices import Choices, MutedChoices
from gateway_api.domain.errors import Fault, Invalid

Fields = Mapping[str, Sequence[str]]
"""A submitted form: each name with its values."""

DEFAULT_RADIUS_METRES = 500.0
LONGEST_PAUSE = timedelta(days=365)
PAUSES = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}


@dataclass(frozen=True, slots=True)
class NewPlace:
    """A place that a resident wants to add: in words, or as a position."""

    text: str
    label: str
    radius_metres: float
    position: tuple[float, float] | None


def one(fields: Fields, name: str, default: str = "") -> str:
    """The last value of a field, without spaces around it."""
    values = fields.get(name) or (default,)
    return values[-1].strip()


def number(fields: Fields, name: str) -> float | None:
    """A number with comma or point; None when nothing was written.

    Raises:
        Invalid: naming the field.
    """
    text = one(fields, name).replace(",", ".").replace("\u2212", "-").replace(" ", "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise Invalid([Fault(f"/{name}", "is not a number")]) from None
    if value != value or abs(value) > 1e9:
        raise Invalid([Fault(f"/{name}", "is not a number")])
    return value


def choices_from(fields: Fields, before: Choices, now: datetime) -> Choices:
    """The choices that a form says; what it has no controls for stays as it was.

    Raises:
        Invalid: with each fault.
    """
    values: dict[str, Any] = {
        "language": one(fields, "language", before.language),
        "timezone": before.timezone,
        "areas": tuple(fields.get("areas", ())),
        "interests": tuple(fields.get("interests", ())),
        "organisers": tuple(fields.get("organisers", ())),
        "audience": tuple(fields.get("audience", ())),
        "channels": tuple(fields.get("channels", ())),
        "cadence": one(fields, "cadence", before.cadence),
        "messages_a_day": one(fields, "messages_a_day", str(before.messages_a_day or "")) or None,
        "minimum_severity": one(fields, "minimum_severity", before.minimum_severity),
        "places": _places(fields, before),
        "sensor_thresholds": _thresholds(fields, before),
        "muted": before.muted,
        "quiet_hours": _quiet_hours(fields),
        "paused_until": _paused_until(fields, before, now),
    }
    try:
        return Choices.model_validate(values)
    except ValidationError as error:
        raise Invalid(
            [
                Fault("/" + "/".join(str(part) for part in fault["loc"]), fault["msg"])
                for fault in error.errors()
            ]
        ) from None


def _places(fields: Fields, before: Choices) -> tuple[Place, ...]:
    kept = []
    for place in before.places:
        label = one(fields, f"place-{place.id}-label", place.label)[:40]
        radius = number(fields, f"place-{place.id}-radius") or place.radius_metres
        kept.append(_place(place.id, label, place.longitude, place.latitude, radius))
    return tuple(kept)


def _place(place_id: str, label: str, longitude: float, latitude: float, radius: float) -> Place:
    try:
        return Place(id=place_id, label=label, longitude=longitude, latitude=latitude, radius_metres=radius)
    except ValidationError as error:
        field = error.errors()[0]["loc"][0]
        raise Invalid([Fault(f"/place-{place_id}-{field}", error.errors()[0]["msg"])]) from None


def _thresholds(fields: Fields, before: Choices) -> tuple[SensorThreshold, ...]:
    kept = []
    for threshold in before.sensor_thresholds:
        value = number(fields, f"threshold-{threshold.id}-value")
        direction = one(fields, f"threshold-{threshold.id}-direction", threshold.direction)
        kept.append(
            threshold.model_copy(
                update={
                    "value": threshold.value if value is None else value,
                    "direction": _direction(direction),
                }
            )
        )
    return tuple(kept)


def _direction(text: str) -> Direction:
    return Direction.FALLING if text == Direction.FALLING else Direction.RISING


def _quiet_hours(fields: Fields) -> QuietHours | None:
    if not one(fields, "quiet"):
        return None
    return QuietHours(
        begins=_time(fields, "quiet_begins", time(22, 0)), ends=_time(fields, "quiet_ends", time(7, 0))
    )


def _time(fields: Fields, name: str, default: time) -> time:
    text = one(fields, name)
    if not text:
        return default
    try:
        return time.fromisoformat(text.replace(".", ":")).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise Invalid([Fault(f"/{name}", "is not a time such as 22:00")]) from None


def _paused_until(fields: Fields, before: Choices, now: datetime) -> datetime | None:
    wish = one(fields, "pause", "keep")
    if wish == "keep":
        return before.paused_until
    return now + PAUSES[wish] if wish in PAUSES else None


def pause_until(fields: Fields, timezone: str, now: datetime) -> datetime:
    """The moment a pause ends: the beginning of the day that was written, in the resident's zone.

    Raises:
        Invalid: if it is no date, not after today, or more than a year ahead.
    """
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()
    try:
        day = date.fromisoformat(one(fields, "until"))
    except ValueError:
        day = today
    if not today < day <= today + LONGEST_PAUSE:
        raise Invalid([Fault("/until", "is a day after today, within a year")])
    return datetime.combine(day, time(), zone)


def new_place(fields: Fields) -> NewPlace | None:
    """The place that the form wants to add; None when nothing was written.

    Raises:
        Invalid: for a position that is none.
    """
    text = one(fields, "new_place_text")[:200]
    longitude, latitude = number(fields, "new_place_longitude"), number(fields, "new_place_latitude")
    if not text and (longitude is None or latitude is None):
        return None
    position = None
    if longitude is not None and latitude is not None:
        if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
            raise Invalid([Fault("/new_place_longitude", "is not longitude and latitude in degrees")])
        position = (longitude, latitude)
    radius = number(fields, "new_place_radius") or DEFAULT_RADIUS_METRES
    return NewPlace(text, one(fields, "new_place_label")[:40], radius, position)


def with_place(choices: Choices, wanted: NewPlace, found: tuple[str, float, float] | None) -> Choices:
    """The choices with a place that was found.

    Raises:
        Invalid: if nothing was found there.
    """
    if wanted.position is not None:
        longitude, latitude = wanted.position
        name = wanted.text
    elif found is not None:
        name, longitude, latitude = found
    else:
        raise Invalid([Fault("/new_place_text", "place-unknown")])
    place = _place(uuid4().hex[:8], (wanted.label or name)[:40], longitude, latitude, wanted.radius_metres)
    return _again(choices, places=(*choices.places, place))


def with_threshold(choices: Choices, fields: Fields) -> Choices:
    """The choices with the threshold that the form wants to add.

    Raises:
        Invalid: if there is no sensor or no number.
    """
    sensor, hash_mark, observed_property = one(fields, "new_threshold_sensor").rpartition("#")
    value = number(fields, "new_threshold_value")
    if not hash_mark or not sensor:
        raise Invalid([Fault("/new_threshold_sensor", "choose a sensor")])
    if value is None:
        raise Invalid([Fault("/new_threshold_value", "is not a number")])
    try:
        threshold = SensorThreshold(
            id=uuid4().hex[:8],
            sensor=sensor,
            observed_property=observed_property,
            direction=_direction(one(fields, "new_threshold_direction")),
            value=value,
        )
    except ValidationError:
        raise Invalid([Fault("/new_threshold_sensor", "choose a sensor")]) from None
    return _again(choices, sensor_thresholds=(*choices.sensor_thresholds, threshold))


def without(choices: Choices, what: str, which: str) -> Choices:
    """The choices without a place, threshold or mute; as they were when there is no such thing."""
    if what == "place":
        return _again(choices, places=tuple(place for place in choices.places if place.id != which))
    if what == "threshold":
        kept = tuple(one for one in choices.sensor_thresholds if one.id != which)
        return _again(choices, sensor_thresholds=kept)
    return muting(choices, what, which, mute=False)


def muting(choices: Choices, what: str, which: str, *, mute: bool) -> Choices:
    """The choices with a source, organiser, interest or item muted, or heard again."""
    if what not in MutedChoices.model_fields:
        return choices
    held = tuple(one for one in getattr(choices.muted, what) if one != which)
    muted = choices.muted.model_copy(update={what: (*held, which) if mute else held})
    return _again(choices, muted=muted)


def following(choices: Choices, organiser: str) -> Choices:
    """The choices with an organiser followed, and no longer muted."""
    heard = muting(choices, "organisers", organiser, mute=False)
    return _again(heard, organisers=tuple(dict.fromkeys((*heard.organisers, organiser))))


def _again(choices: Choices, **changes: Any) -> Choices:
    try:
        return Choices.model_validate(
            {name: getattr(choices, name) for name in Choices.model_fields} | changes
        )
    except ValidationError as error:
        fault = error.errors()[0]
        raise Invalid([Fault("/" + "/".join(map(str, fault["loc"])), fault["msg"])]) from None
