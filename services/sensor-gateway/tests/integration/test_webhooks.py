"""Webhooks over real HTTP, published to a real broker."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from aiokafka.errors import KafkaTimeoutError
from kommunepuls_chassis.testing import RecordingProducer, eventually
from kommunepuls_events import ContentItemV1, SensorReadingV1
from kommunepuls_events.base import utc_now
from pyproj import Transformer
from sensor_gateway.app import compose
from sensor_gateway.settings import Settings

pytestmark = pytest.mark.integration
SOURCES = """
  - id: lora
    type: lorawan-webhook
    network: tts
    secret_env: KP_SECRET_TTS
    devices:
      - {id: bade-1, type: elsys-ers2, name: Storøya, properties: {air-temperature: water-temperature}}
  - id: senml
    type: senml-webhook
    secret_env: KP_SECRET_TTS
  - id: harja
    type: harja-webhook
    secret_env: KP_SECRET_TTS
  - id: unset
    type: senml-webhook
    secret_env: KP_SECRET_OF_NOBODY
"""
GOOD = {"X-Webhook-Secret": "correct horse battery"}


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helpers) -> Path:
    monkeypatch.setenv("KP_SECRET_TTS", helpers.SECRET)
    return helpers.write_town(tmp_path, SOURCES)


@pytest.fixture
def recorder() -> RecordingProducer:
    return RecordingProducer()


@pytest.fixture
async def client(town: Path, tmp_path: Path, recorder, helpers) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(
        town_files=str(town),
        data_dir=tmp_path / "data",
        operator_tokens=f"test:{helpers.OPERATOR}",
        largest_body_bytes=65_536,
        town_reload_seconds=0.1,
    )
    async with compose(settings, producer=recorder) as running:
        work = asyncio.create_task(running.run())
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}", timeout=20) as opened:
            yield opened
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_a_reading_is_acknowledged_when_it_is_published(kafka, town, tmp_path, helpers):
    settings = Settings(kafka_bootstrap=kafka, town_files=str(town), data_dir=tmp_path / "data")
    async with (
        compose(settings) as running,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}", headers=GOOD) as client,
    ):
        answer = await client.post("/webhooks/NO-3907/lora", content=helpers.tts_uplink(1, temperature=20.1))
        assert answer.status_code == 200
        assert answer.json() == {"readings": 1, "repeated": 0}
        (event,) = await helpers.published(kafka, SensorReadingV1)
        assert (event.data.observed_property, event.data.value, event.data.name) == (
            "water-temperature",
            20.1,
            "Storøya",
        )
        assert (await client.post("/webhooks/NO-3907/lora", content=helpers.tts_uplink(1))).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-Webhook-Secret": "wrong"}, {"X-Webhook-Secret": ""}, {"Authorization": "Basic abc"}],
)
async def test_without_the_secret_nothing_is_taken_or_kept(client, recorder, helpers, headers):
    answer = await client.post("/webhooks/NO-3907/lora", content=helpers.tts_uplink(1), headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert recorder.of(SensorReadingV1) == []
    assert recorder.raw == []


async def test_a_source_whose_secret_is_not_set_takes_nothing(client):
    for headers in ({"X-Webhook-Secret": ""}, GOOD):
        assert (
            await client.post("/webhooks/NO-3907/unset", content=b"[]", headers=headers)
        ).status_code == 401
    assert (await client.post("/webhooks/NO-3907/nobody", content=b"[]", headers=GOOD)).status_code == 401


async def test_a_bearer_token_is_taken_too(client, helpers):
    headers = {"Authorization": f"Bearer {helpers.SECRET}"}
    answer = await client.post("/webhooks/NO-3907/lora", content=helpers.tts_uplink(1), headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b'{"end_device', 400, "invalid-json"),
        (b"<html><script>alert(1)</script></html>", 400, "invalid-json"),
        (b"\xff\xfe\x00", 400, "invalid-json"),
        (b"x" * 5_000_000, 413, "too-large"),
        (b'{"end_device_ids": {"device_id": 3}, "uplink_message": {}}', 202, "wrong-shape"),
        (
            b'{"end_device_ids": {"device_id": "new"}, "uplink_message": {"frm_payload": "AQ=="}}',
            202,
            "no-decoder",
        ),
    ],
)
async def test_bad_input_is_kept_with_its_reason_and_blocks_nothing(
    client, recorder, helpers, content, status, reason
):
    answer = await client.post("/webhooks/NO-3907/lora", content=content, headers=GOOD)
    assert answer.status_code == status
    assert [letter.reason for letter in recorder.rejects] == [reason]
    after = await client.post("/webhooks/NO-3907/lora", content=helpers.tts_uplink(1), headers=GOOD)
    assert after.json()["readings"] == 1


async def test_what_could_not_be_published_is_not_acknowledged(client, recorder, helpers, monkeypatch):
    async def away(*_messages):
        raise KafkaTimeoutError

    with monkeypatch.context() as broken:
        broken.setattr(recorder, "publish", away)
        answer = await client.post("/webhooks/NO-3907/lora", content=helpers.tts_uplink(1), headers=GOOD)
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
    assert (
        await client.post("/webhooks/NO-3907/lora", content=helpers.tts_uplink(1), headers=GOOD)
    ).status_code == 200
    assert len(recorder.of(SensorReadingV1)) == 1


async def test_chirpstacks_other_events_are_taken_without_a_reading(client, recorder):
    answer = await client.post("/webhooks/NO-3907/lora?event=join", content=b"{}", headers=GOOD)
    assert answer.status_code == 200
    assert recorder.raw == []


async def test_a_device_added_to_the_town_file_is_known_without_a_restart(client, recorder, town, helpers):
    assert (
        await client.post("/webhooks/NO-3907/lora", content=helpers.tts_uplink(1, "ny"), headers=GOOD)
    ).status_code == 202
    added = "      - {id: bade-1, type: elsys-ers2}\n      - {id: ny, type: elsys-ers2}\n  - id: senml"
    text = town.read_text()
    begin, end = text.index("      - {id: bade-1"), text.index("  - id: senml")
    town.write_text(text[:begin] + added + text[end + len("  - id: senml") :])

    async def known() -> bool:
        answer = await client.post(
            "/webhooks/NO-3907/lora", content=helpers.tts_uplink(1, "ny"), headers=GOOD
        )
        return answer.status_code == 200

    await eventually(known)
    assert len(recorder.of(SensorReadingV1)) == 1


async def test_a_faulty_town_file_leaves_the_sources_running(client, town, helpers):
    town.write_text("code: [")
    for count in range(3):
        answer = await client.post("/webhooks/NO-3907/lora", content=helpers.tts_uplink(count), headers=GOOD)
        assert answer.status_code == 200
        await asyncio.sleep(0.15)


async def test_an_operator_tells_when_the_snow_began(client, helpers):
    path, body = "/snowfalls/NO-3907", {"started_at": "2026-01-30T06:00:00+01:00"}
    assert (await client.post(path, json=body)).status_code == 401
    operator = {"Authorization": f"Bearer {helpers.OPERATOR}"}
    assert (await client.get(path, headers=operator)).json() == {"started_at": None}
    assert (await client.post(path, json=body, headers=operator)).status_code == 201
    assert (await client.post(path, json=body, headers=operator)).status_code == 200
    earlier = {"started_at": "2026-01-29T06:00:00+01:00"}
    assert (await client.post(path, json=earlier, headers=operator)).status_code == 409
    naive = {"started_at": "2026-01-30T06:00:00"}
    assert (await client.post(path, json=naive, headers=operator)).json()["title"] == "time-without-zone"
    assert (await client.post("/snowfalls/SE-1761", json=body, headers=operator)).status_code == 404
    later = {"started_at": "2126-01-30T06:00:00Z"}
    assert (await client.post(path, json=later, headers=operator)).status_code == 422


async def test_pushed_plough_reports_end_in_an_item(client, recorder, town, helpers):
    to_metres = Transformer.from_crs("EPSG:4326", "EPSG:3067", always_xy=True)
    operator = {"Authorization": f"Bearer {helpers.OPERATOR}"}
    now = utc_now()
    began = {"started_at": now.replace(year=now.year - 1).isoformat()}
    assert (await client.post("/snowfalls/NO-3907", json=began, headers=operator)).status_code == 201
    document = json.loads((town.parent / "roads.geojson").read_text())
    for feature in document["features"]:
        line = [list(to_metres.transform(*corner)) for corner in feature["geometry"]["coordinates"]]
        report = {
            "otsikko": {"lahettaja": {"organisaatio": {"nimi": "Firma"}}},
            "havainnot": [
                {
                    "havainto": {
                        "tyokone": {"id": 4711},
                        "sijainti": {"viivageometria": {"type": "LineString", "coordinates": line}},
                        "havaintoaika": now.isoformat(),
                        "suoritettavatTehtavat": ["auraus ja sohjonpoisto"],
                    }
                }
            ],
        }
        answer = await client.post("/webhooks/NO-3907/harja", json=report, headers=GOOD)
        assert answer.status_code == 200, answer.text
    (item,) = recorder.of(ContentItemV1)
    assert item.title == "Breidablikk er brøytet"
    assert item.id.startswith("NO-3907/harja/")
    assert "4711" not in repr(recorder.messages)


async def test_health_and_metrics_are_served(client, helpers):
    await client.post("/webhooks/NO-3907/lora", content=helpers.tts_uplink(1), headers=GOOD)
    assert (await client.get("/health/live")).status_code == 200

    async def ready() -> bool:
        return (await client.get("/health/ready")).status_code == 200

    await eventually(ready)
    assert "kp_readings_total{quality=" in (await client.get("/metrics")).text
