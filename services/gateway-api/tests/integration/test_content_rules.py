"""Editors' rules: written, tried, turned on, gone back to, and what they dropped let through."""

import re
from datetime import timedelta

import pytest
from gateway_api.domain.letters import letter_document, letter_key
from gateway_api.service.outbox import OutboxPublisher
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.testing import RecordingProducer
from kommunepuls_events import ContentRulesV1, Severity
from kommunepuls_events.base import utc_now
from kommunepuls_events.dead_letters import DeadLetter

pytestmark = pytest.mark.integration

TOWN = "NO-9901"
OPERATOR = {"Authorization": "Bearer operator-token-0001"}
POWER = {
    "name": "Strømbrudd er viktige",
    "words": "strømbrudd*\nstrømmen * borte",
    "interests": "power",
    "severity": "moderate",
}
RAFFLE = {"name": "Ingen lodd", "words": "lodd*", "effect": "drop"}


@pytest.fixture
async def editor(town):
    """The town with an editor signed in."""
    asked = {"municipality": TOWN, "address": "eva@example.no", "name": "Eva Holm", "roles": ["editor"]}
    await town.client.post("/api/v1/operator/staff", headers=OPERATOR, json=asked)
    link = (await town.opened("send-link"))[-1]["link"].rpartition("/")[2]
    await town.client.post(f"/staff/sign-in/{link}")
    (session,) = await town.running.gateway.collections.staff_sessions.find({})
    town.client.headers.update({"X-CSRF-Token": session.document["csrf"], "Accept-Language": "en"})
    return town


async def _current(town):
    return await town.running.gateway.rules.versions.current(TOWN)


async def _send(town, rule: str = "new", **fields):
    revision = (await _current(town)).revision
    return await town.client.post(f"/staff/rules/{rule}", data={"revision": revision} | fields)


async def _published(town) -> list[ContentRulesV1]:
    return [one for one in await town.published() if isinstance(one, ContentRulesV1)]


async def test_a_rule_is_written_turned_on_and_published_and_every_step_is_kept(editor) -> None:
    assert (await _send(editor, action="save", **POWER)).status_code == 303
    (kept,) = (await _current(editor)).rules
    assert not kept.on
    assert [one.rules for one in await _published(editor)] == [()]
    assert (await _send(editor, kept.id, action="on")).status_code == 303
    newest = (await _published(editor))[-1]
    assert (newest.municipality, newest.revision) == (TOWN, 2)
    assert newest.rules[0].when.words == ("strømbrudd*", "strømmen * borte")
    assert newest.rules[0].then.add_interests == ("power",)
    await _send(editor, action="save-on", **RAFFLE)
    await _send(editor, kept.id, action="save", **POWER | {"severity": "minor"})
    raffle = (await _current(editor)).rules[1]
    await _send(editor, raffle.id, action="up")
    assert [one.name for one in (await _published(editor))[-1].rules] == [RAFFLE["name"], POWER["name"]]
    await _send(editor, raffle.id, action="delete")
    history = await editor.client.get("/staff/rules/history")
    assert [int(number) for number in re.findall(r"<h2>Version (\d+)</h2>", history.text)] == [
        6,
        5,
        4,
        3,
        2,
        1,
    ]
    assert "Eva Holm deleted the rule <strong>Ingen lodd</strong>" in history.text
    lines = (await editor.client.get("/api/v1/operator/log", headers=OPERATOR)).json()["lines"]
    assert [one["action"] for one in lines][:6] == [
        "rule-deleted", "rules-ordered", "rule-changed", "rule-added", "rule-on", "rule-added",
    ]  # fmt: skip


async def test_one_can_go_back_to_a_version_and_forth_again(editor) -> None:
    await _send(editor, action="save-on", **POWER)
    before = (await _current(editor)).rules
    await _send(editor, before[0].id, action="delete")
    gone = await editor.client.post("/staff/rules/history/1", data={"revision": 2})
    assert gone.status_code == 303
    now = await _current(editor)
    assert (now.revision, now.rules, now.who, now.deed, now.subject) == (
        3, before, "Eva Holm", "rules-restored", "1",
    )  # fmt: skip
    assert len((await _published(editor))[-1].rules) == 1
    assert (await editor.client.post("/staff/rules/history/99", data={"revision": 3})).status_code == 404


async def test_of_two_who_change_the_rules_at_once_one_is_told(editor) -> None:
    await _send(editor, action="save", **POWER)
    late = await editor.client.post("/staff/rules/new", data={"revision": 0, "action": "save"} | RAFFLE)
    assert late.status_code == 409
    assert "changed meanwhile" in late.text
    assert len((await _current(editor)).rules) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "Give the rule a name"),
        ({"words": ""}, "Say when"),
        ({"words": "*"}, "at least one word"),
        ({"interests": [], "severity": ""}, "Say what is to be done"),
        ({"severity": "extreme"}, "not known here"),
        ({"sources": "SE-1761/feed"}, "not known here"),
        ({"areas": "NO-9901/atlantis"}, "not known here"),
        ({"effect": "drop", "kinds": "alert"}, "This would drop warnings too"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_kept(editor, wrong, said) -> None:
    answer = await _send(editor, action="save-on", **POWER | wrong)
    assert answer.status_code == 422
    faults = re.findall(r'role="alert" id="[\w-]+"[^>]*>([^<]+)', answer.text)
    assert [fault for fault in faults if said in fault], faults
    assert (await _current(editor)).revision == 0
    assert "strømmen * borte" in answer.text or "words" in wrong


async def test_to_drop_warnings_must_be_meant(editor) -> None:
    asked = RAFFLE | {"kinds": "alert"}
    assert (await _send(editor, action="save-on", **asked)).status_code == 422
    assert (await _send(editor, action="save-on", sure="yes", **asked)).status_code == 303


async def test_an_area_comes_with_those_inside_it(editor) -> None:
    await _send(editor, action="save-on", **POWER | {"areas": TOWN})
    (rule,) = (await _published(editor))[-1].rules
    assert set(rule.when.areas) == {TOWN, f"{TOWN}/havna", f"{TOWN}/nordmarka", f"{TOWN}/solasen"}
    (kept,) = (await _current(editor)).rules
    assert kept.rule.when.areas == (TOWN,)


async def _residents(town, number: int, **choices) -> None:
    for count in range(number):
        asked = {
            "municipality": TOWN,
            "address": f"{choices['interests'][0]}{count}@example.no",
            "choices": choices,
        }
        answer = await town.client.post("/api/v1/operator/subscribers", headers=OPERATOR, json=asked)
        assert answer.status_code == 201, answer.text


async def test_a_trial_shows_the_items_that_change_and_whom_that_gains_and_loses(editor, make_item) -> None:
    await _residents(editor, 40, areas=[f"{TOWN}/havna"], interests=["power"])
    await _residents(editor, 60, areas=[f"{TOWN}/havna"], interests=["football"])
    long_ago = utc_now() - timedelta(days=70)
    await editor.running.read_model.take_items(
        [
            make_item("1", title="Strømbrudd i Havna", interests=("football",)),
            make_item("2", title="Strømbruddet er over", interests=("power",), severity=Severity.MODERATE),
            make_item("3", title="Seriekamp søndag", interests=("football",)),
            make_item(
                "4", title="Strømbrudd for lenge siden", interests=("football",), published_at=long_ago
            ),
        ]
    )
    form = POWER | {"interests_mode": "set"}
    page = (await _send(editor, action="try", **form)).text
    figures = re.findall(r"<dd[^>]*>([^<]+)", page[page.index('class="figures"') : page.index("</dl>")])
    assert figures[0].strip() == "1"
    assert "of 3" in page
    assert [_about(text) for text in figures[1:]] == [pytest.approx(40, abs=7), pytest.approx(60, abs=7)]
    shown = page[page.index('<ol class="items tried">') :]
    assert _titles(shown) == ["Strømbrudd i Havna"]
    assert "<del>Football</del>" in shown
    assert "<ins>+ Electricity</ins>" in shown
    assert "<del>Not given</del> → <ins>Moderate</ins>" in shown
    assert (await _current(editor)).revision == 0


def _titles(page: str) -> list[str]:
    return re.findall(r'<h3><a [^>]*lang="nb">([^<]+)</a>', page)


def _about(text: str) -> int:
    found = re.search(r"about (\d+)", text)
    assert found, text
    return int(found[1])


async def test_a_trial_counts_what_a_rule_drops_and_what_a_changed_one_would_let_in(
    editor, make_item
) -> None:
    await _residents(editor, 20, areas=[f"{TOWN}/havna"], interests=["football"])
    item = make_item("5", title="Kjøp lodd på kampen", interests=("football",))
    await editor.running.read_model.take_items([item])
    page = (await _send(editor, action="try", **RAFFLE)).text
    assert '<span class="tag bad">dropped</span>' in page
    assert _about(page[page.index('class="less"') :][:200]) == pytest.approx(20, abs=7)
    await _send(editor, action="save-on", **RAFFLE)
    (kept,) = (await _current(editor)).rules
    await _keep_dropped(editor, make_item("6", title="Flere lodd", interests=("football",)), kept.id)
    page = (await _send(editor, kept.id, action="try", **RAFFLE | {"without_words": "flere"})).text
    assert "was dropped until now" in page
    assert _titles(page) == ["Flere lodd"]


async def _keep_dropped(town, item, rule: str) -> str:
    letter = DeadLetter(
        reason="dropped-by-rule", detail=f"{rule}: Ingen lodd", service="ingest-feeds", source=item.source,
        entry="dropped",
    )  # fmt: skip
    key = letter_key("rejects.v1", 0, 7)
    document = letter_document(
        topic="rejects.v1",
        key=item.source,
        value=item.to_json(),
        headers=letter.headers(),
        received_at=utc_now(),
    )
    await town.running.read_model.take_letters([(key, document)])
    return key


async def test_what_was_dropped_is_shown_and_an_editor_lets_it_through(editor, make_item) -> None:
    item = make_item("7", title="Lodd <b>selges</b>")
    key = await _keep_dropped(editor, item, "r-1")
    page = await editor.client.get("/staff/rules/dropped")
    assert "Lodd &lt;b&gt;selges&lt;/b&gt;" in page.text
    assert "by the rule Ingen lodd" in page.text
    rejects = await editor.client.get("/api/v1/operator/rejects", headers=OPERATOR)
    assert rejects.json()["records"] == []
    assert (await editor.client.post(f"/staff/rules/dropped/{key}")).status_code == 303
    topic, _, value, headers = editor.producer.raw[0]
    assert (topic, value) == ("replays.v1", item.to_json())
    assert DeadLetter.from_headers(headers).entry == "dropped"
    assert "was let through" in (await editor.client.get("/staff/rules/dropped")).text
    other = item.model_copy(update={"source": "SE-1761/feed"})
    foreign = await _keep_dropped(editor, other, "r-1")
    assert foreign == key
    assert (await editor.client.post("/staff/rules/dropped/rejects.v1-0-8")).status_code == 404


async def test_of_two_publishers_the_last_word_is_the_newest_version(editor) -> None:
    await _send(editor, action="save-on", **POWER)
    gateway, sent = editor.running.gateway, []

    class Slow(RecordingProducer):
        """While it publishes the first version, another process changes the rules and publishes them."""

        async def publish(self, *messages, traces=None) -> None:
            if not sent:
                await _send(editor, action="save-on", **RAFFLE)
                sent.extend(await _published(editor))
            await super().publish(*messages, traces=traces)
            sent.extend(messages)

    slow = OutboxPublisher(gateway.collections, Slow(), Health(), rules=gateway.rules.versions.message)
    await slow.publish_due()
    assert [one.revision for one in sent] == [2, 1, 2]
