"""Items as a GeoJSON FeatureCollection (RFC 7946)."""

import json
from collections.abc import Sequence

from kommunepuls_events import ContentItemV1

from gateway_api.domain.open_data.addresses import item_url

MEDIA_TYPE = "application/geo+json"


def feature_collection(items: Sequence[tuple[ContentItemV1, Sequence[str]]], public_url: str) -> bytes:
    """The items, each with the areas it concerns; one without position has a null geometry."""
    features = [
        {
            "type": "Feature",
            "id": item.id,
            "geometry": item.geometry.model_dump(mode="json") if item.geometry else None,
            "properties": _properties(item, areas, public_url),
        }
        for item, areas in items
    ]
    return json.dumps(
        {"type": "FeatureCollection", "features": features}, ensure_ascii=False, allow_nan=False
    ).encode()


def _properties(item: ContentItemV1, areas: Sequence[str], public_url: str) -> dict:
    told = item.model_dump(
        mode="json",
        exclude_none=True,
        include={
            "revision", "municipality", "source", "kind", "stage", "interests", "place_name", "severity",
            "title", "summary", "language", "published_at", "valid_from", "valid_until", "starts_at",
            "ends_at", "confidence",
        },
    )  # fmt: skip
    return told | {
        "areas": list(areas),
        "organiser": item.organiser.name if item.organiser else None,
        "changed_at": item.observed_at.isoformat(),
        "url": item_url(public_url, item.id),
        "links": [str(link.url) for link in item.links],
    }
