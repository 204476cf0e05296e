"""Which values can be told to a resident, and which packets are repeats."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from kommunepuls_events import Quality, SensorReadingV1
from pydantic import ValidationError
from sensor_gateway.domain.measurements import Device, Measurement, Packet
from sensor_gateway.domain.readings import Origin, readings_of
from sensor_gateway.domain.repeats import Seen, is_repeat, key_of

NOW = datetime(2026, 1, 30, 12, 0, tzinfo=UTC)
ORIGIN = Origin("NO-3907", "NO-3907/lora", timedelta(hours=3))


def packet(*measurements: Measurement, **fields: object) -> Packet:
    return Packet("d1", measurements, **{"observed_at": NOW, "digest": "x", "sequence": 4, **fields})


def reading(measurement: Measurement, device: Device | None = None, **fields: object):
    return readings_of(packet(measurement, **fields), device, ORIGIN, NOW)[0]


def test_a_plausible_value_is_good():
    found = reading(Measurement("air-temperature", 0.0, "Cel"))
    assert (found.value, found.quality, found.flags) == (0.0, Quality.GOOD, ())
    assert found.sensor == "NO-3907/lora/d1"


@pytest.mark.parametrize("value", [-327.68, 327.67, 3276.7, -3276.8])
def test_a_sentinel_is_no_temperature(value):
    found = reading(Measurement("water-temperature", value, "Cel"))
    assert (found.value, found.quality, found.flags) == (None, Quality.BAD, ("probe-missing",))


def test_zero_means_no_probe_only_where_the_town_file_says_so():
    device = Device(
        "d1",
        properties={"probe-temperature": "water-temperature"},
        zero_means_no_probe=("water-temperature",),
    )
    assert reading(Measurement("probe-temperature", 0.0, "Cel"), device).flags == ("probe-missing",)
    assert reading(Measurement("probe-temperature", 0.1, "Cel"), device).quality is Quality.GOOD
    assert reading(Measurement("probe-temperature", 0.0, "Cel")).value == 0.0


def test_a_value_out_of_its_range_is_kept_but_bad():
    found = reading(Measurement("water-temperature", 61.0, "Cel"))
    assert (found.value, found.quality, found.flags) == (61.0, Quality.BAD, ("out-of-range",))


def test_an_old_value_is_suspect():
    found = reading(Measurement("air-temperature", 3.0, "Cel"), observed_at=NOW - timedelta(hours=4))
    assert (found.quality, found.flags) == (Quality.SUSPECT, ("stale",))


def test_a_clock_ahead_of_ours_is_flagged_and_does_not_hide_what_follows():
    found = reading(Measurement("air-temperature", 3.0, "Cel"), observed_at=NOW + timedelta(hours=1))
    assert (found.quality, found.flags, found.observed_at) == (Quality.SUSPECT, ("clock-ahead",), NOW)


def test_a_packet_without_time_counts_from_its_receipt():
    found = reading(Measurement("air-temperature", 3.0, "Cel"), observed_at=None)
    assert (found.flags, found.observed_at) == (("clock-missing",), NOW)


def test_what_tells_of_the_device_is_marked():
    assert reading(Measurement("battery-voltage", 3.0, "V")).flags == ("device-state",)


def test_a_device_gets_its_names_from_the_town_file():
    device = Device(
        "d1",
        name="Storøya",
        position=(10.2, 59.1),
        properties={"air-temperature": "water-temperature"},
        leave_out=("motion",),
    )
    found = readings_of(
        packet(Measurement("air-temperature", 20.1, "Cel"), Measurement("motion", 1, "1")),
        device,
        ORIGIN,
        NOW,
    )
    assert [(one.observed_property, one.name, one.position.coordinates) for one in found] == [
        ("water-temperature", "Storøya", (10.2, 59.1))
    ]


def test_a_copy_by_another_gateway_is_a_repeat():
    first, copy = packet(session="a"), packet(session="a", observed_at=NOW + timedelta(seconds=2))
    assert key_of("s", first) == key_of("s", copy)
    assert is_repeat(Seen(first.digest, NOW), copy, NOW)


def test_a_counter_that_starts_again_after_a_join_is_none():
    assert key_of("s", packet(session="a")) != key_of("s", packet(session="b"))


def test_a_counter_that_starts_again_without_a_join_is_told_by_time_or_content():
    later = packet(session="addr", observed_at=NOW + timedelta(hours=5))
    assert not is_repeat(Seen("x", NOW), later, NOW)
    other = packet(session="addr", digest="y")
    assert not is_repeat(Seen("x", NOW), other, NOW)


def test_a_redelivery_hours_later_is_a_repeat_because_it_carries_its_time():
    assert is_repeat(Seen("x", NOW), packet(session="addr"), NOW + timedelta(hours=9))


def assert_as_the_contract_makes_them(kept: list[SensorReadingV1], fresh: list[SensorReadingV1]) -> None:
    assert kept == fresh
    assert [one.to_json() for one in kept] == [one.to_json() for one in fresh]
    assert [one.model_fields_set for one in kept] == [one.model_fields_set for one in fresh]
    assert all(type(one) is type(other) for one, other in zip(kept, fresh, strict=True))


def test_a_reading_of_a_known_datastream_is_the_one_the_contract_makes() -> None:
    device = Device("d", name="Storøya", position=(10.2, 59.1), areas=("NO-3907",))
    datastreams = ORIGIN.datastreams()
    for number, value in enumerate((20.5, 21, None, 200.0, 0.0, -327.68, 22.25)):
        packet = Packet(
            "d",
            (Measurement("air-temperature", value, "Cel"), Measurement("air-humidity", 40, "%")),
            NOW + timedelta(minutes=number),
            "digest",
            sequence=number if number != 4 else None,
        )
        received_at = NOW + timedelta(minutes=number, hours=4 * (number == 6))
        kept = readings_of(packet, device, ORIGIN, received_at, (), datastreams)
        assert_as_the_contract_makes_them(kept, readings_of(packet, device, ORIGIN, received_at))


def test_a_datastream_follows_what_the_town_file_and_the_message_say_of_its_sensor() -> None:
    datastreams = ORIGIN.datastreams()
    said = [
        (None, {}, ()),
        (Device("d1", zero_means_no_probe=("air-temperature",)), {}, ()),
        (Device("d1", leave_out=("air-temperature",)), {}, ()),
        (None, {"name": "Torget"}, ()),
        (None, {"position": (10.2, 59.1)}, ("NO-3907",)),
        (None, {"position": (10.3, 59.1)}, ("NO-3907", "NO-3907/sentrum")),
        (None, {}, ()),
    ]
    measured = Measurement("air-temperature", 0.0, "Cel"), Measurement("air-temperature", 300.0, "K")
    for device, fields, areas in said:
        given = packet(*measured, **fields)
        kept = readings_of(given, device, ORIGIN, NOW, areas, datastreams)
        assert_as_the_contract_makes_them(kept, readings_of(given, device, ORIGIN, NOW, areas))


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 10**400])
def test_what_the_contract_refuses_it_refuses_of_a_known_datastream_too(value: float) -> None:
    datastreams = ORIGIN.datastreams()
    known = packet(Measurement("pulses-of-its-own", 1e299, "1"), Measurement("air-temperature", 200.0, "Cel"))
    readings_of(known, None, ORIGIN, NOW, (), datastreams)
    for name, unit in (("pulses-of-its-own", "1"), ("air-temperature", "Cel")):
        with pytest.raises(ValidationError):
            readings_of(packet(Measurement(name, value, unit)), None, ORIGIN, NOW, (), datastreams)


def test_endless_new_sensors_are_not_kept_for_ever() -> None:
    datastreams = ORIGIN.datastreams()
    for number in range(30_000):
        streams = datastreams.of(packet()._replace(device=f"d{number}"), None)
        assert streams["air-temperature", "Cel"]
    assert len(datastreams._kept) < 15_000
