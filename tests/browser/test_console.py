"""What operators and editors do: by keyboard and without JavaScript, on pages good for everybody."""

from browser_checks import assert_good_for_everybody, small_controls, tab_to
from browser_console import LETTER, OPERATOR, TOKEN
from browser_staff import EVA
from browser_stage import Stage
from gateway_api.domain.letters import letter_document, letter_key
from kommunepuls_chassis.testing import eventually
from kommunepuls_events.base import utc_now
from kommunepuls_events.dead_letters import DeadLetter
from playwright.async_api import Browser, Page, expect

_CONSOLE = (
    "/staff/console",
    "/staff/console/sources",
    "/staff/console/dead-letters",
    f"/staff/console/dead-letters/{LETTER}",
    "/staff/console/rejects",
    "/staff/console/deliveries?period=month",
    "/staff/console/gains",
)
_RULES = (
    "/staff/rules",
    "/staff/rules/new",
    "/staff/rules/history",
    "/staff/rules/dropped",
    "/staff/people",
    "/staff/log",
)


def _in(path: str, language: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}language={language}"


async def _weight(page: Page) -> int:
    """Bytes of the page with its style and modules, as they lie unpacked."""
    return await page.evaluate(
        """() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
        .filter((one) => /\\.(css|js)(\\?|$)/.test(one.name) || one.entryType === "navigation")
        .reduce((sum, one) => sum + one.decodedBodySize, 0)"""
    )


async def _look_at(stage: Stage, browser: Browser, who: str, paths: tuple[str, ...]) -> None:
    context = await stage.context(browser, who, reduced_motion="reduce")
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda one: faults.append(one.text) if one.type in ("error", "warning") else None)
    page.on(
        "request",
        lambda request: None if request.url.startswith(stage.url) else faults.append(request.url),
    )
    for path in paths:
        for language in ("nb", "en"):
            await page.set_viewport_size({"width": 1280, "height": 900})
            answer = await page.goto(stage.url + _in(path, language))
            assert answer is not None
            assert answer.status == 200, path
            await assert_good_for_everybody(page, language)
        assert await _weight(page) < 60_000, path
        await page.set_viewport_size({"width": 390, "height": 800})
        assert await small_controls(page) == [], path
    assert faults == []
    await context.close()


async def test_the_console_is_good_for_everybody(stage: Stage, browser: Browser) -> None:
    await _look_at(stage, browser, OPERATOR, _CONSOLE)


async def test_the_pages_of_rules_and_people_are_good_for_everybody(stage: Stage, browser: Browser) -> None:
    await _look_at(stage, browser, EVA, _RULES)


async def test_an_operator_signs_in_and_sends_dead_letters_back_by_keyboard_alone(
    stage: Stage, browser: Browser
) -> None:
    context = await stage.context(browser, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{stage.url}/staff")
    await tab_to(page, "#token")
    await page.keyboard.type(TOKEN)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Drift og tall")).to_be_visible()
    await expect(page.get_by_text("the token is dead: make a new one")).to_be_visible()
    await tab_to(page, "main a[href='/staff/console/dead-letters']")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("value: broken off at byte 21").first).to_be_visible()
    await tab_to(page, "main form button.small")
    await page.keyboard.press("Enter")
    await expect(page.locator(".notice.good")).to_be_visible()

    async def done() -> bool:
        await page.reload()
        return await page.get_by_text("2 av 2 sendt tilbake").count() == 1

    await eventually(done, every=0.5)
    await context.close()


async def test_an_editor_writes_tries_and_turns_on_a_rule_and_goes_back_by_keyboard_alone(
    stage: Stage, browser: Browser
) -> None:
    context = await stage.context(browser, EVA, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{stage.url}/staff/rules")
    await tab_to(page, "a[href='/staff/rules/new']")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/staff/rules/new")
    await tab_to(page, "#name")
    await page.keyboard.type("Vann angår helsa")
    await tab_to(page, "#words")
    await page.keyboard.type("vannet*")
    await tab_to(page, ".of-change summary")
    await page.keyboard.press("Enter")
    await tab_to(page, "input[name=interests][value=health]")
    await page.keyboard.press("Space")
    await tab_to(page, ".save button[value=try]")
    await page.keyboard.press("Enter")
    trial = page.locator("#trial")
    await expect(trial.get_by_role("link", name="Vannet er stengt i Havna")).to_be_visible()
    await expect(trial.locator("ins").first).to_have_text("+ Helse og omsorg")
    await tab_to(page, ".save button[value=save-on]")
    await page.keyboard.press("Enter")
    await expect(page.locator(".notice.good")).to_be_visible()
    rule = page.locator(".rule", has_text="Vann angår helsa")
    await expect(rule.locator(".state")).to_have_text("På")
    await tab_to(page, "a[href='/staff/rules/history']")
    await page.keyboard.press("Enter")
    await expect(page.locator(".versions > li").first).to_contain_text(
        "Eva Holm la til regelen Vann angår helsa"
    )
    await tab_to(page, ".versions button")
    await page.keyboard.press("Enter")
    await expect(page.locator(".notice.good")).to_be_visible()
    assert await page.locator(".rule", has_text="Vann angår helsa").count() == 0
    await context.close()


async def test_the_console_comes_up_to_date_by_itself(stage: Stage, browser: Browser) -> None:
    context = await stage.context(browser, OPERATOR)
    page = await context.new_page()
    await page.goto(f"{stage.url}/staff/console")
    await expect(page.locator("#live")).to_have_text("direkte")
    tile = page.locator(".tile", has_text="Avviste").locator("strong")
    before = int(await tile.inner_text())
    letter = DeadLetter("no-id", "it has no id", "ingest-feeds", source="NO-9901/nyheter", entry="item")
    document = letter_document(
        topic="rejects.v1", key="k", value=b"<item/>", headers=letter.headers(), received_at=utc_now()
    )
    await stage.running.read_model.take_letters([(letter_key("rejects.v1", 0, 950), document)])
    await expect(tile).to_have_text(str(before + 1), timeout=20_000)
    await context.close()
