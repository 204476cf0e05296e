"""Webhooks over real HTTP."""

import asyncio
import hashlib
import hmac
import json

import httpx
import pytest
from kommunepuls_chassis.testing import eventually
from kommunepuls_chassis.web import open_fetcher

pytestmark = pytest.mark.integration


def feed(*values: dict, page: object = "100") -> bytes:
    """A webhook body as Facebook writes it: non-ASCII escaped in lower case, slashes escaped."""
    changes = [{"field": "feed", "value": value} for value in values]
    body = {"object": "page", "entry": [{"id": page, "time": 1, "changes": changes}]}
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()


def about(number: int, verb: str = "add", **fields: object) -> dict:
    return {
        "item": "status",
        "verb": verb,
        "post_id": f"100_{number}",
        "from": {"id": "100", "name": "Fjordvik"},
    } | fields


async def send(
    rig, body: bytes, *, secret: str = "app-secret-of-the-fixture", **headers: str
) -> httpx.Response:
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    sent = {"X-Hub-Signature-256": signature, "Content-Type": "application/json"} | headers
    async with httpx.AsyncClient(timeout=20) as client:
        return await client.post(rig.url, content=body, headers=sent)


@pytest.fixture
async def quiet(graph, run_service):
    """A service that polls once and then waits for webhooks."""
    graph.post(1, "Melding nummer 1 fra kommunen.")
    async with run_service(poll_seconds=3600) as rig:
        await eventually(lambda: rig.told("100_1"))
        await eventually(lambda: rig.source.intake.position)
        yield rig


async def test_facebooks_handshake_is_answered_with_its_challenge(quiet) -> None:
    async with httpx.AsyncClient() as client:
        right = {"hub.mode": "subscribe", "hub.verify_token": "verify-word", "hub.challenge": "1158201444"}
        good = await client.get(quiet.url, params=right)
        wrong = await client.get(quiet.url, params=right | {"hub.verify_token": "other"})
        none = await client.get(quiet.url)

    assert (good.status_code, good.text) == (200, "1158201444")
    assert (wrong.status_code, none.status_code) == (403, 403)
    assert wrong.headers["content-type"] == "application/problem+json"


async def test_a_new_post_is_fetched_an_edit_revised_and_a_removal_withdrawn(graph, quiet) -> None:
    graph.post(2, "Brøytebilen kommer til Vestlia.")
    answer = await send(quiet, feed(about(2, message="Brøytebilen kommer / nå")))
    assert (answer.status_code, answer.json()) == (200, {"noted": 1})
    await eventually(lambda: quiet.told("100_2") == [(1, "published")])

    graph.post(2, "Brøytebilen er i Vestlia.")
    await send(quiet, feed(about(2, "edited")))
    await eventually(lambda: quiet.told("100_2") == [(1, "published"), (2, "updated")])

    await send(quiet, feed(about(2, "remove")))
    await eventually(lambda: quiet.told("100_2")[-1] == (3, "withdrawn"))


async def test_a_post_that_is_gone_when_it_is_fetched_is_withdrawn(graph, quiet) -> None:
    graph.delete(1)
    await send(quiet, feed(about(1, "edited")))
    await eventually(lambda: quiet.told("100_1") == [(1, "published"), (2, "withdrawn")])


async def test_the_same_webhook_twice_tells_nobody_twice(graph, quiet) -> None:
    graph.post(2, "Melding nummer 2 fra kommunen.")
    body = feed(about(2))
    for answer in await asyncio.gather(*(send(quiet, body) for _ in range(5))):
        assert answer.status_code == 200
    await eventually(lambda: quiet.told("100_2"))
    await eventually(lambda: graph.fetched("/100_2") >= 1)
    graph.post(3, "Melding nummer 3 fra kommunen.")
    await send(quiet, feed(about(3)))
    await eventually(lambda: quiet.told("100_3"), what="all that was noted before is worked off")

    assert quiet.told("100_2") == [(1, "published")]


async def test_comments_reactions_and_visitors_posts_are_not_fetched(graph, quiet) -> None:
    graph.post(5, "Jeg er en besøkende", **{"from": {"id": "999"}})
    body = feed(
        {"item": "comment", "verb": "add", "post_id": "100_1", "comment_id": "1_5", "message": "Fint!"},
        {"item": "reaction", "verb": "add", "post_id": "100_1", "reaction_type": "love"},
        {"item": "post", "verb": "add", "post_id": "100_5", "from": {"id": "999", "name": "Ola"}},
        {"item": "album", "verb": "add", "album_id": 7},
    )
    before = len(graph.asked)

    assert (await send(quiet, body)).json() == {"noted": 0}
    assert len(graph.asked) == before


async def test_a_visitors_post_that_hides_its_writer_is_not_published(graph, quiet) -> None:
    graph.post(5, "Jeg er en besøkende", **{"from": {"id": "999"}})
    await send(quiet, feed({"item": "post", "verb": "add", "post_id": "100_5"}))
    await eventually(lambda: graph.fetched("/100_5") == 1)
    graph.post(6, "Melding nummer 6 fra kommunen.")
    await send(quiet, feed(about(6)))
    await eventually(lambda: quiet.told("100_6"))

    assert quiet.told("100_5") == []


async def test_a_wrong_signature_is_refused_and_nothing_is_fetched(graph, quiet) -> None:
    body = feed(about(1, "remove"))
    again = json.dumps(json.loads(body), ensure_ascii=False).encode()
    right = hmac.new(b"app-secret-of-the-fixture", body, hashlib.sha256).hexdigest()

    refused = [
        await send(quiet, body, secret="another"),
        await send(quiet, again, **{"X-Hub-Signature-256": f"sha256={right}"}),
        await send(quiet, body, **{"X-Hub-Signature-256": ""}),
    ]
    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert refused[0].json()["title"] == "wrong-signature"
    assert (await send(quiet, feed(about(1, "edited", message="æ / ø")))).status_code == 200
    assert not any(one.withdrawn for one in quiet.items)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b'{"object":"page","entry":[{"id":"100"', 400, "invalid-json"),
        (b"[]", 400, "not-a-webhook"),
        (b'{"x":"' + b"a" * 5_000_000 + b'"}', 413, "too-large"),
    ],
    ids=["truncated", "no webhook", "5 MB"],
)
async def test_what_cannot_be_a_webhook_is_refused_with_its_reason(
    quiet, body: bytes, status: int, reason: str
) -> None:
    answer = await send(quiet, body)

    assert (answer.status_code, answer.json()["title"]) == (status, reason)


async def test_a_post_id_that_could_not_be_one_is_rejected_without_names(graph, quiet) -> None:
    good = about(2)
    graph.post(2, "Melding nummer 2 fra kommunen.")
    await send(quiet, feed(about(1) | {"post_id": "../me", "from": {"id": "100", "name": "Kari"}}, good))
    await eventually(lambda: quiet.told("100_2"))

    assert [letter.reason for letter in quiet.producer.rejects] == ["bad-post-id"]
    assert not any(b"Kari" in (value or b"") for _, _, value, _ in quiet.producer.raw)


async def test_a_page_that_is_not_ours_is_ignored(quiet) -> None:
    assert (await send(quiet, feed(about(1), page="200"))).json() == {"noted": 0}


async def test_without_a_secret_webhooks_are_refused(graph, run_service) -> None:
    async with run_service(facebook_app_secret=None, facebook_verify_token=None) as rig:
        assert (await send(rig, feed(about(1)))).status_code == 503
        async with httpx.AsyncClient() as client:
            assert (await client.get(rig.url)).status_code == 503


async def test_a_post_that_cannot_be_fetched_now_is_fetched_later(graph, quiet) -> None:
    graph.post(2, "Melding nummer 2 fra kommunen.")
    failures = iter([graph.error(2, status=500)])
    graph.instead = lambda request: next(failures, None)
    await send(quiet, feed(about(2)))

    await eventually(lambda: quiet.told("100_2") == [(1, "published")])


async def test_health_and_metrics_are_served_beside_the_webhooks(quiet) -> None:
    async with open_fetcher() as fetcher:
        root = quiet.url.removesuffix("/webhooks/facebook")
        live = await fetcher.get(f"{root}/health/live")
        metrics = await fetcher.get(f"{root}/metrics")
        other = await fetcher.get(f"{root}/nothing", raise_for_status=False)

    assert live.status == 200
    assert b"kp_source_items_total" in metrics.body
    assert other.headers["content-type"] == "application/problem+json"
