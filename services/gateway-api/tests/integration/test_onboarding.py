"""Onboarding without JavaScript: one question a page, nothing kept before the link is pressed."""

import re
from datetime import timedelta

import pytest
from gateway_api.domain.preview import would_have_received
from gateway_api.domain.secrets import digest
from kommunepuls_events import SubscriberProfileV1
from kommunepuls_events.base import utc_now
from kommunepuls_events.geometry import Point

pytestmark = pytest.mark.integration

HAVNA, CLUB = "NO-9901/havna", "NO-9901/fotball"
STEPS = ("where", "what", "whom", "how", "preview", "address")


class _Walk:
    """A browser that fills in the pages one after the other."""

    def __init__(self, town) -> None:
        self._town = town
        self.text = ""

    async def begin(self) -> "_Walk":
        return await self._taken(await self._town.client.get("/start"))

    async def press(self, action: str = "next", status: int = 200, **changes) -> "_Walk":
        fields = self._town.form_in(self.text, "start") | {
            name: [value] if isinstance(value, str) else value for name, value in changes.items()
        }
        answer = await self._town.client.post("/start", data=fields | {"action": [action]})
        return await self._taken(answer, status)

    async def _taken(self, answer, status: int = 200) -> "_Walk":
        assert answer.status_code == status, answer.text[:500]
        self.text = answer.text
        return self

    @property
    def step(self) -> str:
        return re.search(r'name="step" value="(\w+)"', self.text)[1]

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.text))


async def _to_the_address(town) -> _Walk:
    walk = await _Walk(town).begin()
    await walk.press(areas=[HAVNA])
    await walk.press(interests=["water-and-sewage"])
    await walk.press(organisers=[CLUB])
    await walk.press(
        channels=["email"], cadence="daily", quiet="yes", quiet_begins="22:30", quiet_ends="06:30"
    )
    await walk.press()
    assert walk.step == "address"
    return walk


async def _stored(town) -> int:
    held = town.running.gateway.collections
    return sum([await one.count({}) for one in (held.subscribers, held.addresses, held.links, held.sessions)])


async def _mailed(town, walk: _Walk, address: str = "kari@example.no") -> str:
    await walk.press("send", address=address)
    return (await town.opened("send-link"))[-1]["link"].rpartition("/")[2]


def _profiles(published: list) -> list[SubscriberProfileV1]:
    return [one for one in published if isinstance(one, SubscriberProfileV1)]


async def test_from_the_first_question_to_the_first_profile(town) -> None:
    walk = await _to_the_address(town)
    assert await _stored(town) == 0
    assert await town.published() == []
    token = await _mailed(town, walk)
    assert "kari@example.no" in walk.text
    assert _profiles(await town.published()) == []
    answer = await town.client.post(f"/sign-in/{token}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/welcome")
    (profile,) = _profiles(await town.published())
    assert (profile.revision, profile.areas, profile.interests, profile.organisers) == (
        1, (HAVNA,), ("water-and-sewage",), (CLUB,),
    )  # fmt: skip
    assert (list(profile.channels), profile.cadence) == (["email"], "daily")
    assert f"{profile.quiet_hours.begins:%H:%M}–{profile.quiet_hours.ends:%H:%M}" == "22:30–06:30"
    assert (await town.client.get("/welcome")).status_code == 200


async def test_one_can_go_back_and_nothing_is_lost(town) -> None:
    walk = await _to_the_address(town)
    for step in reversed(STEPS[:-1]):
        await walk.press("back", address="half@writ")
        assert walk.step == step
    assert town.form_in(walk.text, "start")["areas"] == [HAVNA]
    await walk.press()
    assert town.form_in(walk.text, "start")["interests"] == ["water-and-sewage"]
    await walk.press("goto:how")
    fields = town.form_in(walk.text, "start")
    assert (fields["channels"], fields["cadence"], fields["quiet_begins"]) == (
        ["email"],
        ["daily"],
        ["22:30"],
    )


async def test_another_language_keeps_what_was_answered(town) -> None:
    walk = await _Walk(town).begin()
    fields = town.form_in(walk.text, "start") | {"areas": [HAVNA], "action": ["stay"]}
    answer = await town.client.post("/start?language=sv", data=fields)
    assert "Var vill du följa med?" in answer.text
    assert town.form_in(answer.text, "start")["areas"] == [HAVNA]


async def test_a_place_is_shown_with_its_circle_and_how_much_came_there(town, make_item) -> None:
    near = Point(type="Point", coordinates=(10.0502, 59.0701))
    await town.running.read_model.take_items(
        [make_item(str(n), areas=(), geometry=near, interests=("music",)) for n in range(18)]
    )
    walk = await _Walk(town).begin()
    await walk.press("show", new_place_text="Storbrygga", new_place_label="Båten", new_place_radius="300")
    assert walk.step == "where"
    assert 'class="reach"' in walk.text
    # 18 in 60 days.
    assert "omtrent 2 i uken" in walk.words
    (name,) = [one for one in town.form_in(walk.text, "start") if one.endswith("-radius")]
    place = re.search(r"data-longitude=.(.+?). data-latitude=.(.+?).>", walk.text)
    assert (float(place[1]), float(place[2])) == (10.05, 59.07)
    # With JavaScript the same is asked while the slider moves.
    asked = {"places": [{"id": "p", "longitude": 10.05, "latitude": 59.07, "radius_metres": 300}]}
    answer = await town.client.post(
        "/api/v1/preview?language=en", json={"every_interest": True, "choices": asked}
    )
    assert answer.json() == {
        "items": 18, "messages": 18, "messages_a_week": 2.1, "days": 60, "text": "about 2 a week",
    }  # fmt: skip
    await walk.press("show", **{name: "5"})
    assert "ingenting de siste 60 dagene" in walk.words


async def test_what_is_wrong_is_told_on_its_page_and_what_was_written_stays(town) -> None:
    walk = await _Walk(town).begin()
    await walk.press(status=422)
    assert (walk.step, 'id="areas-fault"' in walk.text) == ("where", True)
    await walk.press(status=422, new_place_text="Kråkeslottet 7", areas=[HAVNA])
    assert 'value="Kråkeslottet 7"' in walk.text
    await walk.press("whole", new_place_text="")
    assert walk.step == "what"
    await walk.press("goto:how")
    await walk.press(status=422, quiet="yes", quiet_begins="22:00", quiet_ends="22:00")
    await walk.press("goto:address")
    await walk.press("send", status=422, address="not an address")
    assert 'value="not an address"' in walk.text
    assert await _stored(town) == 0


async def test_interests_say_how_much_they_brought_and_the_preview_is_what_the_matcher_says(
    town, make_item
) -> None:
    await town.running.read_model.take_items(
        [
            make_item("1", title="Vannet er stengt"),
            make_item("2", title="Pumpa er byttet", organiser=None),
            make_item("3", title="Fotballcup", areas=("NO-9901/nordmarka",), interests=("football",)),
            make_item("4", title="Noe helt annet", areas=("NO-9901/nordmarka",), organiser=None),
        ]
    )
    walk = await _Walk(town).begin()
    await walk.press(areas=[HAVNA])
    assert re.search(r"Vann og avløp</span> <small class=\"count\">2<", walk.text)
    await walk.press(interests=["water-and-sewage"])
    await walk.press("search", search="fjordvik FOT")
    assert "Fjordvik fotball" in walk.text
    await walk.press("search", search="bridgeklubben")
    assert "Fjordvik fotball" not in walk.text
    await walk.press(organisers=[CLUB])
    await walk.press()
    assert walk.step == "preview"
    shown = set(re.findall(r'lang="nb" target="_blank" rel="noopener">([^<]+)<', walk.text))
    gateway = town.running.gateway
    view = gateway.towns.first
    resident = SubscriberProfileV1(
        subscriber="s", revision=1, municipality=view.code, changed_at=utc_now(),
        areas=(HAVNA,), interests=("water-and-sewage",), organisers=(CLUB,),
    )  # fmt: skip
    told = {one.item.title for one in would_have_received(resident, await gateway.recent.of(view))}
    assert shown == told == {"Vannet er stengt", "Pumpa er byttet", "Fotballcup"}
    assert "Du følger Havna" in walk.words
    assert "Alt fra Fjordvik fotball" in walk.words


async def test_the_choices_wait_locked_and_go_with_the_link(town, settings) -> None:
    walk = await _to_the_address(town)
    token = await _mailed(town, walk)
    links = town.running.gateway.collections.links
    waiting = (await links.get(digest(token))).document["choices"]
    assert waiting
    assert b"havna" not in waiting
    await links.patch(digest(token), {"expires_at": utc_now() - timedelta(seconds=1)})
    late = await town.client.post(f"/sign-in/{token}")
    assert late.status_code == 410
    assert "Denne lenken er for gammel" in late.text
    assert 'href="/start"' in late.text
    await town.running.housekeeping.clean()
    assert (await links.get(digest(token))).document["choices"] is None
    assert (await town.client.get(f"/sign-in/{token}")).status_code == 410
    assert await town.running.gateway.collections.subscribers.count({}) == 0


async def test_a_link_pressed_twice_signs_up_once(town) -> None:
    token = await _mailed(town, await _to_the_address(town))
    assert (await town.client.post(f"/sign-in/{token}")).status_code == 303
    again = await town.client.post(f"/sign-in/{token}")
    assert again.status_code == 410
    assert "Denne lenken er brukt" in again.text
    assert len(_profiles(await town.published())) == 1
    held = await town.running.gateway.collections.links.get(digest(token))
    assert held.document["choices"] is None


async def test_who_has_chosen_before_is_asked_before_it_is_replaced(town) -> None:
    await town.sign_in()
    chosen = {"areas": ["NO-9901/nordmarka"], "interests": ["music"], "audience": ["seniors"]}
    await town.client.put("/api/v1/profile", json=chosen)
    town.client.cookies.clear()
    del town.client.headers["X-CSRF-Token"]
    token = await _mailed(town, await _to_the_address(town))
    asked = await town.client.post(f"/sign-in/{token}")
    assert asked.status_code == 200
    assert "Erstatte det du valgte før?" in asked.text
    assert "I Nordmarka" in asked.text
    assert (await town.client.get("/api/v1/profile")).json()["choices"]["interests"] == ["music"]
    form = dict(
        re.findall(r'name="(csrf_token|draft)" value="([^"]*)"', asked.text.partition("/start/keep")[2])
    )
    draft = form["draft"].replace("&#34;", '"')
    foreign = await town.client.post("/start/keep", data={"draft": draft, "csrf_token": "x"})
    assert foreign.status_code == 403
    kept = await town.client.post("/start/keep", data=form | {"draft": draft})
    assert kept.headers["location"] == "/welcome"
    held = (await town.client.get("/api/v1/profile")).json()["choices"]
    assert (held["areas"], held["interests"], held["audience"]) == (
        [HAVNA],
        ["water-and-sewage"],
        ["seniors"],
    )


async def test_a_draft_that_is_none_or_names_what_is_not_here_begins_anew(town) -> None:
    walk = await _Walk(town).begin()
    await walk.press(areas=[HAVNA])
    await walk.press("next", draft="<script>", interests=["music"])
    assert walk.step == "whom"
    await walk.press(
        "goto:address", draft='{"areas": ["NO-9901/atlantis"], "interests": ["alchemy", "music"]}'
    )
    assert "atlantis" not in walk.text
    token = await _mailed(town, walk)
    assert (await town.client.post(f"/sign-in/{token}")).headers["location"] == "/welcome"
