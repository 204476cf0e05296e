"""From a published item to a notification and its click: real services, a real browser, nobody else.

The only stand-in is the browser vendor's push service: the development stack's, which takes what the notifier
encrypted, decrypts it with the browser's keys (http_ece), and hands it to Chromium over CDP.
"""

import asyncio
import json
import re
import secrets

from journey_world import World
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, Worker, expect

_SUBSCRIBED = """
const kept = %s;
PushManager.prototype.getSubscription = async () => null;
PushManager.prototype.subscribe = async () => ({ toJSON: () => kept });
"""


async def signed_in_with_push(world: World, context: BrowserContext) -> tuple[Page, str]:
    """A resident who signed up by the mailed link and turned on notifications; their page and subscription."""
    address = f"push-{secrets.token_hex(4)}@eksempel.example"
    asked = {"address": address, "municipality": "NO-1130", "language": "nb"}
    assert (await world.ask("POST", f"{world.gateway}/api/v1/sign-in-links", json=asked)).status_code == 202
    [mail] = await world.eventually(lambda: world.receivers.mails_to(address), "the mail with the link")
    link = re.search(rf"{re.escape(world.gateway)}/sign-in/\S+", mail.text)
    assert link
    subscription = (await world.ask("POST", f"{world.outbox}/api/subscriptions")).json()
    kept = {"endpoint": world.outbox + subscription["path"], "keys": subscription["keys"]}
    await context.add_init_script(_SUBSCRIBED % json.dumps(kept))
    await context.grant_permissions(["notifications"], origin=world.gateway)
    page = await context.new_page()
    await page.goto(link[0])
    await page.locator("main form button").first.press("Enter")
    await page.wait_for_url(lambda url: "/sign-in/" not in url)
    session = await (await context.request.get(f"{world.gateway}/api/v1/session")).json()
    chosen = await context.request.put(
        f"{world.gateway}/api/v1/profile",
        data={"organisers": [world.circle], "channels": ["push"]},
        headers={"X-CSRF-Token": session["csrf_token"]},
    )
    assert chosen.ok, await chosen.text()
    await page.goto(f"{world.gateway}/choices")
    await page.locator("#push-on").press("Enter")
    await expect(page.locator('[data-push="done"]')).to_be_visible()
    await world.eventually(
        lambda: world.topics.has_profile(session["subscriber"], lambda one: world.circle in one.organisers),
        "the profile",
    )
    return page, subscription["name"]


async def registration_of(cdp: CDPSession, origin: str) -> str:
    """Chromium's number of our service worker's registration."""
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def told(event: dict) -> None:
        for one in event["registrations"]:
            if one["scopeURL"].startswith(origin) and not one["isDeleted"] and not found.done():
                found.set_result(one["registrationId"])

    cdp.on("ServiceWorker.workerRegistrationUpdated", told)
    await cdp.send("ServiceWorker.enable")
    return await asyncio.wait_for(found, 20)


async def worker_of(context: BrowserContext, origin: str) -> Worker:
    """The service worker, started by the push if it was asleep."""
    for worker in context.service_workers:
        if worker.url.startswith(origin):
            return worker
    return await context.wait_for_event("serviceworker", predicate=lambda one: one.url.startswith(origin))


async def test_a_published_item_becomes_a_notification_whose_click_opens_it(
    world: World, browser: Browser
) -> None:
    world = world.apart()
    context = await browser.new_context(locale="nb-NO")
    page, name = await signed_in_with_push(world, context)
    cdp = await context.new_cdp_session(page)
    registration = await registration_of(cdp, world.gateway)

    item = await world.marker(behind="push")
    [push] = await world.eventually(lambda: world.receivers.pushes_to(name), "the push message")
    assert push.item == item.id
    pushes = (await world.ask("GET", f"{world.outbox}/api/pushes")).json()
    payload = next(one["payload"] for one in pushes if one["subscription"] == name)

    # The app is closed: no page of ours is open when it arrives.
    await page.goto("about:blank")
    await cdp.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": world.gateway, "registrationId": registration, "data": json.dumps(payload)},
    )
    worker = await worker_of(context, world.gateway)

    async def shown() -> list[dict]:
        return await worker.evaluate(
            """async () => (await self.registration.getNotifications())
            .map((one) => ({ title: one.title, body: one.body, lang: one.lang, tag: one.tag, url: one.data.url }))"""
        )

    [notification] = await world.eventually(shown, "the notification")
    assert notification["title"] == payload["title"]
    assert item.title in notification["title"] + notification["body"]
    assert "Fordi du følger Prøven" in notification["body"]
    assert (notification["lang"], notification["tag"]) == ("nb", item.id)

    # The click goes on in the window that is open.
    await page.goto(f"{world.gateway}/messages?show=unread")
    await expect(page.get_by_role("link", name=item.title)).to_be_visible()
    await worker.evaluate(
        """async () => {
          const [notification] = await self.registration.getNotifications();
          self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
        }"""
    )
    await page.wait_for_url("**/items/**")
    await expect(page.get_by_role("heading", name=item.title, level=1)).to_be_visible()
    assert await shown() == []
    assert len(context.pages) == 1
    # What was opened by the click is read.
    await page.goto(f"{world.gateway}/messages?show=unread")
    assert await page.get_by_role("link", name=item.title).count() == 0
    await context.close()
