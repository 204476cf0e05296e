"""Words for residents: the vocabulary of the contract, reasons and causes, in the reader's language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal
from kommunepuls_events import Direction, Reason, ReasonType

from gateway_api.domain.vocabulary import CAUSES, UNITS


class Names(Protocol):
    """What things are called."""

    def area(self, area: str) -> str:
        """Name of an area."""

    def interest(self, slug: str) -> str:
        """Name of an interest."""

    def organiser(self, organiser: str) -> str:
        """Name of an organiser."""

    def place(self, place: str) -> str:
        """What the resident calls one of their places."""

    def sensor(self, sensor: str) -> str:
        """Name of a sensor."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day as a leaf of a calendar shows it."""

    number: int
    month: str
    weekday: str


@dataclass(frozen=True, slots=True)
class Words:
    """One language: its catalogue, and numbers and times as it writes them."""

    language: str
    gettext: Callable[[str], str]

    @property
    def locale(self) -> str:
        """Babel's name for it."""
        return {"nb": "nb_NO", "nn": "nn_NO", "sv": "sv_SE", "en": "en_GB"}.get(self.language, "nb_NO")

    def say(self, text: str, **values: object) -> str:
        """A sentence of the catalogue with its values filled in."""
        return self.gettext(text) % values if values else self.gettext(text)

    def number(self, value: float) -> str:
        """A number as it is written: with one decimal at most, with two below 2."""
        return format_decimal(round(value, 1 if abs(value) >= 2 else 2), locale=self.locale)

    def quantity(self, value: float, unit: str) -> str:
        """A value with its unit: ``20,1 °C``."""
        return f"{self.number(value)} {UNITS.get(unit, unit)}".strip()

    def distance(self, metres: float) -> str:
        """A distance as people say it: ``280 m``, ``1,4 km``."""
        if metres < 1000:
            return f"{self.number(round(metres, -1) if metres >= 20 else round(metres))} m"
        return f"{self.number(metres / 1000)} km"

    def moment(self, at: datetime, timezone: str = "Europe/Oslo") -> str:
        """A time in full, in the resident's zone."""
        pattern = "d. MMMM y 'kl'. HH:mm" if self.language in ("nb", "nn") else None
        pattern = "d MMMM y 'kl'. HH:mm" if self.language == "sv" else pattern
        return format_datetime(
            at, pattern or "d MMMM y, HH:mm", tzinfo=ZoneInfo(timezone), locale=self.locale
        )

    def day(self, at: datetime, timezone: str = "Europe/Oslo") -> Day:
        """The day of a time in a zone, in short words."""
        zone = ZoneInfo(timezone)
        month, weekday = (
            format_datetime(at, pattern, tzinfo=zone, locale=self.locale).rstrip(".")
            for pattern in ("LLL", "EEE")
        )
        return Day(at.astimezone(zone).day, month, weekday)

    def changed(self, field: str, value: str, timezone: str = "Europe/Oslo") -> str:
        """What a change says of a field before or after: times in full, all else as it is."""
        if not field.endswith(("_at", "_from", "_until")):
            return value
        try:
            return self.moment(datetime.fromisoformat(value), timezone)
        except ValueError:
            return value

    def ago(self, at: datetime, now: datetime) -> str:
        """How long ago, in words."""
        if abs((now - at).total_seconds()) < 60:
            return self.say("now")
        return format_timedelta(at - now, add_direction=True, format="short", locale=self.locale)


def reason_sentence(reason: Reason, names: Names, words: Words, *, unit: str = "") -> str:
    """A reason in words: why this resident was told."""
    match reason.type:
        case ReasonType.EMERGENCY:
            return words.say("It is an emergency warning for a place you follow")
        case ReasonType.PLACE:
            label = names.place(reason.place or "")
            if not reason.distance_metres:
                return words.say("It concerns the area around %(place)s", place=label)
            distance = words.distance(reason.distance_metres)
            return words.say("It is %(distance)s from %(place)s", distance=distance, place=label)
        case ReasonType.AREA:
            return words.say("You follow %(name)s", name=names.area(reason.area or ""))
        case ReasonType.ORGANISER:
            return words.say("You follow %(name)s", name=names.organiser(reason.organiser or ""))
        case ReasonType.INTEREST:
            return words.say(
                "You have chosen the interest %(name)s", name=names.interest(reason.interest or "")
            )
        case ReasonType.SENSOR:
            return _sensor_sentence(reason, names, words, unit)
        case ReasonType.FOLLOW_UP:
            return words.say("Something you were told before has been corrected or withdrawn")


def _sensor_sentence(reason: Reason, names: Names, words: Words, unit: str) -> str:
    values = {
        "name": names.sensor(reason.sensor or ""),
        "value": words.quantity(reason.value or 0.0, unit),
        "limit": words.quantity(reason.threshold or 0.0, unit),
    }
    if reason.direction is Direction.FALLING:
        return words.say("%(name)s: %(value)s, below your limit of %(limit)s", **values)
    return words.say("%(name)s: %(value)s, above your limit of %(limit)s", **values)


def cause_sentence(cause: str | None, words: Words) -> str:
    """Why a message was held, failed or suppressed; the bare slug for a cause we have no words for."""
    if not cause:
        return ""
    return words.say(CAUSES[cause]) if cause in CAUSES else cause.replace("-", " ")


def named(names: Mapping[str, str], key: str, words: Words) -> str:
    """The word for a member of a closed list."""
    return words.say(names[key]) if key in names else key
