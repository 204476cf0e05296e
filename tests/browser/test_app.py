"""The pages as an app: installable, there without network as far as they were read, and nobody else's."""

import io

from browser_stage import KARI, OLA, Stage
from kommunepuls_chassis.testing import eventually
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, expect

_KEPT = """async () => {
  const found = {};
  for (const name of await caches.keys()) {
    if (name.startsWith("kommunepuls-read-")) {
      for (const one of await (await caches.open(name)).keys()) {
        const { pathname, search } = new URL(one.url);
        found[pathname + search] = name;
      }
    }
  }
  return found;
}"""


async def ready(page: Page) -> None:
    """Wait until the service worker answers for the page."""
    await page.evaluate(
        """async () => { await navigator.serviceWorker.ready;
        if (!navigator.serviceWorker.controller) await new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done)); }"""
    )


async def kept(page: Page, *paths: str) -> dict[str, str]:
    """What is kept of what was read, when these paths are among it."""

    async def look() -> dict[str, str] | None:
        found = await page.evaluate(_KEPT)
        return found if set(paths) <= set(found) else None

    return await eventually(look, what=f"{paths} among what was read")


async def at_work(stage: Stage, browser: Browser, resident: str | None) -> tuple[BrowserContext, Page]:
    """A browser in which the service worker answers."""
    context = await stage.context(browser, resident)
    page = await context.new_page()
    await page.goto(f"{stage.url}/")
    await ready(page)
    return context, page


async def test_what_was_read_is_there_without_network_and_says_so(stage: Stage, browser: Browser) -> None:
    context, page = await at_work(stage, browser, KARI)
    await page.goto(f"{stage.url}/feed")
    picture = page.get_by_role("img", name="Vanntanken på torget")
    await expect(picture).to_be_visible()
    await page.goto(stage.url + stage.path_of("vann"))
    await kept(page, "/feed", stage.path_of("vann"))
    await context.set_offline(True)
    await page.goto(f"{stage.url}/feed?less=whatever")
    await expect(page.get_by_role("link", name="Vannet er stengt i Havna")).to_be_visible()
    await expect(page.locator("#kept")).to_contain_text("Du har ikke nett. Slik var siden")
    assert await picture.evaluate("(one) => one.decode().then(() => one.naturalWidth)") > 100
    colour = await page.locator(".top").evaluate("(one) => getComputedStyle(one).backgroundColor")
    assert colour == "rgb(11, 79, 108)", "the style is there too"
    await page.get_by_role("link", name="Vannet er stengt i Havna").click()
    await expect(page.get_by_role("heading", name="Vannet er stengt i Havna", level=1)).to_be_visible()
    await page.goto(stage.url + stage.path_of("konsert"))
    await expect(page.get_by_role("heading", name="Du er uten nett")).to_be_visible()
    await context.set_offline(False)
    await page.goto(f"{stage.url}/feed")
    await expect(page.locator("#kept")).to_be_hidden()
    await context.close()


async def test_what_a_resident_read_is_gone_when_they_sign_out(stage: Stage, browser: Browser) -> None:
    cookies = await stage.another_session(OLA)
    context = await stage.context(browser)
    await context.add_cookies(cookies)
    page = await context.new_page()
    await page.goto(f"{stage.url}/")
    await ready(page)
    await page.goto(f"{stage.url}/feed")
    await kept(page, "/feed")
    await page.get_by_role("button", name="Logg ut").press("Enter")
    await page.wait_for_url(f"{stage.url}/")
    assert "/feed" not in await kept(page)
    await context.set_offline(True)
    await page.goto(f"{stage.url}/feed")
    await expect(page.get_by_role("heading", name="Du er uten nett")).to_be_visible()
    await context.close()


async def test_what_a_resident_read_is_gone_with_the_erasure(stage: Stage, browser: Browser) -> None:
    context = await stage.context(browser)
    await context.add_cookies(await stage.another_session("borte@example.no"))
    page = await context.new_page()
    await page.goto(f"{stage.url}/feed")
    await ready(page)
    await page.goto(f"{stage.url}/messages")
    await kept(page, "/messages")
    await page.goto(f"{stage.url}/data")
    await page.locator("[name=sure]").press("Space")
    await page.locator("form[action='/data/erase'] button").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("slettet")
    assert await page.evaluate(_KEPT) == {}
    await context.close()


async def test_who_comes_next_at_the_same_browser_finds_nothing_of_who_was_there(
    stage: Stage, browser: Browser
) -> None:
    context, page = await at_work(stage, browser, KARI)
    await page.goto(f"{stage.url}/messages")
    first = await kept(page, "/messages")
    await context.clear_cookies()
    await context.add_cookies(stage.cookies[OLA])
    await page.goto(f"{stage.url}/feed")
    second = await kept(page, "/feed")
    assert "/messages" not in second
    assert set(first.values()).isdisjoint(second.values())
    await context.close()


async def test_it_keeps_no_more_pages_than_it_should(stage: Stage, browser: Browser) -> None:
    context, page = await at_work(stage, browser, None)
    await page.evaluate(
        """async () => {
          const [name] = (await caches.keys()).filter((one) => one.startsWith("kommunepuls-read-"));
          const cache = await caches.open(name ?? "kommunepuls-read-nobody");
          for (let number = 0; number < 60; number += 1) await cache.put(`/items/old-${number}`, new Response("x"));
        }"""
    )
    await page.goto(stage.url + stage.path_of("vann"))
    found = [one for one in await kept(page, stage.path_of("vann")) if not one.startswith("/pictures/")]
    assert len(found) == 40
    assert "/items/old-0" not in found
    assert "/items/old-59" in found
    await context.close()


async def test_it_can_be_installed(stage: Stage, browser: Browser) -> None:
    context, page = await at_work(stage, browser, None)
    cdp = await context.new_cdp_session(page)
    told = await cdp.send("Page.getAppManifest")
    assert told["errors"] == []
    problems = await cdp.send("Page.getInstallabilityErrors")
    # A context of its own counts as incognito, where nothing is installed.
    assert {one["errorId"] for one in problems["installabilityErrors"]} <= {"in-incognito"}
    manifest = await (await context.request.get(f"{stage.url}/manifest.webmanifest")).json()
    assert {(one["sizes"], one["purpose"]) for one in manifest["icons"]} == {
        ("192x192", "any"), ("512x512", "any"), ("192x192", "maskable"), ("512x512", "maskable"),
    }  # fmt: skip
    for icon in manifest["icons"]:
        answer = await context.request.get(stage.url + icon["src"])
        image = Image.open(io.BytesIO(await answer.body()))
        assert "x".join(map(str, image.size)) == icon["sizes"]
        if icon["purpose"] == "maskable":
            corner, middle = (
                image.convert("RGBA").getpixel((1, 1)),
                image.convert("RGBA").getpixel((image.width // 2, image.height // 4)),
            )
            assert corner[3] == 255, "the mask cuts into it, so it fills its square"
            assert middle != corner
    await context.close()
