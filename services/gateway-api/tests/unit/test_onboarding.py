from datetime import UTC, datetime, time, timedelta

import pytest
from gateway_api.adapters.http.language import words_in
from gateway_api.domain import onboarding, parking, pending
from gateway_api.domain.choices import Choices, TownOffer
from gateway_api.domain.errors import Conflict, Invalid
from gateway_api.domain.forms import pause_until
from gateway_api.domain.onboarding import Step
from gateway_api.domain.subscriptions import how_often, how_sentence, subscriptions
from kommunepuls_events import Cadence, Channel, Place, QuietHours

OFFER = TownOffer(areas={"t", "t/havna", "t/sentrum"}, interests={"music", "power"})
HOME = Place(id="h", label="Home", longitude=10, latitude=59, radius_metres=800)


class _Names:
    def area(self, area: str) -> str:
        return area.rpartition("/")[2].title()

    interest = organiser = sensor = place = area


def _said(choices: Choices, language: str = "en") -> list[str]:
    return [one.text for one in subscriptions(choices, _Names(), words_in(language), municipality="t")]


def test_the_steps_follow_one_another_and_end() -> None:
    walked = [Step.WHERE]
    while walked[-1].following is not walked[-1]:
        walked.append(walked[-1].following)
    assert walked == list(Step)
    assert [one.preceding.following for one in walked[1:]] == walked[1:]
    assert Step.WHERE.preceding is Step.WHERE
    assert [one.number for one in walked] == [1, 2, 3, 4, 5, 6]
    assert onboarding.step_of("nonsense") is Step.WHERE


def test_choices_travel_without_what_the_town_does_not_offer() -> None:
    choices = Choices(areas=("t/havna",), interests=("music",), places=(HOME,), cadence=Cadence.WEEKLY)
    assert onboarding.read(onboarding.written(choices), OFFER, Choices()) == choices
    foreign = Choices(areas=("x", "t"), interests=("alchemy",))
    assert onboarding.read(onboarding.written(foreign), OFFER, Choices()) == Choices(areas=("t",))
    for text in ("", "[]", '{"name": "Kari"}', "{"):
        assert onboarding.read(text, OFFER, choices) is choices


def test_what_is_not_asked_for_stays_as_it_was() -> None:
    had = Choices(audience=("seniors",), messages_a_day=3, areas=("t",), language="sv")
    after = onboarding.with_answers(had, Choices(areas=("t/havna",), interests=("music",)))
    assert (after.audience, after.messages_a_day, after.language) == (("seniors",), 3, "sv")
    assert (after.areas, after.interests) == (("t/havna",), ("music",))
    assert not onboarding.is_empty(after)
    assert onboarding.is_empty(Choices(cadence=Cadence.DAILY))


def test_waiting_choices_open_with_their_own_link_and_with_no_other() -> None:
    choices = Choices(areas=("t/havna",), places=(HOME,))
    content = pending.locked(choices, "token-1")
    assert b"havna" not in content
    assert pending.locked(choices, "token-1") != content
    assert pending.unlocked(content, "token-1") == choices
    assert pending.unlocked(content, "token-2") is None
    assert pending.unlocked(content[:-1], "token-1") is None
    assert pending.unlocked(None, "token-1") is None


def test_each_subscription_is_a_sentence() -> None:
    choices = Choices(areas=("t/havna", "t"), interests=("power",), places=(HOME,), organisers=("club",))
    assert _said(choices) == [
        "Power in Havna, in all of T and within 800 m of Home",
        "In Havna", "In all of T", "Within 800 m of Home", "Everything from Club",
    ]  # fmt: skip
    many = Choices(areas=("t/a", "t/b", "t/c", "t/d", "t/e"), interests=("power",))
    assert _said(many)[0] == "Power in A, in B, in C and 2 more places"
    assert _said(Choices(interests=("power",)))[0].startswith("Power (nowhere yet")


def test_how_it_comes_is_a_sentence() -> None:
    choices = Choices(cadence=Cadence.DAILY, quiet_hours=QuietHours(begins=time(22), ends=time(6, 30)))
    assert (
        how_sentence(choices, words_in("en"))
        == "E-mail and push notification, once a day, quiet from 22:00 to 06:30"
    )
    assert how_sentence(Choices(channels=()), words_in("en")) == "Nothing is sent: you read it here"
    assert how_sentence(Choices(channels=(Channel.EMAIL,)), words_in("nb")) == "E-post, med en gang"


@pytest.mark.parametrize(
    ("a_week", "said"),
    [
        (0, "nothing in the last 60 days"),
        (0.05, "less than one a month"),
        (0.2, "about 1 a month"),
        (0.9, "about 4 a month"),
        (1.0, "about 1 a week"),
        (4.4, "about 4 a week"),
        (1234, "about 1,234 a week"),
    ],
)
def test_how_often_is_said_as_people_say_it(a_week: float, said: str) -> None:
    assert how_often(a_week, words_in("en")) == said


def test_a_subscription_is_taken_away_and_put_back_once() -> None:
    choices = Choices(areas=("t", "t/havna"), places=(HOME,), interests=("music",))
    home = parking.only(choices, "places", "h")
    assert home == Choices(places=(HOME,))
    without = parking.without(choices, home)
    assert (without.places, without.areas) == ((), ("t", "t/havna"))
    assert parking.with_entries(without, home) == choices
    assert parking.with_entries(choices, home) == choices
    assert parking.only(choices, "places", "elsewhere") is None
    assert parking.only(choices, "timezone", "Europe/Oslo") is None
    assert parking.read(parking.written(home)) == home
    assert parking.written(Choices(timezone="Europe/Stockholm")) == ""
    full = Choices(places=tuple(HOME.model_copy(update={"id": str(n)}) for n in range(10)))
    with pytest.raises(Conflict):
        parking.with_entries(full, home)


def test_a_pause_ends_when_its_day_begins_where_the_resident_lives() -> None:
    now = datetime(2026, 3, 27, 23, 30, tzinfo=UTC)
    # In Oslo it is the 28th already, and summer time begins on the 29th.
    assert pause_until({"until": ["2026-03-29"]}, "Europe/Oslo", now) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert pause_until({"until": ["2026-03-30"]}, "Europe/Oslo", now) == datetime(2026, 3, 29, 22, tzinfo=UTC)
    far = (now + timedelta(days=500)).date().isoformat()
    for wrong in ("2026-03-28", "2026-02-31", "", far):
        with pytest.raises(Invalid):
            pause_until({"until": [wrong]}, "Europe/Oslo", now)
