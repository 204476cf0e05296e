"""A made-up town for the tests, and the real files where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from kommunepuls_geography import Area, AreaKind, Geography

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def real_areas() -> Path:
    """The folder of real area files; skips where they are not at hand."""
    return _real("areas")


@pytest.fixture
def real_permits() -> Path:
    """The folder of real permit files; skips where they are not at hand."""
    return _real("permits")


def _real(kind: str) -> Path:
    folder = Path(os.environ.get("KP_SHARED_DATA") or REPOSITORY.parent / "shared" / "data") / kind
    if not folder.is_dir():
        pytest.skip(f"The real {kind} files are not at hand; set KP_SHARED_DATA to their folder.")
    return folder


def square(west: float, south: float, size: float = 0.1) -> dict:
    """A GeoJSON square with its lower left corner there, `size` degrees wide and high."""
    east, north = west + size, south + size
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }


def feature(geometry: dict | None, **properties: object) -> dict:
    """A GeoJSON Feature."""
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features: dict, **members: object) -> dict:
    """A GeoJSON FeatureCollection."""
    return {"type": "FeatureCollection", "features": list(features), **members}


@pytest.fixture
def geojson():
    """The three builders above, for tests that make their own files."""

    class Builders:
        square = staticmethod(square)
        feature = staticmethod(feature)
        collection = staticmethod(collection)

    return Builders


@pytest.fixture
def hierarchy() -> list[Area]:
    """A municipality with a district and two neighbourhoods, without polygons."""
    return [
        Area("NO-3907", "Sandefjord", AreaKind.MUNICIPALITY, names={"nb": "Sandefjord"}),
        Area("NO-3907/nord", "Nord", AreaKind.DISTRICT, "NO-3907"),
        Area("NO-3907/breidablikk", "Breidablikk", AreaKind.NEIGHBOURHOOD, "NO-3907/nord"),
        Area("NO-3907/sentrum", "Sentrum", AreaKind.NEIGHBOURHOOD, "NO-3907"),
    ]


@pytest.fixture
def town() -> Geography:
    """A town of squares: Breidablikk west and Sentrum east, with registers and a gazetteer."""
    return Geography.load(
        areas=[
            {
                "data": collection(feature(square(10.0, 59.0, 0.2), id=3907, name="Sandefjord")),
                "country": "NO",
            },
            {
                "data": collection(
                    feature(square(10.0, 59.0), id="breidablikk", name="Breidablikk"),
                    feature(square(10.1, 59.0), id="sentrum", name="Sentrum"),
                ),
                "id_prefix": "NO-3907/",
                "parent": "NO-3907",
                "kind": "neighbourhood",
            },
        ],
        gazetteer=[
            {
                "rows": [
                    {"name": "Framnes skole", "kind": "school", "lon": 10.15, "lat": 59.05},
                    {"name": "Vik", "area_ids": "NO-3907/breidablikk", "municipality": "3907"},
                    {"name": "Kirkegata", "kind": "street", "area_ids": "NO-3907/sentrum"},
                ]
            }
        ],
        addresses=[
            {
                "rows": [
                    {"address": "Storgata 12", "lon": 10.12, "lat": 59.02, "gnr": "058", "bnr": 62},
                    {"street": "Storgata", "number": "14", "lon": 10.121, "lat": 59.02},
                    {"street": "Storgata", "number": "14", "letter": "b", "lon": 10.1215, "lat": 59.02},
                    {"address": "Breidablikkveien 3", "lon": 10.02, "lat": 59.02, "municipality": "0710"},
                ],
                "municipality": "NO-3907",
            }
        ],
        properties=[{"rows": [{"gnr": 7, "bnr": 12, "lon": 10.03, "lat": 59.03}], "municipality": "NO-3907"}],
    )
