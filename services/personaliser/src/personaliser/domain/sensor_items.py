"""The item that tells a resident that a value has passed their own threshold."""

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from kommunepuls_events import (
    ContentItemV1,
    Kind,
    Reason,
    ReasonType,
    SensorReadingV1,
    Translation,
    item_id,
)
from kommunepuls_matching.sharing import Group

from personaliser.domain.thresholds import Crossing


class _Property(NamedTuple):
    """Words that follow a value, and the interests that such readings belong to."""

    nb: str
    nn: str
    sv: str
    en: str
    interests: tuple[str, ...] = ()


_PROPERTIES = {
    "water-temperature": _Property("i vannet", "i vatnet", "i vattnet", "in the water", ("bathing",)),
    "air-temperature": _Property("i lufta", "i lufta", "i luften", "in the air", ("outdoors",)),
    "soil-temperature": _Property("i jorda", "i jorda", "i jorden", "in the soil", ("nature",)),
    "surface-temperature": _Property(
        "på bakken", "på bakken", "på marken", "on the ground", ("winter-maintenance",)
    ),
    "snow-depth": _Property("snø", "snø", "snö", "of snow", ("winter-maintenance", "outdoors")),
    "water-level": _Property("vannstand", "vasstand", "vattenstånd", "water level", ("nature",)),
    "water-flow": _Property("vannføring", "vassføring", "vattenflöde", "water flow", ("nature",)),
    "wind-speed": _Property("vind", "vind", "vind", "wind", ("outdoors",)),
    "wind-gust": _Property("i vindkast", "i vindkast", "i byarna", "in gusts", ("outdoors",)),
    "precipitation": _Property("nedbør", "nedbør", "nederbörd", "precipitation", ("outdoors",)),
    "air-humidity": _Property("luftfuktighet", "luftfukt", "luftfuktighet", "humidity"),
    "pm10": _Property(
        "svevestøv (PM10)", "svevestøv (PM10)", "partiklar (PM10)", "of PM10", ("air-quality",)
    ),
    "pm2-5": _Property(
        "svevestøv (PM2,5)", "svevestøv (PM2,5)", "partiklar (PM2,5)", "of PM2.5", ("air-quality",)
    ),
}
_OTHER = _Property("", "", "", "")
# UCUM codes as residents know them.
_UNITS = {"Cel": "°C", "ug/m3": "µg/m³", "m3/s": "m³/s", "[ppm]": "ppm", "deg": "°", "1": ""}
_LANGUAGES = ("nb", "nn", "sv", "en")


def item_of_reading(reading: SensorReadingV1) -> ContentItemV1:
    """A condition item for a reading with a value; one item a sensor and property, one revision a reading."""
    device = reading.sensor.removeprefix(f"{reading.source}/")
    native = f"threshold/{device}/{reading.observed_property}"
    titles = {language: _title(reading, device, language) for language in _LANGUAGES}
    return ContentItemV1(
        id=item_id(reading.source, native),
        revision=max(1, int(reading.observed_at.timestamp())),
        municipality=reading.municipality,
        source=reading.source,
        native_id=native,
        kind=Kind.CONDITION,
        interests=_PROPERTIES.get(reading.observed_property, _OTHER).interests,
        areas=reading.areas,
        geometry=reading.position,
        place_name=reading.name,
        title=titles["nb"],
        translations={language: Translation(title=titles[language]) for language in _LANGUAGES[1:]},
        published_at=reading.observed_at,
        observed_at=reading.received_at,
    )


def recipients_of(reading: SensorReadingV1, crossings: Iterable[Crossing]) -> list[Group]:
    """The subscribers of the crossings (ordered by subscriber) in groups, a reason a threshold."""
    groups: dict[tuple[Reason, ...], list[str]] = {}
    for subscriber, crossed in groupby(crossings, key=lambda crossing: crossing.subscriber):
        reasons = tuple(_reason(reading, one) for one in crossed)
        groups.setdefault(reasons, []).append(subscriber)
    return [Group(reasons, subscribers) for reasons, subscribers in groups.items()]


def _reason(reading: SensorReadingV1, crossing: Crossing) -> Reason:
    return Reason(
        type=ReasonType.SENSOR,
        sensor=reading.sensor,
        threshold=crossing.threshold.value,
        value=reading.value,
        direction=crossing.threshold.direction,
    )


def _title(reading: SensorReadingV1, device: str, language: str) -> str:
    number = f"{reading.value:.1f}".removesuffix(".0") if reading.unit == "%" else f"{reading.value:.1f}"
    if language != "en":
        number = number.replace(".", ",")
    words = getattr(_PROPERTIES.get(reading.observed_property, _OTHER), language)
    told = " ".join(part for part in (number, _UNITS.get(reading.unit, reading.unit), words) if part)
    return f"{(reading.name or device)[:200]}: {told}"[:300]
