"""What somebody chose, in words: one sentence for each thing that can be changed, paused and ended."""

from collections.abc import Sequence
from dataclasses import dataclass

from babel.lists import format_list
from kommunepuls_events import Direction, Place, QuietHours, SensorThreshold

from gateway_api.domain.choices import Choices
from gateway_api.domain.vocabulary import CADENCES, CHANNELS, PROPERTIES
from gateway_api.domain.words import Names, Words, named

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Subscription:
    """One of them: the field of the choices it stands in, its id there, and what it says."""

    what: str
    id: str
    text: str


def subscriptions(
    choices: Choices,
    names: Names,
    words: Words,
    *,
    municipality: str,
    units: dict[str, str] | None = None,
    around: Choices | None = None,
) -> list[Subscription]:
    """Every subscription, by what it hangs on: interests, then areas, places, organisers, limits.

    Args:
        units: unit of each sensor's values, UCUM codes.
        around: choices that say where the interests are followed, if not these.
    """
    where = where_sentence(around or choices, names, words, municipality=municipality)
    return [
        *(Subscription("interests", one, f"{names.interest(one)} {where}") for one in choices.interests),
        *(
            Subscription("areas", one, _capital(area_phrase(one, names, words, municipality)))
            for one in choices.areas
        ),
        *(Subscription("places", one.id, _capital(place_phrase(one, words))) for one in choices.places),
        *(
            Subscription("organisers", one, words.say("Everything from %(name)s", name=names.organiser(one)))
            for one in choices.organisers
        ),
        *(
            Subscription("sensor_thresholds", one.id, threshold_sentence(one, names, words, units or {}))
            for one in choices.sensor_thresholds
        ),
    ]


def where_sentence(choices: Choices, names: Names, words: Words, *, municipality: str) -> str:
    """Where somebody wants to hear of things: ``in Havna and within 800 m of Home``."""
    phrases = [area_phrase(one, names, words, municipality) for one in choices.areas]
    phrases += [place_phrase(one, words) for one in choices.places]
    if not phrases:
        return words.say("(nowhere yet: no area or place is chosen)")
    more = len(phrases) - _MOST_NAMED
    if more > 1:
        phrases = [*phrases[:_MOST_NAMED], words.say("%(count)s more places", count=more)]
    return together(phrases, words)


def area_phrase(area: str, names: Names, words: Words, municipality: str) -> str:
    """``in Havna``."""
    if area == municipality:
        return words.say("in all of %(name)s", name=names.area(area))
    return words.say("in %(name)s", name=names.area(area))


def place_phrase(place: Place, words: Words) -> str:
    """``within 800 m of Home``."""
    label = place.label or words.say("your place")
    return words.say(
        "within %(distance)s of %(place)s", distance=words.distance(place.radius_metres), place=label
    )


def threshold_sentence(threshold: SensorThreshold, names: Names, words: Words, units: dict[str, str]) -> str:
    """``Water temperature at Storøya above 20 °C``."""
    values = {
        "name": names.sensor(threshold.sensor),
        "property": named(PROPERTIES, threshold.observed_property, words),
        "limit": words.quantity(threshold.value, units.get(threshold.sensor, "")),
    }
    if threshold.direction is Direction.FALLING:
        return words.say("%(property)s, %(name)s: when it is below %(limit)s", **values)
    return words.say("%(property)s, %(name)s: when it is above %(limit)s", **values)


def how_sentence(choices: Choices, words: Words) -> str:
    """``E-mail and push notification, right away, quiet from 22:00 to 07:00``."""
    if not choices.channels:
        return words.say("Nothing is sent: you read it here")
    first, *others = (named(CHANNELS, one, words) for one in choices.channels)
    channels = together([first, *map(_small, others)], words)
    parts = [channels, _small(named(CADENCES, choices.cadence, words))]
    if choices.quiet_hours:
        parts.append(quiet_phrase(choices.quiet_hours, words))
    return ", ".join(parts)


def quiet_phrase(quiet: QuietHours, words: Words) -> str:
    """``quiet from 22:00 to 07:00``."""
    return words.say(
        "quiet from %(begins)s to %(ends)s",
        begins=quiet.begins.strftime("%H:%M"),
        ends=quiet.ends.strftime("%H:%M"),
    )


def how_often(a_week: float, words: Words) -> str:
    """A number of messages a week as people say it."""
    if a_week <= 0:
        return words.say("nothing in the last 60 days")
    if a_week >= 1:
        return words.say("about %(count)s a week", count=words.number(round(a_week)))
    if a_month := round(a_week * 365 / 12 / 7):
        return words.say("about %(count)s a month", count=words.number(a_month))
    return words.say("less than one a month")


def together(parts: Sequence[str], words: Words) -> str:
    """``one, two and three``."""
    return format_list(list(parts), locale=words.locale)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
