"""What a resident chooses, checked against what their town has."""

from collections.abc import Collection, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from zoneinfo import available_timezones

from kommunepuls_events import (
    Cadence,
    Channel,
    Muted,
    Place,
    QuietHours,
    SensorThreshold,
    Severity,
    SubscriberProfileV1,
)
from kommunepuls_events.base import Identifier, Instant, LanguageTag, Slug
from kommunepuls_events.interests import AUDIENCES
from pydantic import BaseModel, ConfigDict, Field

from gateway_api.domain.errors import Fault, Invalid

MOST_PLACES = 10
MOST_THRESHOLDS = 30
FIRST_MESSAGES_A_DAY = 5
"""The attention budget that new residents begin with: rarely reached, and a guard on the day when all happens."""

_Identifiers = Annotated[tuple[Identifier, ...], Field(max_length=500)]
_Slugs = Annotated[tuple[Slug, ...], Field(max_length=200)]


class MutedChoices(BaseModel):
    """What the resident does not want to hear of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: _Identifiers = ()
    organisers: _Identifiers = ()
    interests: _Slugs = ()
    items: _Identifiers = ()


class Choices(BaseModel):
    """A profile without what the gateway itself decides (who, which municipality, which revision)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: LanguageTag = "nb"
    timezone: str = "Europe/Oslo"
    areas: _Identifiers = ()
    interests: _Slugs = ()
    organisers: _Identifiers = ()
    places: Annotated[tuple[Place, ...], Field(max_length=MOST_PLACES)] = ()
    sensor_thresholds: Annotated[tuple[SensorThreshold, ...], Field(max_length=MOST_THRESHOLDS)] = ()
    muted: MutedChoices = MutedChoices()
    minimum_severity: Severity = Severity.UNKNOWN
    audience: _Slugs = ()
    channels: tuple[Channel, ...] = (Channel.EMAIL, Channel.PUSH)
    cadence: Cadence = Cadence.IMMEDIATELY
    messages_a_day: Annotated[int, Field(ge=1, le=100)] | None = None
    quiet_hours: QuietHours | None = None
    paused_until: Instant | None = None


@dataclass(frozen=True, slots=True)
class TownOffer:
    """What can be chosen in a town."""

    areas: Set[str]
    interests: Set[str]


def first_choices(language: str) -> Choices:
    """What new residents begin with."""
    return Choices(language=language, messages_a_day=FIRST_MESSAGES_A_DAY)


def choices_of(profile: SubscriberProfileV1) -> Choices:
    """The choices that a profile holds."""
    held = profile.model_dump(exclude={"subscriber", "revision", "municipality", "changed_at"})
    return Choices.model_validate(held)


def faults_of(choices: Choices, offer: TownOffer, before: Choices | None = None) -> list[Fault]:
    """Everything that cannot be chosen.

    What the resident had chosen before stays allowed: an area that the town took off its list is theirs
    until they let go of it.
    """
    kept = before or Choices()
    faults = [
        *_unknown("/areas", choices.areas, offer.areas | set(kept.areas), "is no area of this municipality"),
        *_unknown("/interests", choices.interests, offer.interests | set(kept.interests), "is no interest"),
        *_unknown("/audience", choices.audience, set(AUDIENCES), "is no life stage"),
        *_repeated("/places", [place.id for place in choices.places]),
        *_repeated("/sensor_thresholds", [one.id for one in choices.sensor_thresholds]),
    ]
    if choices.timezone not in available_timezones():
        faults.append(Fault("/timezone", "is no time zone of the IANA list, such as Europe/Oslo"))
    quiet = choices.quiet_hours
    if quiet and quiet.begins == quiet.ends:
        faults.append(Fault("/quiet_hours/ends", "is the same as the beginning; leave both out for none"))
    if quiet and (quiet.begins.tzinfo or quiet.ends.tzinfo):
        faults.append(Fault("/quiet_hours", "is in the resident's own time zone: give times without zone"))
    return faults


def _unknown(pointer: str, given: Collection[str], known: Set[str], why: str) -> list[Fault]:
    return [Fault(f"{pointer}/{index}", why) for index, one in enumerate(given) if one not in known]


def _repeated(pointer: str, ids: list[str]) -> list[Fault]:
    return [
        Fault(f"{pointer}/{index}/id", "is given twice")
        for index, one in enumerate(ids)
        if one in ids[:index]
    ]


def new_profile(subscriber: str, municipality: str, choices: Choices, now: datetime) -> SubscriberProfileV1:
    """The first revision of a profile."""
    return SubscriberProfileV1(
        subscriber=subscriber, revision=1, municipality=municipality, changed_at=now, **_held(choices)
    )


def changed_profile(
    profile: SubscriberProfileV1, choices: Choices, offer: TownOffer, now: datetime
) -> SubscriberProfileV1 | None:
    """The profile's next revision with these choices; None when nothing changed.

    Raises:
        Invalid: with each fault.
    """
    before = choices_of(profile)
    if faults := faults_of(choices, offer, before):
        raise Invalid(faults)
    if _held(choices) == _held(before):
        return None
    return SubscriberProfileV1(
        subscriber=profile.subscriber,
        revision=profile.revision + 1,
        municipality=profile.municipality,
        changed_at=now,
        **_held(choices),
    )


def _held(choices: Choices) -> dict:
    held = {name: getattr(choices, name) for name in Choices.model_fields}
    held["muted"] = Muted(**choices.muted.model_dump())
    for name in ("areas", "interests", "organisers", "audience"):
        held[name] = tuple(dict.fromkeys(held[name]))
    held["channels"] = tuple(one for one in Channel if one in choices.channels)
    return held
