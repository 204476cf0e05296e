"""``kill -9`` in the middle of uplinks: nothing is lost, no reading comes twice."""

import asyncio

import httpx
import pytest
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import SensorReadingV1

pytestmark = pytest.mark.integration
SOURCES = """
  - id: lora
    type: lorawan-webhook
    network: tts
    secret_env: KP_SECRET_TTS
    devices: [{id: bade-1, type: elsys-ers2}]
"""
UPLINKS = 120


async def push(port: int, raw: bytes, secret: str) -> None:
    """What a network server does: again until it is answered."""
    async with httpx.AsyncClient(timeout=10) as client:
        while True:
            try:
                answer = await client.post(
                    f"http://127.0.0.1:{port}/webhooks/NO-3907/lora",
                    content=raw,
                    headers={"X-Webhook-Secret": secret},
                )
                if answer.status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.05)


async def test_nothing_is_lost_and_nothing_comes_twice(kafka, tmp_path, helpers):
    town = helpers.write_town(tmp_path, SOURCES)
    variables = helpers.environment(kafka, town, tmp_path, helpers.free_port())
    async with helpers.service_process(variables) as service:
        limit = asyncio.Semaphore(6)
        done = []

        async def one(count: int) -> None:
            async with limit:
                await push(service.port, helpers.tts_uplink(count, temperature=count / 10), helpers.SECRET)
                done.append(count)

        tasks = [asyncio.create_task(one(count)) for count in range(UPLINKS)]
        for share in (3, 2):
            await eventually(lambda share=share: len(done) >= UPLINKS // share - 20, every=0.005)
            await asyncio.to_thread(service.kill)
            await service.start()
        await asyncio.gather(*tasks)
        # A network server that had no answer repeats itself hours later.
        await asyncio.gather(
            *(
                push(service.port, helpers.tts_uplink(count, temperature=count / 10), helpers.SECRET)
                for count in range(0, UPLINKS, 10)
            )
        )
        events = await helpers.published(kafka, SensorReadingV1)
    identities = {(event.source, event.id) for event in events}
    assert len(identities) == UPLINKS
    assert {event.data.sequence for event in events} == set(range(UPLINKS))
    # Only what was in flight at a kill may be on the topic again, under the same identity and unchanged.
    assert len(events) - len(identities) <= 2 * 6
    contents = {}
    for event in events:
        contents.setdefault(event.id, set()).add(event.value())
    assert all(len(values) == 1 for values in contents.values())
