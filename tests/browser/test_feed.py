"""A resident's feed and messages in a real browser: by keyboard alone, without JavaScript, live."""

from browser_checks import tab_to_text
from browser_news import TOWN, item, match_of
from browser_stage import KARI, OLA, Stage
from kommunepuls_events import Severity
from playwright.async_api import Browser, expect


async def test_the_feed_is_narrowed_and_less_of_it_chosen_and_undone_by_keyboard_alone(
    stage: Stage, browser: Browser
) -> None:
    context = await stage.context(browser, OLA)
    page = await context.new_page()
    await page.goto(f"{stage.url}/feed")
    title = "Fjordvik Fotball trenger trener for jenter 12 år"
    await expect(page.get_by_role("link", name=title)).to_be_visible()
    await tab_to_text(page, "Type")
    await page.keyboard.press("ArrowDown")
    await tab_to_text(page, "Vis disse")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/feed?kind=volunteer-need**")
    await tab_to_text(page, "Mindre av dette")
    await page.keyboard.press("Enter")
    await tab_to_text(page, "Ikke mer fra Fjordvik Fotball")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").first).to_contain_text("Du hører ikke mer fra Fjordvik Fotball.")
    await expect(page.get_by_role("link", name=title)).to_have_count(0)
    await tab_to_text(page, "Angre")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").first).to_contain_text("Alt er som før")
    await expect(page.get_by_role("link", name=title)).to_be_visible()
    await context.close()


async def test_what_comes_for_a_resident_comes_into_their_open_feed_by_itself(
    stage: Stage, browser: Browser
) -> None:
    pages = {}
    for resident in (KARI, OLA):
        context = await stage.context(browser, resident)
        pages[resident] = await context.new_page()
        await pages[resident].goto(f"{stage.url}/feed")
        await expect(pages[resident].locator("#live")).to_have_text("direkte")
    fresh = item(
        "stengt-bru", "Brua i Vestlia er stengt", 0, severity=Severity.MODERATE, areas=(f"{TOWN}/vestlia",)
    )
    await stage.producer.publish(fresh, match_of(fresh, stage.subscribers[OLA]))
    await expect(pages[OLA].get_by_role("heading", name="Brua i Vestlia er stengt")).to_be_visible(
        timeout=20_000
    )
    await pages[KARI].reload()
    assert await pages[KARI].get_by_role("heading", name="Brua i Vestlia er stengt").count() == 0
    for page in pages.values():
        await page.context.close()


async def test_less_of_this_and_its_undo_work_without_javascript(stage: Stage, browser: Browser) -> None:
    context = await stage.context(browser, KARI, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(stage.url + stage.path_of("garasje"))
    await page.get_by_text("Mindre av dette").click()
    await page.get_by_role("button", name="Ikke mer om denne saken").click()
    await expect(page.get_by_role("status")).to_contain_text("Du hører ikke mer om denne saken.")
    await page.goto(f"{stage.url}/feed")
    assert await page.get_by_role("link", name="Storgata 4").count() == 0
    await page.go_back()
    await page.get_by_role("button", name="Angre").click()
    await page.goto(f"{stage.url}/feed")
    await expect(page.get_by_role("link", name="Storgata 4")).to_be_visible()
    await context.close()


async def test_a_message_is_opened_and_another_marked_as_read_by_keyboard_alone(
    stage: Stage, browser: Browser
) -> None:
    context = await stage.context(browser, KARI)
    page = await context.new_page()
    await page.goto(f"{stage.url}/messages?show=unread")
    await tab_to_text(page, "Vannet er stengt i Havna")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/items/**")
    await page.goto(f"{stage.url}/messages?show=unread")
    assert await page.get_by_role("link", name="Vannet er stengt i Havna").count() == 0
    before = await page.locator(".messages .unread").count()
    assert before
    await tab_to_text(page, "Merk som lest")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text("Merket som lest.")
    await expect(page.locator(".messages .unread")).to_have_count(before - 1)
    await context.close()


async def test_the_way_of_a_permit_is_told_step_by_step(stage: Stage, browser: Browser) -> None:
    context = await stage.context(browser, KARI)
    page = await context.new_page()
    await page.goto(stage.url + stage.path_of("garasje"))
    steps = page.locator(".timeline > li")
    await expect(steps).to_have_count(4)
    await expect(steps.nth(0)).to_contain_text("Avgjort")
    await expect(steps.nth(0)).to_contain_text("Mottatt")
    await expect(steps.nth(2)).to_contain_text("Sted")
    await expect(steps.nth(3)).to_contain_text("Mottatt")
    await expect(page.locator('.stages [aria-current="step"]')).to_have_text("Avgjort")
    await context.close()


async def test_an_item_shows_its_picture_from_our_own_address_and_where_it_is(
    stage: Stage, browser: Browser
) -> None:
    context = await stage.context(browser, KARI)
    page = await context.new_page()
    await page.goto(f"{stage.url}/feed")
    picture = page.get_by_role("img", name="Vanntanken på torget")
    await expect(picture).to_be_visible()
    assert await picture.evaluate(
        "(one) => new URL(one.currentSrc).origin === location.origin && one.complete"
    )
    assert await picture.evaluate("(one) => one.naturalWidth") > 100
    assert await page.locator(".small-map .own").count() >= 1
    await context.close()
