"""What the pages of the onboarding show, worked out for each step."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kommunepuls_events import Cadence, Channel, Place
from kommunepuls_events.interests import INTERESTS

from gateway_api.adapters.http.language import words_in
from gateway_api.adapters.http.naming import ReaderNames
from gateway_api.adapters.http.pages_public import Row, row_of
from gateway_api.adapters.http.resident_views import sentences
from gateway_api.domain import onboarding
from gateway_api.domain.choices import Choices
from gateway_api.domain.forms import Fields, one
from gateway_api.domain.maps import Marker, labels
from gateway_api.domain.onboarding import Step
from gateway_api.domain.preview import Received
from gateway_api.domain.residents_record import in_order
from gateway_api.domain.subscriptions import Subscription, how_often, how_sentence, subscriptions
from gateway_api.domain.words import Words
from gateway_api.service.gateway import Gateway
from gateway_api.service.previews import candidate, with_every_interest
from gateway_api.service.queries import Shown
from gateway_api.service.towns import TownView

_MOST_PREVIEWED = 12
_MOST_ORGANISERS = 80
# More than this is more than people read.
MANY_A_WEEK = 20


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place with its circle on the map (map units; None outside of it) and what it would bring."""

    place: Place
    x: float | None
    y: float | None
    r: float
    often: str
    messages: int


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """An item that would have come, with its reasons in words."""

    row: Row
    reasons: tuple[str, ...]


async def values_of(
    gateway: Gateway,
    town: TownView,
    step: Step,
    choices: Choices,
    language: str,
    fields: Fields,
    *,
    had: Choices | None = None,
) -> dict[str, Any]:
    """What the template of a step needs beside what all of them do.

    Args:
        fields: what was submitted, where the same page is shown again.
        had: what a signed-in resident had chosen before.
    """
    words = words_in(language)
    match step:
        case Step.WHERE:
            return await _where(gateway, town, choices, words)
        case Step.WHAT:
            return await _what(gateway, town, choices, words)
        case Step.WHOM:
            return await _whom(gateway, town, choices, one(fields, "search")[:100])
        case Step.HOW:
            return {"cadences": list(Cadence), "channels": list(Channel)}
        case Step.PREVIEW:
            return await _preview(gateway, town, choices, words)
        case Step.ADDRESS:
            return await _address(gateway, town, choices, words, had)


async def _where(gateway: Gateway, town: TownView, choices: Choices, words: Words) -> dict[str, Any]:
    names = ReaderNames(gateway, words, municipality=town.code)
    values = await where_values(gateway, town, choices, words)
    return {
        "names": names,
        "areas": town.chosen_areas(),
        "labels": map_labels(town, names, values["place_views"]),
        **values,
    }


async def where_values(gateway: Gateway, town: TownView, choices: Choices, words: Words) -> dict[str, Any]:
    """The places with their circles, and what they and the areas would bring if everything interested."""
    alone = [
        with_every_interest(town, Choices(places=(place,), audience=choices.audience))
        for place in choices.places
    ]
    whole, *each = await gateway.previews.of(town, with_every_interest(town, choices), *alone)
    views = []
    for place, seen in zip(choices.places, each, strict=True):
        x, y = (town.map and town.map.place(place.longitude, place.latitude)) or (None, None)
        r = town.map.units(place.radius_metres) if town.map else 0.0
        views.append(PlaceView(place, x, y, r, how_often(seen.a_week, words), seen.messages))
    return {"place_views": views, "often": how_often(whole.a_week, words)}


def map_labels(town: TownView, names: ReaderNames, places: Iterable[PlaceView]) -> list:
    """The names on the map, beside those of places."""
    if town.map is None:
        return []
    area_names = {shape.area: names.area(shape.area) for shape in town.map.shapes}
    # A place's own name stands over its middle.
    taken = [
        Marker(view.place.id, "", "", view.x + aside, view.y - up)
        for view in places
        if view.x is not None and view.y is not None
        for aside, up in ((0, 0), (-50, 30), (0, 30), (50, 30))
    ]
    return labels(town.map, area_names, taken)


async def _what(gateway: Gateway, town: TownView, choices: Choices, words: Words) -> dict[str, Any]:
    slugs = list(dict.fromkeys((*INTERESTS, *town.town.interests, *choices.interests)))
    counts = await gateway.previews.interests(town, choices, slugs)
    named = [(slug, town.interest_name(slug, words.language), counts[slug]) for slug in slugs]
    named.sort(key=lambda entry: (-entry[2], entry[1].casefold()))
    return {
        "busy": [entry for entry in named if entry[2]],
        "silent": [entry for entry in named if not entry[2]],
    }


async def _whom(gateway: Gateway, town: TownView, choices: Choices, search: str) -> dict[str, Any]:
    known, counts = await gateway.previews.organisers(town)
    wanted = search.casefold().split()
    named = {one.id: one.name for one in known.values()}
    named |= {one: one.rpartition("/")[2].replace("-", " ") for one in choices.organisers if one not in named}
    found = [
        (organiser, name, counts[organiser])
        for organiser, name in named.items()
        if organiser not in choices.organisers and all(word in name.casefold() for word in wanted)
    ]
    found.sort(key=lambda entry: (-entry[2], entry[1].casefold()))
    followed = [(organiser, named[organiser], counts[organiser]) for organiser in choices.organisers]
    return {
        "search": search,
        "followed": sorted(followed, key=lambda entry: entry[1].casefold()),
        "organisers": found[:_MOST_ORGANISERS],
        "left_out": max(len(found) - _MOST_ORGANISERS, 0),
        "complete": not search and len(found) <= _MOST_ORGANISERS,
    }


async def _preview(gateway: Gateway, town: TownView, choices: Choices, words: Words) -> dict[str, Any]:
    (seen,) = await gateway.previews.of(town, choices)
    shown = seen.received[:_MOST_PREVIEWED]
    names = _names(gateway, town, choices, words, (one.item for one in shown))
    return {
        "rows": [_row(one, town, names, words) for one in shown],
        "more": len(seen.received) - len(shown),
        "messages": seen.messages,
        "often": how_often(seen.a_week, words),
        "many": seen.a_week > MANY_A_WEEK,
        **_in_words(town, choices, names, words),
    }


def _row(received: Received, town: TownView, names: ReaderNames, words: Words) -> PreviewRow:
    shown = Shown(received.item, tuple(town.areas_of(received.item)))
    return PreviewRow(
        row_of(shown, names, words.language), sentences(in_order(received.reasons), names, words)
    )


async def _address(
    gateway: Gateway, town: TownView, choices: Choices, words: Words, had: Choices | None
) -> dict[str, Any]:
    known, _ = await gateway.previews.organisers(town)
    named = {one.id: one.name for one in known.values()}
    new = _in_words(town, choices, _names(gateway, town, choices, words, (), named), words)
    old = _in_words(town, had, _names(gateway, town, had, words, (), named), words) if had else None
    replaces = had is not None and not onboarding.is_empty(had)
    return {
        **new,
        "old": old if replaces and had != onboarding.with_answers(had, choices) else None,
    }


def _names(
    gateway: Gateway,
    town: TownView,
    choices: Choices,
    words: Words,
    items: Iterable,
    organisers: dict[str, str] | None = None,
) -> ReaderNames:
    return ReaderNames(
        gateway,
        words,
        municipality=town.code,
        profile=candidate(town, choices),
        items=items,
        organisers=organisers,
    )


def _in_words(town: TownView, choices: Choices, names: ReaderNames, words: Words) -> dict[str, Any]:
    said: dict[str, list[Subscription]] = {}
    for subscription in subscriptions(choices, names, words, municipality=town.code):
        said.setdefault(subscription.what, []).append(subscription)
    return {"said": said, "how": how_sentence(choices, words), "names": names, "choices": choices}
