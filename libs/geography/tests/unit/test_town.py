"""A town file's areas, places and registers, read the same way by every service."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from kommunepuls_geography import GeographyError, geography_of


@dataclass
class Areas:
    file: Path
    id: str = "code"
    name: str = "title"
    parent: str = "inside"
    kind: str = "kind"
    country: str | None = None


@dataclass
class Register:
    file: Path


@dataclass
class Town:
    code: str = "NO-9901"
    areas: list = field(default_factory=list)
    gazetteer: list = field(default_factory=list)
    addresses: list = field(default_factory=list)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    square = [[[10.0, 59.0], [10.2, 59.0], [10.2, 59.2], [10.0, 59.2], [10.0, 59.0]]]
    feature = {
        "type": "Feature",
        "properties": {"code": "NO-9901", "title": "Fjordvik", "kind": "municipality"},
        "geometry": {"type": "Polygon", "coordinates": square},
    }
    (tmp_path / "areas.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    (tmp_path / "addresses.csv").write_text(
        "street,number,letter,gnr,bnr,lon,lat\nStorgata,4,,14,301,10.1,59.1\n"
    )
    return Town(areas=[Areas(Path("areas.geojson"))], addresses=[Register(Path("addresses.csv"))])


def test_paths_count_from_the_towns_folder_and_properties_are_the_ones_named(
    town: Town, tmp_path: Path
) -> None:
    geography = geography_of((town, tmp_path))
    assert geography.areas.get("NO-9901").name == "Fjordvik"
    assert geography.locate("Storgata 4", "NO-9901").geometry["coordinates"] == pytest.approx([10.1, 59.1])


def test_areas_alone_leave_registers_unread(town: Town, tmp_path: Path) -> None:
    town.addresses = [Register(Path("not-there.csv"))]
    assert "NO-9901" in geography_of((town, tmp_path), areas_only=True).areas
    with pytest.raises(GeographyError, match=r"not-there\.csv"):
        geography_of((town, tmp_path))
