"""Made-up pages, towns and posts."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ingest_facebook.adapters.rules_file import shipped_rules
from ingest_facebook.domain.configuration import FacebookPageConfig
from ingest_facebook.domain.page import Page, page_of
from ingest_facebook.domain.places import Places
from kommunepuls_chassis.town import Town
from kommunepuls_geography import AreaSource, GazetteerSource, Geography

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def square(longitude: float, latitude: float, side: float) -> dict:
    """A GeoJSON square from its south-west corner, sides in degrees."""
    east, north = longitude + side, latitude + side
    ring = [[longitude, latitude], [east, latitude], [east, north], [longitude, north], [longitude, latitude]]
    return {"type": "Polygon", "coordinates": [ring]}


AREAS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"id": "NO-9901", "name": "Fjordvik", "kind": "municipality"},
            "geometry": square(10.0, 59.0, 0.2),
        },
        {
            "type": "Feature",
            "properties": {"id": "NO-9901/havna", "name": "Havna", "parent": "NO-9901"},
            "geometry": square(10.0, 59.0, 0.1),
        },
        {
            "type": "Feature",
            "properties": {"id": "NO-9901/vestlia", "name": "Vestlia", "parent": "NO-9901"},
            "geometry": square(10.1, 59.1, 0.1),
        },
    ],
}
PLACES = (
    {"name": "Vestlia stadion", "lon": 10.15, "lat": 59.15},
    {"name": "Storgata", "kind": "street", "lon": 10.05, "lat": 59.05},
    {"name": "Skolegata", "kind": "street", "lon": 10.06, "lat": 59.06},
)


@pytest.fixture(scope="session")
def geography() -> Geography:
    """Fjordvik with Havna and Vestlia."""
    return Geography.load([AreaSource(data=AREAS)], [GazetteerSource(rows=PLACES, municipality="NO-9901")])


@pytest.fixture
def page(geography: Geography) -> Page:
    """A page of Fjordvik's."""
    config = FacebookPageConfig(id="facebook-kommune", type="facebook-page", page="100")
    town = Town(code="NO-9901", name="Fjordvik")
    return page_of(town, config, shipped_rules(), Places(geography, "NO-9901"))


@pytest.fixture(scope="session")
def real_files() -> Path:
    """Recorded answers of Facebook."""
    repository = Path(__file__).resolve().parents[3]
    folder = Path(os.environ.get("KP_SHARED_DATA", repository.parent / "shared" / "data")) / "facebook"
    if not folder.is_dir():
        pytest.skip("recorded answers of Facebook are not on this machine (KP_SHARED_DATA)")
    return folder
