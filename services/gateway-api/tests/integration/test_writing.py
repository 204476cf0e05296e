"""Organisers and editors over HTTP: writing, reach, approval, the organiser's page, iCalendar and the embed."""

import html
import io
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from gateway_api.domain.choices import Choices
from gateway_api.domain.organisers.content import Content
from gateway_api.domain.staff import Role, Staff
from gateway_api.service.queries import ItemFilter
from kommunepuls_chassis.testing_payloads import PAYLOADS, what_runs
from kommunepuls_events import ContentItemV1
from kommunepuls_events.base import utc_now
from PIL import Image

pytestmark = pytest.mark.integration

TOWN, CLUB = "NO-9901", "NO-9901/fotball"
PAGE = "/organisers/NO-9901%2Ffotball"
OPERATOR = {"Authorization": "Bearer operator-token-0001"}
EVA = {"address": "eva@example.no", "name": "Eva Holm", "roles": ["editor"]}
MARI = {"address": "mari@example.no", "name": "Mari Lie", "roles": ["organiser"], "organisers": [CLUB]}
NILS = {"address": "nils@example.no", "name": "Nils Berg", "roles": ["organiser"], "organisers": ["NO-9901/korps"]}  # fmt: skip
STARTS = (utc_now() + timedelta(days=9)).replace(hour=17, minute=0, second=0, microsecond=0)
FORM = {
    "kind": "event",
    "title": "Hjemmekamp",
    "text": "Vi spiller mot **Bergvik**.",
    "language": "nb",
    "interests": ["football"],
    "starts_at": STARTS.strftime("%Y-%m-%dT%H:%M"),
    "place_name": "Storbrygga",
}


class Desk:
    """The client of a test, as one of the staff."""

    def __init__(self, town: Any) -> None:
        self.town, self.client, self.gateway = town, town.client, town.running.gateway
        self._kept: dict[str, tuple[dict, str]] = {}

    async def sit(self, member: dict) -> None:
        """Be this member of the staff from now on."""
        name = member["name"]
        self.client.cookies.clear()
        if name not in self._kept:
            asked = {"municipality": TOWN} | member
            answer = await self.client.post("/api/v1/operator/staff", headers=OPERATOR, json=asked)
            assert answer.status_code == 201, answer.text
            letters = await self.town.opened("send-link")
            link = [one["link"] for one in letters if one.get("letter")][-1]
            assert (await self.client.post(link.removeprefix("http://gateway.example"))).status_code == 303
            csrf = re.search(r'name="csrf_token" value="([^"]+)"', (await self.get("/staff/writing")).text)
            assert csrf
            self._kept[name] = dict(self.client.cookies), csrf[1]
        cookies, token = self._kept[name]
        self.client.cookies.update(cookies)
        self.client.headers["X-CSRF-Token"] = token

    async def get(self, path: str, status: int = 200):
        answer = await self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:300])
        return answer

    async def post(self, path: str, data: dict, status: int = 303, **more: Any):
        answer = await self.client.post(path, data=data, **more)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:300])
        return answer

    async def begin(self, kind: str = "event") -> str:
        """A new draft; its address."""
        answer = await self.post("/staff/writing", {"organiser": CLUB, "kind": kind})
        return answer.headers["location"]

    async def handed_in(self, **changes: Any) -> str:
        """A draft with its form filled in and handed in; its id."""
        address = await self.begin()
        await self.post(address, FORM | changes | {"action": "next"})
        draft = address.rpartition("/")[2]
        known = await self.gateway.collections.drafts.get(draft)
        edition = known.document["edition"]
        await self.post(f"{address}/publish", {"edition": str(edition), "tell": "yes"})
        return draft

    async def out(self) -> list[ContentItemV1]:
        """What was published, also taken into the read model as its consumer would."""
        await self.town.published()
        items = self.town.producer.of(ContentItemV1)
        await self.town.running.read_model.take_items(items)
        return items


@pytest.fixture
def desk(town) -> Desk:
    return Desk(town)


async def test_an_event_goes_from_the_form_to_the_page_the_calendar_and_the_embed(desk: Desk) -> None:
    await desk.sit(MARI)
    address = await desk.begin()
    # Looked up in the town's register, and kept.
    found = await desk.post(address, FORM | {"action": "find"})
    assert found.headers["location"] == f"{address}#where"
    page = (await desk.get(address)).text
    assert 'name="longitude" id="longitude" value="10.05"' in page
    assert (await desk.post(address, FORM | {"action": "next"})).headers["location"] == f"{address}/preview"
    preview = (await desk.get(f"{address}/preview")).text
    assert "<strong>Bergvik</strong>" in preview
    assert "reach-number" in preview
    edition = re.search(r'name="edition" value="(\d+)"', preview)
    assert edition
    handed = await desk.post(f"{address}/publish", {"edition": edition[1], "tell": "yes"})
    assert handed.headers["location"] == "/staff/writing?said=handed-in"
    assert await desk.out() == []

    await desk.sit(EVA)
    draft = address.rpartition("/")[2]
    assert "Hjemmekamp" in (await desk.get("/staff/approvals")).text
    assert "<strong>Bergvik</strong>" in (await desk.get(f"/staff/approvals/{draft}")).text
    await desk.post(f"/staff/approvals/{draft}/approve", {"edition": edition[1]})
    (item,) = await desk.out()
    assert (item.source, item.native_id, item.revision) == ("NO-9901/organisers", draft, 1)
    assert "NO-9901/havna" in item.areas

    desk.client.cookies.clear()
    assert "Hjemmekamp" in (await desk.get(PAGE)).text
    assert "Hjemmekamp" in (await desk.get("/open-data/items.rss?organiser=NO-9901/fotball")).text
    made = (await desk.get("/open-data?organiser=NO-9901/fotball")).text
    assert 'href="/open-data/items.ics?organiser=NO-9901%2Ffotball"' in made
    calendar = (await desk.get("/open-data/items.ics?organiser=NO-9901/fotball")).text
    assert "SUMMARY:Hjemmekamp" in calendar
    assert "SUMMARY" not in (await desk.get("/open-data/items.ics?organiser=NO-9901/korps")).text
    listed = (await desk.get("/embed/events.json?organiser=NO-9901/fotball&area=NO-9901/havna")).json()
    assert [(one["title"], one["place"]) for one in listed["events"]] == [("Hjemmekamp", "Storbrygga")]
    assert (await desk.get("/embed/events.json?interest=music")).json() == {"events": []}


async def test_the_embed_may_be_framed_by_anybody_and_nothing_else_may(desk: Desk) -> None:
    await desk.sit(MARI)
    await desk.handed_in(title="<script>alert(1)</script>")
    await desk.sit(EVA)
    (waiting,) = await desk.gateway.drafts.waiting(TOWN)
    await desk.post(f"/staff/approvals/{waiting.id}/approve", {"edition": str(waiting.edition)})
    await desk.out()
    desk.client.cookies.clear()
    embed = await desk.get("/embed/events?organiser=NO-9901/fotball&language=sv")
    policy = embed.headers["content-security-policy"]
    assert "frame-ancestors *" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "x-frame-options" not in embed.headers
    assert "set-cookie" not in embed.headers
    assert '<html lang="sv">' in embed.text
    assert "<script" not in embed.text
    assert "&lt;script&gt;alert(1)" in embed.text
    again = await desk.client.get(
        "/embed/events?organiser=NO-9901/fotball&language=sv",
        headers={"If-None-Match": embed.headers["etag"]},
    )
    assert again.status_code == 304
    for path in ("/", PAGE, "/embed", "/staff/sign-in"):
        page = await desk.get(path)
        assert page.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "&amp;lt;" not in (await desk.get("/embed?organiser=NO-9901/fotball&interest=football")).text


async def test_reach_follows_the_form_without_saving_it_and_names_nobody(desk: Desk) -> None:
    view = desk.gateway.towns.of(TOWN)
    ids = []
    for _ in range(30):
        choices = Choices(areas=("NO-9901/havna",), interests=("football",))
        subscriber, _ = await desk.gateway.migration.bring(
            TOWN, choices, view.offer, address=None, pushes=[], operator="kari"
        )
        ids.append(subscriber.id)
    await desk.sit(MARI)
    address = await desk.begin()
    here = {"interests": ["football"], "longitude": "10.05", "latitude": "59.07"}
    told = (await desk.post(f"{address}/reach", here, 200)).json()
    assert told["residents"] in (30, 35)
    assert set(told["interests"]) == {"football"}
    assert not [one for one in ids if one in str(told)]
    elsewhere = (await desk.post(f"{address}/reach", here | {"latitude": "59.15"}, 200)).json()
    assert elsewhere["residents"] is None
    assert (await desk.gateway.drafts.of_organisers([CLUB]))[0].edition == 1
    # Without a module the button does it.
    shown = await desk.post(address, here | {"action": "reach"})
    assert shown.headers["location"] == f"{address}?reach=1#reach"
    assert "reach-number" in (await desk.get(f"{address}?reach=1")).text


async def test_what_is_missing_is_told_beside_its_field(desk: Desk) -> None:
    await desk.sit(MARI)
    address = await desk.begin()
    answer = await desk.post(address, {"kind": "event", "title": "Ha", "action": "next"})
    assert answer.headers["location"] == f"{address}?check=1#faults"
    page = (await desk.get(f"{address}?check=1")).text
    for name in ("title", "text", "starts_at", "interests"):
        assert f'id="{name}-fault"' in page
    await desk.post(f"{address}/publish", {"edition": "2"})
    assert await desk.out() == []
    unknown = await desk.post(address, FORM | {"place_name": "Atlantis", "action": "find"}, 422)
    assert 'id="place_name-fault"' in unknown.text


async def test_a_picture_is_drawn_anew_and_shown_from_our_own_address(desk: Desk) -> None:
    await desk.sit(MARI)
    address = await desk.begin()
    photo = io.BytesIO()
    Image.effect_noise((1500, 1000), 90).convert("RGB").save(
        photo, "JPEG", quality=95, comment=b"secret place"
    )
    assert len(photo.getvalue()) > 400_000
    picture = {"picture": ("bane.jpg", photo.getvalue(), "image/jpeg")}
    await desk.post(address, FORM | {"picture_text": "Banen", "action": "upload"}, files=picture)
    shown = re.search(r'<img src="(/pictures/[^"]+)"[^>]*alt="Banen"', (await desk.get(address)).text)
    assert shown
    kept = await desk.get(shown[1])
    assert kept.headers["content-type"] == "image/webp"
    assert b"secret place" not in kept.content
    wrong = {
        "picture": (
            "bane.svg",
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
            "image/jpeg",
        )
    }
    answer = await desk.post(address, FORM, 422, files=wrong)
    assert 'id="picture-fault"' in answer.text
    await desk.post(address, FORM | {"action": "no-picture"})
    assert "<img" not in (await desk.get(address)).text
    # Only where a picture may come along is there room for it.
    assert (await desk.client.post("/staff/sign-in", data={"address": "x" * 100_000})).status_code == 413


async def test_an_editor_sends_back_and_what_changed_meanwhile_is_not_approved(desk: Desk) -> None:
    await desk.sit(MARI)
    draft = await desk.handed_in()
    await desk.sit(EVA)
    page = f"/staff/approvals/{draft}"
    edition = {"edition": re.search(r'name="edition" value="(\d+)"', (await desk.get(page)).text)[1]}
    await desk.post(f"{page}/send-back", edition, 422)
    await desk.sit(MARI)
    await desk.post(f"/staff/writing/{draft}", FORM | {"title": "Bortekamp"})
    await desk.sit(EVA)
    await desk.post(f"{page}/approve", edition, 409)
    await desk.sit(MARI)
    again = {"edition": str(int(edition["edition"]) + 1)}
    await desk.post(f"/staff/writing/{draft}/publish", again)
    await desk.sit(EVA)
    await desk.post(f"{page}/send-back", again | {"word": "Hvor spiller dere?"})
    await desk.sit(MARI)
    assert "Hvor spiller dere?" in (await desk.get(f"/staff/writing/{draft}")).text
    assert await desk.out() == []


async def test_nobody_reaches_what_is_not_theirs(desk: Desk) -> None:
    await desk.sit(MARI)
    draft = await desk.handed_in()
    for path in (
        "/staff/approvals",
        f"/staff/approvals/{draft}",
        "/staff/organisers",
        "/staff/organisers/NO-9901%2Ffotball",
    ):
        await desk.get(path, 403)
    await desk.post(f"/staff/approvals/{draft}/approve", {"edition": "2"}, 403)
    await desk.sit(NILS)
    await desk.get(f"/staff/writing/{draft}", 404)
    await desk.post(f"/staff/writing/{draft}", FORM, 404)
    await desk.post(f"/staff/writing/{draft}/reach", FORM, 404)
    await desk.post(f"/staff/writing/{draft}/delete", {"sure": "yes"}, 404)
    await desk.post("/staff/writing", {"organiser": CLUB, "kind": "event"}, 403)
    await desk.post("/staff/page/NO-9901%2Ffotball", {"about": "Vi er best"}, 404)
    desk.client.cookies.clear()
    assert (await desk.get(f"/staff/writing/{draft}", 303)).headers["location"] == "/staff/sign-in"


async def test_an_organiser_that_an_invitation_named_writes_once_it_is_approved(desk: Desk) -> None:
    await desk.sit(NILS)
    assert "NO-9901/korps" not in (await desk.get("/staff/writing")).text
    await desk.sit(EVA)
    page = (await desk.get("/staff/organisers")).text
    assert 'name="organiser" value="NO-9901/korps"' in page
    await desk.post("/staff/organisers", {"organiser": "NO-9901/korps", "name": "Fjordvik skolekorps"})
    assert 'value="NO-9901/korps"' not in (await desk.get("/staff/organisers")).text
    await desk.sit(NILS)
    assert "Fjordvik skolekorps" in (await desk.get("/staff/writing")).text
    await desk.post("/staff/writing", {"organiser": "NO-9901/korps", "kind": "notice"})


async def test_no_text_of_an_organiser_runs_on_the_pages_of_staff_or_on_its_own(desk: Desk) -> None:
    await desk.sit(EVA)
    mari = Staff("Mari <script>alert(1)</script>", frozenset({Role.ORGANISER}), TOWN, frozenset({CLUB}))
    for number in range(0, len(PAYLOADS) - 3, 4):
        title, text, place, about = PAYLOADS[number : number + 4]
        content = Content(
            title=f"T {title}"[:120],
            text=f"{text}\n\n{title}",
            place_name=place[:300],
            interests=("football",),
        )
        draft = await desk.gateway.drafts.begin(mari, CLUB, content)
        await desk.gateway.drafts.hand_in(mari, draft.id, 1)
        club = replace(desk.gateway.clubs.get(CLUB), name=f"F {title}"[:80].strip(), about=about)
        await desk.gateway.clubs.save(club, mari)
        for path in (f"/staff/approvals/{draft.id}", f"/staff/writing/{draft.id}", PAGE):
            assert what_runs((await desk.get(path)).text) == [], (path, content)
    for path in ("/staff/approvals", "/staff/writing", "/staff/organisers", "/organisers"):
        assert what_runs((await desk.get(path)).text) == [], path
    # Its own frame, which shows how it will look.
    assert what_runs((await desk.get("/embed")).text) == ["<iframe>"]


async def test_a_trusted_organiser_publishes_at_once_changes_and_withdraws(desk: Desk) -> None:
    await desk.sit(EVA)
    await desk.post("/staff/organisers/NO-9901%2Ffotball", {"name": "Fjordvik fotball", "approved": "yes"})
    await desk.sit(MARI)
    draft = await desk.handed_in()
    (item,) = await desk.out()
    address = f"/staff/writing/{draft}"
    await desk.post(address, FORM | {"title": "Bortekamp", "action": "next"})
    preview = (await desk.get(f"{address}/preview")).text
    assert "<del>Hjemmekamp</del>" in preview
    edition = re.search(r'name="edition" value="(\d+)"', preview)
    assert edition
    await desk.post(f"{address}/publish", {"edition": edition[1]})
    await desk.post(f"{address}/withdraw", {}, 422)
    await desk.post(f"{address}/withdraw", {"sure": "yes"})
    items = await desk.out()
    assert [(one.revision, one.announced) for one in items] == [(1, True), (2, False), (3, True)]
    assert {one.id for one in items} == {item.id}
    found = await desk.gateway.queries.coming(desk.gateway.towns.of(TOWN), ItemFilter(), limit=9)
    assert found == []


async def test_an_organiser_has_a_page_and_is_followed_with_one_click(desk: Desk) -> None:
    await desk.sit(EVA)
    await desk.post("/staff/organisers", {"name": "Fjordvik sjakklubb"})
    await desk.post("/staff/organisers", {"name": "Fjordvik Sjakklubb"}, 422)
    await desk.sit(MARI)
    about = "Vi er **laget**. <img src=x onerror=alert(1)>"
    await desk.post("/staff/page/NO-9901%2Ffotball", {"about": about, "link": "https://fotball.example"})
    await desk.post("/staff/page/NO-9901%2Ffotball", {"about": about, "link": "javascript:alert(1)"}, 422)
    desk.client.cookies.clear()
    page = (await desk.get(PAGE)).text
    assert "<strong>laget</strong>" in page
    assert "<img" not in page
    (start,) = re.findall(r'href="(/start\?organiser=NO-9901%2Ffotball[^"]*)"', page)
    begun = (await desk.get(start.replace("&amp;", "&"))).text
    asked = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', begun))
    asked = {name: html.unescape(value) for name, value in asked.items()}
    whom = await desk.post("/start", asked | {"areas": "NO-9901/havna", "action": "goto:whom"}, 200)
    assert 'name="organisers" value="NO-9901/fotball" checked' in whom.text
    assert "Fjordvik sjakklubb" in (await desk.get("/organisers")).text
    subscriber = await desk.town.sign_in()
    chess = "/organisers/NO-9901%2Ffjordvik-sjakklubb"
    answer = await desk.post(f"{chess}/follow", {})
    assert answer.headers["location"] == f"{chess}?saved=1"
    known = await desk.gateway.residents.get(subscriber)
    assert known.profile.organisers == ("NO-9901/fjordvik-sjakklubb",)
    await desk.post(f"{chess}/unfollow", {})
    known = await desk.gateway.residents.get(subscriber)
    assert known.profile.organisers == ()
    desk.client.cookies.clear()
    await desk.sit(EVA)
    await desk.post(
        "/staff/organisers/NO-9901%2Ffjordvik-sjakklubb", {"name": "Fjordvik sjakklubb", "asks": "yes"}
    )
    await desk.get(chess, 404)
