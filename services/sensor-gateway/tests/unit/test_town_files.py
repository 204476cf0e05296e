"""The files beside a town file."""

import json
from pathlib import Path

import pytest
from kommunepuls_chassis.errors import OperatorError, RejectedInput
from kommunepuls_chassis.town import TownFile, parse_sources
from sensor_gateway.adapters.town_files import TownFiles, devices_of, places_of
from sensor_gateway.sources import MODELS

HEAD = "code: NO-3907\nname: Fjordvik\nareas: [{file: areas.geojson}]\nsources:\n"
SOURCE = "  - {id: lora, type: lorawan-webhook, network: tts, secret_env: KP_S, devices_file: devices.csv}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ring = [[10.1, 59.0], [10.4, 59.0], [10.4, 59.2], [10.1, 59.2], [10.1, 59.0]]
    feature = {
        "type": "Feature",
        "properties": {"id": "NO-3907", "name": "Fjordvik", "kind": "municipality"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    (tmp_path / "areas.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    (tmp_path / "town.yaml").write_text(HEAD + SOURCE)
    return tmp_path


def config(folder: Path):
    return parse_sources(TownFile(folder / "town.yaml"), MODELS)[0]


def test_devices_are_read_from_csv(folder):
    (folder / "devices.csv").write_text(
        "id,type,name,longitude,latitude,areas\nbade-1,elsys-ers2,Storøya,10.2,59.1,NO-3907/a NO-3907/b\n\n"
    )
    device = devices_of(config(folder), folder)["bade-1"]
    assert (device.name, device.position) == ("Storøya", (10.2, 59.1))
    assert device.areas == ("NO-3907/a", "NO-3907/b")


@pytest.mark.parametrize(
    "row",
    ["bade-1,elsys-ers2,x,590000,6600000", "bade-1,elsys-ers2,x,59.1,190.2", "bade-1,elsys-ers2,x,ten,59"],
)
def test_a_faulty_device_is_named_with_its_line(folder, row):
    (folder / "devices.csv").write_text(f"id,type,name,longitude,latitude\n{row}\n")
    with pytest.raises(OperatorError, match=r"devices\.csv:2: position"):
        devices_of(config(folder), folder)


def test_a_changed_devices_file_is_noticed(folder):
    file, reader = TownFile(folder / "town.yaml"), TownFiles()
    missing = reader.stamp(file)
    (folder / "devices.csv").write_text("id\nx\n")
    assert reader.stamp(file) != missing


def test_a_misspelt_setting_of_a_source_is_named(folder):
    (folder / "town.yaml").write_text(HEAD + SOURCE.replace("devices_file", "device_file"))
    with pytest.raises(OperatorError, match=r"town\.yaml:5: sources\.0\.device_file"):
        config(folder)


def test_a_position_with_its_numbers_exchanged_is_refused(folder):
    places = places_of(TownFile(folder / "town.yaml").town, folder)
    assert places.areas_at((10.2, 59.1)) == ("NO-3907",)
    assert places.areas_at((18.0, 59.3)) == ()
    with pytest.raises(RejectedInput, match="coordinates-swapped"):
        places.areas_at((59.1, 10.2))
