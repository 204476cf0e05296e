"""The reasons of a match in words, in the resident's language."""

from collections.abc import Iterable

from babel.numbers import format_decimal
from kommunepuls_events import ContentItemV1, Direction, Reason, SubscriberProfileV1
from kommunepuls_events.vocabulary import ReasonType

from notifier.domain.labels import Labels
from notifier.domain.language import Words, locale_of

_UNITS = {"water-level": "m", "snow-depth": "m"}


def reasons_in_words(
    reasons: Iterable[Reason],
    item: ContentItemV1,
    profile: SubscriberProfileV1,
    labels: Labels,
    words: Words,
) -> tuple[str, ...]:
    """One clause a reason, in the order given, none twice; each completes 'You get this because …'."""
    clauses = (_clause(reason, item, profile, labels, words) for reason in reasons)
    return tuple(dict.fromkeys(clauses))


def _clause(
    reason: Reason, item: ContentItemV1, profile: SubscriberProfileV1, labels: Labels, words: Words
) -> str:
    say, language = words.gettext, words.language
    match reason.type:
        case ReasonType.EMERGENCY:
            return say("it is a warning to everybody in the area")
        case ReasonType.PLACE:
            return _near_a_place(reason, profile, words)
        case ReasonType.AREA:
            return say("you follow the area %(area)s") % {"area": labels.area(reason.area or "", language)}
        case ReasonType.INTEREST:
            interest = labels.interest(reason.interest or "", item.municipality, language)
            return say("you follow the topic %(topic)s") % {"topic": interest}
        case ReasonType.ORGANISER:
            return say("you follow %(organiser)s") % {"organiser": _organiser(reason, item, labels)}
        case ReasonType.SENSOR:
            return _passed_a_threshold(reason, profile, words)
        case ReasonType.FOLLOW_UP:
            return say("we told you about this before")


def _near_a_place(reason: Reason, profile: SubscriberProfileV1, words: Words) -> str:
    say = words.gettext
    label = next((place.label for place in profile.places if place.id == reason.place), "")
    distance = _distance(reason.distance_metres or 0.0, words.language)
    if label and distance:
        return say("it is %(distance)s from your place “%(place)s”") % {"distance": distance, "place": label}
    if label:
        return say("it concerns your place “%(place)s”") % {"place": label}
    if distance:
        return say("it is %(distance)s from a place you follow") % {"distance": distance}
    return say("it concerns a place you follow")


def _distance(metres: float, language: str) -> str:
    """As people say it: tens of metres, then tenths of kilometres; empty for 'right there'."""
    if metres < 5:
        return ""
    if metres < 995:
        return f"{round(metres, -1):.0f} m"
    return f"{format_decimal(round(metres / 1000, 1), locale=locale_of(language))} km"


def _organiser(reason: Reason, item: ContentItemV1, labels: Labels) -> str:
    if item.organiser is not None and item.organiser.id == reason.organiser:
        return item.organiser.name
    owner = (reason.organiser or "").removesuffix("/kommune")
    return labels.municipality(owner)


def _passed_a_threshold(reason: Reason, profile: SubscriberProfileV1, words: Words) -> str:
    say = words.gettext
    unit = next(
        (
            _unit(threshold.observed_property)
            for threshold in profile.sensor_thresholds
            if threshold.sensor == reason.sensor and threshold.value == reason.threshold
        ),
        "",
    )
    values = {
        "threshold": _measured(reason.threshold, unit, words.language),
        "value": _measured(reason.value, unit, words.language),
    }
    if reason.direction is Direction.FALLING:
        return say("the reading fell to %(value)s, and you asked to hear below %(threshold)s") % values
    return say("the reading rose to %(value)s, and you asked to hear from %(threshold)s") % values


def _unit(observed_property: str) -> str:
    return "°C" if observed_property.endswith("temperature") else _UNITS.get(observed_property, "")


def _measured(value: float | None, unit: str, language: str) -> str:
    number = format_decimal(round(value or 0.0, 2), locale=locale_of(language))
    return f"{number} {unit}".strip()
