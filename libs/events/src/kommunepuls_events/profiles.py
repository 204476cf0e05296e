"""Subscriber profiles: what a resident chose. No name, no contact detail, ever."""

from datetime import time
from typing import Annotated

from pydantic import Field, StringConstraints

from kommunepuls_events.base import Identifier, Instant, LanguageTag, Message, MunicipalityCode, Slug
from kommunepuls_events.vocabulary import Cadence, Channel, Direction, Severity


class Place(Message):
    """A point that the resident wants to hear about: home, cabin, a parent's house."""

    id: Identifier
    label: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = ""
    longitude: float = Field(ge=-180, le=180, description="degrees")
    latitude: float = Field(ge=-90, le=90, description="degrees")
    radius_metres: float = Field(gt=0, le=50_000)


class SensorThreshold(Message):
    """Tell me when this sensor's value passes this threshold."""

    id: Identifier
    sensor: Identifier
    observed_property: Slug
    direction: Direction = Direction.RISING
    value: float
    hysteresis: float = Field(
        default=0.5, ge=0, description="the value must move back this far before it can fire again"
    )


class Muted(Message):
    """What the resident does not want to hear of; emergencies pass."""

    sources: tuple[Identifier, ...] = ()
    organisers: tuple[Identifier, ...] = ()
    interests: tuple[Slug, ...] = ()
    items: tuple[Identifier, ...] = ()


class QuietHours(Message):
    """When nothing but an emergency may disturb, in the resident's own time zone."""

    begins: time
    ends: time


class SubscriberProfileV1(Message):
    """The whole profile, as published to the compacted ``profiles.v1``; a tombstone erases it."""

    subscriber: Identifier = Field(description="pseudonymous")
    revision: int = Field(ge=1, description="one more for each change")
    municipality: MunicipalityCode
    language: LanguageTag = "nb"
    timezone: str = "Europe/Oslo"
    areas: tuple[Identifier, ...] = ()
    interests: tuple[Slug, ...] = ()
    organisers: tuple[Identifier, ...] = ()
    places: tuple[Place, ...] = ()
    sensor_thresholds: tuple[SensorThreshold, ...] = ()
    muted: Muted = Muted()
    minimum_severity: Severity = Field(default=Severity.UNKNOWN, description="of alerts")
    audience: tuple[Slug, ...] = Field(
        default=(), description="life stages; empty means the resident has not said"
    )
    channels: tuple[Channel, ...] = (Channel.EMAIL, Channel.PUSH)
    cadence: Cadence = Cadence.IMMEDIATELY
    messages_a_day: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="attention budget: so many messages at most arrive at once on one day, over all producers; "
        "the rest comes in the next digest, emergencies pass; none means no limit",
    )
    quiet_hours: QuietHours | None = None
    paused_until: Instant | None = None
    changed_at: Instant
