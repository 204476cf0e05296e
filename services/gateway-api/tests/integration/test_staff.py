"""Staff: invited, signed in by a mailed link or an operator's token, each to the rooms of their role."""

import asyncio
from datetime import timedelta

import pytest
from kommunepuls_events.base import utc_now

pytestmark = pytest.mark.integration

OPERATOR = {"Authorization": "Bearer operator-token-0001"}
EVA, OLA = "eva@example.no", "ola@example.no"


async def _invite(town, address: str = EVA, **fields) -> dict:
    asked = {"municipality": "NO-9901", "address": address, "name": "Eva Holm", "roles": ["editor"]} | fields
    answer = await town.client.post("/api/v1/operator/staff", headers=OPERATOR, json=asked)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def _mailed(town) -> list[str]:
    """The tokens of the links that were mailed to staff."""
    opened = await town.opened("send-link")
    return [one["link"].rpartition("/")[2] for one in opened if one.get("letter", "").startswith("staff-")]


async def _sign_in(town, address: str = EVA, **fields) -> None:
    """Invite somebody and follow the link; the client then holds their cookie and CSRF token."""
    await _invite(town, address, **fields)
    town.client.cookies.clear()
    answer = await town.client.post(f"/staff/sign-in/{(await _mailed(town))[-1]}")
    assert answer.status_code == 303, answer.text
    await _take_token(town)


async def _take_token(town) -> None:
    sessions = await town.running.gateway.collections.staff_sessions.find({})
    newest = max(sessions, key=lambda one: one.document["expires_at"])
    town.client.headers["X-CSRF-Token"] = newest.document["csrf"]


async def _enter_token(town, token: str = "operator-token-0001"):
    answer = await town.client.post("/staff/token", data={"token": token})
    if answer.status_code == 303:
        await _take_token(town)
    return answer


async def test_somebody_is_invited_and_signs_in_by_the_mailed_link(town) -> None:
    member = await _invite(town)
    assert (member["name"], member["roles"], member["invited_by"]) == ("Eva Holm", ["editor"], "kari")
    (letter,) = await town.opened("send-link")
    assert letter["letter"] == "staff-invitation"
    assert letter["address"] == EVA
    assert letter["link"].startswith("http://gateway.example/staff/sign-in/")
    token = (await _mailed(town))[0]
    looked = await town.client.get(f"/staff/sign-in/{token}")
    assert looked.status_code == 200
    assert "set-cookie" not in looked.headers
    followed = await town.client.post(f"/staff/sign-in/{token}")
    assert followed.status_code == 303
    cookie = followed.headers["set-cookie"]
    assert cookie.startswith("kp_staff=")
    assert "HttpOnly" in cookie
    page = await town.client.get(followed.headers["location"])
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    listed = await town.client.get("/api/v1/operator/staff?municipality=NO-9901", headers=OPERATOR)
    assert listed.json()["members"][0]["signed_in_at"] is not None


async def test_a_link_works_once_and_for_its_time(town) -> None:
    await _invite(town)
    token = (await _mailed(town))[0]
    answers = await asyncio.gather(*(town.client.post(f"/staff/sign-in/{token}") for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [303, 410, 410, 410]
    town.client.cookies.clear()
    await town.client.post("/staff/sign-in", data={"address": EVA})
    late = (await _mailed(town))[-1]
    links = town.running.gateway.collections.staff_links
    for stored in await links.find({"state": "open"}):
        await links.patch(stored.key, {"expires_at": utc_now() - timedelta(seconds=1)})
    answer = await town.client.post(f"/staff/sign-in/{late}", headers={"Accept-Language": "en"})
    assert answer.status_code == 410
    assert "too old" in answer.text


async def test_a_residents_link_opens_no_staff_page_nor_the_other_way_round(town) -> None:
    residents = await town.link()
    assert (await town.client.post(f"/staff/sign-in/{residents}")).status_code == 410
    await _invite(town)
    staffs = (await _mailed(town))[0]
    assert (await town.client.post(f"/sign-in/{staffs}")).status_code == 410
    await town.sign_in()
    assert (await town.client.get("/staff/people")).headers["location"] == "/staff/sign-in"


async def test_who_has_no_account_gets_the_same_answer_and_no_mail(town) -> None:
    await _invite(town)
    links = town.running.gateway.collections.staff_links
    before, answers = await links.count({}), []
    for address in (EVA, "stranger@example.no"):
        answer = await town.client.post("/staff/sign-in", data={"address": address})
        text = answer.text.replace(address, "ADDRESS")
        answers.append((answer.status_code, len(text), sorted(answer.headers)))
    assert answers[0] == answers[1]
    assert await links.count({}) == before + 2
    assert [one["address"] for one in await town.opened("send-link")] == [EVA, EVA]


async def test_one_address_is_mailed_a_few_times_and_one_client_may_not_ask_for_ever(town) -> None:
    await _invite(town)
    for _ in range(6):
        assert (await town.client.post("/staff/sign-in", data={"address": EVA})).status_code == 200
    assert len(await _mailed(town)) == 1 + 3
    for number in range(20):
        answer = await town.client.post("/staff/sign-in", data={"address": f"n{number}@example.no"})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


async def test_an_operator_signs_in_by_the_token_and_guessing_is_braked(town) -> None:
    answer = await _enter_token(town)
    assert (answer.status_code, answer.headers["set-cookie"].split("=")[0]) == (303, "kp_staff")
    assert (await town.client.get("/staff/people")).status_code == 200
    for _ in range(9):
        refused = await _enter_token(town, "a-token-of-nobody")
        assert refused.status_code == 403
    assert (await _enter_token(town)).status_code == 429


async def test_a_session_ends_with_the_token_or_the_account_behind_it(town, monkeypatch) -> None:
    await _enter_token(town)
    settings = town.running.gateway.settings
    monkeypatch.setattr(type(settings), "operators", lambda _self: {"kari": "another-token-0002"})
    assert (await town.client.get("/staff/people")).status_code == 303
    monkeypatch.undo()
    await _sign_in(town)
    (member,) = (
        await town.client.get("/api/v1/operator/staff?municipality=NO-9901", headers=OPERATOR)
    ).json()["members"]
    assert (await town.client.get("/staff/people")).status_code == 200
    gone = await town.client.delete(
        f"/api/v1/operator/staff/{member['id']}?municipality=NO-9901", headers=OPERATOR
    )
    assert gone.status_code == 204
    assert (await town.client.get("/staff/people")).headers["location"] == "/staff/sign-in"
    await town.client.post("/staff/sign-in", data={"address": EVA})
    assert len(await _mailed(town)) == 1


async def test_an_organiser_has_no_way_into_an_editors_room(town) -> None:
    await _sign_in(town, OLA, name="Ola", roles=["organiser"], organisers=["NO-9901/fotball"])
    for method, path in (("GET", "/staff/people"), ("GET", "/staff/log"), ("POST", "/staff/people")):
        answer = await town.client.request(method, path, headers={"Accept-Language": "en"})
        assert answer.status_code == 403, path
        assert "not allowed" in answer.text


async def test_a_change_without_the_sessions_own_token_or_from_elsewhere_is_refused(town) -> None:
    await _sign_in(town)
    form = {"address": OLA, "name": "Ola", "roles": "editor"}
    town.client.headers["X-CSRF-Token"] = "wrong"
    assert (await town.client.post("/staff/people", data=form)).status_code == 403
    await _take_token(town)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert (await town.client.post("/staff/people", data=form, headers=elsewhere)).status_code == 403
    assert (await town.client.post("/staff/token", data={"token": "x"}, headers=elsewhere)).status_code == 403
    assert (await town.client.post("/staff/people", data=form)).status_code == 303


async def test_an_editor_invites_changes_and_removes_and_all_of_it_is_on_record(town) -> None:
    await _sign_in(town)
    form = {
        "address": OLA,
        "name": "Ola Nordmann",
        "roles": "organiser",
        "organisers": "NO-9901/fotball",
        "more_organisers": "skolekorps",
    }
    assert (await town.client.post("/staff/people", data=form)).status_code == 303
    members = (await town.client.get("/api/v1/operator/staff?municipality=NO-9901", headers=OPERATOR)).json()
    ola = next(one for one in members["members"] if one["name"] == "Ola Nordmann")
    assert ola["organisers"] == ["NO-9901/fotball", "NO-9901/skolekorps"]
    assert ola["invited_by"] == "Eva Holm"
    changed = await town.client.post(
        f"/staff/people/{ola['id']}", data=form | {"name": "Ola N", "roles": "editor"}
    )
    assert changed.status_code == 303
    unsure = await town.client.post(f"/staff/people/{ola['id']}/remove")
    assert unsure.status_code == 422
    assert (
        await town.client.post(f"/staff/people/{ola['id']}/remove", data={"sure": "yes"})
    ).status_code == 303
    lines = (await town.client.get("/api/v1/operator/log?municipality=NO-9901", headers=OPERATOR)).json()[
        "lines"
    ]
    told = [(one["who"], one["action"], one["subject"]) for one in lines]
    assert told == [
        ("Eva Holm", "member-removed", "Ola N"),
        ("Eva Holm", "member-changed", "Ola N"),
        ("Eva Holm", "member-invited", "Ola Nordmann"),
        ("Eva Holm", "signed-in", ""),
        ("kari", "member-invited", "Eva Holm"),
    ]
    page = await town.client.get("/staff/log", headers={"Accept-Language": "en"})
    assert "removed <strong>Ola N</strong>" in page.text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"address": "nobody"}, "address"), ({"name": ""}, "name"), ({"roles": []}, "roles")],
)
async def test_a_faulty_invitation_is_told_beside_its_field_and_nothing_happens(town, wrong, field) -> None:
    await _enter_token(town)
    form = {"address": OLA, "name": "<b>Ola</b>", "roles": ["editor"]} | wrong
    answer = await town.client.post("/staff/people", data=form)
    assert answer.status_code == 422
    assert answer.text.count('role="alert"') == 1
    assert "<b>Ola</b>" not in answer.text
    assert await town.running.gateway.collections.staff.count({}) == 0


async def test_no_address_of_staff_is_in_the_store_in_clear(town, settings) -> None:
    await _sign_in(town)
    held = b"".join(path.read_bytes() for path in settings.data_dir.iterdir())
    assert len(held) > 10_000
    assert b"eva@" not in held.lower()
