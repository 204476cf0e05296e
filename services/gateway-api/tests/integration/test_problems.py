"""Every error: problem details for programs, a page for people, and no detail of ours in either."""

import re

import pytest

pytestmark = pytest.mark.integration


def _is_problem(answer, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["instance"].startswith("/")
    return body


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/api/v1/nowhere", {}, 404),
        ("GET", "/api/v1/items/NO-9901/nothing", {}, 404),
        ("GET", "/api/v1/pulse?municipality=NO-0000", {}, 404),
        ("DELETE", "/api/v1/pulse", {}, 405),
        ("GET", "/api/v1/items?limit=many", {}, 422),
        ("GET", "/api/v1/items?kind=rumour", {}, 422),
        ("GET", "/api/v1/items?cursor=nonsense", {}, 422),
        ("GET", "/open-data/items.rss?kind=rumour", {}, 422),
        ("POST", "/api/v1/sign-in-links", {"content": b'{"address": '}, 400),
        ("POST", "/api/v1/sign-in-links", {"json": {"address": 7}}, 422),
        ("POST", "/api/v1/sign-in-links", {"json": {}}, 422),
        ("POST", "/api/v1/sign-in-links", {"content": b"\xff\xfe"}, 400),
        ("POST", "/api/v1/sign-in-links", {"content": b"x" * 5_000_000}, 413),
        ("GET", "/api/v1/profile", {}, 401),
        ("PUT", "/api/v1/profile", {"json": {}}, 401),
        ("GET", "/api/v1/operator/sources", {}, 401),
    ],
)
async def test_an_error_of_the_api_is_problem_details(town, method, path, sent, status) -> None:
    headers = {"content-type": "application/json"} if "content" in sent else {}
    _is_problem(await town.client.request(method, path, headers=headers, **sent), status)


async def test_a_body_that_does_not_say_its_length_is_stopped_too(town) -> None:
    async def endless():
        for _ in range(200):
            yield b"x" * 10_000

    answer = await town.client.post("/api/v1/sign-in-links", content=endless())
    _is_problem(answer, 413)


async def test_a_fault_of_ours_tells_nothing_of_how_we_are_made(town, monkeypatch) -> None:
    async def broken(*_args, **_kwargs):
        raise RuntimeError("the password of the store is hunter2")

    monkeypatch.setattr(type(town.running.gateway.queries), "pulse", broken)
    answer = await town.client.get("/api/v1/pulse")
    assert _is_problem(answer, 500)["type"] == "/problems/internal"
    page = await town.client.get("/")
    assert page.status_code == 500
    assert page.headers["content-type"].startswith("text/html")
    for text in (answer.text, page.text):
        assert "hunter2" not in text
        assert "Traceback" not in text
    assert "Noe gikk galt hos oss" in page.text


async def test_errors_of_pages_are_pages(town) -> None:
    for path, status in (("/nowhere", 404), ("/items/unknown", 404), ("/m/NO-0000", 404)):
        answer = await town.client.get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert "Her er det ingenting" in answer.text
    assert (await town.client.get("/feed")).headers["location"] == "/sign-in"
    assert (await town.client.delete("/feed")).status_code == 405


async def test_every_guarded_route_really_refuses_who_is_not_signed_in(town) -> None:
    document = (await town.client.get("/api/v1/openapi.json")).json()
    asked = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not operation.get("security"):
                continue
            where = re.sub(r"\{kept\}", "rejects", path)
            where = re.sub(r"\{\w+\}", "x", where)
            answer = await town.client.request(method, where, json={})
            assert answer.status_code == 401, (method, path)
            asked += 1
    assert asked > 15


async def test_a_wrong_operator_token_opens_nothing(town) -> None:
    for header in (
        "Bearer wrong",
        "Bearer",
        "Basic a2FyaTp4",
        "Bearer operator-token-0001x",
        "Bearer ÆØÅ".encode(),
    ):
        answer = await town.client.get("/api/v1/operator/sources", headers={"Authorization": header})
        assert _is_problem(answer, 401)["type"] == "/problems/not-signed-in"


async def test_pages_ask_nobody_else_for_anything(town, make_item) -> None:
    await town.running.read_model.take_items([make_item()])
    await town.sign_in()
    for path in ("/", "/feed", "/choices", "/docs", "/open-data", "/items/NO-9901%2Ffacebook%2F1"):
        page = await town.client.get(path)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        loaded = re.findall(
            r"<(?:script|img|link|iframe|source|video|audio)[^>]+(?:src|href)=\"([^\"]+)", page.text
        )
        assert loaded
        assert all(one.startswith("/") and not one.startswith("//") for one in loaded), loaded
        assert not re.search(r"\son\w+=|javascript:|\sstyle=", page.text)
        for inline in re.findall(r"<(?:script|style)(?![^>]*\bsrc=)[^>]*>", page.text):
            assert re.search(r'nonce="[\w-]{20,}"', inline), inline


async def test_a_nonce_is_used_once(town) -> None:
    policies = {(await town.client.get("/")).headers["content-security-policy"] for _ in range(3)}
    assert len(policies) == 3


async def test_requests_are_counted_by_route_and_never_by_address(town) -> None:
    await town.client.get("/api/v1/items/NO-9901/somebody@example.no")
    metrics = (await town.client.get("/metrics")).text
    assert 'route="/api/v1/items/{item:path}"' in metrics
    assert "somebody" not in metrics
