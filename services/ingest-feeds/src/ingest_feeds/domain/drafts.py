"""What the drafts of all feeds share."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.town import Town
from kommunepuls_events import ContentItemV1, Kind, Link, item_id
from kommunepuls_events.geometry import Point
from kommunepuls_events.interests import INTERESTS
from pydantic import ValidationError

from ingest_feeds.domain.sources import FeedSource

_INTEREST_OF_NAME = {name.casefold(): slug for slug, names in INTERESTS.items() for name in (*names, slug)}


def draft(
    town: Town, source: FeedSource, *, native_id: str, kind: Kind, now: datetime, **fields: Any
) -> ContentItemV1:
    """A draft with what the source gives to each of its items.

    Raises:
        RejectedInput: if the fields do not make an item.
    """
    origin = town.source_id(source)
    try:
        return ContentItemV1(
            id=item_id(origin, native_id),
            revision=1,
            municipality=town.code,
            source=origin,
            native_id=native_id,
            organiser=town.organiser_of(source),
            kind=kind,
            observed_at=now,
            **{"language": source.language or town.language, **fields},
        )
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"]) or "item"
        raise RejectedInput("invalid-item", f"{where}: {problem['msg']}") from None


def interests_of(
    source: FeedSource, categories: Iterable[str], mapping: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """The source's interests, and those of its categories: as mapped, or named as in the shared taxonomy."""
    found = dict.fromkeys(source.interests)
    for category in categories:
        mapped = mapping.get(category)
        if mapped is None and (slug := _INTEREST_OF_NAME.get(category.strip().casefold())):
            mapped = (slug,)
        found.update(dict.fromkeys(mapped or ()))
    return tuple(found)


def areas_of(source: FeedSource, text: str) -> tuple[str, ...]:
    """The areas whose words stand in the text; the source's own if there are none."""
    named = [area for word, area in source.area_words.items() if re.search(rf"\b{re.escape(word)}\b", text)]
    return tuple(dict.fromkeys(named)) or source.areas


def links_of(*pairs: tuple[str | None, str | None]) -> tuple[Link, ...]:
    """Links of (address, title); what is no web address is left out."""
    found = []
    for address, title in pairs:
        if address and re.match(r"https?://", address):
            try:
                found.append(Link(url=address, title=title))
            except ValidationError:
                continue
    return tuple(found)


def point(longitude: float, latitude: float) -> Point:
    """A point.

    Raises:
        RejectedInput: ``bad-coordinates`` if these are not degrees.
    """
    try:
        return Point(coordinates=(longitude, latitude))
    except ValidationError:
        raise RejectedInput(
            "bad-coordinates", f"[{longitude:g}, {latitude:g}] is not WGS84 degrees"
        ) from None
