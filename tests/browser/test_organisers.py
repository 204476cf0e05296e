"""What organisers and editors do on their pages: by keyboard, without JavaScript, and what others see of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
from browser_checks import tab_to
from browser_staff import CLUB, CLUB_PAGE, EVA, MARI, photo
from browser_stage import KARI, Stage
from kommunepuls_chassis.testing import eventually
from kommunepuls_events.base import utc_now
from playwright.async_api import Browser, FileChooser, Page, expect

TITLE = "Juleturnering i hallen"
DAY = utc_now() + timedelta(days=12)


@asynccontextmanager
async def _other_site(content: str) -> AsyncIterator[str]:
    """A page of somebody else's, at another origin."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(content)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n{content}".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def _press(page: Page, selector: str) -> None:
    await tab_to(page, selector)
    await page.keyboard.press("Enter")


async def test_an_event_goes_from_the_keyboard_over_the_editor_to_calendar_and_embed(
    stage: Stage, browser: Browser
) -> None:
    mari = await stage.context(browser, MARI)
    page = await mari.new_page()
    choosers: list[FileChooser] = []

    def chooses(chooser: FileChooser) -> None:
        choosers.append(chooser)

    # Long before it is needed: a key pressed before Chromium has heard that we want it opens a window of the desktop.
    page.on("filechooser", chooses)
    await page.goto(f"{stage.url}/staff/writing")
    await _press(page, "button[name=kind][value=event]")
    await page.wait_for_url("**/staff/writing/*")
    await tab_to(page, "#title")
    await page.keyboard.type(TITLE)
    await tab_to(page, "#text")
    await page.keyboard.type("Fire lag, og **kafé**.")
    await tab_to(page, "[name=starts_at]")
    # Month, day and year as Chromium shows them; the year takes six digits, so one steps on from it.
    await page.keyboard.type(DAY.strftime("%m%d%Y"))
    await page.keyboard.press("ArrowRight")
    await page.keyboard.type("0600PM")
    assert await page.input_value("[name=starts_at]") == DAY.strftime("%Y-%m-%dT18:00")
    await tab_to(page, "#place-name")
    await page.keyboard.type("Storgata 2")
    await _press(page, "button[value=find]")
    await expect(page.locator(".pin")).to_be_visible()
    assert await page.input_value("#latitude")
    await tab_to(page, "input[type=file]")
    await page.keyboard.press("Enter")
    [chooser] = await eventually(lambda: choosers, what="the choice of a file")
    await chooser.set_files({"name": "hall.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    await tab_to(page, "[name=picture_text]")
    await page.keyboard.type("Hallen med full tribune")
    await tab_to(page, "[name=interests][value=football]")
    await page.keyboard.press("Space")
    # It follows the form by itself.
    await expect(page.locator("#reach-told .reach-number")).to_contain_text("innbyggere", timeout=30_000)
    await _press(page, "button[value=next]")
    await page.wait_for_url("**/preview")
    await expect(page.locator(".seen img")).to_have_attribute("alt", "Hallen med full tribune")
    assert await page.evaluate("document.querySelector('.seen img').naturalWidth") > 0
    await expect(page.locator(".seen strong")).to_have_text("kafé")
    await expect(page.locator(".reach-number")).to_be_visible()
    await _press(page, "form[action$=publish] button")
    await expect(page.get_by_role("status")).to_contain_text("Sendt inn")
    await mari.close()

    eva = await stage.context(browser, EVA)
    page = await eva.new_page()
    await page.goto(f"{stage.url}/staff/approvals")
    (waiting,) = [
        one for one in await stage.running.gateway.drafts.waiting("NO-9901") if one.content.title == TITLE
    ]
    await _press(page, f'a[href$="{waiting.id}"]')
    await expect(page.locator(".seen h2")).to_have_text(TITLE)
    await _press(page, "form[action$=approve] button")
    await expect(page.get_by_role("status")).to_contain_text("Publisert")
    await eva.close()

    async with httpx.AsyncClient(base_url=stage.url, timeout=20) as client:

        async def listed() -> bool:
            answer = await client.get("/open-data/items.ics", params={"organiser": CLUB})
            return f"SUMMARY:{TITLE}" in answer.text

        await eventually(listed, what="the event in the calendar")
    visitor = await stage.context(browser)
    page = await visitor.new_page()
    await page.goto(stage.url + CLUB_PAGE)
    await expect(page.get_by_role("link", name=TITLE)).to_be_visible()
    # Another site shows it in a frame; no other page of ours lets itself be framed.
    frames = [f"{stage.url}/embed/events", stage.url + CLUB_PAGE]
    async with _other_site("".join(f'<iframe src="{one}"></iframe>' for one in frames)) as address:
        await page.goto(address)
        embed, club = (page.frame_locator("iframe").nth(number) for number in range(2))
        await expect(embed.get_by_role("link", name=TITLE)).to_be_visible()
        await expect(club.get_by_role("link", name=TITLE)).to_have_count(0)
    assert await visitor.cookies() == []
    await visitor.close()


async def test_a_resident_follows_an_organiser_with_one_press_and_takes_it_back(
    stage: Stage, browser: Browser
) -> None:
    context = await stage.context(browser, KARI)
    page = await context.new_page()
    await page.goto(stage.url + CLUB_PAGE)
    await _press(page, "form[action$='/follow'] button")
    await expect(page.get_by_role("status")).to_contain_text("Du følger Fjordvik Fotball")
    await _press(page, "form[action$=unfollow] button")
    await expect(page.get_by_role("button", name="Følg", exact=True)).to_be_visible()
    await context.close()


async def test_a_click_on_the_map_sets_the_place_and_the_reach_follows(
    stage: Stage, browser: Browser
) -> None:
    context = await stage.context(browser, MARI)
    page = await context.new_page()
    await page.goto(f"{stage.url}/staff/writing/{stage.drafts['sent-back']}")
    told = page.locator("#reach-told")
    await expect(told).to_contain_text("Fjordvik", timeout=30_000)
    await page.locator("#pin-map .map svg").click(position={"x": 60, "y": 60})
    await expect(page.locator(".pin")).to_be_visible()
    longitude, latitude = await page.input_value("#longitude"), await page.input_value("#latitude")
    town = stage.running.gateway.towns.of("NO-9901")
    areas = town.geography.area_ids_of({"type": "Point", "coordinates": [float(longitude), float(latitude)]})
    if areas:
        await expect(told).to_contain_text(town.area_name(areas[0], "nb"))
    # Nothing of it is kept before somebody saves.
    draft = await stage.running.gateway.collections.drafts.get(stage.drafts["sent-back"])
    assert '"position":null' in draft.document["content"]
    await context.close()


async def test_writing_works_without_javascript(stage: Stage, browser: Browser) -> None:
    context = await stage.context(browser, MARI, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{stage.url}/staff/writing")
    await page.get_by_role("button", name="Melding").click()
    await page.get_by_label("Tittel").fill("Banen er stengt")
    await page.get_by_label("Adresse eller stedsnavn").fill("Atlantis")
    await page.get_by_role("button", name="Finn det").click()
    await expect(page.locator("#place_name-fault")).to_be_visible()
    await page.get_by_label("Adresse eller stedsnavn").fill("Storgata 2")
    await page.get_by_role("checkbox", name="Fotball").check()
    await page.get_by_role("button", name="Vis hvor mange det når").click()
    await expect(page.locator(".reach-number")).to_be_visible()
    await page.get_by_role("button", name="Se hvordan det blir").click()
    await expect(page.locator("#text-fault")).to_be_visible()
    assert await page.get_by_label("Tittel").input_value() == "Banen er stengt"
    await context.close()
