"""The published contract: frozen schemas, examples, and what a change may not break."""

import copy
import json
from pathlib import Path

import jsonschema
import pytest
from kommunepuls_events import CONTRACTS, TOPICS, Event, MalformedEvent, event_for
from kommunepuls_events.compatibility import breaking_changes
from kommunepuls_events.examples import examples
from kommunepuls_events.generate import broken_contracts, generated, schema_of

ROOT = Path(__file__).resolve().parents[4]
NAMES = sorted(CONTRACTS)


def frozen(name: str) -> dict:
    return json.loads((ROOT / "libs/events/schemas" / f"{name}.json").read_text())


def test_no_message_breaks_its_frozen_schema() -> None:
    assert broken_contracts(ROOT) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_message_has_a_frozen_schema_and_an_example_that_fits_it(name: str) -> None:
    example = json.loads((ROOT / "libs/events/examples" / f"{name}.json").read_text())
    jsonschema.Draft202012Validator(frozen(name)).validate(example)
    assert CONTRACTS[name].model_validate(example) == examples()[name]


def test_no_schema_or_example_is_left_of_a_message_that_is_gone() -> None:
    for folder in ("schemas", "examples"):
        assert sorted(path.stem for path in (ROOT / "libs/events" / folder).glob("*.json")) == NAMES


@pytest.mark.parametrize("path", sorted(generated()))
def test_what_is_generated_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text() == generated()[path]


def without_property(schema: dict) -> None:
    del schema["properties"]["title"]
    schema["required"].remove("title")


def newly_required(schema: dict) -> None:
    schema["required"].append("place_name")


def narrower_type(schema: dict) -> None:
    schema["properties"]["place_name"] = {"type": "string"}


def wider_type(schema: dict) -> None:
    schema["properties"]["revision"] = {"anyOf": [{"type": "integer"}, {"type": "string"}]}


def word_removed(schema: dict) -> None:
    schema["$defs"]["Kind"]["enum"].remove("poll")


def limit_lowered(schema: dict) -> None:
    schema["properties"]["title"]["maxLength"] = 80


def no_longer_required(schema: dict) -> None:
    schema["required"].remove("title")


def nested_property_gone(schema: dict) -> None:
    del schema["$defs"]["Organiser"]["properties"]["name"]


def geometry_type_gone(schema: dict) -> None:
    schema["properties"]["geometry"]["anyOf"][0]["oneOf"].pop()


def pattern_set(schema: dict) -> None:
    schema["properties"]["native_id"]["pattern"] = "^[0-9]+$"


@pytest.mark.parametrize(
    "change",
    [
        without_property,
        newly_required,
        narrower_type,
        wider_type,
        word_removed,
        limit_lowered,
        no_longer_required,
        nested_property_gone,
        geometry_type_gone,
        pattern_set,
    ],
    ids=lambda change: change.__name__,
)
def test_a_breaking_change_is_refused(change) -> None:
    changed = copy.deepcopy(frozen("kommunepuls.content-item.v1"))
    change(changed)
    assert breaking_changes(frozen("kommunepuls.content-item.v1"), changed)


def test_the_generator_refuses_to_overwrite_a_schema_that_the_classes_would_break(tmp_path: Path) -> None:
    folder = tmp_path / "libs/events/schemas"
    folder.mkdir(parents=True)
    once = schema_of("kommunepuls.delivery.v1")
    once["properties"]["printed_on"] = {"type": "string"}
    (folder / "kommunepuls.delivery.v1.json").write_text(json.dumps(once))
    assert broken_contracts(tmp_path) == ["kommunepuls.delivery.v1: message.printed_on: was taken away"]


def test_an_added_optional_property_and_a_new_word_break_nobody() -> None:
    name = "kommunepuls.content-item.v1"
    changed = copy.deepcopy(frozen(name))
    changed["properties"]["mood"] = {"type": "string"}
    changed["$defs"]["Kind"]["enum"].append("poem")
    assert breaking_changes(frozen(name), changed) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_message_survives_the_way_through_kafka(name: str) -> None:
    event = event_for(
        examples()[name], producer="test", traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    )
    assert Event.decode(event.value(), event.headers()) == event


def test_every_contract_has_one_topic_and_every_topic_names_who_uses_it() -> None:
    assert sorted(topic.contract.__name__ for topic in TOPICS if topic.contract) == sorted(
        contract.__name__ for contract in CONTRACTS.values()
    )
    assert all(topic.producers and topic.consumers for topic in TOPICS)


def test_offers_have_as_many_partitions_as_profiles() -> None:
    partitions = {topic.name: topic.partitions for topic in TOPICS}
    assert partitions["offers.v1"] == partitions["profiles.v1"]


def test_a_profile_has_no_field_for_a_name_or_a_contact_detail() -> None:
    schema = frozen("kommunepuls.subscriber-profile.v1")
    fields = set(schema["properties"]) | {
        name for part in schema["$defs"].values() for name in part.get("properties", ())
    }
    assert not fields & {
        "name",
        "first_name",
        "last_name",
        "email",
        "address",
        "phone",
        "endpoint",
        "p256dh",
        "auth",
    }
    assert "subscriber" in fields


def match_of(**changes: object) -> bytes:
    frozen = json.loads((ROOT / "libs/events/examples/kommunepuls.match.v2.json").read_text())
    return json.dumps(frozen | changes).encode()


def group(because: list[int], *subscribers: str, **fields: object) -> dict:
    return {"because": because, "subscribers": list(subscribers), **fields}


def test_each_recipient_of_a_match_has_the_reasons_of_the_group_and_distances_of_their_own() -> None:
    match = examples()["kommunepuls.match.v2"]
    area, home, interest = match.reasons
    found = dict(match.each())
    assert list(found) == ["s-11d7", "s-40be", "s-93c5", "s-6f1c", "s-8a02"]
    assert found["s-93c5"] == (area, interest)
    assert found["s-8a02"] == (home.model_copy(update={"distance_metres": 412.5}), interest)
    assert found["s-11d7"] is found["s-40be"]


def test_a_recipient_of_the_earlier_version_has_the_same_reasons_in_the_later() -> None:
    earlier, later = (dict(examples()[f"kommunepuls.match.v{version}"].each()) for version in (1, 2))
    assert earlier == {"s-6f1c": later["s-6f1c"]}


@pytest.mark.parametrize(
    ("groups", "detail"),
    [
        ([], "groups"),
        ([group([0])], "subscribers"),
        ([group([], "s-1")], "because"),
        ([group([-1], "s-1")], "because"),
        ([group([0, 3], "s-1")], "reason 3 of 3"),
        ([group([0], *(f"s-{n}" for n in range(600))), group([2], *(f"t-{n}" for n in range(401)))], "1001"),
        ([group([1], "s-1", "s-2", distances_metres=[5.0])], "1 distances in a group where 2"),
        ([group([0], "s-1", distances_metres=[5.0])], "1 distances in a group where 0"),
        ([group([1], "s-1", distances_metres=[-5.0])], "distances_metres"),
        ([group([0], "")], "subscribers"),
        ([group([0], "s" * 513)], "subscribers"),
    ],
)
def test_a_match_whose_groups_say_what_cannot_be_is_refused(groups: list[dict], detail: str) -> None:
    headers = event_for(examples()["kommunepuls.match.v2"], producer="test").headers()
    Event.decode(match_of(), headers)
    with pytest.raises(MalformedEvent, match=detail) as refused:
        Event.decode(match_of(groups=groups), headers)
    assert refused.value.reason == "invalid-message"
