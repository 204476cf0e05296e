"""Texts of strangers show as text or safe markup, wherever they come in."""

from html.parser import HTMLParser

import pytest
from kommunepuls_events import Change, Kind, Lifecycle, LifecycleState, Link, Organiser

pytestmark = pytest.mark.integration

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<a href=\"java\tscript:alert(1)\">x</a>",
    "<a href=\"data:text/html,<script>alert(1)</script>\">x</a>",
    "<iframe src=https://evil.example></iframe>",
    "<math><mtext></p><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<style>@import 'https://evil.example/x.css'</style>",
    "<div style=\"background:url(https://evil.example)\" onmouseover=alert(1)>x</div>",
    "<form action=https://evil.example><input name=csrf_token></form>",
    "<meta http-equiv=refresh content=\"0;url=https://evil.example\">",
    "<base href=https://evil.example/>",
    "{{ 7*7 }}{% raw %}${7*7}",
    "\u202egnp.exe<script\u0000>alert(1)</script>",
    "</title></textarea></style></script><script>alert(1)</script>",
]  # fmt: skip


class _Page(HTMLParser):
    """Collects what would run or load."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attributes: list) -> None:
        held = dict(attributes)
        if tag in ("iframe", "object", "embed", "base", "img", "math", "video", "form") and not (
            tag == "form" and (held.get("action") or "").startswith("/")
        ):
            self.bad.append(f"<{tag}>")
        if tag == "script" and not (held.get("src") or "").startswith("/static/"):
            self.bad.append("<script>")
        if tag == "style" and "nonce" not in held:
            self.bad.append("<style>")
        if tag == "meta" and "http-equiv" in held:
            self.bad.append("<meta>")
        for name, value in attributes:
            if name.startswith("on") or name == "style":
                self.bad.append(f"{tag} {name}")
            scheme = (value or "").strip().lower()
            if name in ("href", "src", "action") and scheme.startswith(("javascript:", "data:", "vbscript:")):
                self.bad.append(f"{tag} {name}={value}")


def _faults_of(html: str) -> list[str]:
    page = _Page()
    page.feed(html)
    return page.bad


def test_the_look_for_faults_sees_each_of_the_payloads_that_a_browser_would_run() -> None:
    seen = [payload for payload in PAYLOADS if _faults_of(payload)]
    assert len(seen) >= len(PAYLOADS) - 4


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_no_text_of_a_source_runs_or_loads_anything(
    town, make_item, make_match, make_reading, payload
) -> None:
    item = make_item(
        native="<script>1</script>",
        title=f"T {payload}"[:300],
        summary=payload,
        body=f"<p>text</p>{payload}",
        place_name=payload,
        stage=payload,
        kind=Kind.EVENT,
        organiser=Organiser(id=f"NO-9901/{payload}"[:500], name=payload[:200] or "x"),
        links=(Link(url="https://example.no/x", title=payload),),
        lifecycle=Lifecycle(
            state=LifecycleState.UPDATED, changes=(Change(field=payload, before=payload, after=payload),)
        ),
    )
    read_model = town.running.read_model
    await read_model.take_items([item])
    await read_model.take_readings([make_reading(20, name=payload, unit=payload[:20] or "x")])
    subscriber = await town.sign_in()
    await read_model.take_match(make_match(item, subscriber))
    chosen = {
        "organisers": [item.organiser.id],
        "places": [
            {
                "id": payload[:100],
                "label": payload[:40],
                "longitude": 10.05,
                "latitude": 59.07,
                "radius_metres": 9,
            }
        ],
    }
    answer = await town.client.put("/api/v1/profile", json=chosen)
    assert answer.status_code in (200, 422)
    link = f"/items/{item.id.replace('/', '%2F').replace('<', '%3C').replace('>', '%3E')}"
    for path in ("/", "/feed", "/choices", link):
        page = await town.client.get(path)
        assert page.status_code == 200, path
        assert _faults_of(page.text) == [], path
        assert "49" not in page.text.partition("T {{")[2][:20]


async def test_harmless_markup_stays(town, make_item) -> None:
    body = (
        '<p>Møt opp <strong>lørdag</strong></p><ul><li>kl. 12</li></ul><a href="https://example.no">mer</a>'
    )
    await town.running.read_model.take_items([make_item(body=body)])
    page = (await town.client.get("/items/NO-9901%2Ffacebook%2F1")).text
    assert "<strong>lørdag</strong>" in page
    assert '<a href="https://example.no" rel="noopener noreferrer nofollow">mer</a>' in page
