"""Messages of network servers, SenML, NGSI and SensorThings."""

from datetime import UTC, datetime

import pytest
from kommunepuls_chassis.errors import RejectedInput
from sensor_gateway.domain.formats import lorawan, ngsi, senml, sensorthings
from sensor_gateway.domain.times import instant
from sensor_gateway.domain.values import parse_json

TTS = {
    "end_device_ids": {"device_id": "bade-1", "dev_eui": "00FF", "dev_addr": "26011111"},
    "received_at": "2026-01-30T12:00:01.123456789Z",
    "uplink_message": {
        "session_key_id": "abc",
        "f_port": 5,
        "f_cnt": 7,
        "frm_payload": "AQDI",
        "received_at": "2026-01-30T12:00:00.5Z",
        "version_ids": {"brand_id": "elsys", "model_id": "ers2"},
        "locations": {"user": {"latitude": 59.1, "longitude": 10.2}},
    },
}


def test_the_things_stacks_uplink_is_read():
    uplink = lorawan.read_uplink("tts", TTS)
    assert uplink.ids == ("bade-1", "00FF")
    assert uplink.payload == bytes.fromhex("0100c8")
    assert uplink.observed_at == datetime(2026, 1, 30, 12, 0, 0, 500_000, tzinfo=UTC)
    assert (uplink.session, uplink.session_is_sure, uplink.sequence) == ("abc", True, 7)
    assert uplink.position == (10.2, 59.1)
    assert uplink.hints == ("elsys-ers2",)


def test_a_join_is_no_uplink():
    with pytest.raises(lorawan.NotAnUplink):
        lorawan.read_uplink("tts", {"end_device_ids": {"device_id": "a"}, "join_accept": {}})


def test_storage_records_come_in_an_array_or_one_a_line():
    line = b'{"result": {"end_device_ids": {"device_id": "a"}, "uplink_message": {}}}'
    assert len(lorawan.split_messages(line + b"\n" + line + b"\n")) == 2
    (record,) = lorawan.split_messages(b"[" + line + b"]")
    assert lorawan.read_uplink("tts", record).ids == ("a",)


def test_both_versions_of_chirpstack_are_read():
    four = {
        "time": "2026-01-30T12:00:00+00:00",
        "deviceInfo": {"devEui": "0102030405060708", "deviceName": "x", "deviceProfileName": "Elsys ERS2"},
        "devAddr": "01", "fCnt": 0, "fPort": 5, "data": "AQDI",
    }  # fmt: skip
    three = {"devEUI": "AQIDBAUGBwg=", "fCnt": 0, "fPort": 5, "data": "AQDI",
             "rxInfo": [{"time": "2026-01-30T12:00:00Z"}], "objectJSON": '{"a": 1}'}  # fmt: skip
    new, old = (lorawan.read_uplink("chirpstack", one) for one in (four, three))
    assert new.ids[0] == old.ids[0] == "0102030405060708"
    assert new.observed_at == old.observed_at
    assert new.sequence == old.sequence == 0
    assert old.decoded == {"a": 1}


def test_every_gateways_copy_has_the_same_digest():
    one = lorawan.read_uplink(
        "loriot",
        {"cmd": "rx", "EUI": "1", "port": 2, "data": "0102", "fcnt": 1, "ts": 1769774400000, "rssi": -20},
    )
    other = lorawan.read_uplink(
        "loriot",
        {"cmd": "gw", "EUI": "1", "port": 2, "data": "0102", "fcnt": 1, "ts": 1769774400900, "rssi": -90},
    )
    assert one.digest == other.digest


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"uplink_message": {"frm_payload": "%%%"}}, "bad-payload"),
        ({"uplink_message": {"f_cnt": "7"}}, "wrong-shape"),
        ({"uplink_message": {"f_cnt": -1}}, "wrong-shape"),
        ({"uplink_message": []}, "wrong-shape"),
        ({"end_device_ids": {"device_id": 4}}, "wrong-shape"),
        ({"uplink_message": {"received_at": "2026-01-30T12:00:00"}}, "time-without-zone"),
        ({"uplink_message": {"received_at": "yesterday"}}, "bad-time"),
        (
            {"uplink_message": {"locations": {"user": {"latitude": 6889075, "longitude": 293358}}}},
            "not-wgs84",
        ),
    ],
)
def test_what_is_wrong_with_an_uplink_is_named(change, reason):
    with pytest.raises(RejectedInput) as caught:
        lorawan.read_uplink("tts", {**TTS, **change})
    assert caught.value.reason == reason


@pytest.mark.parametrize("raw", [b'{"a": ', b"\xff\xfe", b"<html>", b'{"a": NaN}', b"[" * 100_000])
def test_what_is_not_json_is_refused(raw):
    with pytest.raises(RejectedInput, match="invalid-json"):
        parse_json(raw)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-30T12:00:00.123456789Z",
        "2026-01-30T13:00:00.1+01:00",
        "2026-01-30 12:00Z",
        "2026-01-30T12:00:00+0000",
    ],
)
def test_times_are_read_with_any_number_of_decimals(text):
    assert instant(text).replace(microsecond=0) == datetime(2026, 1, 30, 12, 0, tzinfo=UTC)


def test_a_time_without_zone_counts_only_where_the_zone_is_told():
    with pytest.raises(RejectedInput, match="time-without-zone"):
        instant("2026-01-30T12:00:00")
    assert instant("2026-01-30T12:00:00", naive_in="Europe/Oslo").hour == 11


def test_senml_carries_base_fields_over_and_adds_base_values():
    pack = [
        {"bn": "urn:dev:1:", "bt": 1_769_774_400, "bu": "Cel", "bv": 20, "n": "a", "v": 0.5},
        {"n": "b", "t": -10, "v": 1},
        {"n": "c", "u": "V", "vb": True},
        {"bn": "urn:dev:2:", "n": "d"},
    ]
    found = senml.resolve(pack, now=0)
    assert [(one.name, one.unit, one.time, one.value, one.truth) for one in found] == [
        ("urn:dev:1:a", "Cel", 1_769_774_400, 20.5, None),
        ("urn:dev:1:b", "Cel", 1_769_774_390, 21, None),
        ("urn:dev:1:c", "V", 1_769_774_400, None, True),
        ("urn:dev:2:d", "Cel", 1_769_774_400, 20, None),
    ]


def test_small_senml_times_count_from_now():
    (record,) = senml.resolve([{"n": "a", "v": 1, "t": -60}], now=1_769_774_400)
    assert record.time == 1_769_774_340


@pytest.mark.parametrize(
    ("pack", "reason"),
    [
        ({"n": "a", "v": 1}, "wrong-shape"),
        ([{"n": "a", "v": 1, "x_": 2}], "senml-field"),
        ([{"bver": 11, "n": "a", "v": 1}], "senml-version"),
        ([{"n": "_a", "v": 1}], "senml-name"),
        ([{"v": 1}], "senml-name"),
        ([{"n": "a"}], "senml-no-value"),
        ([{"n": "a", "v": 1, "vs": "x"}], "senml-no-value"),
        ([{"n": "a", "v": "1"}], "wrong-shape"),
        ([{"n": "a", "v": True}], "wrong-shape"),
        ([{"n": "a", "vb": 1}], "wrong-shape"),
        ([3], "wrong-shape"),
    ],
)
def test_a_faulty_senml_pack_is_refused_as_a_whole(pack, reason):
    with pytest.raises(RejectedInput) as caught:
        senml.resolve(pack, 0)
    assert caught.value.reason == reason


def test_senml_records_become_packets_of_devices_and_properties():
    now = datetime(2026, 1, 30, tzinfo=UTC)
    found = senml.packets(
        [
            {"bn": "urn:dev:1:", "n": "temperature", "u": "Cel", "v": 4},
            {"n": "humidity", "u": "%RH", "v": 80},
        ],
        now,
        [],
    )
    assert [(one.device, one.measurements[0].property, one.measurements[0].unit) for one in found] == [
        ("urn:dev:1", "air-temperature", "Cel"),
        ("urn:dev:1", "air-humidity", "%"),
    ]
    assert found[0].observed_at is None
    (again,) = senml.packets(senml.pack_of(found[1]), now, [])
    assert again.measurements == found[1].measurements


def test_ngsi_units_are_brought_to_ours():
    entity = {
        "id": "w1", "type": "WeatherObserved", "dateObserved": {"value": "2026-01-30T11:00:00Z/2026-01-30T12:00:00Z"},
        "atmosphericPressure": {"type": "Number", "value": 1000}, "relativeHumidity": 0.5, "snowHeight": 20,
        "co": {"value": 2, "metadata": {"unitCode": {"value": "GP"}}}, "windSpeed": {"value": 3, "unitCode": "KNT"},
        "precipitation": False, "location": {"type": "geo:json", "value": {"type": "Point", "coordinates": [10.2, 59.1]}},
    }  # fmt: skip
    packet = ngsi.packet(entity)
    assert {one.property: (one.value, one.unit) for one in packet.measurements} == {
        "air-pressure": (100_000, "Pa"),
        "air-humidity": (50, "%"),
        "snow-depth": (0.2, "m"),
        "co": (2000, "ug/m3"),
    }
    assert packet.observed_at == datetime(2026, 1, 30, 12, tzinfo=UTC)
    assert packet.position == (10.2, 59.1)


def test_the_temperature_of_water_is_not_that_of_air():
    packet = ngsi.packet({"id": "x", "type": "WaterObserved", "temperature": 19.5})
    assert packet.measurements[0].property == "water-temperature"


@pytest.mark.parametrize(
    ("entity", "reason"),
    [
        ({"id": "a", "type": "WeatherAlert", "severity": "high"}, "not-a-sensor"),
        ({"id": "a", "type": "Streetlight", "on": True}, "no-known-attribute"),
        ({"type": "WeatherObserved", "temperature": 1}, "wrong-shape"),
        ({"id": "a", "type": "WeatherObserved", "temperature": 1, "dateObserved": "2026-01-30T12:00:00"}, "time-without-zone"),
        ({"id": "a", "type": "WeatherObserved", "temperature": 1, "location": {"type": "Point", "coordinates": [500, 59]}}, "not-wgs84"),
    ],
)  # fmt: skip
def test_an_entity_that_cannot_be_taken_says_why(entity, reason):
    with pytest.raises(RejectedInput) as caught:
        ngsi.packet(entity)
    assert caught.value.reason == reason


def test_an_observation_of_an_interval_counts_from_its_end():
    packet = sensorthings.packet(
        {"phenomenonTime": "2026-01-30T11:00:00Z/2026-01-30T12:00:00Z", "result": 120},
        sensor="7", observed_property="water-level", unit="m", factor=0.01,
    )  # fmt: skip
    assert packet.observed_at.hour == 12
    assert packet.measurements[0].value == 1.2
    with pytest.raises(RejectedInput, match="no-value"):
        sensorthings.packet(
            {"phenomenonTime": "2026-01-30T11:00:00Z", "result": None},
            sensor="7",
            observed_property="x",
            unit="1",
        )
