"""Signing up and in by a mailed link."""

import asyncio
import re
from datetime import timedelta

import pytest
from kommunepuls_events import (
    Channel,
    ContactCommandV1,
    DeliveryState,
    DeliveryV1,
    Permanence,
    SubscriberProfileV1,
)
from kommunepuls_events.base import utc_now

pytestmark = pytest.mark.integration

ADDRESS = "kari@example.no"


async def test_a_link_signs_up_and_registers_the_address_sealed(town) -> None:
    subscriber = await town.sign_in("  Kari@Example.NO ")
    published = await town.published()
    assert [type(one) for one in published] == [ContactCommandV1, SubscriberProfileV1, ContactCommandV1]
    assert [one.subscriber for one in published] == [subscriber] * 3
    assert await town.opened("register") == [{"address": ADDRESS}]
    mailed = (await town.opened("send-link"))[0]
    assert mailed["address"] == ADDRESS
    assert mailed["link"].startswith("http://gateway.example/sign-in/")


async def test_nothing_is_registered_before_the_link_is_followed(town) -> None:
    await town.link()
    published = await town.published()
    assert [one.action for one in published] == ["send-link"]
    assert await town.running.gateway.collections.subscribers.count({}) == 0


async def test_the_address_is_nowhere_in_the_store_in_clear(town, settings) -> None:
    await town.sign_in()
    await town.client.post(
        "/api/v1/push-subscriptions",
        json={"endpoint": "https://push.example/secret-path", "keys": {"p256dh": "B" * 87, "auth": "a" * 22}},
    )
    held = b"".join(path.read_bytes() for path in settings.data_dir.iterdir())
    assert len(held) > 10_000
    assert b"kari" not in held.lower()
    assert b"secret-path" not in held


async def test_the_same_address_signs_in_to_the_same_profile(town) -> None:
    first = await town.sign_in()
    assert await town.sign_in("KARI@example.no") == first
    assert sum(isinstance(one, SubscriberProfileV1) for one in await town.published()) == 1


async def test_a_link_used_twice_says_so(town) -> None:
    token = await town.link()
    assert (await town.client.post(f"/sign-in/{token}")).status_code == 303
    town.client.cookies.clear()
    again = await town.client.post(f"/sign-in/{token}", headers={"Accept-Language": "en"})
    assert again.status_code == 410
    assert "This link has been used" in again.text
    looked = await town.client.get(f"/sign-in/{token}", headers={"Accept-Language": "nb"})
    assert "Denne lenken er brukt" in looked.text
    api = await town.client.post("/api/v1/sessions", json={"token": token})
    assert api.status_code == 410
    assert api.json()["type"] == "/problems/link-used"


async def test_a_link_followed_twice_at_once_signs_in_once(town) -> None:
    token = await town.link()
    answers = await asyncio.gather(
        *(town.client.post("/api/v1/sessions", json={"token": token}) for _ in range(5))
    )
    assert sorted(one.status_code for one in answers) == [201, 410, 410, 410, 410]


async def test_a_link_followed_too_late_says_so(town) -> None:
    token = await town.link()
    links = town.running.gateway.collections.links
    (stored,) = await links.find({"state": "open"})
    await links.patch(stored.key, {"expires_at": utc_now() - timedelta(seconds=1)})
    answer = await town.client.post("/api/v1/sessions", json={"token": token})
    assert answer.json()["type"] == "/problems/link-expired"


async def test_a_made_up_link_is_unknown(town) -> None:
    for token in ("x" * 43, "..etc", "é" * 30):
        assert (await town.client.get(f"/sign-in/{token}")).status_code == 410


async def test_opening_a_link_does_not_use_it(town) -> None:
    token = await town.link()
    for _ in range(3):
        page = await town.client.get(f"/sign-in/{token}")
        assert page.status_code == 200
        assert "set-cookie" not in page.headers
    assert (await town.client.post(f"/sign-in/{token}")).status_code == 303


async def test_a_known_and_an_unknown_address_get_the_same_answer(town) -> None:
    await town.sign_in()
    town.client.cookies.clear()
    answers = []
    for address in (ADDRESS, "ola@example.no"):
        page = await town.client.post("/sign-in", data={"address": address})
        api = await town.client.post("/api/v1/sign-in-links", json={"address": address})
        text = re.sub(r'nonce-[^"\']+|nonce="[^"]+"', "", page.text.replace(address, "ADDRESS"))
        answers.append((page.status_code, text, api.status_code, api.text))
    assert answers[0] == answers[1]


async def test_one_address_is_mailed_a_few_times_only_and_nobody_is_told(town) -> None:
    for _ in range(6):
        answer = await town.client.post("/api/v1/sign-in-links", json={"address": ADDRESS})
        assert answer.status_code == 202
    assert len(await town.opened("send-link")) == 3


async def test_one_client_may_not_have_mails_sent_to_the_whole_town(town) -> None:
    answers = [
        await town.client.post("/api/v1/sign-in-links", json={"address": f"n{n}@example.no"})
        for n in range(22)
    ]
    assert [one.status_code for one in answers] == [202] * 20 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert answers[-1].headers["content-type"] == "application/problem+json"


async def test_what_is_no_address_is_refused_with_a_hint(town) -> None:
    api = await town.client.post("/api/v1/sign-in-links", json={"address": "not an address"})
    assert api.status_code == 422
    assert api.json()["errors"][0]["pointer"] == "/address"
    page = await town.client.post("/sign-in", data={"address": '"><script>alert(1)</script>'})
    assert page.status_code == 422
    assert "<script>alert" not in page.text


async def test_signing_out_ends_the_session(town) -> None:
    await town.sign_in()
    cookies = dict(town.client.cookies)
    assert (await town.client.delete("/api/v1/session")).status_code == 204
    town.client.cookies.update(cookies)
    assert (await town.client.get("/api/v1/session")).status_code == 401


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(town) -> None:
    answer = await town.client.post("/api/v1/sessions", json={"token": await town.link()})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    stored = await town.running.gateway.collections.sessions.find({})
    assert all(one.key not in cookie for one in stored)


async def test_a_change_without_the_sessions_own_token_is_refused(town) -> None:
    await town.sign_in()
    for token in ("", "wrong"):
        town.client.headers["X-CSRF-Token"] = token
        answer = await town.client.delete("/api/v1/subscriber")
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/csrf")
        form = await town.client.post("/choices", data={"csrf_token": token, "areas": "NO-9901"})
        assert form.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_what_another_sites_page_sends_is_refused(town, headers) -> None:
    await town.sign_in()
    for method, path in (("DELETE", "/api/v1/subscriber"), ("POST", "/sign-in"), ("POST", "/data/erase")):
        answer = await town.client.request(method, path, headers=headers)
        assert answer.status_code == 403, path


async def test_a_bounced_address_works_again_after_a_new_link(town) -> None:
    subscriber = await town.sign_in()
    profile = (await town.client.get("/api/v1/profile")).json()
    endpoint = profile["endpoints"][0]["id"]
    bounced = DeliveryV1(
        subscriber=subscriber, item="i", revision=1, channel=Channel.EMAIL, state=DeliveryState.FAILED,
        permanence=Permanence.PERMANENT, cause="hard-bounce", endpoint=endpoint, at=utc_now(),
    )  # fmt: skip
    await town.running.read_model.take_deliveries([bounced])
    profile = (await town.client.get("/api/v1/profile")).json()
    assert profile["endpoints"][0]["retired"] == "hard-bounce"
    await town.sign_in()
    profile = (await town.client.get("/api/v1/profile")).json()
    assert (profile["endpoints"][0]["id"], profile["endpoints"][0]["retired"]) == (endpoint, None)
    assert len(await town.opened("register")) == 2
    # Read again after a replay, the old failure does not take it away once more.
    await town.running.read_model.take_deliveries([bounced])
    profile = (await town.client.get("/api/v1/profile")).json()
    assert profile["endpoints"][0]["retired"] is None
