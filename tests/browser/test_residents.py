"""What residents do on the pages: by keyboard, without JavaScript, live, each for themselves."""

import re

from browser_checks import tab_to, tab_to_text
from browser_news import SCRIPT, item
from browser_stage import KARI, OLA, Stage
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import Kind, Severity
from playwright.async_api import Browser, expect


async def test_choices_are_made_and_saved_by_keyboard_alone(stage: Stage, browser: Browser) -> None:
    context = await stage.context(browser, OLA)
    page = await context.new_page()
    await page.goto(f"{stage.url}/choices")
    bryggen = page.get_by_role("checkbox", name="Bryggen")
    assert not await bryggen.is_checked()
    reached = set()
    for _ in range(140):
        await page.keyboard.press("Tab")
        held = await page.evaluate(
            "(({value, name, innerText}) => [name || '', value || '', innerText || ''])(document.activeElement)"
        )
        reached.add(held[0])
        if held[1] == "NO-9901/bryggen":
            await page.keyboard.press("Space")
        if held[0] == "action" and held[1] == "save":
            break
    assert {"areas", "interests", "organisers", "channels", "cadence"} <= reached
    await page.keyboard.press("Enter")
    await expect(page.locator("#saved")).to_be_visible()
    await expect(page.get_by_role("checkbox", name="Bryggen")).to_be_checked()
    await context.close()


async def test_a_click_on_the_map_ticks_the_area_of_the_list(stage: Stage, browser: Browser) -> None:
    context = await stage.context(browser, OLA)
    page = await context.new_page()
    await page.goto(f"{stage.url}/choices")
    box = page.get_by_role("checkbox", name="Kirkebygda")
    shape = page.locator(f'[data-area="{await box.get_attribute("id")}"]')
    before = await shape.evaluate("(one) => getComputedStyle(one).fill")
    await shape.dispatch_event("click")
    await expect(box).to_be_checked()
    assert await shape.evaluate("(one) => getComputedStyle(one).fill") != before
    await context.close()


async def test_everything_works_without_javascript(stage: Stage, browser: Browser) -> None:
    context = await stage.context(browser, OLA, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(stage.url)
    await expect(page.get_by_role("link", name="Vannet er stengt i Havna").first).to_be_visible()
    await expect(page.locator("#pause")).to_be_hidden()
    await page.get_by_role("link", name="Mine valg").click()
    await page.locator("a[href='/choices#interests']").first.click()
    await page.get_by_role("checkbox", name="Byggesaker").check()
    await page.get_by_role("button", name="Lagre valgene mine").click()
    await expect(page.locator("#saved")).to_be_visible()
    await expect(page.get_by_role("checkbox", name="Byggesaker")).to_be_checked()
    await page.get_by_role("link", name="For meg").click()
    await expect(page.locator(".because").first).to_contain_text("Fordi")
    await context.close()


async def test_a_new_warning_comes_to_the_top_of_an_open_page_by_itself(
    stage: Stage, browser: Browser
) -> None:
    context = await stage.context(browser)
    page = await context.new_page()
    await page.goto(stage.url)
    await expect(page.locator("#live")).to_have_text("direkte")
    warning = item("skred", "Fare for skred i Nordmarka", 0, kind=Kind.ALERT, severity=Severity.SEVERE,
                   areas=("NO-9901/nordmarka",))  # fmt: skip
    await stage.producer.publish(warning)
    await expect(page.locator(".warnings h2").first).to_have_text(
        "Fare for skred i Nordmarka", timeout=20_000
    )
    await context.close()


async def test_a_paused_pulse_changes_nothing_until_it_goes_on(stage: Stage, browser: Browser) -> None:
    context = await stage.context(browser)
    page = await context.new_page()
    await page.goto(stage.url)
    await page.locator("#pause").click()
    await expect(page.locator("#live")).to_have_text("på pause")
    await stage.producer.publish(item("feiing", "Torggata feies", 0))
    other = await context.new_page()

    async def told() -> bool:
        await other.goto(stage.url)
        return bool(await other.get_by_text("Torggata feies").count())

    await eventually(told, within=30, what="the news on a page that is opened now")
    assert await page.get_by_text("Torggata feies").count() == 0
    await page.locator("#pause").click()
    await expect(page.locator("#live")).to_have_text("direkte")
    await context.close()


async def test_two_residents_see_different_feeds(stage: Stage, browser: Browser) -> None:
    seen = {}
    for resident in (KARI, OLA):
        context = await stage.context(browser, resident)
        page = await context.new_page()
        await page.goto(f"{stage.url}/feed")
        seen[resident] = set(await page.locator(".feed h2").all_inner_texts())
        await context.close()
    assert "Vannet er stengt i Havna" in seen[KARI]
    assert seen[OLA] == {"Fjordvik Fotball trenger trener for jenter 12 år"}
    assert not seen[KARI] & seen[OLA]


async def test_markup_of_strangers_shows_as_text(stage: Stage, browser: Browser) -> None:
    context = await stage.context(browser, KARI)
    page = await context.new_page()
    for path in ("/", "/feed", "/messages", stage.path_of("skript")):
        await page.goto(stage.url + path)
        await expect(page.get_by_text(SCRIPT, exact=False).first).to_be_visible()
        assert await page.evaluate("window.taken") is None
        assert await page.locator("main img[onerror], main img[src=x], main script").count() == 0
    await context.close()


async def test_the_map_shows_districts_what_lies_in_them_and_what_is_ploughed(
    stage: Stage, browser: Browser
) -> None:
    context = await stage.context(browser)
    page = await context.new_page()
    await page.goto(stage.url)
    assert await page.locator(".land path").count() == 12
    assert await page.locator(".land .inside").count() == 3
    # Havna, Bryggen in it, and Breidablikk; another pattern for what was done longer ago, none for what waits.
    assert await page.locator('.land path[fill="url(#clear-recent)"]').count() == 3
    assert await page.locator('.land path[fill="url(#clear-earlier)"]').count() == 1
    steps = page.locator(".winter dd")
    await expect(steps).to_have_count(3)
    assert re.sub(r" \([^)]*\)", "", await steps.nth(0).inner_text()) == "Havna, Bryggen, Breidablikk"
    await expect(steps.nth(1)).to_contain_text("Nordmarka")
    await expect(steps.nth(2)).to_contain_text("Sentrum")
    sizes = await page.locator(".marker use").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().width)"
    )
    assert sizes
    assert all(8 < size < 60 for size in sizes)
    await context.close()


async def test_the_pulse_is_read_by_keyboard_alone(stage: Stage, browser: Browser) -> None:
    context = await stage.context(browser)
    page = await context.new_page()
    await page.goto(stage.url)
    await tab_to_text(page, "Kraftige vindkast i Fjordvik")
    # From a sign on the map to its item in the list, and on from there.
    await tab_to(page, ".marker")
    target = await page.evaluate("document.activeElement.getAttribute('href')")
    await page.keyboard.press("Enter")
    await expect(page.locator(f"{target}:target")).to_be_visible()
    await tab_to_text(page, "Vis tallene som tabell")
    await page.keyboard.press("Enter")
    await expect(page.locator(".numbers").first).to_be_visible()
    await page.goto(stage.url)
    await tab_to_text(page, "Vannet er stengt i Havna")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Vannet er stengt i Havna", level=1)).to_be_visible()
    await context.close()


async def test_the_numbers_of_a_chart_are_there_as_a_table(stage: Stage, browser: Browser) -> None:
    context = await stage.context(browser)
    page = await context.new_page()
    await page.goto(stage.url)
    await page.get_by_text("Vis tallene som tabell").first.click()
    await expect(page.locator(".numbers tbody tr").first).to_contain_text("°C")
    await context.close()


async def test_forced_colours_and_reduced_motion_keep_what_matters(stage: Stage, browser: Browser) -> None:
    context = await stage.context(browser, KARI, forced_colors="active", reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(stage.url)
    strokes = await page.locator(".land path").first.evaluate("(one) => getComputedStyle(one).stroke")
    assert strokes not in ("none", "rgba(0, 0, 0, 0)")
    ring = page.locator(".marker.urgent .ring").first
    assert await ring.evaluate("(one) => getComputedStyle(one).animationName") == "none"
    await page.goto(f"{stage.url}/choices")
    chosen = page.locator(".choice:has(:checked)").first
    assert await chosen.evaluate("(one) => getComputedStyle(one).outlineStyle") == "solid"
    await context.close()
