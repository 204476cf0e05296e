"""Packets once, rejects with their reason, and restarts."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from kommunepuls_events import Quality, SensorReadingV1

NOW = datetime(2026, 1, 30, 12, 0, tzinfo=UTC)
WEBHOOK = {"type": "lorawan-webhook", "network": "tts", "secret_env": "KP_SECRET"}
ELSYS = bytes.fromhex("01 00c8 02 50 07 0e10")


def uplink(
    count: int | None = 1, payload: bytes = ELSYS, session: str = "s1", device: str = "d1", **more
) -> dict:
    fields = {"f_port": 5, "frm_payload": base64.b64encode(payload).decode(), "session_key_id": session,
              "received_at": "2026-01-30T11:59:00Z", **more}  # fmt: skip
    if count is not None:
        fields["f_cnt"] = count
    return {"end_device_ids": {"device_id": device}, "uplink_message": fields}


def body(*messages: dict) -> bytes:
    return json.dumps(messages[0] if len(messages) == 1 else messages).encode()


@pytest.fixture
async def elsys(bench):
    return await bench.sensors(**WEBHOOK, devices=[{"id": "D1", "type": "elsys-ers2", "name": "Torget"}])


async def test_an_uplink_becomes_readings(bench, elsys):
    taken = await elsys.take(body(uplink()))
    assert (taken.readings, taken.rejects) == (3, {})
    readings = bench.producer.of(SensorReadingV1)
    assert {one.observed_property: one.value for one in readings} == {
        "air-temperature": 20.0, "air-humidity": 80.0, "battery-voltage": 3.6,
    }  # fmt: skip
    assert {one.sensor for one in readings} == {"NO-3907/source/D1"}


async def test_a_repeated_uplink_is_published_once_even_after_a_restart(bench, elsys):
    await elsys.take(body(uplink()))
    assert (await elsys.take(body(uplink(rssi=-99)))).repeated == 1
    again = await bench.sensors(**WEBHOOK, devices=[{"id": "D1", "type": "elsys-ers2"}])
    assert (await again.take(body(uplink()))).repeated == 1
    assert len(bench.producer.of(SensorReadingV1)) == 3


async def test_copies_that_arrive_at_once_are_one(bench, elsys):
    taken = await asyncio.gather(*(elsys.take(body(uplink())) for _ in range(10)))
    assert sum(one.readings for one in taken) == 3
    assert sum(one.repeated for one in taken) == 9


async def test_a_device_that_joined_anew_counts_from_the_start(bench, elsys):
    await elsys.take(body(uplink(count=1)))
    taken = await elsys.take(body(uplink(count=1, session="s2", received_at="2026-01-30T12:00:00Z")))
    assert taken.readings == 3


async def test_readings_written_down_but_not_published_are_published_after_a_restart(bench, elsys):
    async def away(*_messages):
        raise ConnectionError

    bench.producer.publish, publish = away, bench.producer.publish
    with pytest.raises(ConnectionError):
        await elsys.take(body(uplink()))
    bench.producer.publish = publish
    again = await bench.sensors(**WEBHOOK, devices=[{"id": "D1", "type": "elsys-ers2"}])
    assert len(bench.producer.of(SensorReadingV1)) == 3
    # The sender was not answered and sends again: that is a repeat now.
    assert (await again.take(body(uplink()))).repeated == 1


async def test_a_sender_that_tries_again_gets_through_without_a_restart(bench, elsys):
    async def away(*_messages):
        raise ConnectionError

    bench.producer.publish, publish = away, bench.producer.publish
    with pytest.raises(ConnectionError):
        await elsys.take(body(uplink()))
    bench.producer.publish = publish
    await elsys.take(body(uplink()))
    assert len(bench.producer.of(SensorReadingV1)) == 3


@pytest.mark.parametrize("restarted", [False, True])
async def test_many_uplinks_that_kafka_did_not_take_come_out_together_as_they_were_written_down(
    bench, elsys, restarted
):
    raws = [body(uplink(count=count, payload=bytes([1, 0, count]))) for count in range(60)]

    async def away(*_given):
        raise ConnectionError

    bench.producer.publish_many, publish_many = away, bench.producer.publish_many
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await elsys.take_many(raws[:40])
    bench.producer.publish_many = publish_many
    bench.moment += timedelta(hours=1)
    if restarted:
        elsys = await bench.sensors(**WEBHOOK, devices=[{"id": "D1", "type": "elsys-ers2"}])
    taken = await elsys.take_many(raws)
    assert (taken.readings, taken.repeated) == (20, 40)
    readings = bench.producer.of(SensorReadingV1)
    assert sorted(one.sequence for one in readings) == list(range(60))
    # Written down before the hour passed, and not made again.
    early = {one.sequence for one in readings if one.received_at == NOW}
    assert early == set(range(40))


async def test_a_counter_that_starts_again_while_kafka_is_away_takes_nothing_with_it(bench):
    by_personalisation = await bench.sensors(**WEBHOOK, devices=[{"id": "d1", "type": "elsys-ers2"}])

    async def away(*_given):
        raise ConnectionError

    bench.producer.publish, publish = away, bench.producer.publish
    with pytest.raises(ConnectionError):
        await by_personalisation.take(body(uplink(session="", payload=bytes.fromhex("0100c8"))))
    bench.producer.publish = publish
    await by_personalisation.take(body(uplink(session="", payload=bytes.fromhex("0100d2"))))
    assert [one.value for one in bench.producer.of(SensorReadingV1)] == [20.0, 21.0]


async def test_a_device_without_type_is_rejected_and_can_be_replayed(bench):
    sensors = await bench.sensors(**WEBHOOK)
    taken = await sensors.take(body(uplink()))
    assert taken.rejects == {"no-decoder": 1}
    _, key, raw, _ = bench.producer.raw[0]
    assert key == "NO-3907/source"
    mended = await bench.sensors(**WEBHOOK, devices=[{"id": "d1", "type": "elsys-ers2"}])
    assert (await mended.take(raw)).readings == 3


async def test_a_profile_named_in_the_message_is_enough(bench):
    sensors = await bench.sensors(**WEBHOOK)
    taken = await sensors.take(body(uplink(version_ids={"brand_id": "elsys", "model_id": "ers2"})))
    assert taken.readings == 3


async def test_what_the_server_decoded_wins_unless_it_says_nothing(bench, elsys):
    await elsys.take(body(uplink(decoded_payload={"temperature": 4.5})))
    await elsys.take(body(uplink(count=2, decoded_payload={"bytes": "0100"})))
    values = [one.value for one in bench.producer.of(SensorReadingV1)]
    assert values == [4.5, 20.0, 80.0, 3.6]


async def test_one_bad_message_in_a_batch_costs_itself_alone(bench, elsys):
    taken = await elsys.take(
        body(uplink(count=1), uplink(count=2, payload=b"\x01"), {"a": 1}, uplink(count=3))
    )
    assert taken.readings == 6
    assert taken.rejects == {"payload-too-short": 1, "wrong-shape": 1}
    assert sorted(letter.reason for letter in bench.producer.rejects) == ["payload-too-short", "wrong-shape"]


@pytest.mark.parametrize("raw", [b"", b"{", b"<html><script>", b"\xff\xfe", b'"text"', b"[1, 2]", b"null"])
async def test_a_body_that_is_no_uplink_is_kept_with_its_reason(bench, elsys, raw):
    taken = await elsys.take(raw)
    assert sum(taken.rejects.values()) >= 1
    assert bench.producer.rejects[0].reason in ("invalid-json", "wrong-shape")


async def test_senml_of_two_devices_is_taken_once(bench):
    sensors = await bench.sensors(type="senml-webhook", secret_env="KP_SECRET")
    pack = json.dumps(
        [
            {"bn": "urn:dev:1:", "bt": 1_769_774_340, "n": "temperature", "u": "Cel", "v": 4},
            {"bn": "urn:dev:2:", "n": "humidity", "u": "%RH", "v": 80},
        ]
    ).encode()
    assert (await sensors.take(pack)).readings == 2
    assert (await sensors.take(pack)).repeated == 2


async def test_unlisted_devices_are_refused_where_the_town_says_so(bench):
    sensors = await bench.sensors(type="senml-webhook", secret_env="KP_SECRET", unlisted_devices=False)
    taken = await sensors.take(b'[{"n": "urn:dev:1", "u": "Cel", "v": 4}]')
    assert taken.rejects == {"unknown-device": 1}


async def test_a_probe_that_is_not_there_never_shows_a_temperature(bench):
    device = {"id": "d1", "type": "elsys-ers2", "properties": {"probe-temperature": "water-temperature"}}
    sensors = await bench.sensors(**WEBHOOK, devices=[device])
    await sensors.take(body(uplink(payload=bytes.fromhex("0c 7fff"))))
    (reading,) = bench.producer.of(SensorReadingV1)
    assert (reading.observed_property, reading.value, reading.quality) == (
        "water-temperature",
        None,
        Quality.BAD,
    )
