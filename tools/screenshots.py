"""Pictures of the main pages for the docs: runs the demo town, signs a resident in, and looks.

Takes three minutes. The argument is the first port of a free row (default 8750).
"""

import asyncio
import io
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from PIL import Image, ImageDraw
from playwright.async_api import Browser, Page, async_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs/screenshots"
CHROMIUM = "/usr/bin/chromium"
PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8750
GATEWAY, OUTBOX = f"http://127.0.0.1:{PORT}", f"http://127.0.0.1:{PORT + 1}"
ADDRESS = "kari@fjordvik.example"
LARGEST = 300_000
WIDTHS = {"desktop": 1280, "phone": 390}
SCALES = {"desktop": 0.75, "phone": 1.0}
# Taller pages are cut: a picture of a page in the docs is looked at, not read.
TALLEST = {"desktop": 1900, "phone": 2000}
CHOICES = {
    "areas": ["NO-9901/havna", "NO-9901/sentrum", "NO-9901/breidablikk"],
    "interests": [
        "winter-maintenance", "roads-and-traffic", "building-permits", "water-and-sewage", "power",
        "weather-warnings", "music", "volunteering",
    ],
    "organisers": ["NO-9901/fjordvik-fotball"],
    "places": [
        {"id": "home", "label": "Hjemme", "longitude": 10.08, "latitude": 59.172, "radius_metres": 800}
    ],
}  # fmt: skip


@asynccontextmanager
async def demo_town(folder: str) -> AsyncIterator[None]:
    """The development stack with few residents, stopped at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kommunepuls_development",
        "--folder", folder, "--port", str(PORT), "--residents", "5", "--for-seconds", "900",
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout
    try:
        async for line in process.stdout:
            if line.startswith(b"ready after"):
                break
        else:
            raise SystemExit("the demo town did not start")
        reading = asyncio.create_task(process.stdout.read())
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    await reading


async def until(look: Callable[[], Awaitable[list[dict]]], what: str) -> list[dict]:
    """What ``look`` finds, waited for up to two minutes."""
    for _ in range(240):
        if found := await look():
            return found
        await asyncio.sleep(0.5)
    raise SystemExit(f"there was no {what} within two minutes")


async def mails(client: httpx.AsyncClient) -> list[dict]:
    """What the resident was mailed."""
    answer = await client.get(f"{OUTBOX}/api/mails")
    return [one for one in answer.json() if one["recipient"] == ADDRESS]


async def signed_in(client: httpx.AsyncClient) -> list[dict[str, str]]:
    """The resident's cookies, after choosing."""
    await client.post("/api/v1/sign-in-links", json={"address": ADDRESS})
    first = (await until(lambda: mails(client), "sign-in mail"))[0]
    token = re.search(r"/sign-in/([\w-]+)", json.dumps(first))
    assert token
    session = await client.post("/api/v1/sessions", json={"token": token[1]})
    saved = await client.put(
        "/api/v1/profile", json=CHOICES, headers={"X-CSRF-Token": session.json()["csrf_token"]}
    )
    saved.raise_for_status()
    return [{"name": one.name, "value": one.value or "", "url": GATEWAY} for one in client.cookies.jar]


async def picture(page: Page, name: str, size: str) -> None:
    """Save the page, as high as it is."""
    await page.set_viewport_size({"width": WIDTHS[size], "height": 600})
    height = await page.evaluate("document.documentElement.scrollHeight")
    await page.set_viewport_size({"width": WIDTHS[size], "height": min(max(height, 600), TALLEST[size])})
    # Pictures load when they come into sight.
    await page.evaluate(
        """() => Promise.all([...document.images]
        .filter((one) => one.getClientRects().length && one.getBoundingClientRect().top < innerHeight)
        .map((one) => one.decode().catch(() => undefined)))"""
    )
    path = PICTURES / f"{name}-{size}.png"
    await page.screenshot(path=path)
    weight = path.stat().st_size
    print(f"{path.relative_to(ROOT)}  {weight // 1000} kB")
    if weight > LARGEST:
        raise SystemExit(f"{path} is heavier than {LARGEST // 1000} kB")


async def look(browser: Browser, cookies: list[dict[str, str]], pages: dict[str, str]) -> None:
    """Picture each page on a desktop and on a phone."""
    for size, width in WIDTHS.items():
        context = await browser.new_context(
            viewport={"width": width, "height": 900},
            device_scale_factor=SCALES[size],
            locale="nb-NO",
            color_scheme="light",
            reduced_motion="reduce",
        )
        await context.add_cookies(cookies)
        page = await context.new_page()
        for name, address in pages.items():
            await page.goto(address)
            if name == "pulse":
                await page.locator("#live").wait_for()
            await picture(page, name, size)
        await context.close()


async def walk_in(browser: Browser) -> None:
    """Picture the onboarding, one page after the other, as somebody who has no account."""
    for size, width in WIDTHS.items():
        context = await browser.new_context(
            viewport={"width": width, "height": 900},
            device_scale_factor=SCALES[size],
            locale="nb-NO",
            reduced_motion="reduce",
        )
        page = await context.new_page()
        await page.goto(f"{GATEWAY}/start")
        for area in ("Havna", "Sentrum"):
            await page.get_by_role("checkbox", name=area, exact=True).check()
        await page.fill("#new-place-text", "Storgata 4")
        await page.fill("[name=new_place_label]", "Hjemme")
        await page.locator(".new [value=show]").click()
        await page.locator("[data-circle]").wait_for(state="attached")
        await picture(page, "start-where", size)
        for step in ("what", "whom", "how", "preview", "address"):
            await page.locator(".onward [value=next]").click()
            await page.locator(f"[name=step][value={step}]").wait_for(state="attached")
            if step == "what":
                for slug in CHOICES["interests"]:
                    await page.locator(f"[name=interests][value={slug}]").check()
            await picture(page, f"start-{step}", size)
        await context.close()


async def staff_session(client: httpx.AsyncClient, address: str) -> list[dict[str, str]]:
    """The cookies of one of the staff whom the demo town has taken in, by the link in their invitation."""

    async def invited() -> list[dict]:
        answer = await client.get(f"{OUTBOX}/api/mails")
        return [one for one in answer.json() if one["recipient"] == address]

    link = re.search(r"/staff/sign-in/[\w-]+", json.dumps((await until(invited, "invitation"))[0]))
    assert link
    async with httpx.AsyncClient(base_url=GATEWAY, timeout=60) as browser:
        assert (await browser.post(link[0])).status_code == 303
        return [{"name": one.name, "value": one.value or "", "url": GATEWAY} for one in browser.cookies.jar]


def poster() -> bytes:
    """A picture such as a club draws for its event."""
    image = Image.new("RGB", (1200, 620), "#2f7d4f")
    draw = ImageDraw.Draw(image)
    for box in ((60, 50, 1140, 570), (60, 190, 190, 430), (1010, 190, 1140, 430)):
        draw.rectangle(box, outline="white", width=8)
    draw.ellipse((520, 230, 680, 390), outline="white", width=8)
    draw.line((600, 50, 600, 570), fill="white", width=8)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


async def write_event(page: Page, title: str, days: int) -> str:
    """Write an event as the football club does, and hand it in; its draft."""
    await page.goto(f"{GATEWAY}/staff/writing")
    await page.locator("button[value=event]").click()
    await page.fill("#title", title)
    await page.fill(
        "#text",
        "Siste kamp før jul, mot Bergvik. Kafeen er åpen fra klokka ti.\n\n- Gratis inngang\n- Loddsalg",
    )
    day = datetime.now(UTC) + timedelta(days=days)
    await page.fill("[name=starts_at]", day.strftime("%Y-%m-%dT13:00"))
    await page.fill("#place-name", "Storgata 4")
    await page.set_input_files(
        "input[type=file]", {"name": "bane.png", "mimeType": "image/png", "buffer": poster()}
    )
    await page.fill("[name=picture_text]", "Tegning av fotballbanen")
    for slug in ("football", "sports"):
        await page.locator(f"[name=interests][value={slug}]").check()
    await page.locator("button[value=next]").click()
    await page.wait_for_url("**/preview")
    draft = page.url.split("/")[-2]
    await page.locator("form[action$=publish] button").click()
    await page.wait_for_url("**said=handed-in")
    return draft


async def behind_the_counter(browser: Browser, client: httpx.AsyncClient) -> None:
    """Picture the pages of an organiser and of the editor, and the club's page as everybody sees it."""
    club = "NO-9901%2Ffjordvik-fotball"
    writer = await staff_session(client, "fotball@fjordvik.example")
    editor = await staff_session(client, "redaktor@fjordvik.example")
    context = await browser.new_context(locale="nb-NO")
    await context.add_cookies(writer)
    page = await context.new_page()
    out, waiting = [await write_event(page, title, days) for title, days in (
        ("Siste hjemmekamp før jul", 12), ("Juleturnering for de yngste", 19),
    )]  # fmt: skip
    await context.close()
    context = await browser.new_context(locale="nb-NO")
    await context.add_cookies(editor)
    page = await context.new_page()
    await page.goto(f"{GATEWAY}/staff/approvals/{out}")
    await page.locator("form[action$=approve] button").click()
    await page.wait_for_url("**said=approved")
    await context.close()

    async def listed() -> list[dict]:
        return (await client.get(f"/embed/events.json?organiser={club}")).json()["events"]

    await until(listed, "event of the club")
    await look(
        browser,
        writer,
        {
            "staff-writing": f"{GATEWAY}/staff/writing",
            "staff-write": f"{GATEWAY}/staff/writing/{waiting}?reach=1",
            "staff-preview": f"{GATEWAY}/staff/writing/{out}/preview",
        },
    )
    await look(
        browser,
        editor,
        {
            "staff-approvals": f"{GATEWAY}/staff/approvals",
            "staff-approval": f"{GATEWAY}/staff/approvals/{waiting}",
            "staff-organisers": f"{GATEWAY}/staff/organisers",
        },
    )
    await look(
        browser,
        [],
        {
            "organiser": f"{GATEWAY}/organisers/{club}",
            "embed": f"{GATEWAY}/embed?organiser={club}",
            "embed-events": f"{GATEWAY}/embed/events?organiser={club}",
        },
    )


async def operator_session(folder: str) -> list[dict[str, str]]:
    """The cookies of the demo town's operator, who signs in by the token."""
    keys = json.loads((Path(folder) / "keys.json").read_text())
    token = keys["KP_OPERATOR_TOKENS"].partition(":")[2]
    async with httpx.AsyncClient(base_url=GATEWAY, timeout=60) as browser:
        assert (await browser.post("/staff/token", data={"token": token})).status_code == 303
        return [{"name": one.name, "value": one.value or "", "url": GATEWAY} for one in browser.cookies.jar]


async def try_a_rule(page: Page) -> None:
    """Write a rule and try it on what the demo town has told."""
    await page.goto(f"{GATEWAY}/staff/rules/new")
    await page.fill("#name", "Strøm og vann er viktig")
    await page.fill("#words", "strøm*\nvann*")
    await page.locator("select[name=severity]").select_option("moderate")
    await page.locator(".of-change summary").first.click()
    await page.locator("[name=interests][value=health]").check()
    await page.locator(".save button[value=try]").click()
    await page.locator("#trial").wait_for()


async def in_the_engine_room(browser: Browser, folder: str) -> None:
    """Picture the console and the content rules, as an operator sees them."""
    operator = await operator_session(folder)
    for size, width in WIDTHS.items():
        context = await browser.new_context(
            viewport={"width": width, "height": 900},
            device_scale_factor=SCALES[size],
            locale="nb-NO",
            reduced_motion="reduce",
        )
        await context.add_cookies(operator)
        page = await context.new_page()
        await try_a_rule(page)
        await picture(page, "staff-rule-tried", size)
        if size == "phone":  # once it is on, trying it again would change nothing
            await page.locator(".save button[value=save-on]").click()
            await page.locator(".rule").wait_for()
        await context.close()
    console = f"{GATEWAY}/staff/console"
    await look(
        browser,
        operator,
        {
            "staff-console": console,
            "staff-sources": f"{console}/sources",
            "staff-dead-letters": f"{console}/dead-letters",
            "staff-deliveries": f"{console}/deliveries?period=day",
            "staff-gains": f"{console}/gains?period=day",
            "staff-rules": f"{GATEWAY}/staff/rules",
            "staff-rules-history": f"{GATEWAY}/staff/rules/history",
            "staff-people": f"{GATEWAY}/staff/people",
            "staff-log": f"{GATEWAY}/staff/log",
        },
    )
    await look(browser, [], {"staff-sign-in": f"{GATEWAY}/staff/sign-in"})


async def main() -> None:
    """Make them all."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            demo_town(folder),
            httpx.AsyncClient(base_url=GATEWAY, timeout=60) as client,
            async_playwright() as playwright,
        ):
            cookies = await signed_in(client)

            async def mailed() -> list[dict]:
                return (await mails(client))[1:]

            mail = (await until(mailed, "message"))[0]

            async def titled(words: str) -> list[dict]:
                found = (await client.get("/api/v1/pulse")).json()["items"]
                return [one["item"] for one in found if words in one["item"]["title"]]

            # By then the morning of the demo town has been told: a warning, ploughs, a correction.
            for words in ("Kraftige vindkast", "Havna er brøytet", "Strømmen er tilbake"):
                await until(lambda words=words: titled(words), words)
            item = (await titled("Skolegata"))[0]["id"].replace("/", "%2F")
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--disable-gpu"])
            pages = {
                "pulse": f"{GATEWAY}/",
                "feed": f"{GATEWAY}/feed",
                "settings": f"{GATEWAY}/settings",
                "choices": f"{GATEWAY}/choices",
                "messages": f"{GATEWAY}/messages",
                "item": f"{GATEWAY}/items/{item}",
                "mail": f"{OUTBOX}/mails/{mail['number']}/html",
            }
            await look(browser, cookies, pages)
            await walk_in(browser)
            await behind_the_counter(browser, client)
            await in_the_engine_room(browser, folder)
            await browser.close()


if __name__ == "__main__":
    if not Path(CHROMIUM).exists():
        raise SystemExit(f"{CHROMIUM} is not installed: the pictures need Debian's Chromium")
    PICTURES.mkdir(parents=True, exist_ok=True)
    asyncio.run(main())
