"""Choosing, by the API and by the page without JavaScript."""

import pytest
from kommunepuls_events import ContactCommandV1, SubscriberProfileV1

pytestmark = pytest.mark.integration

HAVNA = "NO-9901/havna"


async def _form(town) -> dict[str, list[str]]:
    page = await town.client.get("/choices")
    assert page.status_code == 200
    return town.form_in(page.text, "choices")


async def _send(town, action: str = "save", **changes):
    fields = await _form(town) | {
        name: [value] if isinstance(value, str) else value for name, value in changes.items()
    }
    return await town.client.post("/choices", data=fields | {"action": [action]})


async def _choices(town) -> dict:
    return (await town.client.get("/api/v1/profile")).json()["choices"]


async def test_saving_the_page_as_it_is_changes_nothing(town) -> None:
    await town.sign_in()
    await town.client.put("/api/v1/profile", json={
        "areas": [HAVNA], "interests": ["bathing", "ferry"], "audience": ["seniors"], "channels": ["push"],
        "cadence": "weekly", "messages_a_day": 7, "minimum_severity": "moderate", "language": "nn",
        "quiet_hours": {"begins": "22:15", "ends": "06:45"},
        "places": [{"id": "p", "label": "Hjemme", "longitude": 10.05, "latitude": 59.07, "radius_metres": 700}],
        "sensor_thresholds": [{"id": "t", "sensor": "NO-9901/bad/1", "observed_property": "water-temperature",
                               "value": 19.5, "direction": "falling"}],
    })  # fmt: skip
    before = await town.client.get("/api/v1/profile")
    answer = await _send(town)
    assert answer.status_code == 303, answer.text
    after = await town.client.get("/api/v1/profile")
    assert after.headers["ETag"] == before.headers["ETag"] == '"2"'


async def test_every_choice_can_be_made_on_the_page(town, make_reading) -> None:
    await town.running.read_model.take_readings([make_reading(18.2)])
    await town.sign_in()
    answer = await _send(
        town, areas=[HAVNA, "NO-9901"], interests=["bathing"], organisers=["NO-9901/fotball"],
        audience=["newcomers"], channels=["email"], cadence="daily", messages_a_day="12",
        minimum_severity="severe", language="sv", quiet="yes", quiet_begins="23:00", quiet_ends="06:00", pause="day",
    )  # fmt: skip
    assert answer.headers["location"].startswith("/choices?saved=1")
    place = {"new_place_text": "Storbrygga", "new_place_label": "Båten", "new_place_radius": "250"}
    assert (await _send(town, "add-place", **place)).status_code == 303
    limit = {"new_threshold_sensor": "NO-9901/bad/storoya#water-temperature", "new_threshold_value": "20,5"}
    assert (await _send(town, "add-threshold", **limit)).status_code == 303
    chosen = await _choices(town)
    assert chosen["areas"] == [HAVNA, "NO-9901"] or set(chosen["areas"]) == {HAVNA, "NO-9901"}
    assert chosen["interests"] == ["bathing"]
    assert chosen["organisers"] == ["NO-9901/fotball"]
    assert chosen["audience"] == ["newcomers"]
    assert chosen["channels"] == ["email"]
    assert (chosen["cadence"], chosen["minimum_severity"], chosen["language"]) == ("daily", "severe", "sv")
    assert chosen["messages_a_day"] == 12
    assert chosen["quiet_hours"] == {"begins": "23:00:00", "ends": "06:00:00"}
    assert chosen["paused_until"]
    (found,) = chosen["places"]
    assert (found["label"], found["longitude"], found["latitude"], found["radius_metres"]) == (
        "Båten", 10.05, 59.07, 250,
    )  # fmt: skip
    (threshold,) = chosen["sensor_thresholds"]
    assert (threshold["sensor"], threshold["value"]) == ("NO-9901/bad/storoya", 20.5)
    assert 'lang="sv"' in (await town.client.get("/choices")).text
    await _send(town, f"remove-place:{found['id']}")
    await _send(town, f"remove-threshold:{threshold['id']}", pause="none")
    chosen = await _choices(town)
    assert (chosen["places"], chosen["sensor_thresholds"], chosen["paused_until"]) == ([], [], None)


async def test_a_place_that_nobody_knows_is_told_and_what_was_written_stays(town) -> None:
    await town.sign_in()
    answer = await _send(
        town, "add-place", new_place_text="Kråkeslottet 7", new_place_radius="900", interests=["music"]
    )
    assert answer.status_code == 422
    assert "Kråkeslottet 7" in answer.text
    assert 'value="900"' in answer.text
    assert 'role="alert"' in answer.text
    assert (await _choices(town))["interests"] == []


async def test_changes_are_published_in_the_order_they_were_made(town) -> None:
    subscriber = await town.sign_in()
    for interest in ("bathing", "music", "culture"):
        assert (await town.client.put("/api/v1/profile", json={"interests": [interest]})).status_code == 200
    profiles = [one for one in await town.published() if isinstance(one, SubscriberProfileV1)]
    assert [(one.revision, one.interests) for one in profiles] == [
        (1, ()), (2, ("bathing",)), (3, ("music",)), (4, ("culture",)),
    ]  # fmt: skip
    assert {one.subscriber for one in profiles} == {subscriber}


async def test_two_tabs_that_save_at_once_do_not_overwrite_each_other_unseen(town) -> None:
    await town.sign_in()
    etag = (await town.client.get("/api/v1/profile")).headers["ETag"]
    first = await town.client.put(
        "/api/v1/profile", json={"interests": ["music"]}, headers={"If-Match": etag}
    )
    second = await town.client.put("/api/v1/profile", json={"areas": [HAVNA]}, headers={"If-Match": etag})
    assert (first.status_code, second.status_code) == (200, 409)
    assert (await _choices(town))["interests"] == ["music"]


async def test_what_cannot_be_chosen_is_named_field_by_field(town) -> None:
    await town.sign_in()
    wrong = {"areas": [HAVNA, "NO-9901/atlantis"], "interests": ["alchemy"]}
    answer = await town.client.put("/api/v1/profile", json=wrong)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/areas/1", "/interests/0"]
    answer = await town.client.put("/api/v1/profile", json={"name": "Kari"})
    assert answer.json()["errors"][0]["pointer"] == "/name"


async def test_a_browser_is_registered_once_and_its_secrets_are_sealed(town) -> None:
    await town.sign_in()
    browser = {
        "endpoint": "https://push.example/abc",
        "expirationTime": None,
        "keys": {"p256dh": "B" * 87, "auth": "a" * 22},
        "label": "Firefox Linux",
    }
    first = await town.client.post("/api/v1/push-subscriptions", json=browser)
    second = await town.client.post("/api/v1/push-subscriptions", json=browser)
    assert (first.status_code, first.json()["id"]) == (201, second.json()["id"])
    opened = [one for one in await town.opened("register") if "endpoint" in one]
    assert opened[0] == {"endpoint": "https://push.example/abc", "p256dh": "B" * 87, "auth": "a" * 22}
    page = await town.client.get("/choices")
    assert "Firefox Linux" in page.text
    await _send(town, f"test-device:{first.json()['id']}")
    await _send(town, f"remove-device:{first.json()['id']}")
    commands = [one for one in await town.published() if isinstance(one, ContactCommandV1)]
    assert [(one.action, one.endpoint) for one in commands[-2:]] == [
        ("send-test", first.json()["id"]), ("retire", first.json()["id"]),
    ]  # fmt: skip
    assert (await town.client.delete(f"/api/v1/endpoints/{first.json()['id']}")).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "http://push.example/abc"},
        {"endpoint": "javascript:alert(1)"},
        {"keys": {"p256dh": "not base64!", "auth": "a" * 22}},
        {"keys": {}},
    ],
)
async def test_a_push_subscription_that_is_none_is_refused(town, change) -> None:
    await town.sign_in()
    browser = {"endpoint": "https://push.example/a", "keys": {"p256dh": "B" * 87, "auth": "a" * 22}}
    assert (await town.client.post("/api/v1/push-subscriptions", json=browser | change)).status_code == 422


async def test_an_item_can_be_muted_and_its_organiser_followed_from_its_page(town, make_item) -> None:
    item = make_item()
    await town.running.read_model.take_items([item])
    await town.sign_in()
    csrf = town.client.headers["X-CSRF-Token"]
    for path, fields in (
        ("/feed/less", {"choice": f"items:0.0:{item.id}"}),
        ("/choices/quick", {"action": "follow-organiser", "value": "NO-9901/fotball"}),
    ):
        answer = await town.client.post(path, data={"csrf_token": csrf, "item": item.id} | fields)
        assert answer.headers["location"].startswith("/items/NO-9901%2Ffacebook%2F1?")
    chosen = await _choices(town)
    assert (chosen["muted"]["items"], chosen["organisers"]) == ([item.id], ["NO-9901/fotball"])
    page = await town.client.get("/choices")
    assert f"unmute:items:{item.id}" in page.text
    await _send(town, f"unmute:items:{item.id}")
    assert (await _choices(town))["muted"]["items"] == []
