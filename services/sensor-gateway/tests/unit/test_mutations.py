"""Messages with anything in any place: a reject at worst, and what comes after is taken."""

import contextlib
import copy
import json
import random

import pytest
from kommunepuls_chassis.errors import PermanentError, TransientError
from kommunepuls_events import SensorReadingV1
from sensor_gateway.domain.ploughs.roads import RoadNetwork

WEIRD = [
    None, True, -1, 0, 10**400, 1e308, -1e18, "", "x", "\u0000", "\ud800", "<script>alert(1)</script>", "9" * 5000,
    [], {}, [[]], [None], {"value": {"value": []}}, "2026-01-30T12:00:00", "0001-01-01T00:00:00+14:00", "AQID", [1, 2],
]  # fmt: skip
SENSORS = {
    "tts": ({"type": "lorawan-webhook", "network": "tts"}, {
        "end_device_ids": {"device_id": "d", "dev_eui": "00FF", "dev_addr": "1"}, "received_at": "2026-01-30T11:00:00Z",
        "uplink_message": {"session_key_id": "s", "f_port": 5, "f_cnt": 1, "frm_payload": "AQDI",
                           "version_ids": {"brand_id": "elsys", "model_id": "ers2"}, "received_at": "2026-01-30T11:00:00Z",
                           "decoded_payload": {"temperature": 4}, "locations": {"user": {"latitude": 59, "longitude": 10}}}}),
    "chirpstack": ({"type": "lorawan-webhook", "network": "chirpstack"}, {
        "deviceInfo": {"devEui": "01", "deviceName": "n", "deviceProfileName": "elsys ers2", "tags": {"type": "x"}},
        "time": "2026-01-30T11:00:00Z", "devAddr": "1", "fCnt": 1, "fPort": 5, "data": "AQDI", "object": {"co2": 4}}),
    "chirpstack 3": ({"type": "lorawan-webhook", "network": "chirpstack"}, {
        "devEUI": "AQIDBAUGBwg=", "deviceProfileName": "elsys ers2", "rxInfo": [{"time": "2026-01-30T11:00:00Z"}],
        "fCnt": 1, "fPort": 5, "data": "AQDI", "objectJSON": "{}", "tags": {}}),
    "loriot": ({"type": "lorawan-webhook", "network": "loriot"}, {
        "cmd": "rx", "EUI": "d", "ts": 1769770800000, "fcnt": 1, "port": 5, "data": "0100c8", "decoded": {"co2": 5}}),
    "thingpark": ({"type": "lorawan-webhook", "network": "thingpark"}, {"DevEUI_uplink": {
        "Time": "2026-01-30T11:00:00Z", "DevEUI": "d", "FPort": 5, "FCntUp": 1, "payload_hex": "0100c8", "DevAddr": "1",
        "DriverCfg": {"mod": {"mId": "ers2"}}, "CustomerData": {"loc": {"lat": "59", "lon": "10"}, "name": "n"}}}),
    "senml": ({"type": "senml-webhook"}, [
        {"bn": "urn:1:", "bt": 1769770800, "bu": "Cel", "bv": 1, "bver": 10, "n": "temperature", "v": 4, "u": "Cel", "t": 0},
        {"n": "open", "vb": True}, {"n": "sum", "s": 3}]),
    "ngsi": ({"type": "ngsi-webhook"}, {
        "id": "e", "type": "ParkingSpot", "name": {"value": "n"}, "status": {"value": "free", "metadata": {"timestamp": {"value": "2026-01-30T11:00:00Z"}}},
        "temperature": {"value": 3, "unitCode": "CEL"}, "dateObserved": {"value": "2026-01-30T11:00:00Z"},
        "location": {"value": {"type": "Point", "coordinates": [10, 59]}}}),
}  # fmt: skip
PLOUGHS = {
    "harja-webhook": ({}, {"havainnot": [{"havainto": {
        "tyokone": {"id": 7}, "urakkaid": 1, "havaintoaika": "2026-01-30T11:30:00Z", "suoritettavatTehtavat": ["auraus ja sohjonpoisto"],
        "sijainti": {"viivageometria": {"coordinates": [[385000, 6672000], [385100, 6672000]]}, "koordinaatit": {"x": 1, "y": 2}}}}]}),
    "avl-ploughs": ({"url": "https://example.org", "works": {"P": ["ploughing"]}}, {"TrackingDataResponse": {"locationList": [
        {"assetType": "P", "assetName": "a", "postingTime": "2026-01-30T11:30:00Z", "longitude": 10.2, "latitude": 59.1, "XCoord": 1161569, "YCoord": 1915929}]}}),
    "arcgis-ploughs": ({}, {"features": [
        {"geometry": {"coordinates": [10.2, 59.1]}, "properties": {"LASTUPDATE": 1769772600000, "RECEIVEDTIME": 1769772600000, "VELOCITY": "5",
         "UNITTYPE": "u", "COORDINATES": "59.1,10.2"}},
        {"geometry": {"coordinates": [[10.2, 59.1], [10.21, 59.1]]}, "properties": {"status": "3", "completetime": 1769772600000}}]}),
}  # fmt: skip


def places_in(value: object, path: tuple = ()) -> list[tuple]:
    found = [path]
    if isinstance(value, dict):
        for name, part in value.items():
            found += places_in(part, (*path, name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            found += places_in(part, (*path, index))
    return found


def mutated(message: object, chance: random.Random) -> bytes:
    message = copy.deepcopy(message)
    path = chance.choice(places_in(message))
    weird = chance.choice(WEIRD)
    if not path:
        return json.dumps(weird).encode()
    place = message
    for step in path[:-1]:
        place = place[step]
    if chance.random() < 0.15 and isinstance(place, dict):
        del place[path[-1]]
    else:
        place[path[-1]] = weird
    raw = json.dumps(message).encode()
    return raw[: chance.randrange(len(raw))] if chance.random() < 0.05 else raw


@pytest.mark.parametrize("name", SENSORS)
async def test_no_message_of_a_sensor_crashes_its_source(bench, name):
    fields, good = SENSORS[name]
    sensors = await bench.sensors(**fields, secret_env="KP_SECRET")
    chance = random.Random(f"sensor {name}")
    for _ in range(250):
        await sensors.take(mutated(good, chance))
    taken = await sensors.take(json.dumps(good).encode())
    assert not taken.rejects
    assert taken.readings or taken.repeated
    assert bench.producer.rejects
    assert all("<script" not in (one.name or "") for one in bench.producer.of(SensorReadingV1))


@pytest.mark.parametrize("name", PLOUGHS)
async def test_no_message_of_a_plough_crashes_its_source(bench, name):
    fields, good = PLOUGHS[name]
    roads = RoadNetwork([("a", "NO-3907/x", ((10.2, 59.1), (10.2035, 59.1)))])
    secret = {"secret_env": "KP_SECRET"} if name == "harja-webhook" else {}
    ploughs = await bench.ploughs(roads, bench.moment.replace(hour=1), type=name, **fields, **secret)
    chance = random.Random(f"plough {name}")
    for number in range(250):
        # An ArcGIS service's own error is raised for the poller, everything else is taken or kept.
        with contextlib.suppress(PermanentError, TransientError):
            await ploughs.take(mutated(good, chance), "street" if number % 2 else "unit")
    taken = await ploughs.take(json.dumps(good).encode(), "unit")
    assert taken.unreadable is None
    assert taken.sightings
    assert bench.producer.rejects
