"""Why a resident got something, in one sentence."""

from collections.abc import Sequence

from babel.lists import format_list
from kommunepuls_events import Direction, Reason, ReasonType

from gateway_api.domain.words import Names, Words

_FOLLOWED = (ReasonType.AREA, ReasonType.ORGANISER, ReasonType.INTEREST)


def because(reasons: Sequence[Reason], names: Names, words: Words, *, unit: str = "") -> str:
    """``Because it is 280 m from Home, and you follow Building permits``; empty without a reason.

    Args:
        reasons: the weightiest first.
        unit: of a sensor's values, a UCUM code.
    """
    clauses = []
    for reason in reasons:
        if reason.type not in _FOLLOWED and (clause := _clause(reason, names, words, unit)) not in clauses:
            clauses.append(clause)
    followed = list(dict.fromkeys(_followed(one, names) for one in reasons if one.type in _FOLLOWED))
    if followed:
        listed = format_list(followed, locale=words.locale)
        clauses.append(words.say("you follow %(names)s", names=listed))
    if not clauses:
        return ""
    if len(clauses) > 1:
        first = ", ".join(clauses[:-1])
        return words.say("Because %(first)s, and %(last)s", first=first, last=clauses[-1])
    return words.say("Because %(reason)s", reason=clauses[0])


def _followed(reason: Reason, names: Names) -> str:
    if reason.type is ReasonType.AREA:
        return names.area(reason.area or "")
    if reason.type is ReasonType.ORGANISER:
        return names.organiser(reason.organiser or "")
    return names.interest(reason.interest or "")


def _clause(reason: Reason, names: Names, words: Words, unit: str) -> str:
    if reason.type is ReasonType.EMERGENCY:
        return words.say("it is an emergency warning for a place you follow")
    if reason.type is ReasonType.PLACE:
        label = names.place(reason.place or "")
        if not reason.distance_metres:
            return words.say("it concerns the area around %(place)s", place=label)
        return words.say(
            "it is %(distance)s from %(place)s", distance=words.distance(reason.distance_metres), place=label
        )
    if reason.type is ReasonType.FOLLOW_UP:
        return words.say("you were told of it before")
    values = {
        "name": names.sensor(reason.sensor or ""),
        "value": words.quantity(reason.value or 0.0, unit),
        "limit": words.quantity(reason.threshold or 0.0, unit),
    }
    if reason.direction is Direction.FALLING:
        return words.say("%(name)s measures %(value)s, below your limit of %(limit)s", **values)
    return words.say("%(name)s measures %(value)s, above your limit of %(limit)s", **values)
