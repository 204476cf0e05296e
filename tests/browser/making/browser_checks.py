"""What every page must be: accessible in light and dark, and no wider than a small phone."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page


async def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds wrong, by rule."""
    chosen = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    answer = await Axe().run(page, options={"resultTypes": ["violations"]} | chosen)
    return [
        f"{one['id']}: {[node['html'][:120] for node in one['nodes'][:3]]}"
        for one in answer.response["violations"]
    ]


async def assert_good_for_everybody(page: Page, language: str) -> None:
    """Accessible in both colour schemes, in its language, without overflow at 320 px."""
    await page.emulate_media(color_scheme="light")
    assert await violations(page) == []
    # What differs in the dark are the colours.
    await page.emulate_media(color_scheme="dark")
    assert await violations(page, "color-contrast", "link-in-text-block") == []
    assert await page.locator("html").get_attribute("lang") == language
    await page.set_viewport_size({"width": 320, "height": 640})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320


async def small_controls(page: Page) -> list[str]:
    """Controls of less than 24 px, as HTML."""
    return await page.evaluate(
        """() => [...document.querySelectorAll("button, select, nav a, .marker, .choice, summary, input[type=range]")]
        .filter((one) => !one.classList.contains("default") && one.getClientRects().length)
        .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
        .filter(([, box]) => box.width < 23.5 || box.height < 23.5).map(([html]) => html)"""
    )


async def tab_to(page: Page, selector: str, *, most: int = 160) -> None:
    """Press Tab until what the selector names has the focus."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        if await page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


async def tab_to_text(page: Page, name: str, *, most: int = 160) -> None:
    """Press Tab until what has the focus is called that."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(
            "(one => one.labels?.[0]?.innerText || one.innerText || one.value || '')(document.activeElement)"
        )
        if name in focused:
            return
    raise AssertionError(f"the keyboard does not reach {name!r}")
