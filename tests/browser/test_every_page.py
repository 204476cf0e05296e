"""What holds for every page: accessible, narrow screens, nothing from elsewhere, no errors, small."""

import pytest
from browser_checks import assert_good_for_everybody, small_controls
from browser_staff import CLUB_PAGE, EVA, MARI
from browser_stage import KARI, Stage
from playwright.async_api import Browser, Response

OPEN = (
    "/",
    "/sign-in",
    "/staff/sign-in",
    "/start",
    "/open-data",
    "/docs",
    "/offline",
    "/nowhere",
    "vann",
    "skript",
    "trukket",
    "unsubscribe",
    "/organisers",
    CLUB_PAGE,
    "/embed",
    "/embed/events",
)
WRITERS = ("/staff/writing", "/staff/page/NO-9901%2Ffjordvik-fotball", "write", "preview")
EDITORS = (
    "/staff/approvals",
    "/staff/organisers",
    "/staff/organisers/NO-9901%2Ffjordvik-fotball",
    "approval",
)
DRAFTS = {
    "write": "/staff/writing/{sent-back}",
    "preview": "/staff/writing/{out}/preview",
    "approval": "/staff/approvals/{waiting}",
}
"""Pages of drafts, whose ids are made with the stage."""
OWN = (
    "/",
    "/feed",
    "/choices",
    "/settings",
    "/welcome",
    "/messages",
    "/messages?show=waiting",
    "/feed?kind=permit",
    "/data",
    "garasje",
    "vann",
    "skript",
)
PAGES = [(page, None) for page in OPEN] + [(page, KARI) for page in OWN]
PAGES += [(page, MARI) for page in WRITERS] + [(page, EVA) for page in EDITORS]


def _address(stage: Stage, page: str) -> str:
    if page == "unsubscribe":
        return stage.url + stage.unsubscribe
    if page in DRAFTS:
        return stage.url + DRAFTS[page].format_map(stage.drafts)
    return stage.url + (page if page.startswith("/") else stage.path_of(page))


@pytest.mark.parametrize("language", ["nb", "en"])
@pytest.mark.parametrize(
    ("name", "resident"),
    PAGES,
    ids=[f"{'own' if who else 'open'}-{page.strip('/') or 'pulse'}" for page, who in PAGES],
)
async def test_it_is_accessible_in_light_and_dark_and_asks_nobody_else(
    stage: Stage, browser: Browser, name: str, resident: str | None, language: str
) -> None:
    context = await stage.context(browser, resident, reduced_motion="reduce")
    page = await context.new_page()
    said, elsewhere = [], []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith(stage.url) else elsewhere.append(request.url),
    )
    answer = await page.goto(f"{_address(stage, name)}{'&' if '?' in name else '?'}language={language}")
    assert answer is not None
    assert answer.status == (404 if name == "/nowhere" else 200)
    await assert_good_for_everybody(page, language)
    assert elsewhere == []
    assert [text for text in said if not (answer.status == 404 and "404" in text)] == []
    assert await page.evaluate("window.taken") is None
    await context.close()


@pytest.mark.parametrize("page", ["/", "/feed", "/choices", "/messages", "/start", "/settings", "write"])
async def test_a_page_with_its_style_and_modules_is_below_60_kb(
    stage: Stage, browser: Browser, page: str
) -> None:
    context = await stage.context(browser, MARI if page in DRAFTS else KARI)
    opened = await context.new_page()
    answers: list[Response] = []
    opened.on("response", lambda answer: answers.append(answer))
    await opened.goto(_address(stage, page))
    await opened.wait_for_load_state("load")
    weighed = [
        len(await one.body())
        for one in answers
        if one.headers.get("content-type", "").split(";")[0] in ("text/html", "text/css", "text/javascript")
    ]
    assert len(weighed) >= 2
    assert sum(weighed) < 60_000
    await context.close()


async def test_every_control_on_a_phone_is_large_enough_for_a_finger(stage: Stage, browser: Browser) -> None:
    context = await stage.context(browser, KARI, viewport={"width": 390, "height": 800})
    # Residents and staff have cookies of different names, so one browser can be both.
    await context.add_cookies(stage.cookies[MARI])
    page = await context.new_page()
    own = ("/", "/choices", "/feed", "/start", "/settings")
    for path in (*own, CLUB_PAGE, "/staff/writing", "write", "preview"):
        await page.goto(_address(stage, path))
        assert await small_controls(page) == [], path
    await context.close()
