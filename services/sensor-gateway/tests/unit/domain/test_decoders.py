"""Payloads, byte by byte. The bytes are ours, laid out as the makers' documents say."""

import pytest
from kommunepuls_chassis.errors import RejectedInput
from sensor_gateway.domain.decoders import DECODERS, by_server, decode, device_type_in


def values(device_type: str, payload: str, port: int | None = 1, **parameters: float) -> dict:
    decoded = decode(device_type, bytes.fromhex(payload), port, parameters)
    return {one.property: one.value for one in decoded.measurements}


def test_decentlab_reads_the_groups_that_its_flags_name():
    # device 0001, flags 0003: distance group (2 words) and battery
    assert values("decentlab-dl-mbx", "02 0001 0003 07d0 0005 0bb8") == {
        "distance": 2.0,
        "valid-samples": 5,
        "battery-voltage": 3.0,
    }
    assert values("decentlab-dl-mbx", "02 0001 0002 0bb8") == {"battery-voltage": 3.0}


def test_a_decentlab_distance_without_valid_samples_is_no_measurement():
    assert values("decentlab-dl-mbx", "02 0001 0001 07d0 0000")["distance"] is None


def test_a_temperature_chain_with_absent_probes_has_no_value_there():
    payload = "02 0001 0001 8064" + "0000" * 15
    decoded = decode("decentlab-dl-tp", bytes.fromhex(payload), 1, {})
    first, *others = decoded.measurements
    assert first.value == 1.0
    assert all(one.value is None and one.missing for one in others)


def test_a_pressure_probe_needs_its_range_from_the_town_file():
    payload = "02 0001 0001 6000 4b00"
    with pytest.raises(RejectedInput, match="device-parameter-missing"):
        values("decentlab-dl-pr26", payload)
    found = values("decentlab-dl-pr26", payload, pressure_low_bar=0, pressure_high_bar=1)
    assert found["liquid-pressure"] == pytest.approx(25_000)


def test_elsys_reads_below_zero():
    assert values("elsys-ers2", "01 ff9c 02 50 07 0e10", 5) == {
        "air-temperature": -10.0,
        "air-humidity": 80,
        "battery-voltage": 3.6,
    }


@pytest.mark.parametrize("word", ["7fff", "8000"])
def test_an_elsys_external_probe_that_is_not_there_has_no_value(word):
    decoded = decode("elsys-ers2", bytes.fromhex(f"0c {word}"), 5, {})
    assert decoded.measurements[0].missing
    assert decoded.measurements[0].value is None


def test_milesight_is_little_endian():
    assert values("milesight-em300-th", "01 75 64 03 67 9cff 04 68 a0", 85) == {
        "battery-level": 100,
        "air-temperature": -10.0,
        "air-humidity": 80.0,
    }


def test_the_same_milesight_channel_means_what_the_model_says():
    assert values("milesight-em500-udl", "03 82 e803", 85) == {"distance": 1.0}
    assert values("milesight-em500-swl", "03 77 6400", 85) == {"water-level": 1.0}
    assert values("milesight-em500-smtc", "03 67 6400", 85) == {"soil-temperature": 10.0}


def test_a_milesight_history_of_unknown_layout_does_not_cost_what_precedes_it():
    decoded = decode("milesight-am319", bytes.fromhex("03 67 6400 20 ce 0102030405"), 85, {})
    assert [one.value for one in decoded.measurements] == [10.0]
    assert decoded.left_out == ("history",)


def test_a_stored_value_carries_its_own_time():
    decoded = decode("milesight-ts201", bytes.fromhex("20 ce 00f15365 01 6400"), 85, {})
    assert decoded.measurements[0].at is not None
    assert decoded.measurements[0].value == 10.0


def test_where_a_tracked_thing_is_is_not_kept():
    decoded = decode("milesight-at101", bytes.fromhex("04 88 010203040506070800"), 85, {})
    assert decoded.measurements == ()
    assert decoded.left_out == ("location",)


def test_netvox_leaves_out_sensors_that_the_model_has_not():
    assert values("netvox-ra0723", "01 05 02 24 ffff 000a ffff", 6) == {
        "battery-voltage": 3.6,
        "pm2-5": 10.0,
    }
    assert values("netvox-ra0723", "01 05 0c a4 ff38 1388", 6) == {
        "battery-voltage": 3.6,
        "air-temperature": -2.0,
        "air-humidity": 50.0,
    }


def test_an_answer_to_a_configuration_command_measures_nothing():
    assert values("netvox-r719a", "82 59 003c 003c 01", 7) == {}


def test_parking_sensors_tell_the_state_by_port():
    assert values("bosch-parking-lot-sensor", "01", 1) == {"parking-occupied": 1.0}
    assert values("bosch-parking-lot-sensor", "00 f6", 2) == {
        "parking-occupied": 0.0,
        "device-temperature": -10.0,
    }
    assert values("nwave-g4-nps-sm", "95", 1) == {"parking-occupied": 1.0}
    assert "parking-occupied" not in values("nwave-g4-nps-sm", "00 7d d8", 2)


def test_cayenne_numbers_further_channels_of_a_type():
    assert values("cayenne-lpp", "01 67 00fa 02 67 ff9c 03 68 64") == {
        "air-temperature": 25.0,
        "air-temperature-2": -10.0,
        "air-humidity": 50.0,
    }


def test_tektelic_is_big_endian_on_the_same_channel_numbers():
    assert values("tektelic-comfort", "03 67 ff9c 04 68 a0 00 ba 0bb8", 10) == {
        "air-temperature": -10.0,
        "air-humidity": 80.0,
        "battery-voltage": 3.0,
    }


@pytest.mark.parametrize("device_type", sorted(DECODERS))
@pytest.mark.parametrize("payload", [b"\xff", b"\x00", b"\x02", b"\x03\x67\x01", b"\xaa" * 40])
def test_no_payload_crashes_a_decoder(device_type, payload):
    for port in (None, 1, 2, 3, 6, 7, 10, 85):
        try:
            decode(device_type, payload, port, {"pressure_low_bar": 0, "pressure_high_bar": 1})
        except RejectedInput as rejected:
            reason = rejected.reason
        else:
            reason = "taken"
        assert reason in ("taken", "payload-too-short", "bad-payload")


def test_an_unknown_type_is_never_guessed():
    with pytest.raises(RejectedInput, match="no-decoder"):
        decode("acme-thermo", b"\x01", 1, {})
    with pytest.raises(RejectedInput, match="empty-payload"):
        decode("elsys-ers2", b"", 1, {})


def test_a_profile_name_counts_only_when_it_is_a_types_whole_name():
    assert device_type_in(["Milesight EM300-TH"]) == "milesight-em300-th"
    assert device_type_in(["DL-PR26"]) == "decentlab-dl-pr26"
    assert device_type_in(["My EM300-TH devices", "", "default device profile"]) is None


def test_values_decoded_by_the_server_may_carry_their_unit():
    decoded = by_server.decode(
        {"Bat": "3.384 V", "temp_SOIL": "30.11 °C", "conduct_SOIL": "120 uS/cm", "mystery": 4, "co2": True},
        {},
    )
    found = {one.property: one.value for one in decoded.measurements}
    assert found == {
        "battery-voltage": 3.384,
        "soil-temperature": 30.11,
        "soil-conductivity": 0.012,
        "co2": 1.0,
    }
    assert decoded.left_out == ("mystery",)


def test_a_ds18b20_at_exactly_zero_is_not_connected():
    (found,) = by_server.decode({"TempC_DS18B20": "0.00 °C"}, {}).measurements
    assert found.missing
    assert found.value is None
    (frost,) = by_server.decode({"temperature": 0.0}, {}).measurements
    assert frost.value == 0.0


def test_the_town_file_names_a_field_that_we_do_not_know():
    (found,) = by_server.decode({"T_badeplass": 20.1}, {"T_badeplass": "water-temperature"}).measurements
    assert (found.property, found.value, found.unit) == ("water-temperature", 20.1, "Cel")


def test_a_value_in_a_unit_that_is_not_the_propertys_is_left_out():
    decoded = by_server.decode({"temperature": "68 °F", "humidity": "n/a"}, {})
    assert decoded.measurements == ()
    assert decoded.left_out == ("temperature", "humidity")


def test_a_number_that_nothing_can_measure_is_left_out():
    decoded = by_server.decode({"temperature": "9" * 5000, "co2": 10**400, "humidity": float("nan")}, {})
    assert decoded.measurements == ()
