"""The feed's cards: an item with its reasons in a sentence, picture, small map, and 'less of this'."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import shapely
from kommunepuls_chassis import links
from kommunepuls_chassis.errors import PermanentError
from kommunepuls_events import ContentItemV1, Place, Reason
from kommunepuls_events.base import utc_now

from gateway_api.adapters.http.naming import ReaderNames
from gateway_api.adapters.http.resident_views import names_for, sentences
from gateway_api.domain.because import because
from gateway_api.domain.errors import LinkRefused
from gateway_api.domain.items import texts_in
from gateway_api.domain.less import MUTED, RADIUS, Less, less_of
from gateway_api.domain.pictures import ShownPicture
from gateway_api.domain.subscribers import Subscriber
from gateway_api.domain.surroundings import SmallMap, surroundings
from gateway_api.domain.vocabulary import category_of, level_of
from gateway_api.domain.words import Words
from gateway_api.service.feeds import Entry
from gateway_api.service.gateway import Gateway
from gateway_api.service.towns import TownView

_MOST_AREAS = 3
_LESS = "less-of-this"
_LESS_HOLDS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LessChoice:
    """One button of 'less of this': what it says, and the fields it sends."""

    text: str
    what: str
    of: str
    metres: float


@dataclass(frozen=True, slots=True)
class Card:
    """An item as the feed shows it."""

    item: ContentItemV1
    title: str
    summary: str
    language: str
    areas: tuple[str, ...]
    category: str
    level: str
    kept: bool
    fresh: bool
    because: str
    sentences: tuple[str, ...]
    pictures: tuple[ShownPicture, ...]
    map: SmallMap | None
    less: tuple[LessChoice, ...]


async def cards(
    gateway: Gateway, subscriber: Subscriber, words: Words, entries: Sequence[Entry]
) -> tuple[list[Card], ReaderNames]:
    """The cards of entries, and what things are called for the reader."""
    items = [one.item for one in entries]
    names = await names_for(gateway, subscriber, words, items)
    pictures = await gateway.pictures.shown(items)
    read = await gateway.reads.of(subscriber.id, [one.id for one in items])
    town = gateway.towns.get(subscriber.profile.municipality)
    maps = await asyncio.to_thread(_maps, town, entries, subscriber.profile.places)
    made = []
    for entry, drawn in zip(entries, maps, strict=True):
        item = entry.item
        title, summary, _, written_in = texts_in(item, words.language)
        areas = entry.areas if len(entry.areas) <= _MOST_AREAS else (item.municipality,)
        made.append(
            Card(
                item=item,
                title=title,
                summary=summary,
                language=written_in,
                areas=tuple(map(names.area, areas)),
                category=category_of(item),
                level=level_of(item.severity),
                kept=entry.kept,
                fresh=read.get(item.id, 0) < item.revision,
                because=reason_line(entry.reasons, names, words),
                sentences=sentences(list(entry.reasons), names, words),
                pictures=pictures.get(item.id, ()),
                map=drawn,
                less=less_choices(item, entry.reasons, subscriber, names, words),
            )
        )
    return made, names


def reason_line(reasons: Sequence[Reason], names: ReaderNames, words: Words) -> str:
    """All reasons in one sentence."""
    unit = next((names.unit(one.sensor) for one in reasons if one.sensor), "")
    return because(reasons, names, words, unit=unit)


def _maps(town: TownView | None, entries: Sequence[Entry], places: Sequence[Place]) -> list[SmallMap | None]:
    return [small_map(town, one.item, one.areas, places) for one in entries]


def small_map(
    town: TownView | None, item: ContentItemV1, areas: Sequence[str], places: Sequence[Place]
) -> SmallMap | None:
    """The surroundings of an item: of its geometry, else of the few areas that it concerns. Takes milliseconds."""
    if town is None:
        return None
    if item.geometry is not None:
        target = shapely.geometry.shape(item.geometry.model_dump(mode="json"))
    else:
        concerned = [
            known.geometry
            for area in areas
            if area != town.code and (known := town.tree.get(area)) and known.geometry is not None
        ]
        if not concerned or len(areas) > _MOST_AREAS:
            return None
        target = shapely.union_all(concerned)
    return surroundings(target, [area.geometry for area in town.drawn_areas], places)


def less_choices(
    item: ContentItemV1, reasons: Sequence[Reason], subscriber: Subscriber, names: ReaderNames, words: Words
) -> tuple[LessChoice, ...]:
    """The buttons of 'less of this' for an item."""
    return tuple(
        LessChoice(_offered(one, names, words), one.what, one.of, one.metres)
        for one in less_of(item, reasons, subscriber.profile)
    )


def _offered(less: Less, names: ReaderNames, words: Words) -> str:
    match less.what:
        case "items":
            return words.say("Nothing more about this case")
        case "interests":
            return words.say("Nothing more about %(name)s", name=names.interest(less.of))
        case "organisers":
            return words.say("Nothing more from %(name)s", name=names.organiser(less.of))
        case "sources":
            return words.say("Nothing more from the source %(name)s", name=names.source(less.of))
    return words.say(
        "Only within %(metres)s of %(place)s (now %(before)s)",
        metres=words.distance(less.metres),
        place=names.place(less.of),
        before=words.distance(less.before),
    )


def confirmed(less: Less, names: ReaderNames, words: Words) -> str:
    """What a resident is told after choosing it."""
    match less.what:
        case "items":
            return words.say("You hear nothing more about this case.")
        case "interests":
            return words.say("You hear nothing more about %(name)s.", name=names.interest(less.of))
        case "organisers":
            return words.say("You hear nothing more from %(name)s.", name=names.organiser(less.of))
        case "sources":
            return words.say("You hear nothing more from the source %(name)s.", name=names.source(less.of))
    return words.say(
        "You hear of what is within %(metres)s of %(place)s.",
        metres=words.distance(less.metres),
        place=names.place(less.of),
    )


def less_from(what: str, of: str, metres: str, subscriber: Subscriber) -> Less | None:
    """The choice that a form says; None for what is none."""
    if what in MUTED and 0 < len(of) <= 512:
        held = getattr(subscriber.profile.muted, what)
        return None if of in held else Less(what, of)
    place = next((one for one in subscriber.profile.places if one.id == of), None)
    if what != RADIUS or place is None:
        return None
    try:
        wanted = float(metres)
    except ValueError:
        return None
    return Less(RADIUS, of, wanted, place.radius_metres) if 1 <= wanted < place.radius_metres else None


def undo_token(less: Less, subscriber: str, key: str) -> str:
    """What the undo button sends: signed, so that nobody else's page can make one up."""
    scope = json.dumps([less.what, less.of, less.metres, less.before])
    expires = (utc_now() + _LESS_HOLDS).timestamp()
    return links.sign({"subscriber": subscriber, "purpose": _LESS, "scope": scope, "expires": expires}, key)


def less_of_token(token: str, subscriber: str, key: str) -> Less:
    """Back from an undo token.

    Raises:
        LinkRefused: if it is none of ours, another's, or older than a day.
    """
    try:
        claims = links.verify(token, key, purpose=_LESS, now=utc_now())
    except PermanentError:
        raise LinkRefused(
            "this can no longer be undone here; see your choices", slug="link-unknown"
        ) from None
    if claims["subscriber"] != subscriber:
        raise LinkRefused("this can no longer be undone here; see your choices", slug="link-unknown")
    return Less(*json.loads(claims["scope"]))
