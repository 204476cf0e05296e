"""The feed's values: the sentence that says why, less of this, the small map."""

import re
from datetime import UTC, datetime

import pytest
import shapely
from gateway_api.adapters.http.language import words_in
from gateway_api.domain.because import because
from gateway_api.domain.choices import Choices, choices_of, new_profile
from gateway_api.domain.less import RADIUS, Less, less_of, still_wanted
from gateway_api.domain.surroundings import HEIGHT, WIDTH, surroundings
from kommunepuls_events import (
    ContentItemV1,
    Direction,
    Kind,
    Organiser,
    Place,
    Reason,
    ReasonType,
    Severity,
    SubscriberProfileV1,
    item_id,
)

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
HOME = Place(id="home", label="Hjemme", longitude=10.05, latitude=59.07, radius_metres=500)
NEAR = Reason(type=ReasonType.PLACE, place="home", distance_metres=280)
AREA = Reason(type=ReasonType.AREA, area="NO-9901/havna")
PERMITS = Reason(type=ReasonType.INTEREST, interest="building-permits")
CLUB = Reason(type=ReasonType.ORGANISER, organiser="NO-9901/fotball")


class _Names:
    def area(self, area: str) -> str:
        return "Havna"

    def interest(self, slug: str) -> str:
        return "Byggesaker"

    def organiser(self, organiser: str) -> str:
        return "Fjordvik fotball"

    def place(self, place: str) -> str:
        return "Hjemme"

    def sensor(self, sensor: str) -> str:
        return "Storøya"


@pytest.mark.parametrize(
    ("reasons", "language", "sentence"),
    [
        ((NEAR, PERMITS), "en", "Because it is 280 m from Hjemme, and you follow Byggesaker"),
        ((NEAR, PERMITS), "nb", "Fordi det er 280 m fra Hjemme, og du følger Byggesaker"),
        ((NEAR, PERMITS), "nn", "Fordi det er 280 m frå Hjemme, og du følgjer Byggesaker"),
        ((NEAR, PERMITS), "sv", "Eftersom det är 280 m från Hjemme, och du följer Byggesaker"),
        ((AREA, CLUB, PERMITS), "nb", "Fordi du følger Havna, Fjordvik fotball og Byggesaker"),
        ((CLUB,), "nb", "Fordi du følger Fjordvik fotball"),
        ((Reason(type=ReasonType.EMERGENCY), NEAR, AREA), "nb",
         "Fordi det er et alvorlig farevarsel for et sted du følger, det er 280 m fra Hjemme, og du følger Havna"),
        ((Reason(type=ReasonType.SENSOR, sensor="x", threshold=20, value=20.5, direction=Direction.RISING),), "nb",
         "Fordi Storøya måler 20,5 °C, over grensen din på 20 °C"),
        ((Reason(type=ReasonType.FOLLOW_UP),), "nb", "Fordi du har fått vite om det før"),
        ((), "nb", ""),
    ],
)  # fmt: skip
def test_the_reasons_make_one_sentence(reasons: tuple, language: str, sentence: str) -> None:
    assert because(reasons, _Names(), words_in(language), unit="Cel") == sentence


def permit(**fields) -> ContentItemV1:
    source = "NO-9901/innsyn"
    return ContentItemV1(
        **{
            "id": item_id(source, "1"), "revision": 1, "municipality": "NO-9901", "source": source,
            "native_id": "1", "kind": Kind.PERMIT, "title": "Garasje", "interests": ("building-permits",),
            "organiser": Organiser(id="NO-9901/fotball", name="Fjordvik fotball"),
            "published_at": NOW, "observed_at": NOW,
        }
        | fields
    )  # fmt: skip


def profile(**choices) -> SubscriberProfileV1:
    chosen = {
        "areas": ("NO-9901/havna",), "interests": ("building-permits",), "organisers": ("NO-9901/fotball",),
        "places": (HOME,),
    } | choices  # fmt: skip
    return new_profile("s-1", "NO-9901", Choices(**chosen), NOW)


def test_less_of_this_offers_concrete_choices_the_narrowest_first() -> None:
    offered = less_of(permit(), (NEAR, PERMITS), profile())
    assert [(one.what, one.of) for one in offered] == [
        ("items", "NO-9901/innsyn/1"), (RADIUS, "home"), ("interests", "building-permits"),
        ("organisers", "NO-9901/fotball"), ("sources", "NO-9901/innsyn"),
    ]  # fmt: skip
    assert (offered[1].metres, offered[1].before) == (200, 500)


@pytest.mark.parametrize("which", range(5))
def test_each_choice_takes_effect_and_is_undone_exactly(which: int) -> None:
    held = profile(muted={"organisers": ("NO-9901/a",), "items": ("NO-9901/b",)})
    item, reasons = permit(), (NEAR, PERMITS)
    assert still_wanted(item, reasons, held)
    less = less_of(item, reasons, held)[which]
    before = choices_of(held)
    after = less.applied(before)
    assert after != before
    changed = held.model_copy(update={"places": after.places, "muted": after.muted})
    assert not still_wanted(item, reasons, changed)
    assert less.undone(after) == before


def test_undoing_leaves_alone_what_was_changed_since() -> None:
    less = Less(RADIUS, "home", 200, 500)
    since = less.applied(choices_of(profile()))
    since = since.model_copy(update={"places": (HOME.model_copy(update={"radius_metres": 300}),)})
    assert less.undone(since) == since


def test_what_is_muted_already_is_not_offered_again() -> None:
    held = profile(muted={"sources": ("NO-9901/innsyn",), "interests": ("building-permits",)})
    assert {one.what for one in less_of(permit(), (PERMITS,), held)} == {"items", "organisers"}


@pytest.mark.parametrize(
    ("reasons", "choices", "wanted"),
    [
        ((AREA, PERMITS), {}, True),
        ((AREA, PERMITS), {"areas": ()}, False),
        ((AREA, PERMITS), {"interests": ()}, False),
        ((AREA, NEAR, PERMITS), {"areas": ()}, True),
        ((NEAR, PERMITS), {"places": ()}, False),
        ((CLUB,), {}, True),
        ((CLUB,), {"organisers": ()}, False),
    ],
)
def test_the_feed_goes_by_the_choices_as_they_are_now(reasons: tuple, choices: dict, wanted: bool) -> None:
    assert still_wanted(permit(), reasons, profile(**choices)) is wanted


def test_an_emergency_is_not_muted() -> None:
    alert = permit(kind=Kind.ALERT, severity=Severity.SEVERE)
    assert still_wanted(alert, (AREA,), profile(muted={"items": (alert.id,)}))


TOWN = shapely.box(10.0, 59.0, 10.2, 59.2)


def test_a_small_map_shows_the_spot_and_the_readers_own_place_within_it() -> None:
    drawn = surroundings(shapely.Point(10.055, 59.07), [TOWN], [HOME])
    assert drawn is not None
    for x, y in (drawn.spot, drawn.own[:2]):
        assert 0 < x < WIDTH
        assert 0 < y < HEIGHT
    assert drawn.spot[0] > drawn.own[0]
    assert drawn.path == ""
    # 0.005 degrees of longitude at 59.07 degrees north are 286 m.
    metres_a_unit = drawn.bar_metres / drawn.bar
    assert (drawn.spot[0] - drawn.own[0]) * metres_a_unit == pytest.approx(286, rel=0.05)
    assert drawn.own[2] * metres_a_unit == pytest.approx(500, rel=0.01)


def test_a_place_far_away_is_left_out_of_it() -> None:
    drawn = surroundings(shapely.Point(10.18, 59.19), [TOWN], [HOME])
    assert drawn is not None
    assert drawn.own is None


def test_a_road_and_an_area_are_drawn_as_what_they_are() -> None:
    road = surroundings(shapely.LineString([(10.05, 59.07), (10.06, 59.08)]), [TOWN])
    assert not road.closed
    assert road.path.count("M") == 1
    area = surroundings(shapely.box(10.05, 59.07, 10.06, 59.08), [TOWN])
    assert area.closed
    assert area.path.endswith("Z")


def test_a_map_stays_small_however_winding_the_coast_is() -> None:
    coast = shapely.Point(10.05, 59.07).buffer(0.01, quad_segs=5000)
    drawn = surroundings(shapely.Point(10.05, 59.07), [coast])
    assert sum(map(len, drawn.land)) < 900
    numbers = [int(one) for path in drawn.land for one in re.findall(r"-?\d+", path)]
    assert min(numbers) >= -10
    assert max(numbers) <= WIDTH + 10
