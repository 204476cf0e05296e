"""Shows the main job happening: what was sent to residents, as it is sent."""

import asyncio
from collections import Counter
from collections.abc import Callable

import httpx

EVERY_SECONDS = 2.0


class Watch:
    """Reads the outbox and says a line for each subject that went out."""

    def __init__(self, outbox: str, say: Callable[[str], None]) -> None:
        self._outbox = outbox
        self._say = say
        self._seen = {"mails": 0, "pushes": 0}

    async def run(self) -> None:
        """Watch until cancelled."""
        async with httpx.AsyncClient(base_url=self._outbox, timeout=5) as client:
            while True:
                await asyncio.sleep(EVERY_SECONDS)
                try:
                    await self._look(client, "mails", "mail", lambda one: one["subject"])
                    await self._look(client, "pushes", "push", lambda one: one["payload"]["title"])
                except httpx.HTTPError:
                    continue

    async def _look(
        self, client: httpx.AsyncClient, name: str, word: str, title: Callable[[dict], str]
    ) -> None:
        found = (await client.get(f"/api/{name}", params={"after": self._seen[name]})).json()
        self._seen[name] += len(found)
        for text, count in Counter(title(one) for one in found).items():
            self._say(f"{word:<6} to {count:>3}  {text}")
