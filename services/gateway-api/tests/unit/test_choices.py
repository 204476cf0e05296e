from datetime import UTC, datetime, time

import pytest
from gateway_api.domain import forms
from gateway_api.domain.choices import (
    Choices,
    TownOffer,
    changed_profile,
    choices_of,
    faults_of,
    first_choices,
    new_profile,
)
from gateway_api.domain.errors import Invalid
from kommunepuls_events import Channel, Direction, Place, QuietHours, SensorThreshold

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OFFER = TownOffer(areas={"NO-9901", "NO-9901/havna"}, interests={"bathing"})


def test_a_change_raises_the_revision_and_the_same_choices_do_not() -> None:
    profile = new_profile("s-1", "NO-9901", Choices(), NOW)
    changed = changed_profile(profile, Choices(areas=("NO-9901/havna",)), OFFER, NOW)
    assert changed is not None
    assert (changed.revision, changed.areas) == (2, ("NO-9901/havna",))
    assert changed_profile(changed, choices_of(changed), OFFER, NOW) is None


@pytest.mark.parametrize(
    ("choices", "pointer"),
    [
        (Choices(areas=("NO-9901/atlantis",)), "/areas/0"),
        (Choices(interests=("bathing", "alchemy")), "/interests/1"),
        (Choices(audience=("wizards",)), "/audience/0"),
        (Choices(timezone="Europe/Fjordvik"), "/timezone"),
        (Choices(quiet_hours=QuietHours(begins=time(22), ends=time(22))), "/quiet_hours/ends"),
        (
            Choices(places=(Place(id="a", longitude=10, latitude=59, radius_metres=9),) * 2),
            "/places/1/id",
        ),
    ],
)
def test_what_the_town_does_not_have_is_refused_with_its_place(choices: Choices, pointer: str) -> None:
    assert [fault.pointer for fault in faults_of(choices, OFFER)] == [pointer]


def test_an_area_that_the_town_took_off_its_list_stays_the_residents_own() -> None:
    before = Choices(areas=("NO-9901/gamlebyen",))
    assert faults_of(before, OFFER, before) == []


def test_new_residents_begin_with_a_limit_that_they_can_take_away() -> None:
    first = first_choices("nn")
    assert (first.language, first.messages_a_day) == ("nn", 5)
    assert forms.choices_from({}, first, NOW).messages_a_day == 5
    assert forms.choices_from({"messages_a_day": [""]}, first, NOW).messages_a_day is None


def test_a_form_is_read_with_norwegian_numbers_and_times() -> None:
    before = Choices(
        places=(Place(id="p", label="Hjemme", longitude=10.05, latitude=59.07, radius_metres=500),),
        sensor_thresholds=(
            SensorThreshold(id="t", sensor="NO-9901/bad/1", observed_property="water-temperature", value=20),
        ),
    )
    choices = forms.choices_from(
        {
            "areas": ["NO-9901/havna"],
            "channels": ["push"],
            "cadence": ["daily"],
            "messages_a_day": ["8"],
            "quiet": ["yes"],
            "quiet_begins": ["21.30"],
            "quiet_ends": ["06:15"],
            "place-p-radius": ["1 200"],
            "threshold-t-value": ["18,5"],
            "threshold-t-direction": ["falling"],
            "pause": ["week"],
        },
        before,
        NOW,
    )
    assert choices.areas == ("NO-9901/havna",)
    assert choices.interests == ()
    assert choices.channels == (Channel.PUSH,)
    assert choices.messages_a_day == 8
    assert choices.quiet_hours == QuietHours(begins=time(21, 30), ends=time(6, 15))
    assert choices.places[0].radius_metres == 1200
    assert choices.sensor_thresholds[0].value == 18.5
    assert choices.sensor_thresholds[0].direction is Direction.FALLING
    assert choices.paused_until == datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"quiet": ["yes"], "quiet_begins": ["half past nine"]}, "/quiet_begins"),
        ({"cadence": ["hourly"]}, "/cadence"),
        ({"messages_a_day": ["a few"]}, "/messages_a_day"),
        ({"messages_a_day": ["0"]}, "/messages_a_day"),
        ({"channels": ["pigeon"]}, "/channels"),
        ({"language": ["<script>"]}, "/language"),
        ({"interests": ["Not A Slug"]}, "/interests"),
    ],
)
def test_a_form_that_is_not_right_names_the_field(fields: dict, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        forms.choices_from(fields, Choices(), NOW)
    assert refused.value.faults[0].pointer.startswith(field)


def test_a_place_is_added_by_what_was_found_or_by_position_and_refused_when_unknown() -> None:
    wanted = forms.new_place({"new_place_text": ["Storbrygga"], "new_place_radius": ["300"]})
    assert wanted is not None
    found = forms.with_place(Choices(), wanted, ("Storbrygga", 10.05, 59.07)).places[0]
    assert (found.label, found.longitude, found.radius_metres) == ("Storbrygga", 10.05, 300)
    with pytest.raises(Invalid):
        forms.with_place(Choices(), wanted, None)
    swapped = {"new_place_longitude": ["590"], "new_place_latitude": ["10"]}
    with pytest.raises(Invalid):
        forms.new_place(swapped)


def test_muting_and_hearing_again_are_each_others_undo() -> None:
    muted = forms.muting(Choices(), "organisers", "NO-9901/fotball", mute=True)
    assert muted.muted.organisers == ("NO-9901/fotball",)
    assert forms.without(muted, "organisers", "NO-9901/fotball") == Choices()
    assert forms.following(muted, "NO-9901/fotball").muted.organisers == ()
    assert forms.muting(Choices(), "model_config", "x", mute=True) == Choices()
