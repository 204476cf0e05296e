"""Recorded upstream messages, taken as they are."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sensor_gateway.domain.decoders import decode, device_type_in
from sensor_gateway.domain.formats import lorawan, ngsi, senml
from sensor_gateway.domain.ploughs import arcgis, avl, harja
from sensor_gateway.domain.ploughs.grid import grid
from sensor_gateway.domain.ploughs.sightings import Gaps, Tracks, Work

PARAMETERS = {"pressure_low_bar": 0.0, "pressure_high_bar": 1.0}
_EXPECTED = {
    "temperature": ("air-temperature", "probe-temperature"),
    "humidity": ("air-humidity",),
    "co2": ("co2",),
    "light": ("illuminance",),
    "battery": ("battery-level",),
    "battery_voltage": ("battery-voltage",),
}


def uplinks(folder: Path) -> list[tuple[Path, lorawan.Uplink, str | None]]:
    found = []
    for path in sorted((folder / "lorawan").glob("*/*.json")):
        if "expected" in path.name:
            continue
        network = {"tts_industries": "tts", "tts_storage": "tts"}.get(path.parent.name, path.parent.name)
        for message in lorawan.split_messages(path.read_bytes()):
            model = re.match(r"^(.+?)_uplink", path.name)
            kind = device_type_in([model[1]]) if model else None
            found.append((path, lorawan.read_uplink(network, message), kind))
    return found


def test_every_recorded_uplink_is_read_and_decoded(real_files):
    counted = 0
    for path, uplink, kind in uplinks(real_files):
        assert uplink.ids[0], path
        if kind is None:
            assert uplink.decoded, path
            continue
        for one in decode(kind, uplink.payload, uplink.port, PARAMETERS).measurements:
            counted += 1
            if one.unit == "Cel" and one.value is not None:
                assert -40 < one.value < 60, (path, one)
    assert counted > 300


def test_the_values_are_those_that_another_converter_finds(real_files):
    compared = 0
    for path, uplink, kind in uplinks(real_files):
        other = path.with_name(f"{path.stem}.thingsboard_expected.json")
        if not other.exists():
            continue
        found = {
            one.property: one.value
            for one in decode(kind, uplink.payload, uplink.port, PARAMETERS).measurements
        }
        telemetry = json.loads(other.read_bytes())
        telemetry = telemetry[0] if isinstance(telemetry, list) else telemetry
        values = telemetry["telemetry"]
        values = (values[0] if isinstance(values, list) else values)["values"]
        for name, properties in _EXPECTED.items():
            ours = next((found[one] for one in properties if one in found), None)
            if name in values and ours is not None:
                assert ours == pytest.approx(float(values[name]), abs=0.01), (path, name)
                compared += 1
        if "water_level" in values:
            assert found["water-level"] == pytest.approx(values["water_level"] / 100)
        if "pressure" in values:
            assert found["liquid-pressure"] == pytest.approx(values["pressure"] * 100_000, abs=0.01)
    assert compared > 20


def test_the_rfcs_senml_examples_resolve_as_it_says(real_files):
    checked = 0
    for path in sorted((real_files / "senml").glob("ex*.json")):
        if "resolved" in path.name:
            continue
        expected = json.loads(path.with_name(path.name.replace(".json", ".resolved.json")).read_bytes())
        # The examples without a time were resolved at the time that the expected records carry.
        found = senml.resolve(json.loads(path.read_bytes()), now=expected[0]["t"])
        # The expected file of example 7 lacks the record with binary data.
        assert [
            (one.name, one.unit, one.time, one.value, one.text, one.truth)
            for one in found
            if one.data is None
        ] == [
            (one["n"], one.get("u"), one["t"], one.get("v"), one.get("vs"), one.get("vb")) for one in expected
        ]
        checked += 1
    assert checked == 9


def test_entities_of_one_kind_agree_in_every_form(real_files):
    def values(name: str) -> dict:
        (entity,) = ngsi.entities(json.loads((real_files / "ngsi" / name).read_bytes()))
        return {one.property: one.value for one in ngsi.packet(entity, "Europe/Madrid").measurements}

    plain = values("NoiseLevelObserved.example.json")
    assert plain == values("NoiseLevelObserved.example-normalized.json")
    assert plain == values("NoiseLevelObserved.example-normalized.jsonld")
    assert plain == values("NoiseLevelObserved.example-geojsonfeature.json")
    assert values("AirQualityObserved.example-normalized.json")["no2"] == 69


def test_finnish_reports_lie_in_finland_and_stakes_are_no_ploughing(real_files):
    works = {}
    for path in sorted((real_files / "plough").glob("fi_*.json")):
        for one in harja.observations(json.loads(path.read_bytes())):
            sighting = harja.read(one, grid(3067))
            works[path.name] = sighting.works
            assert all(19 < east < 32 and 59 < north < 71 for east, north in sighting.points)
    assert works["fi_harja_service_timegap_linestring_tracking_2.json"] == {Work.SALTING}
    assert works["fi_harja_service_timegap_linestring_tracking_1.json"] == {Work.PLOUGHING}
    assert works["fi_harja_service_linestring_linestring-first.json"] == frozenset()


def test_the_time_gap_in_the_finnish_reports_splits_the_track(real_files):
    tracks, lines = Tracks(Gaps()), []
    for number in range(3):
        path = real_files / "plough" / f"fi_harja_service_timegap_linestring_tracking_{number}.json"
        for one in harja.observations(json.loads(path.read_bytes())):
            lines.append(len(tracks.join(harja.read(one, grid(3067)))))
    # alone, joined to the one five minutes before, alone after forty minutes
    assert lines == [1, 2, 1]


def test_feet_and_degrees_of_the_tracker_agree(real_files):
    works = {"SNOW SALT SPREADER": frozenset({Work.PLOUGHING})}
    body = json.loads((real_files / "plough" / "us_chicago_avl_1449065085.json").read_bytes())
    for one in avl.vehicles(body):
        degrees = avl.read(one, works).points[0]
        feet = avl.read({**one, "longitude": None, "latitude": None}, works).points[0]
        assert feet == pytest.approx(degrees, abs=0.0005)


def test_repeated_polls_of_the_tracker_add_no_line(real_files):
    works = {"SNOW SALT SPREADER": frozenset({Work.PLOUGHING})}
    tracks, first, second = Tracks(Gaps()), 0, 0
    bodies = [
        json.loads(path.read_bytes()) for path in sorted((real_files / "plough").glob("us_chicago_avl_*"))
    ]
    for body in bodies:
        first += sum(len(tracks.join(avl.read(one, works))) for one in avl.vehicles(body))
    for one in avl.vehicles(bodies[-1]):
        second += len(tracks.join(avl.read(one, works)))
    assert first > 500
    assert second == 0


def test_no_unit_of_the_arcgis_layers_is_in_the_future_once_its_offset_is_known(real_files):

    received = 0
    for path in sorted((real_files / "plough").glob("ca_*_units_*.geojson")):
        for one in arcgis.features(json.loads(path.read_bytes())):
            moving = {**one, "properties": {**one["properties"], "VELOCITY": "5"}}
            if one["properties"]["LASTUPDATE"] is None:
                continue
            sighting, at = arcgis.read_unit(moving, timedelta(hours=-5))
            assert sighting.at <= at + timedelta(seconds=2)
            assert at > datetime(2022, 2, 1, tzinfo=UTC)
            received += 1
    assert received > 1500
