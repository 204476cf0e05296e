"""Who matches and why, one rule at a time."""

from typing import Any

from kommunepuls_events import Reason
from kommunepuls_geography import Geography
from kommunepuls_matching.reference import reasons_for
from kommunepuls_matching.testing import SOURCE, TOWN, item, place, point, profile

HARBOUR = f"{TOWN}/west/harbour"
MUSIC = {"interests": ["music"]}


def told(reasons: tuple[Reason, ...]) -> list[str]:
    return [f"{one.type}:{one.place or one.area or one.organiser or one.interest or ''}" for one in reasons]


def reasons(geography: Geography, offered: dict[str, Any], chosen: dict[str, Any]) -> list[str]:
    return told(reasons_for(item(**offered), profile(**chosen), geography))


def test_place_and_interest_together_make_a_match(geography: Geography) -> None:
    here = {"areas": [HARBOUR]}
    assert reasons(geography, here | MUSIC, here | MUSIC) == [f"area:{HARBOUR}", "interest:music"]
    assert reasons(geography, here | MUSIC, here) == []
    assert reasons(geography, here | MUSIC, MUSIC) == []


def test_an_area_concerns_those_who_follow_what_holds_it_or_lies_in_it(geography: Geography) -> None:
    def follower_of(area: str, *of_item: str) -> bool:
        return bool(reasons(geography, {"areas": of_item} | MUSIC, {"areas": [area]} | MUSIC))

    assert follower_of(TOWN, HARBOUR)
    assert follower_of(HARBOUR, TOWN)
    assert not follower_of(f"{TOWN}/west/hill", HARBOUR)
    assert not follower_of(f"{TOWN}/east", HARBOUR)
    assert not follower_of("NO-9902", TOWN)


def test_an_area_named_with_what_holds_it_concerns_only_itself(geography: Geography) -> None:
    offered = {"areas": [HARBOUR, f"{TOWN}/west", TOWN]} | MUSIC
    assert reasons(geography, offered, {"areas": [f"{TOWN}/east"]} | MUSIC) == []
    assert reasons(geography, offered, {"areas": [TOWN]} | MUSIC) == [f"area:{TOWN}", "interest:music"]


def test_an_item_without_area_takes_those_of_its_geometry_else_its_municipality(geography: Geography) -> None:
    at_harbour = {"geometry": point(10.05, 59.05)} | MUSIC
    assert reasons(geography, at_harbour, {"areas": [HARBOUR]} | MUSIC)[0] == f"area:{HARBOUR}"
    assert reasons(geography, at_harbour, {"areas": [f"{TOWN}/east"]} | MUSIC) == []
    assert reasons(geography, MUSIC, {"areas": [HARBOUR]} | MUSIC) != []


def test_a_place_is_near_or_is_not_and_the_nearest_comes_first(geography: Geography) -> None:
    chosen = {
        "places": [place("cabin", 10.06, 59.05, 3000), place("home", 10.051, 59.05), place("far", 10.3, 59.1)]
    } | MUSIC
    found = reasons_for(item(geometry=point(10.05, 59.05), **MUSIC), profile(**chosen), geography)
    assert told(found) == ["place:home", "place:cabin", "interest:music"]
    assert 55 < found[0].distance_metres < 59
    assert 570 < found[1].distance_metres < 576


def test_the_hole_of_a_polygon_is_outside(geography: Geography) -> None:
    outer = [[10.0, 59.0], [10.2, 59.0], [10.2, 59.1], [10.0, 59.1], [10.0, 59.0]]
    hole = [[10.05, 59.02], [10.15, 59.02], [10.15, 59.08], [10.05, 59.08], [10.05, 59.02]]
    offered = {"geometry": {"type": "Polygon", "coordinates": [outer, hole]}} | MUSIC
    inside = {"places": [place("ring", 10.02, 59.05, 1), place("hole", 10.1, 59.05)]} | MUSIC
    assert reasons(geography, offered, inside) == ["place:ring", "interest:music"]


def test_without_geometry_a_place_counts_by_the_areas_that_hold_it(geography: Geography) -> None:
    chosen = {"places": [place("home", 10.05, 59.05), place("cabin", 10.3, 59.1)]} | MUSIC
    found = reasons_for(item(areas=[HARBOUR], **MUSIC), profile(**chosen), geography)
    assert told(found) == ["place:home", "interest:music"]
    assert (found[0].distance_metres, found[0].area) == (0.0, HARBOUR)


def test_an_organiser_followed_is_reason_enough(geography: Geography) -> None:
    offered = {"organiser": {"id": "o-1", "name": "A club"}}
    assert reasons(geography, offered, {"organisers": ["o-1"]}) == ["organiser:o-1"]
    assert reasons(geography, offered, {"organisers": ["o-2"]}) == []


def test_what_is_muted_is_not_heard(geography: Geography) -> None:
    offered = {"organiser": {"id": "o-1", "name": "A club"}, "interests": ["music", "football"]}
    follows = {"organisers": ["o-1"]}
    assert reasons(geography, offered, follows) != []
    for muted in (
        {"sources": [SOURCE]},
        {"organisers": ["o-1"]},
        {"items": [f"{SOURCE}/1"]},
        {"interests": ["music", "football"]},
    ):
        assert reasons(geography, offered, follows | {"muted": muted}) == [], muted
    assert reasons(geography, offered, follows | {"muted": {"interests": ["music"]}}) != []


def test_a_muted_interest_is_no_reason(geography: Geography) -> None:
    chosen = {"areas": [TOWN], "interests": ["music", "football"], "muted": {"interests": ["music"]}}
    assert reasons(geography, {"interests": ["music", "football"]}, chosen) == [
        f"area:{TOWN}",
        "interest:football",
    ]


def test_an_emergency_reaches_everybody_there_whatever_they_muted(geography: Geography) -> None:
    warning = {"kind": "alert", "severity": "extreme", "areas": [HARBOUR]}
    chosen = {"areas": [HARBOUR], "muted": {"sources": [SOURCE]}}
    assert reasons(geography, warning, chosen) == ["emergency:", f"area:{HARBOUR}"]
    assert reasons(geography, warning | {"severity": "moderate"}, chosen) == []
    assert reasons(geography, warning | {"exercise": True}, chosen) == []
    assert reasons(geography, warning, {"areas": [f"{TOWN}/east"]}) == []


def test_an_alert_must_be_as_severe_as_the_resident_asked(geography: Geography) -> None:
    warning = {"kind": "alert", "areas": [TOWN]} | MUSIC
    chosen = {"areas": [TOWN], "minimum_severity": "moderate"} | MUSIC
    assert reasons(geography, warning | {"severity": "minor"}, chosen) == []
    assert reasons(geography, warning | {"severity": "moderate"}, chosen) != []
    assert reasons(geography, {"areas": [TOWN]} | MUSIC, chosen) != [], "a notice is no alert"


def test_an_audience_keeps_out_only_those_who_said_they_are_others(geography: Geography) -> None:
    for_the_young = {"areas": [TOWN], "audience": ["young"]} | MUSIC
    chosen = {"areas": [TOWN]} | MUSIC
    assert reasons(geography, for_the_young, chosen) != []
    assert reasons(geography, for_the_young, chosen | {"audience": ["seniors"]}) == []
    assert reasons(geography, for_the_young, chosen | {"audience": ["seniors", "young"]}) != []


def test_nobody_is_told_of_what_is_withdrawn_or_no_news(geography: Geography) -> None:
    chosen = {"areas": [TOWN]} | MUSIC
    assert reasons(geography, MUSIC | {"lifecycle": {"state": "withdrawn"}}, chosen) == []
    assert reasons(geography, MUSIC | {"lifecycle": {"state": "updated", "news": False}}, chosen) == []
    assert reasons(geography, MUSIC | {"lifecycle": {"state": "updated"}}, chosen) != []
