"""Chunks and the items of thresholds."""

from datetime import timedelta

from kommunepuls_events import Direction, Reason, ReasonType, Recipient, SensorThreshold
from kommunepuls_matching.testing import NOW, TOWN, item
from personaliser.domain.matches import chunked
from personaliser.domain.sensor_items import item_of_reading, recipients_of
from personaliser.domain.thresholds import Crossing
from personaliser_making import reading, threshold

BECAUSE = (Reason(type=ReasonType.INTEREST, interest="music"),)


def test_recipients_go_out_in_chunks_whose_ids_can_be_worked_out_again() -> None:
    recipients = [Recipient(subscriber=f"s-{n:04}", reasons=BECAUSE) for n in range(1001)]
    found = list(chunked(item("7"), 3, iter(recipients), NOW))
    assert [len(one.recipients) for one in found] == [500, 500, 1]
    assert [one.id for one in found] == [f"{TOWN}/kommunen/7#1#3#{n}" for n in range(3)]
    assert [one.id for one in chunked(item("7"), 3, iter(recipients), NOW + timedelta(1))] == [
        one.id for one in found
    ]
    assert tuple(one for match in found for one in match.recipients) == tuple(recipients)


def test_nobody_is_no_match() -> None:
    assert list(chunked(item(), 0, (), NOW)) == []


def test_a_reading_becomes_an_item_that_says_it_in_four_languages() -> None:
    found = item_of_reading(reading(20.1))
    assert found.title == "Storøya: 20,1 °C i vannet"
    assert {language: one.title for language, one in found.translations.items()} == {
        "nn": "Storøya: 20,1 °C i vatnet",
        "sv": "Storøya: 20,1 °C i vattnet",
        "en": "Storøya: 20.1 °C in the water",
    }
    assert found.id == f"{TOWN}/water/threshold/storoya/water-temperature"
    assert found.revision == int(NOW.timestamp())
    assert found.interests == ("bathing",)


def test_an_unknown_property_is_told_by_its_value_and_unit() -> None:
    found = item_of_reading(reading(-3.0, observed_property="ph-value", unit="[pH]", name=None))
    assert found.title == "storoya: -3,0 [pH]"
    assert found.interests == ()


def test_two_thresholds_of_one_resident_are_two_reasons_of_one_recipient() -> None:
    low, high = (SensorThreshold.model_validate(threshold(value, id=f"t-{value}")) for value in (18.0, 20.0))
    found = recipients_of(reading(20.1), [Crossing("s-1", low), Crossing("s-1", high), Crossing("s-2", high)])
    assert [(one.subscriber, [reason.threshold for reason in one.reasons]) for one in found] == [
        ("s-1", [18.0, 20.0]),
        ("s-2", [20.0]),
    ]
    assert found[0].reasons[0].direction is Direction.RISING
    assert found[0].reasons[0].value == 20.1
