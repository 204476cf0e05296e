"""Settings without JavaScript: each subscription in words, ended, paused and taken up again."""

import re
from datetime import timedelta

import pytest
from kommunepuls_events import ContactCommandV1, SubscriberProfileV1
from kommunepuls_events.base import utc_now

pytestmark = pytest.mark.integration

HAVNA, CLUB = "NO-9901/havna", "NO-9901/fotball"
HOME = {"id": "home", "label": "Hjemme", "longitude": 10.05, "latitude": 59.07, "radius_metres": 800}
CHOSEN = {
    "areas": [HAVNA],
    "interests": ["building-permits", "music"],
    "organisers": [CLUB],
    "places": [HOME],
}


@pytest.fixture
async def resident(town) -> str:
    subscriber = await town.sign_in()
    limit = {
        "id": "warm",
        "sensor": "NO-9901/bad/storoya",
        "observed_property": "water-temperature",
        "value": 20,
    }
    answer = await town.client.put("/api/v1/profile", json=CHOSEN | {"sensor_thresholds": [limit]})
    assert answer.status_code == 200, answer.text
    return subscriber


async def _press(town, action: str, **fields) -> str:
    given = {"csrf_token": town.client.headers["X-CSRF-Token"], "action": action} | fields
    answer = await town.client.post("/settings", data=given)
    if answer.status_code == 303:
        answer = await town.client.get(answer.headers["location"])
    return _words(answer.text)


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


async def _entry(town, action: str) -> str:
    given = {"csrf_token": town.client.headers["X-CSRF-Token"], "action": action}
    text = (await town.client.post("/settings", data=given)).text
    return re.search(r'name="entry" value="([^"]*)"', text)[1].replace("&#34;", '"')


async def _choices(town) -> dict:
    return (await town.client.get("/api/v1/profile")).json()["choices"]


async def _profile(town) -> SubscriberProfileV1:
    return [one for one in await town.published() if isinstance(one, SubscriberProfileV1)][-1]


async def test_every_subscription_is_said_in_words(town, resident, make_reading) -> None:
    await town.running.read_model.take_readings([make_reading(18.2)])
    text = _words((await town.client.get("/settings")).text)
    for sentence in (
        "Byggesaker i Havna og innenfor 800 m fra Hjemme", "Musikk og korps i Havna og innenfor 800 m fra Hjemme",
        "I Havna", "Innenfor 800 m fra Hjemme", "Alt fra Fjordvik fotball",
        "Vanntemperatur, Storøya: når det er over 20 °C", "E-post og varsel i nettleseren, med en gang",
    ):  # fmt: skip
        assert sentence in text


@pytest.mark.parametrize(
    ("what", "which", "said"),
    [
        ("interests", "music", "Musikk og korps i Havna og innenfor 800 m fra Hjemme"),
        ("areas", HAVNA, "I Havna"),
        ("places", "home", "Innenfor 800 m fra Hjemme"),
        ("organisers", CLUB, "Alt fra Fjordvik fotball"),
        ("sensor_thresholds", "warm", "Vanntemperatur"),
    ],
)
async def test_one_is_ended_by_a_press_and_comes_back_whole_by_another(
    town, resident, what, which, said
) -> None:
    before = await _choices(town)
    entry = await _entry(town, f"end:{what}:{which}")
    ended = await _choices(town)
    assert len(ended[what]) == len(before[what]) - 1
    assert getattr(await _profile(town), what) == () or what == "interests"
    text = await _press(town, "undo", entry=entry)
    assert "Du får dette igjen" in text
    assert said in text
    back = await _choices(town)
    assert {name: sorted(value, key=str) if isinstance(value, list) else value for name, value in back.items()} == {
        name: sorted(value, key=str) if isinstance(value, list) else value for name, value in before.items()
    }  # fmt: skip


async def test_what_is_paused_leaves_the_profile_and_waits_in_the_settings(town, resident) -> None:
    text = await _press(town, "pause:places:home")
    assert "Dette er på pause til du tar det opp igjen: Innenfor 800 m fra Hjemme." in text
    assert (await _profile(town)).places == ()
    export = (await town.client.get("/api/v1/export")).json()
    assert export["paused"]["places"][0]["label"] == "Hjemme"
    assert "Ta opp igjen" in _words((await town.client.get("/settings")).text)
    await _press(town, "resume:places:home")
    assert (await _profile(town)).places[0].label == "Hjemme"
    assert "Ta opp igjen" not in _words((await town.client.get("/settings")).text)
    await _press(town, "pause:interests:music")
    entry = await _entry(town, "end:interests:music")
    await _press(town, "undo", entry=entry, was="paused")
    assert (await town.client.get("/api/v1/export")).json()["paused"] == {"interests": ["music"]}
    await _press(town, "end:interests:music")
    assert (await town.client.get("/api/v1/export")).json()["paused"] == {}
    assert (await _choices(town))["interests"] == ["building-permits"]


async def test_what_is_chosen_anew_is_no_longer_paused(town, resident) -> None:
    await _press(town, "pause:interests:music")
    await town.client.put("/api/v1/profile", json=CHOSEN)
    assert (await town.client.get("/api/v1/export")).json()["paused"] == {}


async def test_everything_is_paused_until_a_day_and_goes_on_before_it(town, resident) -> None:
    day = (utc_now() + timedelta(days=10)).date()
    text = await _press(town, "pause-all", until=day.isoformat())
    assert "Alt unntatt farevarsler er på pause til" in text
    until = (await _profile(town)).paused_until
    # The day begins at midnight in Oslo.
    assert (day - until.date()).days == 1
    assert until.hour in (22, 23)
    await _press(town, "go-on")
    assert (await _profile(town)).paused_until is None
    for wrong in ("", "2020-01-01", "tomorrow", (utc_now() + timedelta(days=800)).date().isoformat()):
        assert "Velg en dag etter i dag" in await _press(town, "pause-all", until=wrong)
    assert (await _profile(town)).paused_until is None


async def test_unsubscribing_from_everything_is_undone_to_exactly_what_it_was(town, resident) -> None:
    await town.client.put("/api/v1/profile", json=CHOSEN | {"channels": ["push"]})
    text = await _press(town, "stop-all")
    assert "Du er meldt av alt" in text
    assert (await _profile(town)).channels == ()
    assert "Du får meldinger igjen" in await _press(town, "start-all")
    assert [str(one) for one in (await _profile(town)).channels] == ["push"]


async def test_a_test_is_sent_to_the_address(town, resident) -> None:
    (endpoint,) = (await town.client.get("/api/v1/profile")).json()["endpoints"]
    await _press(town, f"test-device:{endpoint['id']}")
    command = [one for one in await town.published() if isinstance(one, ContactCommandV1)][-1]
    assert (command.action, command.endpoint) == ("send-test", endpoint["id"])


async def test_a_button_of_nothing_changes_nothing(town, resident) -> None:
    before = (await town.client.get("/api/v1/profile")).headers["ETag"]
    for action in (
        "",
        "nothing",
        "end:interests:alchemy",
        "end:timezone:x",
        "pause:places:",
        "undo",
        "resume:a",
    ):
        await _press(town, action)
    await _press(town, "undo", entry='{"areas": 7}')
    await _press(town, "undo", entry="<script>")
    assert (await town.client.get("/api/v1/profile")).headers["ETag"] == before
    foreign = await town.client.post(
        "/settings", data={"action": "stop-all"}, headers={"X-CSRF-Token": "another"}
    )
    assert foreign.status_code == 403
