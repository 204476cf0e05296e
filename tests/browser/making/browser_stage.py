"""A gateway with a broker and a made-up town's news, and residents who look at it in Chromium."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from browser_news import delivery_of, history, long_ago, match_of, news, photo, readings
from gateway_api.app import Running, compose
from gateway_api.settings import Settings
from kommunepuls_chassis import links
from kommunepuls_chassis.producer import EventProducer, Headers, open_producer
from kommunepuls_chassis.sealing import new_key_pair, unseal
from kommunepuls_chassis.testing import eventually
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_chassis.town import TownFile
from kommunepuls_devbroker.testing import embedded_broker
from kommunepuls_development.ports import free_port
from kommunepuls_development.town import write_town_file
from kommunepuls_events import ContactCommandV1, ContentItemV1
from kommunepuls_events.base import Message
from playwright.async_api import Browser, BrowserContext, Playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
KARI, OLA = "kari@example.no", "ola@example.no"
_LINK_KEY = "a-link-key-of-the-browser-tests"


class _Post:
    """Publishes, and keeps the contact commands that the notifier would read."""

    def __init__(self, producer: EventProducer) -> None:
        self._producer = producer
        self.commands: list[ContactCommandV1] = []

    async def publish(self, *messages: Message, traces: Any = None) -> None:
        self.commands += [one for one in messages if isinstance(one, ContactCommandV1)]
        await self._producer.publish(*messages, traces=traces)

    async def publish_raw(
        self,
        topic: str,
        key: str,
        value: bytes | None,
        headers: Headers = (),
        *,
        partition: int | None = None,
    ) -> None:
        await self._producer.publish_raw(topic, key, value, headers, partition=partition)


@dataclass
class Stage:
    """The gateway at ``url``, what is in it, cookies by address, sealed mail, drafts by what they are."""

    url: str
    running: Running
    producer: EventProducer
    items: dict[str, ContentItemV1]
    cookies: dict[str, list[dict[str, str]]]
    subscribers: dict[str, str]
    unsubscribe: str
    post: _Post
    key: str
    drafts: dict[str, str] = field(default_factory=dict)

    async def context(self, browser: Browser, resident: str | None = None, **options: Any) -> BrowserContext:
        """A browser profile, signed in as a resident or one of the staff, or as nobody."""
        context = await browser.new_context(**({"locale": "nb-NO"} | options))
        if resident:
            await context.add_cookies(self.cookies[resident])
        return context

    async def another_session(self, address: str) -> list[dict[str, str]]:
        """The cookies of a resident in one more browser, in which they can sign out."""
        return (await _signed_in(self.url, self.post, self.key, address, None))[1]

    def path_of(self, native: str) -> str:
        """The page of an item."""
        return "/items/" + self.items[native].id.replace("/", "%2F").replace("#", "%23")


@asynccontextmanager
async def browser_stage(folder: Path) -> AsyncIterator[Stage]:
    """Everything, with residents signed up and their feeds filled."""
    private, public = new_key_pair()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    town = TownFile(write_town_file(folder / "town", {"UPSTREAM": url, "SNOWFALL": "2026-01-01T00:00:00Z"}))
    async with embedded_broker(folder / "broker") as address:
        settings = Settings(
            kafka_bootstrap=address,
            http_port=port,
            public_url=url,
            link_key=_LINK_KEY,
            pepper="a-pepper-of-the-browser-tests",
            contact_public_key=public,
            vapid_public_key="BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM",
            operator_tokens="kari:operator-token-0001",
            data_dir=folder / "data",
        )
        await ensure_topics(settings)
        async with open_producer("browser-tests", settings) as producer:
            post = _Post(producer)
            async with compose(settings, producer=post, towns=[town]) as running:
                working = asyncio.create_task(running.run())
                try:
                    yield await _filled(url, running, producer, post, private)
                finally:
                    working.cancel()
                    await asyncio.gather(working, return_exceptions=True)


async def _filled(url: str, running: Running, producer: EventProducer, post: _Post, private: str) -> Stage:
    kept = await running.gateway.pictures.keep(photo())
    items = {item.native_id: item for item in news(f"{url}{kept.large}")}
    await running.read_model.take_items([*history(items["garasje"]), *items.values(), *long_ago()])
    await running.read_model.take_readings(readings())
    subscribers, cookies = {}, {}
    choices = {
        KARI: {"areas": ["NO-9901/havna"], "interests": ["water-and-sewage", "power"], "places": [
            {"id": "home", "label": "Hjemme", "longitude": 10.05, "latitude": 59.16, "radius_metres": 500}
        ]},
        OLA: {"areas": ["NO-9901/vestlia"], "interests": ["football"]},
    }  # fmt: skip
    for address, chosen in choices.items():
        subscribers[address], cookies[address] = await _signed_in(url, post, private, address, chosen)
    for native in ("vann", "vind", "garasje", "skript"):
        await running.read_model.take_match(match_of(items[native], subscribers[KARI]))
    await running.read_model.take_match(match_of(items["trener"], subscribers[OLA]))
    await running.read_model.take_deliveries(
        [delivery_of(items[native], subscribers[KARI], how) for native, how in
         (("vann", "sent"), ("vind", "sent"), ("garasje", "held"), ("skript", "failed"))]
    )  # fmt: skip
    claims = {"subscriber": subscribers[OLA], "purpose": links.UNSUBSCRIBE, "scope": "email"}
    return Stage(
        url,
        running,
        producer,
        items,
        cookies,
        subscribers,
        f"/unsubscribe/{links.sign(claims, _LINK_KEY)}",
        post,
        private,
    )


async def _signed_in(
    url: str, post: _Post, private: str, address: str, choices: dict | None
) -> tuple[str, list[dict[str, str]]]:
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        before = len(post.commands)
        assert (await client.post("/api/v1/sign-in-links", json={"address": address})).status_code == 202
        sent = await eventually(
            lambda: [one for one in post.commands[before:] if one.action == "send-link"], what="a link"
        )
        link = unseal(sent[-1].sealed, private, subscriber=sent[-1].subscriber)["link"]
        answer = await client.post("/api/v1/sessions", json={"token": link.rpartition("/")[2]})
        assert answer.status_code == 201, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        if choices is not None:
            saved = await client.put("/api/v1/profile", json=choices)
            assert saved.status_code == 200, saved.text
        held = [{"name": one.name, "value": one.value or "", "url": url} for one in client.cookies.jar]
        return answer.json()["subscriber"], held


async def open_browser(playwright: Playwright) -> Browser:
    """Debian's Chromium, which reaches nothing but this machine."""
    return await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
