"""What the live stream tells: an item that is new or changed, one that is withdrawn, a new value."""

from dataclasses import dataclass
from typing import Any

from kommunepuls_events import ContentItemV1, Quality, SensorReadingV1

from gateway_api.domain.vocabulary import category_of, level_of

ITEM, WITHDRAWN, READING = "item", "withdrawn", "reading"


@dataclass(frozen=True, slots=True)
class PulseEvent:
    """One event of the stream. ``data`` is public and JSON."""

    municipality: str
    name: str
    data: dict[str, Any]


def event_of_item(item: ContentItemV1) -> PulseEvent | None:
    """What to tell of a revision; None for an exercise or a revision that is no news."""
    if item.exercise:
        return None
    if item.withdrawn:
        return PulseEvent(item.municipality, WITHDRAWN, {"id": item.id, "revision": item.revision})
    if not item.announced:
        return None
    return PulseEvent(
        item.municipality,
        ITEM,
        {
            "id": item.id,
            "revision": item.revision,
            "kind": str(item.kind),
            "category": category_of(item),
            "level": level_of(item.severity),
            "title": item.title,
            "summary": item.summary,
            "language": item.language,
            "areas": list(item.areas),
            "interests": list(item.interests),
            "place_name": item.place_name,
            "organiser": item.organiser.name if item.organiser else None,
            "published_at": item.published_at.isoformat(),
        },
    )


def event_of_reading(reading: SensorReadingV1) -> PulseEvent | None:
    """What to tell of a reading; None for one that is not to be trusted."""
    if reading.quality is not Quality.GOOD or reading.value is None:
        return None
    return PulseEvent(
        reading.municipality,
        READING,
        {
            "sensor": reading.sensor,
            "name": reading.name,
            "observed_property": reading.observed_property,
            "value": reading.value,
            "unit": reading.unit,
            "observed_at": reading.observed_at.isoformat(),
        },
    )
