"""Makes items, profiles and areas for tests of matching and of what uses it."""

from datetime import UTC, datetime
from typing import Any

from kommunepuls_events import ContentItemV1, SubscriberProfileV1, item_id
from kommunepuls_geography import Geography

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOWN = "NO-9901"
SOURCE = f"{TOWN}/kommunen"


def square(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def area(id: str, parent: str | None, *corners: float) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"id": id, "name": id.rpartition("/")[2], "parent": parent},
        "geometry": {"type": "Polygon", "coordinates": [square(*corners)]} if corners else None,
    }


AREAS = {
    "type": "FeatureCollection",
    "features": [
        area(TOWN, None, 10.0, 59.0, 10.4, 59.2),
        area(f"{TOWN}/west", TOWN, 10.0, 59.0, 10.2, 59.2),
        area(f"{TOWN}/east", TOWN, 10.2, 59.0, 10.4, 59.2),
        area(f"{TOWN}/west/harbour", f"{TOWN}/west", 10.0, 59.0, 10.1, 59.1),
        area(f"{TOWN}/west/hill", f"{TOWN}/west", 10.1, 59.1, 10.2, 59.2),
        area("NO-9902", None, 10.4, 59.0, 10.6, 59.2),
    ],
}


def geography_of_fjordvik() -> Geography:
    return Geography.load(areas=[{"data": AREAS}], name_areas=False)


def item(native: str = "1", **fields: Any) -> ContentItemV1:
    source = fields.pop("source", SOURCE)
    given = {
        "id": item_id(source, native),
        "revision": 1,
        "municipality": source.partition("/")[0],
        "source": source,
        "native_id": native,
        "kind": "notice",
        "title": "Something happened",
        "published_at": NOW,
        "observed_at": NOW,
    }
    return ContentItemV1.model_validate(given | fields)


def profile(subscriber: str = "s-1", **fields: Any) -> SubscriberProfileV1:
    given = {"subscriber": subscriber, "revision": 1, "municipality": TOWN, "changed_at": NOW}
    return SubscriberProfileV1.model_validate(given | fields)


def place(id: str, longitude: float, latitude: float, radius: float = 500.0) -> dict[str, Any]:
    return {"id": id, "longitude": longitude, "latitude": latitude, "radius_metres": radius}


def point(longitude: float, latitude: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [longitude, latitude]}
