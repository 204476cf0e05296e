"""Known ways to smuggle markup, in a real browser: nothing runs, nothing is asked for, nothing is even tried."""

from browser_news import TOWN, delivery_of, item, match_of
from browser_stage import Stage
from kommunepuls_chassis.testing_payloads import PAYLOADS
from kommunepuls_events import Change, Lifecycle, LifecycleState, Link, Organiser
from playwright.async_api import Browser, expect

_TOGETHER = 9
_LONG_AGO = 60 * 24 * 6
"""Minutes; older than what the pulse of the other tests shows."""


def poisoned() -> list:
    """Items that have the payloads in each of their texts, some in each."""
    made = []
    for first in range(0, len(PAYLOADS), _TOGETHER):
        some = PAYLOADS[first : first + _TOGETHER]
        made.append(
            item(
                f"hostile-{first}", f"H{first} {some[0]}"[:300], _LONG_AGO,
                summary=" ".join(some)[:1000],
                body="".join(f"<p>{one}</p>{one}" for one in some),
                place_name=some[-1],
                areas=(f"{TOWN}/havna",),
                organiser=Organiser(id=f"{TOWN}/hostile-{first}", name=some[1][:200]),
                links=tuple(Link(url="https://example.no/", title=one) for one in some),
                lifecycle=Lifecycle(
                    state=LifecycleState.UPDATED,
                    changes=tuple(Change(field="title", before=one, after=one) for one in some),
                ),
            )
        )  # fmt: skip
    return made


async def test_none_of_the_known_payloads_does_anything_on_any_page(stage: Stage, browser: Browser) -> None:
    items = poisoned()
    cookies = await stage.another_session("hostile@example.no")
    context = await stage.context(browser)
    await context.add_cookies(cookies)
    page = await context.new_page()
    session = await (await context.request.get(f"{stage.url}/api/v1/session")).json()
    await context.request.put(
        f"{stage.url}/api/v1/profile",
        data={"areas": [f"{TOWN}/havna"]},
        headers={"X-CSRF-Token": session["csrf_token"]},
    )
    read_model = stage.running.read_model
    await read_model.take_items(items)
    for one in items:
        await read_model.take_match(match_of(one, session["subscriber"]))
    await read_model.take_deliveries([delivery_of(one, session["subscriber"], "sent") for one in items])

    said, elsewhere = [], []
    page.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda one: None if one.url.startswith(stage.url) else elsewhere.append(one.url))
    addresses = ["/feed", "/messages", *(f"/items/{one.id.replace('/', '%2F')}" for one in items)]
    for address in addresses:
        await page.goto(stage.url + address)
        await expect(page.get_by_text("H0 <script>").or_(page.locator("main h1")).first).to_be_visible()
        for details in await page.locator("main details").all():
            await details.evaluate("(one) => { one.open = true; }")
        assert await page.evaluate("window.taken") is None, address
        assert (
            await page.locator("main iframe, main object, main script, main form[action^=http]").count() == 0
        )
        assert page.url == stage.url + address
    # The content security policy had nothing to refuse: nothing of it had become markup.
    assert said == []
    assert elsewhere == []
    assert len(context.pages) == 1
    await context.close()
