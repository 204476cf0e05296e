"""What residents receive: their mails and their push messages, as a mail program and a browser show them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as its receiver sees it."""

    address: str
    id: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]

    def is_about(self, item: str) -> bool:
        """Whether it links to the item."""
        return f"/items/{quote(item, safe='')}\n" in self.text


@dataclass(frozen=True, slots=True)
class Push:
    """One push message as its receiver sees it."""

    subscription: str
    item: str | None
    revision: int | None
    title: str
    body: str
    reasons: tuple[str, ...]
    language: str
    headers: dict[str, str]


@dataclass
class Receivers:
    """All mailboxes and browsers together.

    A mail program shows two mails with one Message-ID as one, and a browser two messages with one tag and
    content as one: ``repeats`` counts what they hide, by what it is a copy of.
    """

    address: str
    mails: dict[tuple, Mail] = field(default_factory=dict)
    pushes: dict[tuple, Push] = field(default_factory=dict)
    repeats: Counter[tuple] = field(default_factory=Counter)
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _seen_mails: int = 0
    _seen_pushes: int = 0

    def mails_to(self, address: str) -> list[Mail]:
        """One mailbox, in order."""
        return [mail for mail in self.mails.values() if mail.address == address]

    def pushes_to(self, subscription: str) -> list[Push]:
        """One browser, in order."""
        return [push for push in self.pushes.values() if push.subscription == subscription]

    async def look(self, client: httpx.AsyncClient) -> None:
        """Fetch what came since the last look; whoever returns has seen all that came before they asked."""
        async with self._looking:
            await self._look(client)

    async def _look(self, client: httpx.AsyncClient) -> None:
        fresh = (await client.get(f"{self.address}/api/mails", params={"after": self._seen_mails})).json()
        self._seen_mails += len(fresh)
        for one in fresh:
            headers = {name.lower(): value for name, value in one["headers"].items()}
            text = one["text"].replace("\r\n", "\n")
            mail = Mail(one["recipient"], headers["message-id"], one["subject"], text, one["html"], headers)
            self._keep(self.mails, ("mail", mail.address, mail.id), mail)
        fresh = (await client.get(f"{self.address}/api/pushes", params={"after": self._seen_pushes})).json()
        self._seen_pushes += len(fresh)
        for one in fresh:
            payload = one["payload"]
            push = Push(
                one["subscription"], payload["item"], payload["revision"], payload["title"], payload["body"],
                tuple(payload["reasons"]), payload["language"], one["headers"],
            )  # fmt: skip
            self._keep(self.pushes, ("push", push.subscription, payload["tag"], push.revision), push)

    def _keep(self, kept: dict, key: tuple, one: object) -> None:
        if key in kept:
            self.repeats[key] += 1
        else:
            kept[key] = one


@asynccontextmanager
async def watched_receivers(address: str) -> AsyncIterator[Receivers]:
    """The receivers behind an outbox, looked at again and again while inside."""
    receivers = Receivers(address)
    async with httpx.AsyncClient(timeout=10) as client:
        task = asyncio.create_task(_follow(receivers, client))
        try:
            yield receivers
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _follow(receivers: Receivers, client: httpx.AsyncClient) -> None:
    while True:
        await receivers.look(client)
        await asyncio.sleep(0.1)
