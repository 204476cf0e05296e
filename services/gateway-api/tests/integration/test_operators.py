"""What operators see and do."""

import base64
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import structlog
from gateway_api.domain.letters import letter_document, letter_key
from kommunepuls_chassis.logs import configure_logging
from kommunepuls_events import ContactCommandV1, SourceStatusV1, SubscriberProfileV1
from kommunepuls_events.base import utc_now
from kommunepuls_events.dead_letters import DeadLetter

pytestmark = pytest.mark.integration

HEADERS = {"Authorization": "Bearer operator-token-0001"}
ORIGINAL = [("ce_id", b"7"), ("ce_type", b"kommunepuls.content-item.v1")]


async def _keep(town, topic: str, offset: int, letter: DeadLetter, value: bytes = b'{"half": ') -> str:
    key = letter_key(topic, 0, offset)
    headers = letter.headers(ORIGINAL)
    document = letter_document(topic=topic, key="k", value=value, headers=headers, received_at=utc_now())
    await town.running.read_model.take_letters([(key, document)])
    return key


def _dead(offset: int, reason: str = "invalid-json") -> DeadLetter:
    return DeadLetter(reason, "value: broken", "notifier", topic="content.v1", partition=2, offset=offset)


async def test_sources_are_shown_by_their_newest_state(town) -> None:
    now = utc_now()
    for minutes, error in ((5, "token is dead: make a new one"), (0, None), (9, "older")):
        status = SourceStatusV1(
            source="NO-9901/facebook", municipality="NO-9901", service="ingest-facebook", type="facebook-page",
            error=error, at=now - timedelta(minutes=minutes),
        )  # fmt: skip
        await town.running.read_model.take_status(status)
    (shown,) = (await town.client.get("/api/v1/operator/sources", headers=HEADERS)).json()["sources"]
    assert "error" not in shown
    await town.running.read_model.forget_source("NO-9901/facebook")
    assert (await town.client.get("/api/v1/operator/sources", headers=HEADERS)).json()["sources"] == []


async def test_a_dead_letter_is_looked_at_with_its_bytes_and_sent_back_as_it_was(town) -> None:
    key = await _keep(town, "content.v1.dead", 4, _dead(11), b"\xff\x00raw")
    page = (await town.client.get("/api/v1/operator/dead-letters", headers=HEADERS)).json()
    assert [(one["id"], one["reason"], one["offset"]) for one in page["records"]] == [
        (key, "invalid-json", 11)
    ]
    shown = (await town.client.get(f"/api/v1/operator/dead-letters/{key}", headers=HEADERS)).json()
    assert base64.b64decode(shown["value_base64"]) == b"\xff\x00raw"
    assert shown["value_text"] is None
    answer = await town.client.post(f"/api/v1/operator/dead-letters/{key}/replay", headers=HEADERS)
    assert (answer.status_code, answer.json()["state"]) == (202, "replayed")
    assert town.producer.raw == [("content.v1", "k", b"\xff\x00raw", ORIGINAL)]
    wrong = await town.client.get(f"/api/v1/operator/rejects/{key}", headers=HEADERS)
    assert wrong.status_code == 404


async def test_a_reject_goes_back_to_the_service_that_refused_it(town) -> None:
    reject = DeadLetter("no-title", "no title", "ingest-feeds", source="NO-9901/rss", entry="item")
    key = await _keep(town, "rejects.v1", 1, reject)
    await town.client.post(f"/api/v1/operator/rejects/{key}/replay", headers=HEADERS)
    topic, _, value, headers = town.producer.raw[0]
    assert (topic, value) == ("replays.v1", b'{"half": ')
    assert DeadLetter.from_headers(headers).source == "NO-9901/rss"


async def test_many_are_replayed_by_filter_with_progress(town) -> None:
    for offset in range(120):
        await _keep(town, "content.v1.dead", offset, _dead(offset))
    await _keep(town, "content.v1.dead", 500, _dead(500, "wrong-key"))
    asked = await town.client.post(
        "/api/v1/operator/dead-letters/replays", headers=HEADERS, json={"reason": "invalid-json"}
    )
    assert (asked.status_code, asked.json()["total"], asked.json()["done"]) == (202, 120, 0)
    where = asked.headers["location"]
    letters = town.running.gateway.letters
    assert await letters.work_once()
    half = (await town.client.get(where, headers=HEADERS)).json()
    assert (half["state"], half["done"]) == ("running", 50)
    while await letters.work_once():
        pass
    done = (await town.client.get(where, headers=HEADERS)).json()
    assert (done["state"], done["done"], done["failed"]) == ("finished", 120, 0)
    assert len(town.producer.raw) == 120
    left = (await town.client.get("/api/v1/operator/dead-letters?state=open", headers=HEADERS)).json()
    assert [one["reason"] for one in left["records"]] == ["wrong-key"]
    listed = (await town.client.get("/api/v1/operator/replays", headers=HEADERS)).json()["replays"]
    assert [one["operator"] for one in listed] == ["kari"]


async def test_what_says_nothing_of_its_origin_is_kept_and_does_not_stop_a_replay(town) -> None:
    headers = [("dl_reason", b"half a header")]
    document = letter_document(
        topic="content.v1.dead",
        key="k",
        value=b"x",
        headers=headers,
        received_at=utc_now() - timedelta(hours=1),
    )
    document["topic"] = ""
    await town.running.read_model.take_letters([("content.v1.dead-0-1", document)])
    await _keep(town, "content.v1.dead", 2, _dead(2))
    asked = await town.client.post("/api/v1/operator/dead-letters/replays", headers=HEADERS, json={})
    while await town.running.gateway.letters.work_once():
        pass
    done = (await town.client.get(asked.headers["location"], headers=HEADERS)).json()
    assert (done["state"], done["done"], done["failed"]) == ("finished", 1, 1)
    one = await town.client.post("/api/v1/operator/dead-letters/content.v1.dead-0-1/replay", headers=HEADERS)
    assert (one.status_code, one.json()["type"]) == (409, "/problems/cannot-be-replayed")


@pytest.fixture
def logs(caplog) -> Iterator[Callable[[], str]]:
    """What the service logs, with its own logging set up; undone after the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("gateway-api")
    yield lambda: caplog.text
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def test_a_resident_is_brought_over_with_contacts_sealed_and_none_of_them_logged(logs, town) -> None:
    asked = {
        "municipality": "NO-9901",
        "choices": {"areas": ["NO-9901/havna"], "interests": ["bathing"], "language": "nn"},
        "address": "Ola@Example.no",
        "push_subscriptions": [
            {"endpoint": "https://push.example/ola", "keys": {"p256dh": "B" * 87, "auth": "a" * 22}}
        ],
    }
    answer = await town.client.post("/api/v1/operator/subscribers", headers=HEADERS, json=asked)
    assert answer.status_code == 201, answer.text
    subscriber = answer.json()["subscriber"]
    assert [one["channel"] for one in answer.json()["endpoints"]] == ["email", "push"]
    published = await town.published()
    assert [type(one) for one in published] == [SubscriberProfileV1, ContactCommandV1, ContactCommandV1]
    assert published[0].areas == ("NO-9901/havna",)
    assert (await town.opened("register"))[0] == {"address": "ola@example.no"}
    again = await town.client.post(
        "/api/v1/operator/subscribers", headers=HEADERS, json=asked | {"choices": {}}
    )
    assert (again.status_code, again.json()["created"]) == (200, False)
    assert again.json()["subscriber"] == subscriber
    assert len(await town.published()) == 3
    assert await town.sign_in("ola@example.no") == subscriber
    logged = logs()
    assert "'operator': 'kari'" in logged
    assert subscriber in logged
    assert "ola@" not in logged.lower()
    assert "push.example" not in logged


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"municipality": "NO-0000"}, 404),
        ({"choices": {"areas": ["NO-9901/atlantis"]}}, 422),
        ({"address": "nobody"}, 422),
        ({"name": "Ola"}, 422),
    ],
)
async def test_a_resident_that_is_not_right_is_refused_and_nothing_is_kept(town, change, status) -> None:
    asked = {"municipality": "NO-9901", "address": "ola@example.no"} | change
    answer = await town.client.post("/api/v1/operator/subscribers", headers=HEADERS, json=asked)
    assert answer.status_code == status
    assert await town.running.gateway.collections.subscribers.count({}) == 0
