"""What the operations routes tell Prometheus about the parts of a process."""

import httpx
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.http import operations_app


async def _metrics(health: Health) -> str:
    transport = httpx.ASGITransport(operations_app(health))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return (await client.get("/metrics")).text


async def test_metrics_say_which_part_cannot_work_and_forget_parts_that_are_gone():
    health = Health()
    health.component("consumer notifier").beat(ready=True)
    health.component("source NO-3907/feed", stale_after=0)

    text = await _metrics(health)
    assert 'kp_component_ready{component="consumer notifier"} 1.0' in text
    assert 'kp_component_ready{component="source NO-3907/feed"} 0.0' in text

    health.forget("source NO-3907/feed")
    assert "NO-3907/feed" not in await _metrics(health)
