"""The read model's view of content items: newest revision, history, and who may see what."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from kommunepuls_events import ContentItemV1, Kind
from kommunepuls_events.geometry import Geometry

INSIDE, EXACTLY = "in:", "at:"

COMING = timedelta(days=7)
"""How long before it begins an event is on the pulse, at least."""

Ancestors = Callable[[str], Iterable[str]]
"""The ids of the areas around an area, nearest first; nothing for an unknown one."""


def item_fields(item: ContentItemV1, areas: Iterable[str], ancestors: Ancestors) -> dict[str, Any]:
    """The document of an item's newest revision.

    Args:
        item: the revision.
        areas: the areas that it concerns, worked out where the item itself names none.
        ancestors: of an area.
    """
    areas = sorted(set(areas))
    return {
        "item": item.model_dump_json(exclude_none=True),
        "revision": item.revision,
        "municipality": item.municipality,
        "source": item.source,
        "organiser": item.organiser.id if item.organiser else None,
        "kind": str(item.kind),
        "interests": list(item.interests),
        "areas": areas,
        "area_terms": area_terms(areas, ancestors),
        "public": is_public(item),
        "published_at": item.published_at,
        "changed_at": item.observed_at,
        "over_at": over_at(item),
    }


def area_terms(areas: Iterable[str], ancestors: Ancestors) -> list[str]:
    """What an item is found by: at each of its areas, and inside each area around these."""
    terms: set[str] = set()
    for area in areas:
        terms |= {EXACTLY + area, INSIDE + area}
        terms |= {INSIDE + outer for outer in ancestors(area)}
    return sorted(terms)


def search_terms(area: str, ancestors: Ancestors) -> list[str]:
    """The terms that find what concerns an area: inside it, or at an area around it."""
    return [INSIDE + area, *(EXACTLY + outer for outer in ancestors(area))]


def is_public(item: ContentItemV1) -> bool:
    """Whether lists, streams and open data show it: not withdrawn, and no exercise."""
    return not item.withdrawn and not item.exercise


def over_at(item: ContentItemV1) -> datetime | None:
    """When it no longer concerns anybody: the end of its validity or event; None when it says neither."""
    if item.valid_until:
        return item.valid_until
    if item.ends_at:
        return item.ends_at
    return item.starts_at + timedelta(hours=3) if item.starts_at else None


def happens_now(item: ContentItemV1, now: datetime, *, window: timedelta) -> bool:
    """Whether the pulse shows it: public, not over, and published within the window or going on."""
    over = over_at(item)
    if not is_public(item) or (over is not None and over <= now):
        return False
    if item.kind is Kind.EVENT and item.starts_at:
        return item.starts_at <= now + max(window, COMING)
    return item.published_at > now - window or (over is not None and item.kind is Kind.ALERT)


def pulse_order(item: ContentItemV1) -> tuple:
    """Sorts emergencies first, then other warnings, then the newest first."""
    return (not item.emergency, item.kind is not Kind.ALERT, -item.published_at.timestamp(), item.id)


def anchor(geometry: Geometry | None) -> tuple[float, float] | None:
    """One position (longitude, latitude) that stands for a geometry on a small map: its middle."""
    if geometry is None:
        return None
    points = list(_positions(geometry.coordinates))
    return (
        sum(point[0] for point in points) / len(points),
        sum(point[1] for point in points) / len(points),
    )


def _positions(coordinates: Any) -> Iterable[tuple[float, ...]]:
    if isinstance(coordinates[0], int | float):
        yield coordinates
    else:
        for part in coordinates:
            yield from _positions(part)


def texts_in(item: ContentItemV1, language: str) -> tuple[str, str, str, str]:
    """Title, summary, body and the language they are in: translated where the item has it."""
    translation = item.translations.get(language)
    if translation is None or language == item.language:
        return item.title, item.summary, item.body, item.language
    return (
        translation.title,
        translation.summary or item.summary,
        translation.body or item.body,
        language,
    )
