"""Getting what concerns one, changing it and leaving again: with the keyboard alone, and for every eye."""

import re

import pytest
from browser_checks import assert_good_for_everybody, small_controls, tab_to
from browser_stage import OLA, Stage
from kommunepuls_chassis.sealing import unseal
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import SubscriberProfileV1
from playwright.async_api import Browser, Page, expect

_ONWARD = ".onward button[value=next]"
# Stands for the browser's own question, which no test can answer with a key.
_REFUSING = """window.asked = 0;
Notification.requestPermission = () => { window.asked += 1; return Promise.resolve("denied"); };"""


async def _press(page: Page, selector: str, key: str = "Enter") -> None:
    await tab_to(page, selector)
    async with page.expect_navigation():
        await page.keyboard.press(key)


async def _tick(page: Page, selector: str) -> None:
    await tab_to(page, selector)
    await page.keyboard.press("Space")
    await expect(page.locator(selector)).to_be_checked()


async def _mailed_link(stage: Stage, before: int) -> str:
    sent = await eventually(
        lambda: [one for one in stage.post.commands[before:] if one.action == "send-link"], what="a link"
    )
    return unseal(sent[-1].sealed, stage.key, subscriber=sent[-1].subscriber)["link"]


async def test_from_the_pulse_to_the_first_profile_with_the_keyboard_alone(
    stage: Stage, browser: Browser
) -> None:
    context = await stage.context(browser)
    await context.add_init_script(_REFUSING)
    page = await context.new_page()
    await page.goto(stage.url)
    await _press(page, "main a[href^='/start']")
    await _tick(page, "[name=areas][value='NO-9901/havna']")
    await expect(page.locator("#chosen")).to_have_text("1")
    await tab_to(page, "#new-place-text")
    await page.keyboard.type("Storgata 4")
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    circle = page.locator("[data-circle] circle").first
    before = float(await circle.get_attribute("r") or 0)
    said = page.locator("[data-often]")
    at_first = await said.inner_text()
    await tab_to(page, "input[type=range]")
    await page.keyboard.press("Home")
    await expect(page.locator("fieldset output").first).to_have_text("100 m")
    assert float(await circle.get_attribute("r") or 0) < before
    await expect(said).not_to_have_text(at_first)
    await page.keyboard.press("End")
    # 24 permit cases and what else the town told lie within five kilometres.
    await expect(said).to_have_text(re.compile(r"^omtrent [34] i uken$"))
    await expect(page.locator("#often")).to_have_text(await said.inner_text())
    await _press(page, _ONWARD)
    await expect(page.locator(".progress")).to_contain_text("Steg 2 av 5")
    await _tick(page, "[name=interests][value=water-and-sewage]")
    await _press(page, _ONWARD)
    await tab_to(page, "#search")
    await page.keyboard.type("fjordvik fot")
    await expect(page.locator("#organisers .choice:visible")).to_have_count(1)
    await _tick(page, "[name=organisers]:not(.choice[hidden] *)")
    await _press(page, _ONWARD)
    await expect(page.locator("[data-push=needed]")).to_be_visible()
    assert await page.evaluate("window.asked") == 0
    await tab_to(page, "#push-on")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-push=blocked]")).to_be_visible()
    assert await page.evaluate("window.asked") == 1
    await _press(page, _ONWARD)
    await expect(page.locator(".preview")).to_contain_text("Vannet er stengt i Havna")
    await expect(page.locator(".preview")).to_contain_text("Du følger Havna")
    await _press(page, ".said button[value='goto:what']")
    await expect(page.locator("[name=interests][value=water-and-sewage]")).to_be_checked()
    await _tick(page, "[name=interests][value=music]")
    for _ in ("whom", "how", "preview", "address"):
        await _press(page, _ONWARD)
    sent = len(stage.post.commands)
    await tab_to(page, "#address")
    await page.keyboard.type("nora@example.no")
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    await page.goto(await _mailed_link(stage, sent))
    await _press(page, "main form button")
    await expect(page.locator("h1")).to_have_text("Alt er klart")
    profiles = [one async for one in _profiles(stage)]
    assert [(one.areas, set(one.interests), len(one.organisers), len(one.places)) for one in profiles] == [
        (("NO-9901/havna",), {"water-and-sewage", "music"}, 1, 1)
    ]
    await context.close()


async def _profiles(stage: Stage):
    for stored in await stage.running.gateway.collections.subscribers.find({"state": "active"}):
        profile = SubscriberProfileV1.model_validate_json(stored.document["profile"])
        if "music" in profile.interests:
            yield profile


async def _at(page: Page, stage: Stage, step: str) -> None:
    """Go to a step by the button that leads there from the preview."""
    await page.evaluate(
        """(step) => {
          const button = document.createElement("button");
          Object.assign(button, { name: "action", value: `goto:${step}` });
          document.getElementById("start").append(button);
          button.click();
        }""",
        step,
    )
    await page.wait_for_selector(f"[name=step][value={step}]", state="attached")


@pytest.mark.parametrize("language", ["nb", "en"])
async def test_every_step_is_good_for_everybody(stage: Stage, browser: Browser, language: str) -> None:
    context = await stage.context(browser, reduced_motion="reduce")
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
    await page.goto(f"{stage.url}/start?language={language}")
    await page.get_by_role("checkbox", name="Havna").check()
    await page.fill("#new-place-text", "Storgata 4")
    await page.locator("button[value=show]:visible").last.click()
    await page.wait_for_selector("[data-circle]", state="attached")
    for step in ("where", "what", "whom", "how", "preview", "address"):
        await page.set_viewport_size({"width": 1000, "height": 800})
        if step != "where":
            await _at(page, stage, step)
        await assert_good_for_everybody(page, language)
        assert await small_controls(page) == [], step
    assert said == []
    await context.close()


async def test_a_subscription_is_paused_ended_and_brought_back_with_the_keyboard_alone(
    stage: Stage, browser: Browser
) -> None:
    context = await stage.context(browser, OLA)
    page = await context.new_page()
    await page.goto(f"{stage.url}/settings")
    sentences = page.locator(".sentence")
    before = await sentences.all_inner_texts()
    assert "I Vestlia" in before
    await _press(page, "button[value='end:areas:NO-9901/vestlia']")
    await expect(page.locator("#done")).to_contain_text("Du får ikke dette lenger: I Vestlia.")
    # The way back has the focus already.
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    assert set(await sentences.all_inner_texts()) == set(before)
    await _press(page, "button[value='pause:interests:football']")
    await expect(page.locator("#paused-title")).to_be_visible()
    await _press(page, "button[value='resume:interests:football']")
    await expect(page.locator("#paused-title")).to_have_count(0)
    assert set(await sentences.all_inner_texts()) == set(before)
    await context.close()


async def test_unsubscribing_from_a_mail_and_back_with_the_keyboard_alone(
    stage: Stage, browser: Browser
) -> None:
    context = await stage.context(browser)
    page = await context.new_page()
    await page.goto(stage.url + stage.unsubscribe)
    await expect(page.locator("main")).to_contain_text("Dette stopper: E-post.")
    await _press(page, "main form button")
    await expect(page.locator("h1")).to_have_text("Du er meldt av")
    await expect(page.locator("main")).to_contain_text("Ingenting blir sendt til deg lenger")
    await _press(page, "main form button")
    await expect(page.locator("main")).to_contain_text("Vi fortsetter å sende deg: E-post.")
    await context.close()


_SUBSCRIBING = """const subscription = { toJSON: () => ({ endpoint: "https://push.example/one-browser",
  keys: { p256dh: "B".repeat(87), auth: "a".repeat(22) } }) };
PushManager.prototype.getSubscription = () => Promise.resolve(null);
PushManager.prototype.subscribe = () => Promise.resolve(subscription);"""


async def test_notifications_are_turned_on_and_tried_out_after_signing_up(
    stage: Stage, browser: Browser
) -> None:
    context = await stage.context(browser, OLA)
    await context.grant_permissions(["notifications"], origin=stage.url)
    await context.add_init_script(_SUBSCRIBING)
    page = await context.new_page()
    await page.goto(f"{stage.url}/welcome")
    before = len(stage.post.commands)
    await tab_to(page, "#push-on")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-push=done]")).to_be_visible()
    # The button to try it has the focus then.
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-push=tested]")).to_be_visible()
    actions = await eventually(
        lambda: found if len(found := [one.action for one in stage.post.commands[before:]]) >= 2 else None,
        what="both commands",
    )
    assert actions == ["register", "send-test"]
    await page.goto(f"{stage.url}/settings")
    await expect(page.locator(".devices")).to_contain_text("Chrome Linux")
    await _press(page, ".devices button[value^='remove-device']")
    await expect(page.locator(".devices")).not_to_contain_text("Chrome Linux")
    await context.close()
